"""Mixup: examples in between those of a batch (H. Zhang et al., mixup: Beyond Empirical Risk
Minimization, 2018).

The vectors of texts are mixed, not the texts (H. Guo et al., Augmenting Data with Mixup for
Sentence Classification, 2019). Losses that are linear in the labels are mixed in place of these:
then the labels of an example need not all be known.
"""

from dataclasses import dataclass

import numpy as np
from thinc.types import Floats2d, Ints1d


@dataclass(frozen=True)
class Mixup:
    """Each of B examples is mixed with another."""

    share: float  # from 0 to 1, of the example itself
    partners: Ints1d  # (B,), a permutation: the example that has the rest


def draw_mixup(n: int, alpha: float) -> Mixup:
    """A share from the distribution Beta(alpha, alpha) for all of n examples, as in the authors'
    code. From numpy's own generator, which `[training] seed` sets."""
    return Mixup(float(np.random.beta(alpha, alpha)), np.random.permutation(n))


def mix(rows: Floats2d, mixup: Mixup) -> Floats2d:
    """Rows (B, D), each mixed with its partner's."""
    return mixup.share * rows + (1 - mixup.share) * rows[mixup.partners]


def unmix(d_mixed: Floats2d, mixup: Mixup) -> Floats2d:
    """The adjoint: the gradient (B, D) of the rows from that of the mixed ones."""
    d_rows = mixup.share * d_mixed
    d_rows[mixup.partners] += (1 - mixup.share) * d_mixed
    return d_rows
