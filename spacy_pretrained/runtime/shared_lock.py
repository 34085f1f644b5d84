"""A lock that several threads may share, or one has alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition, RLock


class SharedLock:
    """For what many threads read and one changes at times.

    Whoever waits to have it alone is not overtaken by others. A thread that has it alone may take
    it again in either way; one that shares it must not wait to have it alone.
    """

    def __init__(self) -> None:
        self._gate = RLock()  # closed by who wants to be alone
        self._sharing = Condition(RLock())
        self._n_sharing = 0

    @contextmanager
    def shared(self) -> Iterator[None]:
        with self._gate, self._sharing:
            self._n_sharing += 1
        try:
            yield
        finally:
            with self._sharing:
                self._n_sharing -= 1
                self._sharing.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        with self._gate:
            with self._sharing:
                self._sharing.wait_for(lambda: not self._n_sharing)
            yield
