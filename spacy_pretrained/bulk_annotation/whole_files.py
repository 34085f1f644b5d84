"""Files that are there whole, or not at all, whoever is killed when."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

UNFINISHED = ".tmp"


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A path to write to, of a file that takes its place when the block ends. It is on the disk by
    then: a machine may stop at any time.

    Other processes may write the same file at the same time; one of theirs is there in the end.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}{UNFINISHED}")
    try:
        yield unfinished
        _sync(unfinished)
        os.replace(unfinished, path)
        _sync(path.parent)
    finally:
        unfinished.unlink(missing_ok=True)


def remove_unfinished(folder: Path) -> None:
    """What processes left that were killed."""
    for path in folder.glob(f".*{UNFINISHED}"):
        with suppress(FileNotFoundError):
            path.unlink()


def _sync(path: Path) -> None:
    if path.is_dir() and os.name == "nt":  # where folders cannot be opened
        return
    descriptor = os.open(path, os.O_RDWR if path.is_file() else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
