"""How many wordpieces a window has, and how many of these are of its text."""

from dataclasses import dataclass

from ..checkpoints.checkpoint import Checkpoint
from .errors import Errors


@dataclass(frozen=True)
class WindowSize:
    """What a window holds at most, in wordpieces."""

    limit: int  # in all
    special: int  # [CLS], [SEP] and the like

    @property
    def room(self) -> int:
        """Pieces that are not special."""
        return self.limit - self.special


def find_size(checkpoint: Checkpoint, window: int, *, special: int) -> WindowSize:
    """The size of a backbone's windows.

    window: Pieces in all, at most what the backbone takes; 0 means just that.
    RAISES: ValueError if the special pieces leave no room.
    """
    most = checkpoint.layout.max_window
    size = WindowSize(min(window or most, most), special)
    if size.room < 1:
        raise ValueError(Errors.WINDOW_TOO_SMALL.format(window=size.limit, special=special))
    return size
