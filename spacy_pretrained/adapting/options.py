"""What `adapt` is asked."""

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .errors import Errors


@dataclass(frozen=True)
class AdaptOptions:
    """How to train; see `adapt`.

    RAISES: ValueError for a number that an option cannot have.
    """

    epochs: float = 3.0
    minutes: float | None = None
    batch: int = 32
    length: int = 128
    rate: float | None = None
    whole_words: bool = False
    next_sentence: bool = False
    bfloat16: bool = False
    memory: int | None = None  # bytes
    interval: int = 0  # steps between two checkpoints; 0: a tenth of the training
    patience: int = 3  # evaluations without a better one, after which training stops
    text_field: str = "text"
    labelled: Path | None = None
    seed: int = 0

    def __post_init__(self):
        for name in ("epochs", "minutes", "rate", "memory"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise ValueError(Errors.OPTION_NOT_ABOVE.format(name=f"--{name}", value=value))
        least_values = {"batch": 1, "length": 1, "interval": 0, "patience": 1, "seed": 0}
        for name, least in least_values.items():
            value = getattr(self, name)
            if value < least:
                found = {"name": f"--{name}", "value": value, "least": least}
                raise ValueError(Errors.OPTION_TOO_SMALL.format(**found))

    def as_dict(self) -> dict[str, Any]:
        """As JSON takes it."""
        return {n: str(v) if isinstance(v, Path) else v for n, v in asdict(self).items()}
