"""A loss that draws texts of the same labels together and those of others apart, of all pairs of a
batch at once (P. Khosla et al., Supervised Contrastive Learning, 2020, the loss "out"). SetFit
(L. Tunstall et al., Efficient Few-Shot Learning Without Prompts, 2022) has a regression of cosines
in its place.
"""

import numpy as np
from thinc.api import Ops
from thinc.types import Floats2d, Ints2d

from ...heads.losses import cross_entropy

TEMPERATURE = 0.1


def count_in_common(known: Ints2d) -> Floats2d:
    """How alike the labels of B examples are (B, B), from 0 to 1: of the labels that one of two
    examples has, and that are known of both, the share that both have. Where labels exclude each
    other, that is 1 for the same label and 0 for another. The diagonal is 0.

    known: As `textcat_gold.read_cats` gives it (B, K): 1 it holds, -1 it does not, 0 unknown.
    """
    holds, is_known = (known == 1).astype("float32"), (known != 0).astype("float32")
    both = holds @ holds.T
    either = holds @ is_known.T + is_known @ holds.T - both
    alike = both / np.maximum(either, 1)
    np.fill_diagonal(alike, 0)
    return alike


def contrastive_loss(
    ops: Ops, vectors: Floats2d, alike: Floats2d, temperature: float = TEMPERATURE
) -> tuple[Floats2d, float]:
    """Gradient (B, D) and loss, summed over the examples that have others alike.

    Each example is to find those that are alike it among all others: the cross-entropy of the
    softmax over its cosines with them, divided by the temperature, against their shares.

    vectors: Normalized ones (B, D).
    alike: As `count_in_common` gives it (B, B).
    """
    totals = alike.sum(axis=1, keepdims=True)
    targets = alike / np.where(totals > 0, totals, np.nan)  # NaN: there is nothing to find
    scores = vectors @ vectors.T / temperature
    ops.xp.fill_diagonal(scores, -1e9)  # no example finds itself; its probability is exactly 0
    d_scores, loss = cross_entropy(ops, scores, targets)
    return (d_scores + d_scores.T) @ vectors / temperature, loss
