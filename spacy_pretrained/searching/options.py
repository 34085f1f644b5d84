"""What `search` is asked."""

import math
from dataclasses import dataclass
from pathlib import Path

from .errors import Errors

# The 97.5 % quantile of Student's t for 2 × seeds - 2 degrees of freedom.
T_QUANTILES = {2: 4.303, 3: 2.776, 4: 2.447, 5: 2.306, 6: 2.228, 7: 2.179, 8: 2.145}


@dataclass(frozen=True)
class SearchOptions:
    """How to search; see `search`.

    RAISES: ValueError for a number that an option cannot have.
    """

    n_trials: int = 20
    timeout: float | None = None  # minutes
    jobs: int = 1
    storage: str | None = None
    prune: bool = True
    seeds: int = 3
    seed: int = 0  # of what is drawn from the space
    gpu_id: int = -1
    code: Path | None = None

    def __post_init__(self):
        for name, least in (("n_trials", 1), ("jobs", 1)):
            value = getattr(self, name)
            if value < least:
                found = {"name": f"--{name.replace('_', '-')}", "value": value, "least": least}
                raise ValueError(Errors.OPTION_TOO_SMALL.format(**found))
        if self.timeout is not None and not 0 < self.timeout < math.inf:
            found = {"name": "--timeout", "value": self.timeout}
            raise ValueError(Errors.OPTION_NOT_ABOVE.format(**found))
        if self.seeds and self.seeds not in T_QUANTILES:
            raise ValueError(Errors.SEEDS.format(seeds=self.seeds, most=max(T_QUANTILES)))
