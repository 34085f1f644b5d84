"""One process, and one thread, at a time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_threads = threading.RLock()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Wait until nobody else holds the lock. The system frees that of a process that is killed."""
    with _threads, path.open("a") as file:
        try:
            import fcntl
        except ImportError:  # Windows: threads alone
            pass
        else:
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
