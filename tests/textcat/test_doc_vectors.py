"""doc_vectors.py: means of the vectors of words, and their gradients."""

import numpy as np
import pytest
import spacy
from numpy.testing import assert_allclose
from spacy.tokens import Doc
from thinc.api import Model, set_dropout_rate
from tiny_pipelines import CNN_WIDTH, make_cnn

from spacy_pretrained.textcat.doc_vectors import DocVectors, MeanVectors


@pytest.fixture(scope="module")
def docs() -> list[Doc]:
    vocab = spacy.blank("xx").vocab
    texts = (["a", "\n\n", "b", "c"], [], ["d", "e"], [" ", "\n"])
    return [Doc(vocab, words=words, spaces=[False] * len(words)) for words in texts]


def given_vectors(docs: list[Doc], width: int) -> tuple[Model, list[np.ndarray], list]:
    """A layer that gives these vectors; what it gets as gradients is in the list."""
    rng = np.random.default_rng(0)
    vectors, received = [rng.normal(size=(len(doc), width)).astype("f") for doc in docs], []
    layer = Model("given", lambda model, X, is_train: (vectors, lambda d: received.append(d) or []))
    return layer, vectors, received


def test_white_space_is_left_out(docs):
    layer, vectors, _ = given_vectors(docs, 3)
    means = MeanVectors(layer).predict(docs)
    assert_allclose(means[0], vectors[0][[0, 2, 3]].mean(axis=0), rtol=1e-5)
    assert_allclose(means[2], vectors[2].mean(axis=0), rtol=1e-5)
    assert not means[1].any() and not means[3].any()


def test_backprop_is_the_adjoint(docs):
    layer, vectors, received = given_vectors(docs, 3)
    means, backprop = MeanVectors(layer).begin_update(docs)
    gradient = np.random.default_rng(1).normal(size=means.shape).astype("f")
    backprop(gradient)
    (d_vectors,) = received
    assert [d.shape for d in d_vectors] == [v.shape for v in vectors]
    products = sum((d * v).sum() for d, v in zip(d_vectors, vectors))
    assert products == pytest.approx((means * gradient).sum(), rel=1e-5)
    assert not d_vectors[0][1].any() and d_vectors[0][2].any()


def test_one_alone_as_in_a_batch(docs):
    model = DocVectors(make_cnn())
    model.initialize(docs)
    together = model.predict(docs)
    assert together.shape == (4, CNN_WIDTH)
    for doc, row in zip(docs, together):
        assert_allclose(model.predict([doc])[0], row, atol=1e-6)
    assert model.predict([docs[1], docs[1]]).shape == (2, CNN_WIDTH)


def test_dropout_is_on_the_mean(docs):
    model = DocVectors(given_vectors(docs, 50)[0])
    model.initialize(docs)
    set_dropout_rate(model, 0.5)
    dropped, _ = model.begin_update(docs)
    assert 5 < (dropped[0] == 0).sum() < 45
