"""A process that annotates shards. What it imports at its top is next to nothing: threads are set
before anything heavy is imported, and its parent may end it at once.

    parent → worker: Task            worker → parent: Ready, a Done for each task; or Stopped
"""

import os
import pickle
import queue
import threading
import traceback
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import Errors

if TYPE_CHECKING:
    from spacy.language import Language

    from .annotator import Annotator
    from .items import Item
    from .options import Options
    from .outputs import Output

# Of one stream through the pipeline, and of one zone of memory: then strings and lexemes that the
# texts brought are let go. Between two streams the pipeline stands still for a moment.
ZONE_SHARDS = 20
ZONE_CHARACTERS = 20_000_000


@dataclass(frozen=True)
class Settings:
    """What a worker has to know."""

    pipeline: str
    folder: Path
    options: "Options"
    output: "Output"
    threads: int


@dataclass(frozen=True)
class Task:
    """A shard, or some of its texts on trial: whether they kill the process. Those are not
    written."""

    number: int  # of the shard
    items: "list[Item]"
    on_trial: bool = False
    alone: bool = False  # whether nothing else is to be under way with it


@dataclass(frozen=True)
class Ready:
    pass


@dataclass(frozen=True)
class Stopped:
    """Neither this process nor another one can do it."""

    reason: str


@dataclass(frozen=True)
class Done:
    number: int
    texts: int = 0
    words: int = 0
    skipped: int = 0
    failed: int = 0


@dataclass
class Part:
    """A task whose texts are being annotated."""

    task: Task
    encoded: list[Any] = field(default_factory=list)
    failures: dict[int, Any] = field(default_factory=dict)  # by the place in the shard
    n_left: int = 0
    n_words: int = 0

    def __post_init__(self):
        self.n_left = len(self.task.items)
        self.encoded = [None] * self.n_left


def run_worker(connection: Connection, threads: int, pickled: bytes) -> None:
    """Where a spawned process begins.

    pickled: Its settings.
    """
    from ..runtime.cores import THREADS

    for name in (THREADS, "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(threads)
    tasks: queue.SimpleQueue[Task] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(connection, tasks), daemon=True).start()
    settings: Settings = pickle.loads(pickled)
    try:
        annotator = _load(settings)
    except Exception as error:
        reason = str(error) or type(error).__name__
        _send(connection, Stopped(Errors.WORKER_LOAD.format(error=reason)))
        return
    _send(connection, Ready())
    worker = Worker(connection, settings, annotator, tasks)
    while True:
        worker.run_stream(tasks.get())


def _receive(connection: Connection, tasks: "queue.SimpleQueue[Task]") -> None:
    """Take what the parent sends as soon as it does, so that it never waits. The connection breaks
    when the parent ends, however it does; then nobody wants this process any more. Whatever else
    ends this thread ends the process, too: it would wait for tasks for ever, and its parent for
    it."""
    try:
        while True:
            tasks.put(connection.recv())
    except (EOFError, OSError):
        pass
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)


def _send(connection: Connection, message: Stopped | Ready | Done) -> None:
    try:
        connection.send(message)
    except OSError:  # the parent has ended, as `_receive` is about to see
        os._exit(1)


def _load(settings: Settings) -> "Annotator":
    import spacy
    from spacy.util import import_file

    from .annotator import Annotator

    options = settings.options
    if options.code is not None:
        import_file("python_code", options.code)
    if options.gpu_id >= 0:
        spacy.require_gpu(options.gpu_id)
    nlp: Language = spacy.load(settings.pipeline, exclude=options.exclude)
    annotator = Annotator(nlp, max_characters=options.max_characters, on_long=options.on_long)
    annotator.warm_up()
    return annotator


class Worker:
    def __init__(
        self,
        connection: Connection,
        settings: Settings,
        annotator: "Annotator",
        tasks: "queue.SimpleQueue[Task]",
    ):
        self._connection = connection
        self._settings = settings
        self._annotator = annotator
        self._tasks = tasks
        self._parts: dict[int, tuple[Part, int]] = {}  # by the number of a text, its place
        self._writer: ThreadPoolExecutor
        self._writes: list[Future] = []  # of the parts of a stream

    def run_stream(self, first: Task) -> None:
        """Annotate a task, and those that have come meanwhile, as one stream. Another thread
        writes, so that annotating goes on while the disk is waited for."""
        self._annotator.words.learn(item.text for item in first.items)
        with ThreadPoolExecutor(1) as self._writer, self._annotator.nlp.memory_zone():
            for item, found in self._annotator.annotate(self._feed(first)):
                self._take(item, found)
        for write in self._writes:
            write.result()  # an error that nothing foresees ends the process, as its parent sees
        self._writes.clear()

    def _feed(self, task: Task) -> Iterator["Item"]:
        n_shards = n_characters = 0
        while True:
            part = Part(task)
            if not task.items:
                self._writes.append(self._writer.submit(self._finish, part))
            for place, item in enumerate(task.items):
                self._parts[item.number] = part, place
                n_characters += len(item.text)
                yield item
            n_shards += 1
            if task.alone or n_shards == ZONE_SHARDS or n_characters > ZONE_CHARACTERS:
                return
            try:  # Without more, the stream ends, and what is still in the pipeline comes out.
                task = self._tasks.get_nowait()
            except queue.Empty:
                return

    def _take(self, item: "Item", found: Any) -> None:
        from .items import Failure, describe_failure

        part, place = self._parts.pop(item.number)
        if not isinstance(found, Failure):
            n_words = len(found)
            try:
                found = self._settings.output.encode(item, found)
            except Exception as error:
                found = Failure("failed", f"{type(error).__name__}: {error}")
            part.n_words += 0 if isinstance(found, Failure) else n_words
        if isinstance(found, Failure):
            part.failures[place] = describe_failure(item, found)
        else:
            part.encoded[place] = found
        part.n_left -= 1
        if not part.n_left:
            self._writes.append(self._writer.submit(self._finish, part))

    def _finish(self, part: Part) -> None:
        from .job import write_part

        failures = [part.failures[place] for place in sorted(part.failures)]
        encoded = [one for place, one in enumerate(part.encoded) if place not in part.failures]
        number, settings = part.task.number, self._settings
        if not part.task.on_trial:
            try:
                write_part(settings.folder, number, settings.output, encoded, failures)
            except Exception as error:
                reason = Errors.WORKER_WRITE.format(folder=settings.folder, error=error)
                _send(self._connection, Stopped(reason))
                return
        skipped = sum(failure["status"] == "skipped" for failure in failures)
        failed = len(failures) - skipped
        done = Done(number, len(encoded), part.n_words, skipped, failed)
        _send(self._connection, done)
