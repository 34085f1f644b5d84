"""Logistic regression that begins with what is known: a head between labels' own vectors, where
there are no examples, and what many examples say.

It is the most probable head given the examples, under a normal prior around the weights it had
before (C. Chelba and A. Acero, Adaptation of Maximum Entropy Capitalizer: Little Data Can Help a
Lot, 2004). The precision of theirs is constant. Ours falls with the number of examples: see
`find_precision`.
"""

from dataclasses import dataclass

import numpy as np
from thinc.api import NumpyOps
from thinc.types import Floats1d, Floats2d, Ints2d

from ...heads.losses import cross_entropy
from ..gold import make_targets
from .lbfgs import minimize

# Of `find_precision`. Chosen on training texts by scripts/few_shot_prior.py.
PRECISION = 0.1
CAUTION = 20.0


@dataclass(frozen=True)
class Head:
    """A linear layer of K labels: logits are vectors @ W.T + b."""

    W: Floats2d  # (K, D)
    b: Floats1d  # (K,)


def find_precision(n_examples: int, caution: float = CAUTION) -> float:
    """The precision of the prior, the inverse of its variance, for so many examples.

    One example of each label fits almost any head whose weights may move far: along what these few
    texts happen to be about, and along biases, although texts that were picked label by label say
    nothing of how frequent labels are. Such a head was worse than the names of the labels. So the
    fewer examples there are, the nearer the head stays to these. With many, what is added vanishes.
    """
    return PRECISION + caution / max(n_examples, 1)


def fit_head(
    vectors: Floats2d, known: Ints2d, prior: Head, precision: float, *, multi_label: bool
) -> Head:
    """Fit a head to N examples; it stays near the one given. The same examples give the same head.
    The weights of labels without an example are those given.

    vectors: Their normalized vectors (N, D).
    known: What is known of their labels (N, K), as `textcat_gold.read_cats` gives it.
    precision: Of the prior: how much a distance from the head given counts. The same for weights
        and biases.
    """
    ops = NumpyOps()
    vectors = vectors.astype("float64")
    start = np.concatenate([prior.W.ravel(), prior.b]).astype("float64")
    targets = make_targets(known, multi_label=multi_label)
    # Where labels exclude each other, each text would push down all labels but its own.
    has_none = np.zeros(known.shape[1], bool) if multi_label else ~(known == 1).any(axis=0)

    def loss(moved: Floats1d) -> tuple[float, Floats1d]:
        W, b = split(start + moved)
        gradient, value = cross_entropy(ops, vectors @ W.T + b, targets, multi_label=multi_label)
        gradient[:, has_none] = 0
        value += precision / 2 * float(moved @ moved)
        d_parameters = np.concatenate([(gradient.T @ vectors).ravel(), gradient.sum(axis=0)])
        return value, d_parameters + precision * moved

    def split(parameters: Floats1d) -> tuple[Floats2d, Floats1d]:
        return parameters[: prior.W.size].reshape(prior.W.shape), parameters[prior.W.size :]

    W, b = split(start + minimize(loss, np.zeros_like(start), tolerance=1e-4))
    return Head(W.astype("float32"), b.astype("float32"))
