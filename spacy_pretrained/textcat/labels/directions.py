"""Vectors as directions: what cosines are products of."""

from thinc.types import Floats2d

SMALLEST = 1e-12


def normalize(vectors: Floats2d) -> Floats2d:
    """The same directions (N, D), of length 1; zeros stay zeros."""
    lengths = (vectors**2).sum(axis=1, keepdims=True) ** 0.5
    return vectors / lengths.clip(SMALLEST)
