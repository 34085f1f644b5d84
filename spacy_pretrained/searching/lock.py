"""One process, and one thread, at a time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..runtime.file_lock import lock

_threads = threading.RLock()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Wait until nobody else holds the lock. The system frees that of a process that is killed.

    Where files cannot be locked, it is one thread at a time, but not one process.
    """
    with _threads, path.open("a") as file:
        lock(file)
        yield
