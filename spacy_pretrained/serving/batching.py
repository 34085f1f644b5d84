"""Texts that wait, and the thread that annotates them in batches.

There is no timer. A batch begins as soon as the thread is idle, with whatever waits then; what
arrives meanwhile is the next batch, and follows in the same stream where it may. So one client
waits for nobody, and many make full batches.
"""

import asyncio
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from .annotate import MAX_TEXTS, Annotated, Asked, Batch, Failed, More, Outcome
from .metrics import Row
from .pipelines import Served

MAX_CHARACTERS = 50_000  # of a batch
# A batch takes half of what waits, and where that is few, so many texts. If it took all, clients
# would have their answers all at once, and ask again all at once: the engine and the components
# behind it would wait for one another.
FEW_TEXTS = 24
# Batches of a stream, and so of a zone of memory: then the strings that its texts brought go.
MAX_BATCHES = 50

Labels = tuple[str, ...] | None
AnnotateStream = Callable[[Served, Labels, Batch, More], Iterator[tuple[Batch, list[Outcome]]]]


class Key(NamedTuple):
    """Texts of one key may share a batch, and batches of one key a stream."""

    served: Served
    labels: Labels


class Full(Exception):
    """More texts would wait than may."""


class Job:
    """The texts of a request. It belongs to the event loop, but for `waiting`: the lock's.

    outcomes: One a text; those that are given have failed before, and are not annotated.
    waited_for: Is set when all outcomes are there. Whoever waits sets it, too, if the client goes.
    """

    def __init__(self, key: Key, asked: Sequence[Asked], failed: dict[int, Failed]):
        self.key = key
        self.asked = asked
        self.outcomes: list[Outcome | None] = [failed.get(i) for i in range(len(asked))]
        self.waiting = {i for i in range(len(asked)) if i not in failed}
        self.n_left = len(self.waiting)
        self.waited_for = asyncio.Event()
        self._finish()

    @property
    def is_done(self) -> bool:
        return not self.n_left

    def set(self, place: int, outcome: Outcome) -> None:
        self.outcomes[place] = outcome
        self.n_left -= 1
        self._finish()

    def _finish(self) -> None:
        if self.is_done:
            self.waited_for.set()


class _Waiting(NamedTuple):
    number: int  # in the order of arrival
    job: Job
    place: int

    @property
    def asked(self) -> Asked:
        return self.job.asked[self.place]


class Annotator:
    """One thread, and the texts that wait for it. All methods are called from the event loop.

    annotate: What the thread does with batches.
    most_waiting: Texts that may wait.
    row: Where batches are counted.
    on_crash: Called in the thread if it cannot go on.
    """

    def __init__(
        self,
        annotate: AnnotateStream,
        most_waiting: int,
        row: Row,
        on_crash: Callable[[BaseException], None],
    ):
        self._annotate = annotate
        self._most_waiting = most_waiting
        self._row = row
        self._on_crash = on_crash
        self._queues: dict[Key, deque[_Waiting]] = {}
        self._n_waiting: Counter[str] = Counter()  # by the name of the pipeline
        self._number = 0
        self._closed = False
        self._changed = threading.Condition()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="annotator", daemon=True)

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin to annotate; outcomes go to the event loop that runs now."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    def close(self) -> None:
        """End when nothing waits any more."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def submit(self, job: Job) -> None:
        """Let the texts of a job wait.

        RAISES: Full, and then none of them does.
        """
        with self._changed:
            if self._n_waiting.total() + len(job.waiting) > self._most_waiting:
                raise Full
            queue = self._queues.setdefault(job.key, deque())
            for place in sorted(job.waiting):
                self._number += 1
                queue.append(_Waiting(self._number, job, place))
            self._add_waiting(job.key, len(job.waiting))
            self._changed.notify()

    def drop(self, job: Job, reason: Failed) -> None:
        """Let those of its texts fail that still wait. What is in a batch already is annotated."""
        with self._changed:
            dropped, job.waiting = job.waiting, set()
            self._add_waiting(job.key, -len(dropped))
        for place in dropped:
            job.set(place, reason)

    def _add_waiting(self, key: Key, n: int) -> None:
        name = key.served.name
        self._n_waiting[name] += n
        self._row.set_waiting(name, self._n_waiting[name])

    # In the thread

    def _run(self) -> None:
        try:
            while batch := self._wait():
                key = batch[0].job.key
                stream = self._annotate(key.served, key.labels, batch, self._follow(key))
                for done, outcomes in stream:
                    self._loop.call_soon_threadsafe(self._deliver, key, done, outcomes)
        except BaseException as error:
            self._on_crash(error)

    def _wait(self) -> list[_Waiting]:
        """The next batch; an empty one at the end of all."""
        with self._changed:
            while not (batch := self._take()) and not self._closed:
                self._changed.wait()
            return batch

    def _follow(self, key: Key) -> More:
        """Gives the batches that are to follow a first one in its stream, as long as the text that
        has waited longest is of this key. Nobody is waited for."""
        n_left = MAX_BATCHES - 1

        def more(full: bool) -> list[_Waiting]:
            nonlocal n_left
            with self._changed:
                batch = self._take(key, full) if n_left else []
            n_left -= bool(batch)  # it asks more often than it gets one
            return batch

        return more

    def _take(self, only: Key | None = None, full: bool = False) -> list[_Waiting]:
        """The text that has waited longest, and others of its key; nothing if that is not the only
        one that is wanted, or the batch has to be full and is not."""
        for key, queue in list(self._queues.items()):
            while queue and queue[0].place not in queue[0].job.waiting:  # taken or dropped
                queue.popleft()
            if not queue:
                del self._queues[key]
        if not self._queues:
            return []
        key = min(self._queues, key=lambda key: self._queues[key][0].number)
        if only not in (None, key):
            return []
        batch, is_full = _find_batch(self._queues[key])
        if full and not is_full:
            return []
        for one in batch:
            one.job.waiting.remove(one.place)
        self._add_waiting(key, -len(batch))
        return batch

    # In the event loop again

    def _deliver(self, key: Key, batch: Sequence[_Waiting], outcomes: list[Outcome]) -> None:
        n_words = sum(one.n_words for one in outcomes if isinstance(one, Annotated))
        self._row.count_batch(key.served.name, len(batch), n_words)
        for one, outcome in zip(batch, outcomes, strict=True):
            one.job.set(one.place, outcome)


def _find_batch(queue: deque[_Waiting]) -> tuple[list[_Waiting], bool]:
    """The first texts that still wait, as many as a batch has, and whether it is full."""
    most = min(MAX_TEXTS, max(FEW_TEXTS, len(queue) // 2))
    batch, n_characters = [], 0
    for one in queue:
        if one.place not in one.job.waiting:
            continue
        n_characters += len(one.asked[0])
        if batch and n_characters > MAX_CHARACTERS:
            break
        batch.append(one)
        if len(batch) == most:
            break
    return batch, len(batch) == most or n_characters >= MAX_CHARACTERS
