"""Entailment on OpenVINO, without torch: the scores of labels are those that the logits of pairs
come to, reckoned one by one. A pair's logits are the sum of its wordpieces' here."""

import sys

import numpy as np
import pytest
import spacy
from numpy.testing import assert_allclose
from thinc.api import Model
from tiny_models import make_wordpiece

from spacy_pretrained.backends.backbone import get_shim
from spacy_pretrained.checkpoints.checkpoint import Checkpoint, Layout
from spacy_pretrained.checkpoints.wordpieces import PieceTokenizer
from spacy_pretrained.heads.losses import sigmoid, softmax
from spacy_pretrained.quantization.openvino_copy import to_files
from spacy_pretrained.runtime.no_telemetry import import_openvino
from spacy_pretrained.textcat.labels.label_set import LabelSet, make_label_set
from spacy_pretrained.textcat.zero_shot.classifier import Query
from spacy_pretrained.textcat.zero_shot.entailment_model import (
    build_entailment_classifier,
    build_openvino_entailment_classifier,
)

TEXTS = ["The quick brown fox jumps.", "She sold sea shells.", "Isn't it?", "Die Katze."]
LABELS = ["fox", "sea shells", "training"]
TEMPLATES = ["This is about {}.", "It is {}!"]
CLASSES = {"0": "contradiction", "1": "neutral", "2": "ENTAILMENT"}
NO_CONTRADICTION = {"0": "no", "1": "entailment", "2": "other"}
PIPE = "zero_shot_textcat"
ON_OPENVINO = {"@architectures": "spacy-pretrained.OpenVinoEntailmentClassifier.v1"}


def make_table() -> np.ndarray:
    """Logits of each wordpiece in the first text and in the second one (2, V, C)."""
    size = 2, make_wordpiece().get_vocab_size(), 3
    return np.random.default_rng(0).normal(size=size, scale=0.3).astype("float32")


def fill(model: Model, classes: dict[str, str] = CLASSES) -> Model:
    openvino = import_openvino()
    ops, zero, one = openvino.opset8, np.int64(0), np.int64(1)
    inputs = []
    for name in ("input_ids", "attention_mask", "token_type_ids"):
        inputs.append(ops.parameter([-1, -1], np.int64, name=name))
        inputs[-1].output(0).set_names({name})
    ids, mask, segments = inputs
    first, second = (ops.gather(ops.constant(table), ids, zero) for table in make_table())
    share = ops.unsqueeze(ops.convert(segments, "f32"), np.int64(2))
    logits = ops.add(first, ops.multiply(share, ops.subtract(second, first)))
    is_piece = ops.unsqueeze(ops.convert(mask, "f32"), np.int64(2))
    logits = ops.reduce_sum(ops.multiply(logits, is_piece), one, False)
    tokenizer = PieceTokenizer(make_wordpiece().to_str())
    layout = Layout(width=3, max_window=64, pad=0, segments=True)
    checkpoint = Checkpoint({"model_type": "bert", "id2label": classes}, tokenizer, layout)
    get_shim(model).from_files(to_files(checkpoint, openvino.Model([logits], inputs)))
    return model


@pytest.fixture
def model() -> Model:
    return fill(build_openvino_entailment_classifier(threads=1))


def make_labels(templates=TEMPLATES, *, multi_label: bool = False) -> LabelSet:
    return make_label_set(
        LABELS, descriptions={}, templates=templates, multi_label=multi_label, component="x"
    )


def reckon(text: str, label: str) -> np.ndarray:
    """The logits (C,) of a text with the hypotheses of a label, their mean."""
    table, tokenizer = make_table(), make_wordpiece()
    pairs = [tokenizer.encode(text, template.format(label)) for template in TEMPLATES]
    return np.mean([table[pair.type_ids, pair.ids].sum(axis=0) for pair in pairs], axis=0)


def test_labels_are_scored_by_the_class_of_entailment(model):
    found = model.predict(Query(TEXTS, make_labels()))
    expected = [[reckon(text, label)[2] for label in LABELS] for text in TEXTS]
    assert_allclose(found, expected, atol=1e-4)


def test_each_of_several_labels_is_scored_against_contradiction(model):
    found = model.predict(Query(TEXTS, make_labels(multi_label=True)))
    logits = np.array([[reckon(text, label) for label in LABELS] for text in TEXTS])
    assert_allclose(found, logits[..., 2] - logits[..., 0], atol=1e-4)


def test_or_against_all_the_rest_where_there_is_no_contradiction():
    model = fill(build_openvino_entailment_classifier(), NO_CONTRADICTION)
    (template,) = templates = TEMPLATES[:1]
    found = model.predict(Query(TEXTS, make_labels(templates, multi_label=True)))
    for text, row in zip(TEXTS, found):
        for label, score in zip(LABELS, row):
            pair = make_wordpiece().encode(text, template.format(label))
            logits = make_table()[pair.type_ids, pair.ids].sum(axis=0)
            assert sigmoid(np.array([score]))[0] == pytest.approx(softmax(logits[None])[0, 1])


def test_one_text_as_in_a_batch_and_a_long_one_in_windows(model):
    texts = [*TEXTS, "The quick brown fox jumps over the lazy dog. " * 12, "\u200b"]
    labels = make_labels()
    together = model.predict(Query(texts, labels))
    for text, row in zip(texts, together):
        assert_allclose(model.predict(Query([text], labels))[0], row, atol=1e-4)
    batches = model.plan(texts, labels)
    assert max(batch.ids.shape[1] for batch in batches) <= 64
    n_pairs = sum(len(batch.ids) for batch in batches)
    assert n_pairs > len(texts) * len(LABELS) * len(TEMPLATES)  # of the long one, several


def test_in_the_component(model):
    nlp = spacy.blank("xx")
    config = {"model": ON_OPENVINO, "labels": LABELS, "templates": TEMPLATES}
    pipe = nlp.add_pipe(PIPE, config=config)
    fill(pipe.model)
    expected = softmax(model.predict(Query(TEXTS, make_labels())))
    found = [list(doc.cats.values()) for doc in nlp.pipe(TEXTS)]
    assert_allclose(found, expected, atol=1e-5)
    again = spacy.blank("xx").from_config(nlp.config).from_bytes(nlp.to_bytes())
    assert [doc.cats for doc in again.pipe(TEXTS)] == [doc.cats for doc in nlp.pipe(TEXTS)]


def test_no_weights_and_no_calibration(model):
    with pytest.raises(ValueError, match="no weights yet"):
        build_openvino_entailment_classifier().predict(Query(["a"], make_labels()))
    with pytest.raises(ValueError, match="cannot be calibrated"):
        model.calibrate(["a"], make_labels())
    with pytest.raises(ValueError, match="threads"):
        build_openvino_entailment_classifier(threads=-1)


def test_on_torch_it_says_what_to_install_if_there_is_none(monkeypatch):
    monkeypatch.setitem(sys.modules, "spacy_pretrained.backends.torch_entailment", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'spacy-pretrained\[train\]'"):
        build_entailment_classifier()
