"""What a worker consists of, for its endpoints and its server."""

from collections.abc import Sequence
from dataclasses import dataclass

from .batching import Annotator
from .metrics import Board, Row
from .pipelines import Served
from .settings import Settings


@dataclass
class State:
    """Where a worker is in its life."""

    ready: bool = False  # it is warm and takes requests
    ending: bool = False  # it takes no new connections


@dataclass(frozen=True)
class Parts:
    served: Sequence[Served]
    settings: Settings
    annotator: Annotator
    board: Board
    row: Row
    state: State
