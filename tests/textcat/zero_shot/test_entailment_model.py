"""entailment_model.py, torch_entailment.py: tiny models say what transformers' own pipeline has
them say, on torch and on OpenVINO; one that has learnt from some pairs puts it to use."""

import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import spacy
import torch
from numpy.testing import assert_allclose
from thinc.api import Model
from transformers import (
    AutoModelForSequenceClassification,
    PreTrainedTokenizerFast,
    ZeroShotClassificationPipeline,
)

from spacy_pretrained.backends.backbone import get_shim
from spacy_pretrained.backends.openvino_backend import OpenVinoShim
from spacy_pretrained.heads.losses import sigmoid, softmax
from spacy_pretrained.quantization.openvino_copy import to_files
from spacy_pretrained.quantization.quantize import quantize_pipeline
from spacy_pretrained.quantization.torch_export import to_openvino
from spacy_pretrained.textcat.labels.label_set import LabelSet, make_label_set
from spacy_pretrained.textcat.zero_shot.classifier import Query
from spacy_pretrained.textcat.zero_shot.entailment_model import (
    build_entailment_classifier,
    build_openvino_entailment_classifier,
)

KINDS = ["bert", "roberta", "distilbert", "deberta-v2", "bart"]
TEXTS = ["The quick brown fox jumps.", "She sold sea shells.", "Isn't it?", "Die Katze 京 👍🏽."]
LABELS = ["fox", "sea shells", "training"]
TEMPLATE = "This is about {}."
LONG = "The quick brown fox jumps over the lazy dog. " * 12
PIPE = "zero_shot_textcat"
ENTAILMENT = {"@architectures": "spacy-pretrained.EntailmentClassifier.v1"}


def make_model(source: str, **settings) -> Model[Query, np.ndarray]:
    model = build_entailment_classifier(**settings)
    get_shim(model).load_source(Path(source))
    return model


def make_labels(names=LABELS, *, templates=(TEMPLATE,), multi_label=False) -> LabelSet:
    return make_label_set(
        names, descriptions={}, templates=templates, multi_label=multi_label, component="x"
    )


def ask(model: Model, texts: list[str], labels: LabelSet) -> np.ndarray:
    logits = model.predict(Query(texts, labels))
    return sigmoid(logits) if labels.multi_label else softmax(logits)


def open_with_transformers(source: str):
    module = AutoModelForSequenceClassification.from_pretrained(source)
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=f"{source}/tokenizer.json")
    tokenizer.pad_token = tokenizer.convert_ids_to_tokens(module.config.pad_token_id)
    tokenizer.model_input_names = ["input_ids", "attention_mask"]
    if module.config.model_type == "bert":
        tokenizer.model_input_names.append("token_type_ids")
    return module, tokenizer


def ask_transformers(source: str, multi_label: bool) -> np.ndarray:
    module, tokenizer = open_with_transformers(source)
    pipeline = ZeroShotClassificationPipeline(model=module, tokenizer=tokenizer)
    answers = pipeline(
        TEXTS, candidate_labels=LABELS, hypothesis_template=TEMPLATE, multi_label=multi_label
    )
    found = [dict(zip(answer["labels"], answer["scores"])) for answer in answers]
    return np.array([[scores[label] for label in LABELS] for scores in found])


