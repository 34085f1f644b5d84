"""Losses over rows of scores, with rows left out that have no gold."""

import numpy as np
from thinc.api import Ops
from thinc.types import Floats2d, Ints1d


def softmax(ops: Ops, scores: Floats2d) -> Floats2d:
    """Probabilities (N, K) of scores (N, K), each row by itself; -inf is a probability of 0."""
    exponentials = ops.xp.exp(scores - scores.max(axis=-1, keepdims=True))
    exponentials /= exponentials.sum(axis=-1, keepdims=True)
    return exponentials


def cross_entropy(ops: Ops, scores: Floats2d, gold: Ints1d) -> tuple[Floats2d, float]:
    """Gradient (N, K) and sum of the cross-entropy of softmax(scores) against gold columns (N,);
    -1 leaves a row out."""
    gradient = softmax(ops, scores)
    rows = ops.asarray_i(np.flatnonzero(gold >= 0))
    columns = ops.asarray_i(gold[gold >= 0])
    chosen = gradient[rows, columns]
    loss = -float(ops.xp.log(ops.xp.maximum(chosen, 1e-30)).sum())
    gradient[rows, columns] -= 1
    gradient[ops.asarray_i(np.flatnonzero(gold < 0))] = 0
    return gradient, loss


def binary_cross_entropy(ops: Ops, scores: Floats2d, gold: Ints1d) -> tuple[Floats2d, float]:
    """The same for one yes-or-no score a row (N, 1); gold (N,) is 1, -1, or 0 for unknown."""
    known = ops.asarray_f(np.abs(gold)[:, None])
    target = ops.asarray_f((gold > 0)[:, None])
    loss = float((known * ops.xp.logaddexp(0, ops.xp.where(target > 0, -scores, scores))).sum())
    return (sigmoid(ops, scores) - target) * known, loss


def sigmoid(ops: Ops, scores: Floats2d) -> Floats2d:
    return 1 / (1 + ops.xp.exp(-ops.xp.clip(scores, -30, 30)))
