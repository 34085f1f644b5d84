"""Make confidences mean what they say: of the spans with 0.8, eight in ten are correct.

Platt's method: a logistic regression, of one input, from the log-odds of a probability to whether
it was right (J. Platt, Probabilistic Outputs for Support Vector Machines, 1999; with his smoothed
targets, which keep it finite where the two kinds are separable).
"""

import numpy as np
from thinc.types import Floats1d

from ..heads.losses import sigmoid
from .errors import Errors

STEPS = 50
SMALLEST = 1e-6


def fit(probabilities: Floats1d, correct: np.ndarray) -> tuple[float, float]:
    """Fit a slope and an offset to predictions (S,) of which it is known whether they were
    correct (S,), by Newton's method."""
    X = np.stack([_log_odds(probabilities), np.ones(len(probabilities))], axis=1)
    n_correct, n_wrong = int(correct.sum()), int((~correct).sum())
    target = np.where(correct, (n_correct + 1) / (n_correct + 2), 1 / (n_wrong + 2))
    weights = np.asarray([1.0, 0.0])
    for _ in range(STEPS):
        P = sigmoid(X @ weights)
        curvature = X.T @ (X * (P * (1 - P))[:, None]) + SMALLEST * np.eye(2)
        step = np.linalg.solve(curvature, X.T @ (P - target))
        weights = weights - step / max(1.0, float(np.abs(step).max()))
    return float(weights[0]), float(weights[1])


def fit_outcomes(outcomes: list[tuple[float, bool]], name: str) -> tuple[float, float]:
    """The same for pairs of a confidence and whether it was right.

    name: The component's, for error messages.
    RAISES: ValueError if all were right, or none: that says nothing of the numbers in between.
    """
    correct = np.asarray([is_right for _, is_right in outcomes], dtype=bool)
    if correct.all() or not correct.any():
        counts = {"n": len(correct), "correct": int(correct.sum())}
        raise ValueError(Errors.CALIBRATION_ONE_SIDED.format(name=name, **counts))
    return fit(np.asarray([confidence for confidence, _ in outcomes]), correct)


def apply(probabilities: Floats1d, slope: float, offset: float) -> Floats1d:
    return sigmoid(slope * _log_odds(probabilities) + offset)


def _log_odds(probabilities: Floats1d) -> Floats1d:
    P = np.clip(probabilities, SMALLEST, 1 - SMALLEST)
    return np.log(P) - np.log1p(-P)
