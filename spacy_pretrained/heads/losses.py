"""The loss of everything that is told apart by scores: cross-entropy. What is not known is left
out."""

import numpy as np
from thinc.api import Ops, get_array_module
from thinc.types import Floats1d, Floats2d, FloatsXd, Ints1d, IntsXd

LEAST_LOG = -1e6  # in place of the logarithm of a probability of 0


def softmax(scores: FloatsXd) -> FloatsXd:
    """Probabilities of scores along the last axis; -inf is a probability of 0."""
    return softmax_and_log_sums(scores)[0]


def softmax_and_log_sums(scores: FloatsXd) -> tuple[FloatsXd, FloatsXd]:
    """Probabilities of scores along the last axis, and what to subtract from scores for their
    logarithms, also those of probabilities that are too small for a number. See `bound_logs`."""
    xp = get_array_module(scores)
    best = scores.max(axis=-1, keepdims=True)
    exponentials = xp.exp(scores - best)
    sums = exponentials.sum(axis=-1, keepdims=True)
    exponentials /= sums
    return exponentials, best + xp.log(sums)


def bound_logs(logarithms: FloatsXd) -> FloatsXd:
    """-inf times a target of 0 would be no number."""
    return get_array_module(logarithms).maximum(logarithms, LEAST_LOG)


def best_probability(scores: Floats2d) -> Floats1d:
    """The probability (N,) of the best of the scores (N, nO) in each row: softmax's maximum, at
    half its cost."""
    xp = get_array_module(scores)
    return 1 / xp.exp(scores - scores.max(axis=1, keepdims=True)).sum(axis=1)


def sigmoid(scores: FloatsXd) -> FloatsXd:
    xp = get_array_module(scores)
    return 1 / (1 + xp.exp(-xp.clip(scores, -30, 30)))


def cross_entropy(
    ops: Ops,
    scores: Floats2d,
    targets: Ints1d | Floats2d,
    *,
    multi_label: bool = False,
    weights: Floats1d | None = None,
) -> tuple[Floats2d, float]:
    """Gradient (N, K) and sum of the cross-entropy of N rows of scores of K labels.

    targets: The probabilities (N, K) that scores should lead to, NaN where they are not known. In
        place of rows that have a single 1 the number of its column will do: (N,), -1 where it is
        not known.
    multi_label: Labels are independent of each other, and `sigmoid` makes probabilities of scores.
        Each label that is not known is left out. Otherwise labels exclude each other, targets of a
        row sum to 1, and `softmax` makes probabilities. A row with a label that is not known is
        left out.
    weights: What each row counts (N,), 1 by default.

    >>> cross_entropy(NumpyOps(), np.zeros((1, 2)), np.array([[0.75, 0.25]]))
    (array([[-0.25,  0.25]]), 0.6931471805599453)
    """
    if not multi_label and targets.ndim == 1:
        gradient, losses = _compare_columns(ops, scores, targets)
    else:
        compare = _compare_each if multi_label else _compare_rows
        gradient, losses = compare(ops, scores, ops.xp.asarray(targets, dtype=scores.dtype))
    if weights is not None:
        weights = ops.xp.asarray(weights, dtype=scores.dtype)
        gradient *= weights[:, None]
        losses = losses * weights
    return gradient, float(losses.sum())


def to_targets(known: IntsXd) -> FloatsXd:
    """Targets of what is known: 1 of what holds, 0 of what does not, NaN of what is not known.

    known: 1, -1 and 0 for these three.
    """
    return np.where(known == 0, np.nan, known > 0).astype("float32")


def _compare_each(ops: Ops, scores: Floats2d, targets: Floats2d) -> tuple[Floats2d, Floats1d]:
    """Gradient (N, K), and the loss of each row (N,). The same for the next two."""
    xp = ops.xp
    is_known = ~xp.isnan(targets)
    losses = targets * xp.logaddexp(0, -scores) + (1 - targets) * xp.logaddexp(0, scores)
    gradient = xp.where(is_known, sigmoid(scores) - targets, 0)
    return gradient, xp.where(is_known, losses, 0).sum(axis=1)


def _compare_columns(ops: Ops, scores: Floats2d, gold: Ints1d) -> tuple[Floats2d, Floats1d]:
    """As `_compare_rows`, without the memory for targets, where labels are many."""
    gradient, log_sums = softmax_and_log_sums(scores)
    rows = ops.asarray_i(np.flatnonzero(gold >= 0))
    columns = ops.asarray_i(gold[gold >= 0])
    losses = ops.xp.zeros(len(gradient), dtype=gradient.dtype)
    losses[rows] = -bound_logs(scores[rows, columns] - log_sums[rows, 0])
    gradient[rows, columns] -= 1
    gradient[ops.asarray_i(np.flatnonzero(gold < 0))] = 0
    return gradient, losses


def _compare_rows(ops: Ops, scores: Floats2d, targets: Floats2d) -> tuple[Floats2d, Floats1d]:
    is_known = ~ops.xp.isnan(targets).any(axis=1)
    probabilities, log_sums = softmax_and_log_sums(scores)
    gradient = ops.xp.where(is_known[:, None], probabilities - targets, 0)
    losses = -(targets * bound_logs(scores - log_sums)).sum(axis=1)
    return gradient, ops.xp.where(is_known, losses, 0)
