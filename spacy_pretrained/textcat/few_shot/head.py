"""Logistic regression that begins with what is known: a head between labels' own vectors, where
there are no examples, and what many examples say.

It is the most probable head given the examples, if weights are spread around those they had before
by a normal distribution. So the first examples correct labels' names, and the more there are, the
less these count.
"""

from dataclasses import dataclass

import numpy as np
from thinc.api import NumpyOps
from thinc.types import Floats1d, Floats2d, Ints2d

from ...heads.losses import cross_entropy
from ..gold import make_targets
from .lbfgs import minimize

# Of the normal distributions; chosen on texts to train on. Biases may move far: it takes few
# examples to see which labels are frequent.
WEIGHT_PRECISION = 0.1
BIAS_PRECISION = 0.1


@dataclass(frozen=True)
class Head:
    """A linear layer of K labels: logits are vectors @ W.T + b."""

    W: Floats2d  # (K, D)
    b: Floats1d  # (K,)


def fit_head(vectors: Floats2d, known: Ints2d, prior: Head, *, multi_label: bool) -> Head:
    """Fit a head to N examples; it stays near the one given. The same examples give the same head.

    vectors: Their normalized vectors (N, D).
    known: What is known of their labels (N, K), as `textcat_gold.read_cats` gives it.
    """
    ops = NumpyOps()
    vectors = vectors.astype("float64")
    W, b = prior.W.astype("float64"), prior.b.astype("float64")
    targets = make_targets(known, multi_label=multi_label)

    def loss(parameters: Floats1d) -> tuple[float, Floats1d]:
        d_W = parameters[: W.size].reshape(W.shape)
        d_b = parameters[W.size :]
        logits = vectors @ (W + d_W).T + (b + d_b)
        gradient, value = cross_entropy(ops, logits, targets, multi_label=multi_label)
        value += WEIGHT_PRECISION / 2 * float((d_W**2).sum())
        value += BIAS_PRECISION / 2 * float((d_b**2).sum())
        d_weights = gradient.T @ vectors + WEIGHT_PRECISION * d_W
        d_biases = gradient.sum(axis=0) + BIAS_PRECISION * d_b
        return value, np.concatenate([d_weights.ravel(), d_biases])

    best = minimize(loss, np.zeros(W.size + b.size), tolerance=1e-4)
    d_W, d_b = best[: W.size].reshape(W.shape), best[W.size :]
    return Head((W + d_W).astype("float32"), (b + d_b).astype("float32"))
