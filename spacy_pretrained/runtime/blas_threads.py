"""Fewer threads for numpy's matrix products while an engine has the cores."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from threadpoolctl import LibController, ThreadpoolController

from .cores import count_cores

# The heads' share of a pipeline's work, roughly: one thread of two to four cores.
SHARE = 4

_lock = threading.Lock()
_inside = 0  # threads of this process that are in `few_blas_threads`
_usual: list[int] = []  # threads of each BLAS that is loaded, when nobody is there


@contextmanager
def few_blas_threads() -> Iterator[None]:
    """Limit BLAS to a quarter of the cores. Where threads of an engine are at work beside them,
    those of BLAS wait for each other, and burn CPU time as they do.

    The number is the whole process's: BLAS has none for a thread. Whoever leaves sets it back,
    though others are inside: OpenBLAS does not always heed a thread that did not set it before.
    """
    global _inside, _usual
    with _lock:
        if not _inside:
            _usual = [library.num_threads for library in _libraries()]
        _inside += 1
        for library, number in zip(_libraries(), _usual):
            library.set_num_threads(min(_few(), number))
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            for library, number in zip(_libraries(), _usual):
                library.set_num_threads(number)


def _begin_again() -> None:
    """A child has none of its parent's other threads, which may hold the lock, or be inside."""
    global _lock, _inside
    if _inside:
        for library, number in zip(_libraries(), _usual):
            library.set_num_threads(number)
    _lock, _inside = threading.Lock(), 0


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_begin_again)


@cache
def _few() -> int:
    return max(1, count_cores() // SHARE)


@cache
def _libraries() -> list[LibController]:
    import numpy  # noqa: F401  its BLAS has to be there to be found

    return ThreadpoolController().select(user_api="blas").lib_controllers
