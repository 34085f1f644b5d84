"""losses.py: gradients against differences, rows that are left out, and numbers at the edges."""

import numpy as np
import pytest
from thinc.api import NumpyOps

from spacy_pretrained.heads.losses import binary_cross_entropy, cross_entropy, sigmoid, softmax

OPS = NumpyOps()


@pytest.fixture
def scores():
    return np.random.default_rng(0).normal(scale=3, size=(6, 4))


def test_softmax_is_the_formula(scores):
    expected = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(softmax(scores), expected)
    np.testing.assert_allclose(softmax(scores[None])[0], expected)
    np.testing.assert_allclose(softmax(scores + 1000), expected)
    scores[0, 1] = -np.inf
    assert softmax(scores)[0, 1] == 0
    assert softmax(scores)[0].sum() == pytest.approx(1)
    assert softmax(np.zeros((0, 4))).shape == (0, 4)


def test_sigmoid_knows_no_overflow():
    with np.errstate(all="raise"):
        p = sigmoid(np.array([-np.inf, -1e9, -1.0, 0.0, 1.0, 1e9, np.inf]))
    assert p[3] == 0.5 and p[2] + p[4] == pytest.approx(1)
    assert (np.diff(p) >= 0).all() and p[0] < 1e-12 and p[-1] == pytest.approx(1)


def differences(loss, scores, step=1e-6):
    gradient = np.zeros_like(scores)
    for place in np.ndindex(scores.shape):
        change = np.zeros_like(scores)
        change[place] = step
        gradient[place] = (loss(scores + change) - loss(scores - change)) / (2 * step)
    return gradient


def test_cross_entropy_against_differences(scores):
    gold = np.array([0, -1, 3, 1, -1, 1])
    before = scores.copy()
    gradient, loss = cross_entropy(OPS, scores, gold)
    assert (scores == before).all()
    known = gold >= 0
    expected = -np.log(softmax(scores)[known, gold[known]]).sum()
    assert loss == pytest.approx(expected)
    numeric = differences(lambda s: cross_entropy(OPS, s, gold)[1], scores)
    np.testing.assert_allclose(gradient, numeric, atol=1e-8)
    assert (gradient[~known] == 0).all()


def test_cross_entropy_of_columns_that_are_out_of_the_question(scores):
    scores[2, 1] = scores[5, 0] = -np.inf
    gradient, loss = cross_entropy(OPS, scores, np.array([0, 0, 3, 1, 2, 1]))
    assert np.isfinite(loss) and np.isfinite(gradient).all()
    assert gradient[2, 1] == gradient[5, 0] == 0


def test_rows_left_out_may_be_anything(scores):
    scores[1] = np.nan
    gold = np.array([0, -1, 3, 1, 2, 1])
    gradient, loss = cross_entropy(OPS, scores, gold)
    assert np.isfinite(loss) and (gradient[1] == 0).all()
    for nothing in (np.full(6, -1), np.zeros(0, dtype=int)):
        gradient, loss = cross_entropy(OPS, scores[: len(nothing)], nothing)
        assert loss == 0 and not gradient.any()


def test_a_hopeless_row_has_a_finite_loss():
    gradient, loss = cross_entropy(OPS, np.array([[1e5, 0.0]], dtype="float32"), np.array([1]))
    assert np.isfinite(loss) and loss > 50
    assert gradient.tolist() == [[1, -1]]


def test_binary_cross_entropy_against_differences(scores):
    scores = scores.reshape(-1, 1)
    gold = np.resize([1, -1, 0, 1, 0], len(scores))
    gradient, loss = binary_cross_entropy(OPS, scores, gold)
    p = sigmoid(scores)[:, 0]
    assert loss == pytest.approx(
        -np.log(p[gold > 0]).sum() - np.log(1 - p[gold < 0]).sum(), rel=1e-6
    )
    numeric = differences(lambda s: binary_cross_entropy(OPS, s, gold)[1], scores)
    np.testing.assert_allclose(gradient, numeric, atol=1e-6)
    assert (gradient[gold == 0] == 0).all()


def test_nan_is_not_hidden():
    nan = np.full((2, 3), np.nan)
    assert np.isnan(cross_entropy(OPS, nan, np.array([0, -1]))[1])
    assert np.isnan(binary_cross_entropy(OPS, nan[:, :1], np.array([1, 0]))[1])
