"""Texts and labels through one encoder: cosines, label vectors once, weights that change."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from random_windows import window_lengths

from spacy_pretrained.backends.backbone import get_shim
from spacy_pretrained.encoder.text_encoder import SentenceEncoder, build_torch_sentence_encoder
from spacy_pretrained.textcat.labels.label_set import LabelSet, make_label_set
from spacy_pretrained.textcat.normalized import normalize
from spacy_pretrained.textcat.zero_shot.classifier import Query
from spacy_pretrained.textcat.zero_shot.similarity_model import (
    KEPT_LABEL_SETS,
    LabelVectors,
    SimilarityClassifier,
    build_similarity_classifier,
    encode_labels,
)

TEXTS = ["the sea shore", "lazy dogs jump", "sea shells 😀"]


def make_labels(names=("the sea", "dogs"), templates=("On {}.",), multi_label=False) -> LabelSet:
    return make_label_set(
        names, descriptions={}, templates=templates, multi_label=multi_label, component="topics"
    )


def make_model(source: str, **settings) -> SimilarityClassifier:
    encoder = build_torch_sentence_encoder(frozen=True)
    get_shim(encoder).load_source(Path(source))
    return build_similarity_classifier(encoder, **settings)


@pytest.fixture
def model(tiny_bert) -> SimilarityClassifier:
    return make_model(tiny_bert, scale=10.0, middle=0.25)


def count_calls(monkeypatch, encoder: SentenceEncoder) -> list[int]:
    """The number of texts in each batch that the encoder is asked for, from now on."""
    calls, predict = [], get_shim(encoder).predict

    def counted(batches):
        calls.append(len(window_lengths(batches)))
        return predict(batches)

    monkeypatch.setattr(get_shim(encoder), "predict", counted)
    return calls


def test_logits_are_scaled_cosines(model):
    encoder = model.get_ref("encoder")
    logits = model.predict(Query(TEXTS, make_labels()))
    texts, labels = encoder.predict(TEXTS), encoder.predict(["On the sea.", "On dogs."])
    lengths = np.linalg.norm(texts, axis=1)[:, None] * np.linalg.norm(labels, axis=1)
    cosines = texts @ labels.T / lengths
    assert_allclose(logits, 10 * cosines, atol=1e-4)
    several = model.predict(Query(TEXTS, make_labels(multi_label=True)))
    assert_allclose(several, 10 * (cosines - 0.25), atol=1e-4)


def test_templates_are_averaged_as_normalized_vectors(model):
    encoder = model.get_ref("encoder")
    both = encode_labels(encoder, make_labels(templates=("On {}.", "{}")))
    one, other = (encode_labels(encoder, make_labels(templates=(t,))) for t in ("On {}.", "{}"))
    assert_allclose(both, normalize(one + other), atol=1e-5)
    assert_allclose(np.linalg.norm(both, axis=1), 1, atol=1e-5)


def test_a_calibration_stands_in_for_the_labels_vectors(model):
    vectors = normalize(np.random.default_rng(0).normal(size=(2, 32)).astype("float32"))
    logits = model.predict(Query(TEXTS, make_labels(), vectors))
    expected = 10 * normalize(model.get_ref("encoder").predict(TEXTS)) @ vectors.T
    assert_allclose(logits, expected, atol=1e-4)


def test_a_text_without_pieces_is_as_far_from_every_label(model):
    assert model.predict(Query([""], make_labels())).tolist() == [[0.0, 0.0]]


def test_labels_are_encoded_once_a_set(monkeypatch, model):
    calls = count_calls(monkeypatch, model.get_ref("encoder"))
    many = make_labels([f"dogs {i}" for i in range(1000)])
    for _ in range(3):
        assert model.predict(Query(TEXTS, many)).shape == (3, 1000)
    assert calls.count(3) == 3 and sum(calls) == 1000 + 3 * 3


def test_other_weights_give_other_label_vectors(model, tiny_source):
    before = model.predict(Query(TEXTS, make_labels()))
    get_shim(model).load_source(Path(tiny_source("roberta")))
    after = model.predict(Query(TEXTS, make_labels()))
    assert not np.allclose(before, after, atol=1e-3)
    assert_allclose(after, make_model(tiny_source("roberta"), scale=10.0).predict(
        Query(TEXTS, make_labels())
    ), atol=1e-4)  # fmt: skip


def test_only_the_sets_asked_for_last_are_kept(monkeypatch, model):
    encoder, vectors = model.get_ref("encoder"), LabelVectors()
    calls = count_calls(monkeypatch, encoder)
    sets = [make_labels((f"dogs {i}", "sea")) for i in range(KEPT_LABEL_SETS + 1)]
    for labels in [*sets[:-1], sets[0], sets[-1], sets[0]]:
        vectors.find(encoder, labels)
    assert len(calls) == KEPT_LABEL_SETS + 1
    vectors.find(encoder, sets[1])
    assert len(calls) == KEPT_LABEL_SETS + 2


def test_threads_may_share_a_classifier(model):
    sets = [make_labels((f"dogs {i}", "sea")) for i in range(4)] * 4
    expected = [model.predict(Query(TEXTS, labels)) for labels in sets]
    model.label_vectors = LabelVectors()
    with ThreadPoolExecutor(4) as pool:
        found = pool.map(lambda labels: model.predict(Query(TEXTS, labels)), sets)
        for one, two in zip(found, expected):
            assert_allclose(one, two, atol=1e-5)


def test_copies_of_label_vectors_begin_with_none(model):
    vectors = model.label_vectors
    vectors.find(model.get_ref("encoder"), make_labels())
    assert len(vectors._kept) == 1 and len(pickle.loads(pickle.dumps(vectors))._kept) == 0
