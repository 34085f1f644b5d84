"""Tell those who train in Python that nobody steps their schedule: only the loop of `spacy train`
does that."""

import logging
from itertools import chain, islice

from thinc.api import Optimizer

from .errors import Errors

logger = logging.getLogger("spacy")

UPDATES = 10  # at one value of a warm-up that are too many


def watch_rate(optimizer: object, name: str) -> None:
    """Warn, once for an optimizer, if a component's updates are at a rate of 0, or if
    `UPDATES` of them in a row were at the same value of a warm-up. Call it before each step.

    A rate of 0 that rises with the next step is warned of when that step does not come: Thinc's
    `warmup_linear.v1` begins so, and `spacy train` continues from there. A schedule may end
    at 0: that is warned of after `UPDATES` of them.

    optimizer: What steps; nothing is said of one that is not Thinc's.
    name: The component's.
    """
    if not isinstance(optimizer, Optimizer):
        return
    # What is kept has to live as long as the optimizer, which takes neither attributes nor weak
    # references. Nothing in Thinc reads this dict.
    seen, warned, own = optimizer.last_seen, (0, f"{__name__}: warned"), (0, f"{__name__}: {name}")
    learnt = (0, f"{__name__}: learnt")
    if warned in seen:
        return
    rate = optimizer.learn_rate
    last, count = seen.get(own, (rate, 0))
    count = count + 1 if rate == last else 1
    seen[own] = (rate, count)
    if rate:
        seen[learnt] = True
    if rate == 0 and learnt in seen:
        if count < UPDATES:
            return
        message = Errors.RATE_ENDED
    elif rate == 0 and (count > 1 or not _rises(optimizer)):
        message = Errors.RATE_ZERO
    elif rate and count == UPDATES and _rises(optimizer):
        message = Errors.RATE_STUCK
    else:
        return
    seen[warned] = True
    logger.warning(message.format(name=name, rate=rate, updates=UPDATES))


def _rises(optimizer: Optimizer) -> bool:
    """Whether the rate is a value of a schedule that goes on rising.

    A rate that was set by hand is not: the next two values of a warm-up, which is linear or, with
    `compounding.v1`, geometric, say which one was before them.
    """
    schedule = optimizer.schedules.get("learn_rate")
    if schedule is None:
        return False
    ahead = list(islice(schedule, 2))
    optimizer.schedules["learn_rate"] = chain(ahead, schedule)
    rate = optimizer.learn_rate
    if len(ahead) < 2 or not rate < ahead[0] < ahead[1]:
        return False
    before = 2 * ahead[0] - ahead[1], ahead[0] ** 2 / ahead[1]
    return any(abs(value - rate) <= 1e-6 * ahead[0] for value in before)
