"""classifier.py: every model for the zero-shot component keeps the same contract."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import spacy
from numpy.testing import assert_allclose

from spacy_pretrained.backends.backbone import get_shim
from spacy_pretrained.encoder.text_encoder import build_torch_sentence_encoder
from spacy_pretrained.textcat.labels.label_set import LabelSet, make_label_set
from spacy_pretrained.textcat.zero_shot.classifier import Query, ZeroShotClassifier
from spacy_pretrained.textcat.zero_shot.entailment_model import build_entailment_classifier
from spacy_pretrained.textcat.zero_shot.similarity_model import build_similarity_classifier

TEXTS = ["the sea shore", "lazy dogs jump over foxes", "sea shells 😀", "Zürich"]
MODELS = ["similarity", "entailment"]


def build(kind: str) -> ZeroShotClassifier:
    if kind == "entailment":
        return build_entailment_classifier()
    return build_similarity_classifier(build_torch_sentence_encoder(frozen=True))


@pytest.fixture(params=MODELS)
def model(request, tiny_bert, tiny_nli) -> ZeroShotClassifier:
    model = build(request.param)
    source = tiny_bert if model.runs_on_encoder else tiny_nli("bert")
    get_shim(model).load_source(Path(source))
    return model


def make_labels(names=("the sea", "dogs", "cities"), multi_label=False) -> LabelSet:
    return make_label_set(
        names, descriptions={}, templates=["On {}.", "{}!"], multi_label=multi_label, component="x"
    )


@pytest.mark.parametrize("multi_label", [False, True])
def test_logits_of_every_label(model, multi_label):
    query = Query(TEXTS, make_labels(multi_label=multi_label))
    logits = model.score(query)
    assert isinstance(model, ZeroShotClassifier)
    assert logits.shape == (4, 3) and logits.dtype == "float32" and np.isfinite(logits).all()
    assert_allclose(model.predict(query), logits, atol=1e-5)
    for text, row in zip(TEXTS, logits):
        assert_allclose(model.score(Query([text], query.labels))[0], row, atol=1e-5)
    for k, name in enumerate(query.labels.names):
        others = make_labels([name, "shells"], multi_label=multi_label)
        assert_allclose(model.score(Query(TEXTS, others))[:, 0], logits[:, k], atol=1e-5)


def test_the_plan_is_what_the_backend_gets_to_see(model, monkeypatch):
    shim, seen = get_shim(model), []
    predict = shim.predict

    def watch(batches):
        batches = list(batches)
        seen.extend(batches)
        return predict(batches)

    monkeypatch.setattr(shim, "predict", watch)
    planned = model.plan(TEXTS, make_labels())
    assert not seen
    model.score(Query(TEXTS, make_labels()))
    assert count_pieces(seen) == count_pieces(planned) > 0


def count_pieces(batches: list) -> int:
    """Wordpieces, without padding."""
    return sum(int((batch.mask > 0).sum()) for batch in batches)


def test_threads_may_ask_at_the_same_time(model):
    queries = [Query(TEXTS[i % 3 :], make_labels((f"dogs {i % 4}", "sea"))) for i in range(12)]
    expected = [model.score(query) for query in queries]
    with ThreadPoolExecutor(4) as pool:
        for one, two in zip(pool.map(model.score, queries), expected):
            assert_allclose(one, two, atol=1e-5)


def test_a_calibration_comes_back_with_a_row_a_label_or_is_refused(model):
    labels = make_labels()
    try:
        calibration = model.calibrate(TEXTS, labels)
    except ValueError as error:
        assert "cannot be calibrated" in str(error)
        return
    assert len(calibration) == len(labels)
    before, after = (
        model.score(Query(TEXTS, labels)),
        model.score(Query(TEXTS, labels, calibration)),
    )
    assert after.shape == before.shape and np.abs(after - before).max() > 1e-4


@pytest.mark.parametrize("kind", MODELS)
def test_without_weights_it_says_so(kind):
    model = build(kind)
    for ask in (
        lambda: model.plan(TEXTS, make_labels()),
        lambda: model.score(Query(TEXTS, make_labels())),
        lambda: model.calibrate(TEXTS, make_labels()),
    ):
        with pytest.raises(ValueError, match=r"initialize|cannot be calibrated"):
            ask()


def test_it_learns_nothing(model):
    logits, backprop = model.begin_update(Query(TEXTS, make_labels()))
    with pytest.raises(NotImplementedError, match="few_shot_textcat"):
        backprop(logits)


def test_pickled_it_is_the_same(model):
    query = Query(TEXTS, make_labels())
    again = pickle.loads(pickle.dumps(model))
    assert_allclose(again.score(query), model.score(query), atol=1e-5)


def test_the_component_refuses_other_models():
    config = {"model": {"@architectures": "spacy-pretrained.FewShotClassifier.v1"}}
    config["model"]["encoder"] = {"@architectures": "spacy-pretrained.TorchSentenceEncoder.v1"}
    with pytest.raises(ValueError, match=r"'zero_shot_textcat' .* not 'few_shot_classifier'"):
        spacy.blank("xx").add_pipe("zero_shot_textcat", config=config)