@pytest.mark.parametrize("multi_label", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_scores_are_those_of_transformers(kind, multi_label, tiny_nli):
    expected = ask_transformers(tiny_nli(kind), multi_label)
    found = ask(make_model(tiny_nli(kind)), TEXTS, make_labels(multi_label=multi_label))
    assert_allclose(found, expected, atol=1e-5)
    assert np.ptp(expected, axis=0).min() > 1e-3  # they are not all alike


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_openvino_agrees(kind, tiny_nli):
    model = make_model(tiny_nli(kind))
    shim = get_shim(model)
    other = build_openvino_entailment_classifier(threads=2)
    assert isinstance(get_shim(other), OpenVinoShim)
    get_shim(other).from_files(to_files(shim.checkpoint, to_openvino(shim)))
    for multi_label in (False, True):
        query = Query([*TEXTS, LONG], make_labels(multi_label=multi_label))
        assert_allclose(other.predict(query), model.predict(query), atol=1e-4)


def test_one_text_as_in_a_batch(tiny_nli):
    model = make_model(tiny_nli("bert"), max_pieces=150)
    texts = [*TEXTS, LONG, "\u200b"]
    together = model.predict(Query(texts, make_labels()))
    assert np.isfinite(together).all()
    for text, row in zip(texts, together):
        assert_allclose(model.predict(Query([text], make_labels()))[0], row, atol=1e-5)
    for k, label in enumerate(LABELS):
        alone = model.predict(Query(texts, make_labels([label, "other"])))
        assert_allclose(alone[:, 0], together[:, k], atol=1e-5)


def test_all_of_a_long_text_counts(tiny_nli):
    """The mean over windows of like length is that over the parts they are."""
    model = make_model(tiny_nli("roberta"))
    words = "shells fox dog river"
    half = " ".join([words] * 5)
    ends = [model.predict(Query([f"{half} {x}"], make_labels()))[0] for x in (half, "Ada")]
    assert np.abs(ends[0] - ends[1]).max() > 1e-4


def test_templates_are_averaged(tiny_nli):
    model = make_model(tiny_nli("bert"))
    templates = ["About {}.", "It is {}!"]
    parts = [model.predict(Query(TEXTS, make_labels(templates=[t]))) for t in templates]
    both = model.predict(Query(TEXTS, make_labels(templates=templates)))
    assert_allclose(both, np.mean(parts, axis=0), atol=1e-5)


@pytest.mark.parametrize("multi_label", [False, True])
def test_against_all_the_rest_without_contradiction(multi_label, tiny_nli, tmp_path):
    """Probabilities of one label are those of the class; without a contradiction the rest is all
    that is not entailment."""
    folder = copy_source(tiny_nli("bert"), tmp_path, {"0": "no", "1": "entailment", "2": "other"})
    model = make_model(folder)
    labels = make_labels(["fox", "dog"], multi_label=multi_label)
    found = ask(model, TEXTS[:1], labels)[0]
    module = AutoModelForSequenceClassification.from_pretrained(folder)
    encoded = [
        get_shim(model).checkpoint.tokenizer._tokenizer.encode(TEXTS[0], f"This is about {x}.")
        for x in ("fox", "dog")
    ]
    logits = []
    for e in encoded:
        ids, segments = torch.tensor([e.ids]), torch.tensor([e.type_ids])
        with torch.inference_mode():
            logits.append(module(input_ids=ids, token_type_ids=segments).logits[0])
    if multi_label:
        expected = [float(row.softmax(0)[1]) for row in logits]
    else:
        expected = torch.stack([row[1] for row in logits]).softmax(0).tolist()
    assert_allclose(found, expected, atol=1e-5)


def copy_source(source: str, tmp_path, names: dict[str, str] | None):
    folder = tmp_path / "copy"
    shutil.copytree(source, folder)
    config = json.loads((folder / "config.json").read_text("utf8"))
    if names is None:
        del config["id2label"], config["label2id"]
        config["num_labels"] = 3
    else:
        config["id2label"] = names
        config["label2id"] = {name: int(i) for i, name in names.items()}
    (folder / "config.json").write_text(json.dumps(config), "utf8")
    return folder


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (None, r"its id2label has LABEL_0, LABEL_1, LABEL_2\."),
        ({"0": "bad", "1": "good", "2": "so-so"}, r"id2label has bad, good, so-so\."),
        ({"0": "entailment", "1": "Entailed", "2": "x"}, r"has entailment, Entailed, x\."),
    ],
)
def test_classes_are_not_guessed(names, message, tiny_nli, tmp_path):
    with pytest.raises(ValueError, match=message):
        make_model(copy_source(tiny_nli("bert"), tmp_path, names))


def test_an_encoder_alone_is_refused(tiny_bert):
    with pytest.raises(ValueError, match=r"not those of a classifier of texts: there is no \w+"):
        make_model(tiny_bert)


def test_saved_copied_and_pickled(tiny_nli):
    model = make_model(tiny_nli("bert"))
    shim, query = get_shim(model), Query(TEXTS, make_labels())
    expected = model.predict(query)
    files = shim.to_files()
    for other in (shim.copy(), pickle.loads(pickle.dumps(shim))):
        again = build_entailment_classifier()
        again.get_ref("backbone").shims[0] = other
        assert_allclose(again.predict(query), expected, atol=1e-6)
        assert other.to_files().keys() == files.keys()
    assert "layout.json" in files and json.loads(files["layout.json"])["segments"] is True


