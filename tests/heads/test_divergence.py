"""The loss of a rehearsal: its gradient against differences, and columns that are new."""

import numpy as np
import pytest
from numeric_gradient import differences
from thinc.api import NumpyOps

from spacy_pretrained.heads.divergence import binary_divergence, divergence
from spacy_pretrained.heads.losses import sigmoid, softmax

OPS = NumpyOps()
TEMPERATURES = pytest.mark.parametrize("T", [1.0, 2.5])


@pytest.fixture
def scores():
    return np.random.default_rng(0).normal(scale=3, size=(6, 4))


@TEMPERATURES
def test_divergence_against_differences(scores, T):
    old = np.random.default_rng(1).normal(scale=3, size=scores.shape)
    old[1, 2] = scores[1, 2] = -np.inf
    before = scores.copy()
    gradient, loss = divergence(OPS, scores, old, temperature=T)
    assert (scores == before).all()
    p, q = softmax(old / T), softmax(scores / T)
    possible = p > 0
    logs = np.log(p[possible] / q[possible])
    assert loss == pytest.approx(T**2 * (p[possible] * logs).sum())
    numeric = differences(lambda s: divergence(OPS, s, old, temperature=T)[1], scores)
    np.testing.assert_allclose(gradient[possible], numeric[possible], atol=1e-7)
    assert divergence(OPS, old, old)[1] == pytest.approx(0, abs=1e-9)


@TEMPERATURES
def test_divergence_from_fewer_columns(scores, T):
    """Columns that are new have been part of column 1."""
    old = np.random.default_rng(1).normal(size=(6, 2))
    gradient, loss = divergence(OPS, scores, old, background=1, temperature=T)
    q = softmax(scores)
    merged = np.stack([q[:, 0], q[:, 1:].sum(axis=1)], axis=1)
    p, q = softmax(old / T), softmax(np.log(merged) / T)
    assert loss == pytest.approx(T**2 * (p * np.log(p / q)).sum())
    numeric = differences(lambda s: divergence(OPS, s, old, background=1, temperature=T)[1], scores)
    np.testing.assert_allclose(gradient, numeric, atol=1e-7)


@TEMPERATURES
def test_columns_that_were_part_of_any_are_free(scores, T):
    old = np.random.default_rng(1).normal(size=(6, 2))
    gradient, loss = divergence(OPS, scores, old, temperature=T)
    assert loss == pytest.approx(divergence(OPS, scores[:, :2], old, temperature=T)[1])
    numeric = differences(lambda s: divergence(OPS, s, old, temperature=T)[1], scores)
    np.testing.assert_allclose(gradient, numeric, atol=1e-7)
    assert not gradient[:, 2:].any()


@TEMPERATURES
def test_binary_divergence_against_differences(scores, T):
    old = np.random.default_rng(1).normal(scale=3, size=scores.shape)
    gradient, loss = binary_divergence(OPS, scores, old, T)
    p, q = sigmoid(old / T), sigmoid(scores / T)
    expected = p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))
    assert loss == pytest.approx(T**2 * expected.sum())
    numeric = differences(lambda s: binary_divergence(OPS, s, old, T)[1], scores)
    np.testing.assert_allclose(gradient, numeric, atol=1e-7)


def test_what_is_certain_is_compared_too():
    """Its probability hardly changes where its score falls by half."""
    old, scores = np.array([[12.0, 0.0]]), np.array([[6.0, 0.0]])
    cold, _ = divergence(OPS, scores, old, temperature=1.0)
    warm, _ = divergence(OPS, scores, old)
    assert abs(warm).max() > 30 * abs(cold).max()
