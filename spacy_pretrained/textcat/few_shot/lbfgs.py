"""The minimum of a smooth function, by limited-memory BFGS (Nocedal and Wright, Numerical
Optimization, 2006, algorithms 7.4 and 7.5). scipy has one, too, but is no requirement of spaCy's.
"""

from collections import deque
from collections.abc import Callable

import numpy as np
from thinc.types import Floats1d

MEMORY = 10  # steps that the curvature is known from
SUFFICIENT = 1e-4  # the share of what the slope promises that a step has to keep
MAX_HALVINGS = 40

Function = Callable[[Floats1d], tuple[float, Floats1d]]


def minimize(
    function: Function, start: Floats1d, *, max_steps: int = 500, tolerance: float = 1e-5
) -> Floats1d:
    """Where (n,) a function is least, as far as one gets by going down from the start.

    function: The value and the gradient (n,) at a point.
    max_steps: After so many, whatever was reached is returned.
    tolerance: The largest component of a gradient that counts as none.
    """
    point = np.array(start, dtype="float64")
    value, gradient = function(point)
    steps: deque[tuple[Floats1d, Floats1d]] = deque(maxlen=MEMORY)
    for _ in range(max_steps):
        if np.abs(gradient).max(initial=0.0) <= tolerance:
            break
        direction = -_solve(steps, gradient)
        # Nothing is known of the curvature at first: a step of length 1 at most.
        size = 1.0 if steps else min(1.0, 1 / np.linalg.norm(gradient))
        slope = float(direction @ gradient)
        for _ in range(MAX_HALVINGS):
            new_point = point + size * direction
            new_value, new_gradient = function(new_point)
            if new_value <= value + SUFFICIENT * size * slope:
                break
            size /= 2
        else:
            break  # what is left to gain is below the precision of numbers
        step, change = new_point - point, new_gradient - gradient
        if step @ change > 1e-12 * (change @ change):  # the curvature is positive
            steps.append((step, change))
        point, value, gradient = new_point, new_value, new_gradient
    return point


def _solve(steps: deque[tuple[Floats1d, Floats1d]], gradient: Floats1d) -> Floats1d:
    """The gradient (n,) times the inverse of the curvature that the last steps met."""
    direction = gradient.copy()
    shares = []
    for step, change in reversed(steps):
        share = step @ direction / (step @ change)
        direction -= share * change
        shares.append(share)
    if steps:
        step, change = steps[-1]
        direction *= (step @ change) / (change @ change)
    for (step, change), share in zip(steps, reversed(shares)):
        direction += (share - change @ direction / (step @ change)) * step
    return direction
