"""The learning rate of an encoder whose `learn_rate_factor` is null: by its size, and by nothing
else. It needs no torch itself.

Large encoders want lower rates. The steps below are those of the papers' rules (2e-5 to 5e-5 for
base and large models), with 3e-4 for small ones, at which this project's MiniLM-L6 was measured.
"""

import math
from itertools import chain

from thinc.api import Optimizer

# Up to so many parameters outside the embeddings: the highest rate of the training.
RATES = ((30e6, 3e-4), (60e6, 1e-4), (150e6, 5e-5), (math.inf, 2e-5))
MOST_AHEAD = 1_000_000  # steps of a warm-up that are looked at
LEVEL_STEPS = 100  # in a row at one rate, after which it does not rise any more


def choose_rate(n_parameters: int) -> float:
    """The highest learning rate of an encoder.

    n_parameters: Outside of its embeddings.

    >>> choose_rate(10_600_000), choose_rate(86_000_000)
    (0.0003, 5e-05)
    """
    return next(rate for most, rate in RATES if n_parameters <= most)


def find_peak(optimizer: Optimizer) -> float:
    """The rate at which an optimizer stops rising, from where it is now: the first peak of its
    schedule. The schedule itself goes on as before.

    >>> optimizer = Adam(warmup_linear(0.001, 10, 100))
    >>> find_peak(optimizer)
    0.001
    """
    peak, schedule = optimizer.learn_rate, optimizer.schedules.get("learn_rate")
    if schedule is None:
        return peak
    seen: list[float] = []
    n_level = 0
    for rate in schedule:
        seen.append(rate)
        n_level = n_level + 1 if rate == peak else 0
        if rate < peak or n_level == LEVEL_STEPS or len(seen) == MOST_AHEAD:
            break
        peak = rate
    optimizer.schedules["learn_rate"] = chain(seen, schedule)
    return peak
