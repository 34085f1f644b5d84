"""Processes that annotate shards, kept at work, and replaced when they end."""

import multiprocessing
import pickle
import signal
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from .errors import Errors
from .shards import Shard
from .suspects import Suspect
from .worker import Done, Ready, Settings, Stopped, Task, run_worker

# Shards that a process has at once: one is written, one is at its end, one goes in, one is waiting.
AHEAD = 4
MOST_DEATHS_IN_LOADING = 3


@dataclass
class Process:
    """A process, as its parent sees it."""

    process: BaseProcess
    connection: Connection
    is_ready: bool = False
    shards: dict[int, Shard] = field(default_factory=dict)  # under way
    suspect: Suspect | None = None  # under way, alone

    @property
    def is_idle(self) -> bool:
        return not self.shards and self.suspect is None


class Pool:
    """Annotates a stream of shards by several processes; leaving it ends them at once.

    RAISES: ValueError if the pipeline cannot be loaded.
    """

    def __init__(self, n_workers: int, settings: Settings):
        self._n_workers = n_workers
        self._settings = settings
        self._processes: list[Process] = []
        self._suspects: dict[int, Suspect] = {}
        self._waiting: deque[Suspect] = deque()
        self._deaths_in_loading = 0
        self._next_shard: Shard | None = None
        self._shards: Iterator[Shard] = iter(())

    def __enter__(self) -> "Pool":
        return self

    def __exit__(self, *error: object) -> None:
        for one in self._processes:
            one.process.kill()
        for one in self._processes:
            one.process.join()
            one.connection.close()
        self._processes.clear()

    def run(self, shards: Iterator[Shard]) -> Iterator[tuple[Shard, Done]]:
        """Each shard when its part has been written; in any order."""
        self._next_shard, self._shards = next(shards, None), shards
        while self._has_work() or not all(one.is_idle for one in self._processes):
            self._hand_out()
            while self._has_work() and len(self._processes) < self._n_workers:
                self._start()
                self._hand_out()
            yield from self._receive()

    def _has_work(self) -> bool:
        return self._next_shard is not None or bool(self._waiting)

    def _hand_out(self) -> None:
        for one in self._processes:
            if self._waiting and one.is_idle:
                self._begin_suspect(one)
            # While a suspect waits, no process gets anything else: one is to be idle soon.
            while self._next_shard and not self._waiting and self._has_room(one):
                self._begin_shard(one, self._next_shard)
                self._next_shard = next(self._shards, None)

    def _has_room(self, one: Process) -> bool:
        return one.suspect is None and len(one.shards) < (AHEAD if one.is_ready else 1)

    # Processes

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        # As bytes: what they hold imports spaCy, which is to wait until threads are set.
        args = theirs, self._settings.threads, pickle.dumps(self._settings)
        process = context.Process(target=run_worker, args=args, daemon=True)
        with _interrupts_later():
            process.start()
        theirs.close()
        self._processes.append(Process(process, ours))

    def _bury(self, one: Process) -> None:
        """A process has ended: what it had under way is suspect."""
        one.process.join()
        how = _describe_end(one.process.exitcode)
        self._processes.remove(one)
        one.connection.close()
        if not one.is_ready:
            self._deaths_in_loading += 1
            if self._deaths_in_loading >= MOST_DEATHS_IN_LOADING:
                n = self._deaths_in_loading
                raise ValueError(Errors.WORKERS_DIE.format(n=n, how=how))
        for shard in one.shards.values():
            suspect = self._suspects.setdefault(shard.number, Suspect(shard))
            if one.is_ready:
                suspect.die(how)
            self._waiting.append(suspect)
        if one.suspect is not None:
            if one.is_ready:
                one.suspect.die(how)
            self._waiting.appendleft(one.suspect)

    # Tasks

    def _begin_shard(self, one: Process, shard: Shard) -> None:
        one.shards[shard.number] = shard
        _send(one, Task(shard.number, shard.items))

    def _begin_suspect(self, one: Process) -> None:
        one.suspect = self._waiting.popleft()
        _send(one, one.suspect.next_task())

    def _receive(self) -> Iterator[tuple[Shard, Done]]:
        by_handle: dict[object, Process] = {}
        for one in self._processes:
            by_handle |= {one.connection: one, one.process.sentinel: one}
        ended: list[Process] = []
        for handle in wait(list(by_handle)):
            one = by_handle[handle]
            if handle is not one.connection:
                ended.append(one)
                continue
            try:
                yield from self._note(one, one.connection.recv())
            except (EOFError, OSError):
                ended.append(one)
        for one in {id(one): one for one in ended}.values():
            # What it had said before it ended.
            try:
                while one.connection.poll():
                    yield from self._note(one, one.connection.recv())
            except (EOFError, OSError):
                pass
            self._bury(one)

    def _note(self, one: Process, message: object) -> Iterator[tuple[Shard, Done]]:
        if isinstance(message, Stopped):
            raise ValueError(message.reason)
        if isinstance(message, Ready):
            one.is_ready, self._deaths_in_loading = True, 0
        elif isinstance(message, Done):
            if one.suspect is None:
                yield one.shards.pop(message.number), message
                return
            suspect, one.suspect = one.suspect, None
            if suspect.survive():
                del self._suspects[message.number]
                yield suspect.shard, message
            else:
                self._waiting.appendleft(suspect)


def _send(one: Process, task: Task) -> None:
    with suppress(OSError):  # it has ended, as will be seen soon
        one.connection.send(task)


@contextmanager
def _interrupts_later() -> Iterator[None]:
    """What is started in this block never hears of Ctrl-C: its parent does, and ends it."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    # The first process that is started here starts this, too, which lets Ctrl-C through again
    # before that process is there.
    resource_tracker.ensure_running()
    old = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, old)


def _describe_end(code: int | None) -> str:
    if code is None or code >= 0:
        return Errors.ENDED_WITH.format(code=code)
    number = -code
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = "?"
    memory = Errors.KILLED_FOR_MEMORY if name == "SIGKILL" else ""
    return Errors.ENDED_BY.format(number=number, name=name) + memory
