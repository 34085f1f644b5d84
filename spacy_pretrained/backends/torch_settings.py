"""The settings of a backbone on torch, as one object. It needs no torch itself."""

import math
from collections.abc import Generator
from dataclasses import dataclass

from .errors import Errors


@dataclass(frozen=True)
class TorchSettings:
    """How the backbone runs and trains: see `spacy-pretrained.TorchEncoder.v1`.

    RAISES: ValueError for a number that a setting cannot have.
    """

    frozen: bool = False
    freeze_layers: int = 0
    dropout: float | None = None
    mixed_precision: bool = False
    gradient_checkpointing: bool = False
    learn_rate_factor: float | Generator | None = 1.0
    device: str = "auto"

    def __post_init__(self):
        layers, dropout, factor = self.freeze_layers, self.dropout, self.learn_rate_factor
        if layers < 0:
            setting = {"name": "freeze_layers", "value": layers, "least": 0}
            raise ValueError(Errors.SETTING_TOO_SMALL.format(**setting))
        if dropout is not None and not 0 <= dropout < 1:
            raise ValueError(Errors.DROPOUT_RATE.format(dropout=dropout))
        is_number = factor is not None and not isinstance(factor, Generator)
        if is_number and not 0 <= factor < math.inf:
            raise ValueError(Errors.LEARN_RATE_FACTOR.format(learn_rate_factor=factor))
