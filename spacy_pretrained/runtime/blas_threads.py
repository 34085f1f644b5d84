"""Fewer threads for NumPy's matrix products while an engine uses the cores."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from threadpoolctl import LibController, ThreadpoolController

from .cores import count_threads

# The heads' share of a pipeline's work, roughly: one thread of two to four cores.
SHARE = 4

_lock = threading.RLock()  # a thread may fork while it holds it: in a handler of a signal
_inside = 0  # threads of this process that are in `few_blas_threads`
_usual: list[int] = []  # threads of each loaded BLAS while no thread is inside


@contextmanager
def few_blas_threads() -> Iterator[None]:
    """Limit BLAS to a quarter of the process's threads. Next to the working threads of an engine,
    those of BLAS wait for each other, and use CPU time while they wait.

    The limit applies to the whole process, until the last thread has left: most builds of BLAS have
    none for a single thread. Those with OpenMP have, and there each thread sets its own.
    """
    global _inside, _usual
    with _lock:
        if not _inside:
            _usual = [library.num_threads for library in _libraries()]
        _inside += 1
        for library, number in zip(_libraries(), _usual):
            _set_threads(library, min(_few(), number))
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            for library, number in zip(_libraries(), _usual):
                if not _inside or getattr(library, "threading_layer", "") == "openmp":
                    _set_threads(library, number)


def _set_threads(library: LibController, number: int) -> None:
    """Set the threads of BLAS, whichever thread has done so before.

    From 3.7 on, threadpoolctl lets the first thread that limits OpenBLAS be the only one that can,
    and the calls of others do nothing. A pipeline is used by one thread and then by another: a
    server's warm-up is the main thread's, its texts are not.
    """
    release = getattr(library, "clear_controlling_thread", lambda force: None)
    release(force=True)
    library.set_num_threads(number)
    release(force=True)


def _before_fork() -> None:
    """Wait for threads that set limits: threadpoolctl has a lock that a child would find shut."""
    _lock.acquire()


def _after_fork() -> None:
    _lock.release()


def _begin_again() -> None:
    """A forked child lacks its parent's other threads, which may hold the lock or be inside."""
    global _lock, _inside
    if _inside:
        for library, number in zip(_libraries(), _usual):
            _set_threads(library, number)
    _lock, _inside = threading.RLock(), 0


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(
        before=_before_fork, after_in_parent=_after_fork, after_in_child=_begin_again
    )


@cache
def _few() -> int:
    return max(1, count_threads() // SHARE)


@cache
def _libraries() -> list[LibController]:
    import numpy  # noqa: F401  its BLAS must be loaded to be found

    return ThreadpoolController().select(user_api="blas").lib_controllers