def test_no_weights_no_way_back_and_no_calibration(tiny_nli):
    with pytest.raises(ValueError, match="initialize"):
        build_entailment_classifier().predict(Query(["a"], make_labels()))
    model = make_model(tiny_nli("bert"))
    _, backprop = model.begin_update(Query(["a"], make_labels()))
    with pytest.raises(NotImplementedError, match="learns nothing"):
        backprop(np.zeros((1, 3)))
    with pytest.raises(ValueError, match="cannot be calibrated"):
        model.calibrate(["a"], make_labels())


# In the component


def make_nlp(source: str, **config):
    nlp = spacy.blank("xx")
    nlp.add_pipe(PIPE, config={"model": ENTAILMENT, "labels": LABELS} | config)
    nlp.config["initialize"]["components"][PIPE] = {"source": source}
    nlp.initialize()
    return nlp


def test_component(tiny_nli, tmp_path):
    nlp = make_nlp(tiny_nli("deberta-v2"), templates=[TEMPLATE])
    expected = ask(make_model(tiny_nli("deberta-v2")), TEXTS, make_labels())
    nlp.to_disk(tmp_path)
    for one in (nlp, spacy.load(tmp_path)):
        found = [list(doc.cats.values()) for doc in one.pipe(TEXTS)]
        assert_allclose(found, expected, atol=1e-5)
    assert nlp("").cats == dict.fromkeys(LABELS, pytest.approx(1 / 3))
    many = [f"label {i}" for i in range(300)]
    doc = nlp(TEXTS[0], component_cfg={PIPE: {"labels": many, "multi_label": True}})
    assert list(doc.cats) == many


@pytest.mark.slow
def test_quantized(tiny_nli):
    nlp = make_nlp(tiny_nli("bert"))
    before = [list(doc.cats.values()) for doc in nlp.pipe(TEXTS)]
    for precision, tolerance in (("fp32", 1e-4), ("int8", 0.1)):
        quantized = quantize_pipeline(nlp, [*TEXTS, LONG] * 5, precision=precision)
        found = [list(doc.cats.values()) for doc in quantized.pipe(TEXTS)]
        assert_allclose(found, before, atol=tolerance)
        model = quantized.config["components"][PIPE]["model"]
        assert model["@architectures"] == "spacy-pretrained.OpenVinoEntailmentClassifier.v1"
        assert isinstance(get_shim(quantized.get_pipe(PIPE).model), OpenVinoShim)


def test_it_shares_no_encoder():
    nlp = spacy.blank("xx")
    with pytest.raises(ValueError, match="cannot run on the weights of the encoder 'enc'"):
        nlp.add_pipe(PIPE, config={"model": ENTAILMENT, "upstream": "enc"})


def test_a_model_that_has_learnt(tiny_nli, tmp_path):
    """Whether a pair shares its word is what it learns; then labels are found in texts."""
    words = ["fox", "dog", "shells", "river"]
    texts = {word: f"The {word} is here." for word in words}
    module, tokenizer = open_with_transformers(tiny_nli("bert"))
    pairs = [(text, f"This is about {other}.") for text in texts.values() for other in words]
    encoded = tokenizer(*map(list, zip(*pairs)), padding=True, return_tensors="pt")
    gold = torch.tensor([2 if one == other else 0 for one in words for other in words])
    optimizer = torch.optim.AdamW(module.parameters(), lr=1e-3)
    for _ in range(300):
        loss = module(**encoded, labels=gold).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        if loss < 0.05:
            break
    assert loss < 0.05
    shutil.copytree(tiny_nli("bert"), tmp_path / "nli")
    module.save_pretrained(tmp_path / "nli")
    nlp = make_nlp(str(tmp_path / "nli"), labels=words, templates=[TEMPLATE])
    for word, text in texts.items():
        cats = nlp(text).cats
        assert max(cats, key=cats.get) == word and cats[word] > 0.7
        several = nlp(text, component_cfg={PIPE: {"multi_label": True}}).cats
        assert [label for label, score in several.items() if score > 0.5] == [word]
