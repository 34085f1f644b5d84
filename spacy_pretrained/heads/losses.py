"""Losses over rows of scores, with rows left out that have no gold."""

import numpy as np
from thinc.api import Ops, get_array_module
from thinc.types import Floats2d, FloatsXd, Ints1d


def softmax(scores: FloatsXd) -> FloatsXd:
    """Probabilities of scores along the last axis; -inf is a probability of 0."""
    xp = get_array_module(scores)
    exponentials = xp.exp(scores - scores.max(axis=-1, keepdims=True))
    exponentials /= exponentials.sum(axis=-1, keepdims=True)
    return exponentials


def sigmoid(scores: FloatsXd) -> FloatsXd:
    xp = get_array_module(scores)
    return 1 / (1 + xp.exp(-xp.clip(scores, -30, 30)))


def cross_entropy(ops: Ops, scores: Floats2d, gold: Ints1d) -> tuple[Floats2d, float]:
    """Gradient (N, K) and sum of the cross-entropy of softmax(scores) against gold columns (N,);
    -1 leaves a row out."""
    gradient = softmax(scores)
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
    return (sigmoid(scores) - target) * known, loss
