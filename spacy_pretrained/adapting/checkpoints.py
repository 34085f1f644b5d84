"""Checkpoints of a training: those that were written whole, of which the last and the best stay.

transformers writes a checkpoint file by file into its folder. One that was cut short by a kill
looks like a whole one, so whole ones have a mark, which is written last.
"""

import os
import shutil
from pathlib import Path

MARK = "whole"
PREFIX = "checkpoint-"


def mark_whole(checkpoint: Path) -> None:
    """Say that all of a checkpoint is on disk."""
    for path in checkpoint.iterdir():
        with path.open("r+b") as file:  # Windows syncs only what may be written
            os.fsync(file.fileno())
    (checkpoint / MARK).touch()


def find_whole(folder: Path) -> list[Path]:
    """Those with a mark, the last one last."""
    found = [path for path in folder.glob(f"{PREFIX}*") if (path / MARK).is_file()]
    return sorted(found, key=step_of)


def step_of(checkpoint: Path) -> int:
    return int(checkpoint.name.removeprefix(PREFIX))


def keep_only(folder: Path, steps: set[int]) -> None:
    """Remove the checkpoints of all other steps, and those that were cut short."""
    for path in folder.glob(f"{PREFIX}*"):
        if step_of(path) not in steps or not (path / MARK).is_file():
            (path / MARK).unlink(missing_ok=True)  # half removed, it is no whole one any more
            shutil.rmtree(path, ignore_errors=True)
