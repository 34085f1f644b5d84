"""The loss of learning from gold annotation and from a teacher's probabilities at once."""

import numpy as np
from thinc.api import Ops
from thinc.types import Floats1d, Floats2d, Ints1d

from .losses import cross_entropy
from .soft_targets import SoftTargets


def distill(
    ops: Ops,
    scores: Floats2d,
    gold: Ints1d | Floats2d,
    soft: SoftTargets,
    weight: float,
    *,
    multi_label: bool = False,
) -> tuple[Floats2d, float]:
    """Gradient (N, K) and sum of (1 - weight) · cross-entropy with the gold targets + weight ·
    cross-entropy with the teacher's (G. Hinton et al., Distilling the Knowledge in a Neural
    Network, 2015). Rows that have only one of them learn from that alone.

    gold, multi_label: As `cross_entropy` takes them.
    """
    is_gold = gold >= 0 if gold.ndim == 1 else ~np.isnan(gold).any(axis=1)
    gold_weights, soft_weights = share(is_gold, soft.known, weight)
    gradient, loss = cross_entropy(ops, scores, gold, multi_label=multi_label, weights=gold_weights)
    d_scores, soft_loss = soft_cross_entropy(
        ops, scores, soft, soft_weights, multi_label=multi_label
    )
    return gradient + d_scores, loss + soft_loss


def share(is_gold: np.ndarray, is_soft: np.ndarray, weight: float) -> tuple[Floats1d, Floats1d]:
    """What gold and soft targets of N rows count, (N,) each."""
    return (
        np.where(is_soft, 1 - weight, 1).astype("float32"),
        np.where(is_gold, weight, 1).astype("float32"),
    )


def soft_cross_entropy(
    ops: Ops, scores: Floats2d, soft: SoftTargets, weights: Floats1d, *, multi_label: bool = False
) -> tuple[Floats2d, float]:
    """Gradient and sum of the cross-entropy of scores, divided by the teacher's temperature as its
    own were, with its probabilities: times the temperature's square, so that gradients do not
    shrink with it."""
    T = ops.asarray(soft.temperatures, dtype=scores.dtype)
    weights = ops.asarray(weights, dtype=scores.dtype) * T**2
    gradient, loss = cross_entropy(
        ops, scores / T[:, None], soft.probabilities, multi_label=multi_label, weights=weights
    )
    return gradient / T[:, None], loss
