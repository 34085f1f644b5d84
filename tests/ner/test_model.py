"""ner_model.py: it begins with no entities, and labels that are added change nothing at first."""

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc
from thinc.api import Adam, chain
from tiny_pipelines import make_cnn

from spacy_pretrained.heads.resizing import FAR_BELOW
from spacy_pretrained.ner.bioes import decode, n_states
from spacy_pretrained.ner.model import add_outputs, build_ner, expect_outside


@pytest.fixture
def docs():
    vocab = spacy.blank("xx").vocab
    return [Doc(vocab, words=words) for words in (["a", "b", "c"], [], ["d", "e"])]


def make_model(docs, nO: int = 5):
    model = build_ner(make_cnn(), hidden_width=24, nO=nO).initialize(docs)
    rng = np.random.default_rng(0)
    output = model.get_ref("output")
    output.set_param("W", rng.normal(size=(nO, 24)).astype("float32"))
    output.set_param("b", rng.normal(size=nO).astype("float32"))
    return model


def test_scores_of_all_tokens(docs):
    tok2vec = make_cnn()
    model = build_ner(tok2vec, hidden_width=24, nO=5).initialize(docs)
    assert model.predict(docs).shape == (5, 5) and np.ptp(model.predict(docs), axis=1).all()
    assert model.predict([docs[1]]).shape == (0, 5)
    assert model.get_ref("tok2vec") is tok2vec
    assert model.get_ref("vectors").predict(docs).shape == (5, 16)
    assert model.get_ref("output").get_dim("nI") == 24


def test_the_gradient_reaches_the_vectors(docs):
    model = make_model(docs)
    head, vectors = model.layers[1:], model.get_ref("vectors").predict(docs).astype("float64")
    for layer in head:
        for name in layer.param_names:
            layer.set_param(name, layer.get_param(name).astype("float64"))
    head = chain(*head)

    def total(X):
        return float((head.predict(X) ** 2).sum() / 2)

    Y, backprop = head.begin_update(vectors)
    gradient = backprop(Y)
    direction = np.random.default_rng(1).normal(size=vectors.shape)
    slope = (total(vectors + 1e-6 * direction) - total(vectors - 1e-6 * direction)) / 2e-6
    assert (gradient * direction).sum() == pytest.approx(slope, rel=1e-5)


def test_a_new_model_expects_no_entities(docs):
    for nO in (5, 41):
        model = build_ner(make_cnn(), nO=nO).initialize(docs)
        expect_outside(model)
        p = np.exp(model.get_ref("output").get_param("b"))
        assert p.sum() == pytest.approx(1) and p[0] == pytest.approx(0.9)
        assert np.ptp(p[1:]) < 1e-6


@pytest.mark.parametrize("n_old", [1, 5, 13])
def test_added_outputs(docs, n_old):
    """Old scores stay; a new state is nowhere the best, and nowhere part of the best sequence."""
    model = make_model(docs, n_old)
    before = model.predict(docs)
    add_outputs(model)
    after = model.predict(docs)
    assert after.shape == (5, n_old + 4) and model.get_dim("nO") == n_old + 4
    np.testing.assert_allclose(after[:, :n_old], before, rtol=1e-5, atol=1e-5)
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(5000, 24)).astype("float32")
    scores = model.get_ref("output").predict(vectors)
    assert scores.argmax(axis=1).max() < n_old
    first = np.arange(5000) % 10 == 0
    assert decode(scores, first).tolist() == decode(scores[:, :n_old], first).tolist()
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    assert p[:, n_old:].sum(axis=1).max() < 0.05


def test_a_new_label_begins_as_what_the_others_have_in_common(docs):
    model = make_model(docs, 9)
    scores = model.predict(docs)
    add_outputs(model)
    means = (scores[:, 1:5] + scores[:, 5:9]) / 2
    np.testing.assert_allclose(model.predict(docs)[:, 9:], means - FAR_BELOW, rtol=1e-4)


def test_added_outputs_before_initialization(docs):
    model = build_ner(make_cnn(), nO=n_states(1))
    add_outputs(model)
    model.initialize(docs)
    assert model.predict(docs).shape == (5, 9)


def test_added_outputs_are_trained_and_saved(docs):
    """With the optimizer that has moments of the layer as it was."""
    model, optimizer = make_model(docs), Adam(0.01)
    for n in (5, 9, 13):
        Y, backprop = model.begin_update(docs)
        assert Y.shape == (5, n)
        backprop(np.ones_like(Y))
        before = model.get_ref("output").get_param("W").copy()
        model.finish_update(optimizer)
        assert (model.get_ref("output").get_param("W") != before).any(axis=1).all()
        add_outputs(model)
    copy = build_ner(make_cnn(), hidden_width=24).from_bytes(model.to_bytes())
    np.testing.assert_array_equal(copy.predict(docs), model.predict(docs))
    add_outputs(copy)
    assert copy.predict(docs).shape == (5, 21)
