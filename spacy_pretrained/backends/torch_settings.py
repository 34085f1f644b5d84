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


@dataclass(frozen=True)
class ScratchSettings(TorchSettings):
    """Of a backbone that begins with random weights: its size, too. See
    `spacy-pretrained.TransformerFromScratch.v1`.

    RAISES: ValueError for sizes that do not go together.
    """

    layers: int = 4
    width: int = 256
    heads: int = 4
    window: int = 128

    def __post_init__(self):
        super().__post_init__()
        for name in ("layers", "width", "heads", "window"):
            value = getattr(self, name)
            if value < 1:
                raise ValueError(Errors.SETTING_TOO_SMALL.format(name=name, value=value, least=1))
        if self.width % self.heads:
            raise ValueError(Errors.HEADS.format(width=self.width, heads=self.heads))
