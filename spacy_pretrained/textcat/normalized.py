"""Normalized vectors, whose products are cosines."""

from collections.abc import Callable

from thinc.api import Model
from thinc.types import Floats2d

SMALLEST = 1e-12  # length that vectors are divided by, at least


def Normalize() -> Model[Floats2d, Floats2d]:
    """Rows (N, D) made to have length 1; zeros stay zeros, and have no gradient."""
    return Model("normalize", forward)


def forward(model: Model, vectors: Floats2d, is_train: bool) -> tuple[Floats2d, Callable]:
    lengths = measure(vectors)
    normalized = vectors / lengths

    def backprop(d_normalized: Floats2d) -> Floats2d:
        along = (d_normalized * normalized).sum(axis=1, keepdims=True)
        return (d_normalized - along * normalized) / lengths * (lengths > SMALLEST)

    return normalized, backprop


def normalize(vectors: Floats2d) -> Floats2d:
    """Rows (N, D) made to have length 1; zeros stay zeros."""
    return vectors / measure(vectors)


def measure(vectors: Floats2d) -> Floats2d:
    """The lengths (N, 1) of rows (N, D), as far as they can be divided by."""
    return ((vectors**2).sum(axis=1, keepdims=True) ** 0.5).clip(SMALLEST)
