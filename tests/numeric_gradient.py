"""Gradients by differences, for the tests of losses."""

from collections.abc import Callable

import numpy as np


def differences(
    loss: Callable[[np.ndarray], float], scores: np.ndarray, step: float = 1e-6
) -> np.ndarray:
    """The central differences of a loss by each of the scores."""
    gradient = np.zeros_like(scores)
    for place in np.ndindex(scores.shape):
        change = np.zeros_like(scores)
        change[place] = step
        gradient[place] = (loss(scores + change) - loss(scores - change)) / (2 * step)
    return gradient
