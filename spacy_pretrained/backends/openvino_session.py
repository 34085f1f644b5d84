"""Compiled OpenVINO models of this process: how they are run, shared by threads, and forked.

The engine has threads and locks of its own, and neither survives a fork. So whoever gives it work
passes the gate, which is shut while the process forks, and a child begins without any session.
"""

import os
import threading
import weakref
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from ..windows.batches import WindowBatch

# Seconds that a thread waits at most for its turn: more than a batch of Docs takes.
LONGEST_TURN = 5.0


class Owner(Protocol):
    """What keeps sessions."""

    def forget_sessions(self) -> None:
        """Go on as if nothing had been compiled yet, with locks that nobody holds."""


_sessions: weakref.WeakSet["Session"] = weakref.WeakSet()
_owners: weakref.WeakSet[Owner] = weakref.WeakSet()
_inherited: list["Session"] = []
_gate = threading.RLock()


@contextmanager
def gate() -> Iterator[None]:
    """Held while an engine is given work, and while the process forks."""
    with _gate:
        yield


def add_owner(owner: Owner) -> None:
    """Let an owner hear of it when it finds itself in a forked child."""
    _owners.add(owner)


def before_fork() -> None:
    """A child that is forked while a thread of the engine holds a lock finds that shut for ever. So
    this waits until all that is under way is done."""
    _gate.acquire()
    for session in list(_sessions):
        for request in list(session.under_way):
            with suppress(RuntimeError):  # whoever asked for it hears of it
                request.wait()


def after_fork_in_parent() -> None:
    _gate.release()


def after_fork_in_child() -> None:
    """The child has no threads of its parent's compiled models, and to let go of one would abort
    it. Nor has it the thread that may have held a lock, which would stay shut for ever."""
    global _gate
    _gate = threading.RLock()
    _inherited.extend(_sessions)
    for owner in _owners:
        owner.forget_sessions()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(
        before=before_fork,
        after_in_parent=after_fork_in_parent,
        after_in_child=after_fork_in_child,
    )


@dataclass(eq=False)
class Session:
    """A compiled model of one process, with requests to be used again."""

    compiled: Any
    n_streams: int
    n_callers: int = 0
    idle: deque = field(default_factory=deque)
    under_way: list = field(default_factory=list)
    turn: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self):
        _sessions.add(self)

    def run(self, batches: Iterable[WindowBatch], *, in_turn: bool) -> Iterator[np.ndarray]:
        """The output for each batch, in order; as many batches are under way as there are streams,
        and one more. An array is valid until the next one is asked for.

        in_turn: Whether to wait until other threads' batches are all under way, and to let others
            wait until these are.
        """
        running: deque = deque()
        try:
            with self._own_turn() if in_turn else nullcontext():
                for batch in batches:
                    running.append(self._start(batch))
                    if len(running) > self.n_streams:
                        with self._finished(running.popleft()) as vectors:
                            yield vectors
            while running:
                with self._finished(running.popleft()) as vectors:
                    yield vectors
        finally:  # where it ends early
            for request in running:
                with suppress(RuntimeError), self._finished(request):
                    pass

    @contextmanager
    def _own_turn(self) -> Iterator[None]:
        """If two batches of Docs shared the engine, the heads would wait for both.

        Nobody waits for ever: a caller may hold on to a prediction and never ask for the rest.
        """
        has_turn = self.turn.acquire(timeout=LONGEST_TURN)
        try:
            yield
        finally:
            if has_turn:
                self.turn.release()

    def _start(self, batch: WindowBatch) -> Any:
        try:
            request = self.idle.pop()
        except IndexError:
            request = self.compiled.create_infer_request()
        with gate():
            request.start_async(batch.inputs)
            self.under_way.append(request)
        return request

    @contextmanager
    def _finished(self, request: Any) -> Iterator[np.ndarray]:
        """Wait for a request and lend its output; then the request is idle again."""
        try:
            request.wait()
        finally:
            self.under_way.remove(request)
        try:
            yield request.get_output_tensor(0).data
        finally:  # also where nobody wants the rest
            self.idle.append(request)
