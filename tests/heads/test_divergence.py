"""The loss of a rehearsal: its gradient against differences, and columns that are new."""

import numpy as np
import pytest
from numeric_gradient import differences
from thinc.api import NumpyOps

from spacy_pretrained.heads.divergence import binary_divergence, divergence
from spacy_pretrained.heads.losses import sigmoid, softmax

OPS = NumpyOps()


@pytest.fixture
def scores():
    return np.random.default_rng(0).normal(scale=3, size=(6, 4))


def test_divergence_against_differences(scores):
    old = np.random.default_rng(1).normal(scale=3, size=scores.shape)
    old[1, 2] = scores[1, 2] = -np.inf
    before = scores.copy()
    gradient, loss = divergence(OPS, scores, old)
    assert (scores == before).all()
    p, q = softmax(old), softmax(scores)
    possible = p > 0
    assert loss == pytest.approx((p[possible] * np.log(p[possible] / q[possible])).sum())
    numeric = differences(lambda s: divergence(OPS, s, old)[1], scores)
    np.testing.assert_allclose(gradient[possible], numeric[possible], atol=1e-7)
    assert divergence(OPS, old, old)[1] == pytest.approx(0, abs=1e-9)


def test_divergence_from_fewer_columns(scores):
    """Columns that are new have been part of column 1."""
    old = np.random.default_rng(1).normal(size=(6, 2))
    gradient, loss = divergence(OPS, scores, old, background=1)
    p, q = softmax(old), softmax(scores)
    merged = np.stack([q[:, 0], q[:, 1:].sum(axis=1)], axis=1)
    assert loss == pytest.approx((p * np.log(p / merged)).sum())
    numeric = differences(lambda s: divergence(OPS, s, old, background=1)[1], scores)
    np.testing.assert_allclose(gradient, numeric, atol=1e-7)


def test_binary_divergence_against_differences(scores):
    old = np.random.default_rng(1).normal(scale=3, size=scores.shape)
    gradient, loss = binary_divergence(OPS, scores, old)
    p, q = sigmoid(old), sigmoid(scores)
    expected = p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))
    assert loss == pytest.approx(expected.sum())
    numeric = differences(lambda s: binary_divergence(OPS, s, old)[1], scores)
    np.testing.assert_allclose(gradient, numeric, atol=1e-7)
