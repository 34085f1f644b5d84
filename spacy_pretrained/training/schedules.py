"""Schedules of the learning rate, as generators of one value a step: that is what the optimizers of
Thinc 8.3 take."""

from collections.abc import Iterator

from .errors import Errors


def warmup_linear(initial_rate: float, warmup_steps: int, total_steps: int) -> Iterator[float]:
    """Rise to `initial_rate`, then fall to 0, both linearly.

    The rate of step s, counted from 0, is `initial_rate` times

    - (s + 1) / warmup_steps in the warm-up, where s < warmup_steps;
    - (total_steps - s) / (total_steps - warmup_steps) after it, where s < total_steps;
    - 0 from step `total_steps` on.

    Thinc's `warmup_linear.v1` has s / warmup_steps in the warm-up, which is 0 at step 0: only the
    loop of `spacy train` steps schedules, so a Python script that does not would learn nothing.

    >>> from itertools import islice
    >>> list(islice(warmup_linear(1.0, 2, 6), 8))
    [0.5, 1.0, 1.0, 0.75, 0.5, 0.25, 0.0, 0.0]

    RAISES: ValueError unless 0 <= warmup_steps <= total_steps and 1 <= total_steps.
    """
    if total_steps < 1 or not 0 <= warmup_steps <= total_steps:
        raise ValueError(Errors.WARMUP.format(warmup_steps=warmup_steps, total_steps=total_steps))
    return _rise_and_fall(initial_rate, warmup_steps, total_steps)


def _rise_and_fall(initial_rate: float, warmup_steps: int, total_steps: int) -> Iterator[float]:
    for step in range(warmup_steps):
        yield initial_rate * (step + 1) / warmup_steps
    for left in range(total_steps - warmup_steps, 0, -1):
        yield initial_rate * left / (total_steps - warmup_steps)
    while True:
        yield 0.0
