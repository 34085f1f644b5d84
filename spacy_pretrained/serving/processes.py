"""What supervisor and generations share: signals that can be waited for, and lines in a pipe."""

import json
import os
import select
import signal
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from time import monotonic
from typing import Any

# How often a process may end within so many seconds.
MOST_DEATHS, WITHIN = 3, 60.0


class Signals:
    """Signals of this process as they come, in a pipe. In place of handlers, which interrupt."""

    def __init__(self, *numbers: int):
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)
        self._numbers = numbers
        signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        for number in numbers:
            signal.signal(number, lambda number, frame: None)

    def fileno(self) -> int:
        return self._read

    def take(self) -> set[int]:
        """Those that have come."""
        try:
            return set(os.read(self._read, 1024)) & {int(number) for number in self._numbers}
        except BlockingIOError:
            return set()

    def close(self) -> None:
        """Back to what Python does by default: also in a forked child, before it begins."""
        # In this order: a signal that comes in between is not lost.
        for number in self._numbers:
            signal.signal(number, signal.SIG_DFL)
        signal.set_wakeup_fd(-1)
        os.close(self._read)
        os.close(self._write)


class Deaths:
    """Whether processes end again and again."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=MOST_DEATHS)

    def too_many(self) -> bool:
        """Count another one."""
        self._times.append(monotonic())
        is_full = len(self._times) == MOST_DEATHS
        return is_full and self._times[-1] - self._times[0] < WITHIN


def wait_for(readable: Iterable[Any], seconds: float | None = None) -> list[Any]:
    """Those that can be read from, or have ended, as soon as there is one."""
    poll = select.poll()
    by_number = {}
    for one in readable:
        number = one if isinstance(one, int) else one.fileno()
        by_number[number] = one
        poll.register(number, select.POLLIN)
    found = poll.poll(None if seconds is None else 1000 * seconds)
    return [by_number[number] for number, _ in found]


def tell(pipe: int, **message: Any) -> None:
    """Write a message; nothing if nobody reads any more."""
    with suppress(BrokenPipeError):
        os.write(pipe, json.dumps(message).encode() + b"\n")


def hear(pipe: int) -> list[dict[str, Any]] | None:
    """The messages that `tell` has written; None when there will be no more."""
    data = os.read(pipe, 65536)
    return [json.loads(line) for line in data.splitlines()] if data else None
