"""losses.py: gradients against differences, rows that are left out, and numbers at the edges."""

import numpy as np
import pytest
from numeric_gradient import differences
from thinc.api import NumpyOps

from spacy_pretrained.heads.losses import (
    best_probability,
    cross_entropy,
    sigmoid,
    softmax,
    to_targets,
)

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


def test_best_probability_is_that_of_softmax(scores):
    scores[0, 1] = -np.inf
    for rows in (scores, scores + 1000, scores[:0]):
        np.testing.assert_allclose(best_probability(rows), softmax(rows).max(axis=1))


def test_sigmoid_knows_no_overflow():
    with np.errstate(all="raise"):
        p = sigmoid(np.array([-np.inf, -1e9, -1.0, 0.0, 1.0, 1e9, np.inf]))
    assert p[3] == 0.5 and p[2] + p[4] == pytest.approx(1)
    assert (np.diff(p) >= 0).all() and p[0] < 1e-12 and p[-1] == pytest.approx(1)


def soft_targets(exclusive: bool) -> np.ndarray:
    targets = np.random.default_rng(1).random(size=(6, 4))
    return targets / targets.sum(axis=1, keepdims=True) if exclusive else targets


def with_gaps(targets: np.ndarray, *places: tuple) -> np.ndarray:
    for place in places:
        targets[place] = np.nan
    return targets


TARGETS = {
    "columns": (np.array([0, -1, 3, 1, -1, 1]), False),
    "hard rows": (with_gaps(np.eye(4)[[0, 2, 3, 1, 2, 1]], 1, 4), False),
    "soft rows": (with_gaps(soft_targets(True), 2, (3, 1)), False),
    "hard, each by itself": (to_targets(np.resize([1, -1, 0, 1, 0, -1, -1], (6, 4))), True),
    "soft, each by itself": (with_gaps(soft_targets(False), 2, (3, 1)), True),
}


@pytest.mark.parametrize("targets, multi_label", TARGETS.values(), ids=TARGETS)
def test_the_gradient_against_differences(targets, multi_label, scores):
    before = scores.copy(), targets.copy()
    gradient, loss = cross_entropy(OPS, scores, targets, multi_label=multi_label)
    assert (scores == before[0]).all() and np.array_equal(targets, before[1], equal_nan=True)
    numeric = differences(
        lambda s: cross_entropy(OPS, s, targets, multi_label=multi_label)[1], scores
    )
    np.testing.assert_allclose(gradient, numeric, atol=1e-7)
    assert gradient.shape == scores.shape and gradient.dtype == scores.dtype
    unknown = np.isnan(targets) if targets.ndim == 2 else (targets < 0)[:, None]
    unknown = unknown if multi_label else unknown.any(axis=1, keepdims=True)
    left_out = np.broadcast_to(unknown, scores.shape)
    assert (gradient[left_out] == 0).all() and (gradient[~left_out] != 0).all() and loss > 0
    as_float32 = scores.astype("float32")
    gradient, _ = cross_entropy(OPS, as_float32, targets, multi_label=multi_label)
    assert gradient.dtype == "float32"


def test_the_loss_is_the_formula(scores):
    p, columns = softmax(scores), np.array([0, 2, 3, 1, 2, 1])
    expected = -np.log(p[np.arange(6), columns]).sum()
    assert cross_entropy(OPS, scores, columns)[1] == pytest.approx(expected)
    soft = soft_targets(True)
    assert cross_entropy(OPS, scores, soft)[1] == pytest.approx(-(soft * np.log(p)).sum())
    p, soft = sigmoid(scores), soft_targets(False)
    expected = -(soft * np.log(p) + (1 - soft) * np.log(1 - p)).sum()
    assert cross_entropy(OPS, scores, soft, multi_label=True)[1] == pytest.approx(expected)


def test_columns_are_rows_with_a_single_one(scores):
    columns, rows = TARGETS["columns"][0], TARGETS["hard rows"][0]
    one, other = cross_entropy(OPS, scores, columns), cross_entropy(OPS, scores, rows)
    np.testing.assert_allclose(one[0], other[0], atol=1e-12)
    assert one[1] == pytest.approx(other[1])


def test_targets_of_what_is_known():
    np.testing.assert_array_equal(to_targets(np.array([[1, -1, 0]])), [[1, 0, np.nan]])


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
    soft = with_gaps(soft_targets(True), 1)
    for targets, multi_label in ((soft, False), (soft, True)):
        gradient, loss = cross_entropy(OPS, scores, targets, multi_label=multi_label)
        assert np.isfinite(loss) and (gradient[1] == 0).all()
    for nothing in (np.full(6, -1), np.zeros(0, dtype=int), np.full((6, 4), np.nan)):
        gradient, loss = cross_entropy(OPS, scores[: len(nothing)], nothing)
        assert loss == 0 and not gradient.any()


@pytest.mark.parametrize("multi_label", [False, True])
def test_a_hopeless_row_has_a_finite_loss(multi_label):
    scores, targets = np.array([[1e5, -1e5]], dtype="float32"), np.array([[0, 1]])
    gradient, loss = cross_entropy(OPS, scores, targets, multi_label=multi_label)
    assert np.isfinite(loss) and loss > 50
    np.testing.assert_allclose(gradient, [[1, -1]], atol=1e-6)


@pytest.mark.parametrize("targets", ["columns", "soft rows"])
def test_the_loss_of_probabilities_that_are_too_small_for_a_number(targets, scores):
    """Where scores are far apart it is not flat: its gradient is that of scores near each other."""
    targets, _ = TARGETS[targets]
    gradient, _ = cross_entropy(OPS, 2_000 * scores, targets)
    numeric = differences(lambda s: cross_entropy(OPS, s, targets)[1], 2_000 * scores)
    np.testing.assert_allclose(gradient, numeric, atol=1e-4)


def test_nan_is_not_hidden():
    nan = np.full((2, 3), np.nan)
    assert np.isnan(cross_entropy(OPS, nan, np.array([0, -1]))[1])
    for multi_label in (False, True):
        assert np.isnan(cross_entropy(OPS, nan, np.eye(2, 3), multi_label=multi_label)[1])
