"""Files that are there whole, or not at all, whoever is killed when."""

import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

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
        _sync(unfinished, os.O_RDWR)
        os.replace(unfinished, path)
        with suppress(OSError):  # Windows opens no folders, and some shared file systems sync none
            _sync(path.parent, os.O_RDONLY)
    finally:
        with suppress(OSError):  # what is in the way of writing is in the way of this, too
            unfinished.unlink()


def check_place(path: Path) -> None:
    """See, before the work, whether `whole_file` can write a file. Its folder may be yet to be
    made; nothing is made here.

    RAISES: OSError, of what is in the way.
    """
    if path.is_dir():
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    folder = next(folder for folder in path.parents if folder.exists())
    if not folder.is_dir():
        raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OSError(errno.EACCES, os.strerror(errno.EACCES), str(folder))


def write_json(path: Path, value: Any) -> None:
    """Write all of it or nothing."""
    with whole_file(path) as unfinished:
        unfinished.write_text(json.dumps(value, indent=2) + "\n", encoding="utf8")


def remove_unfinished(folder: Path, *names: str, process: int | None = None) -> None:
    """What processes left that were killed.

    names: Of the files; none for all.
    process: The number of one that has ended; None for any. Then a lock has to see to it that
        nobody writes these files now.
    """
    writer = "*" if process is None else process
    for name in names or ("*",):
        for path in folder.glob(f".{name}.{writer}{UNFINISHED}"):
            with suppress(FileNotFoundError):
                path.unlink()


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
