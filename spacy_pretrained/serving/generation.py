"""A generation: a process that loads the pipelines, forks workers that serve them, and replaces
those that die.

    python -m spacy_pretrained.serving.generation SETTINGS LISTENER STATUS CONTROL

The supervisor starts it. It is a new Python, so it finds what has been installed since. SETTINGS is
JSON. The others are file descriptors: the socket; a pipe for messages to the supervisor, that it is
ready or has failed; and one that is at its end when the supervisor is gone.
"""

import gc
import os
import signal
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from ..runtime.cores import count_cores
from .errors import Errors
from .log import logger, say_where, set_up_log
from .metrics import Board
from .pipelines import Served, load_pipelines
from .processes import MOST_DEATHS, WITHIN, Deaths, Signals, hear, tell, wait_for
from .settings import Settings, read_keys
from .worker import import_server, make_parts, run_worker

# Exit codes: could not begin; its workers died again and again.
FAILED, HOPELESS = 3, 4


@dataclass
class Worker:
    number: int  # from 0
    process: int
    status: int  # a pipe: it says when it is ready, and ends with the worker
    ready: bool = False


class Generation:
    """The workers, and what is done when signals come and workers go."""

    def __init__(
        self,
        served: Sequence[Served],
        settings: Settings,
        keys: Sequence[bytes],
        listener: socket.socket,
        status: int,
        control: int,
    ):
        self._served = served
        self._settings = settings
        self._keys = keys
        self._listener = listener
        self._status = status
        self._control = control
        self._board = Board([(one.name, one.version) for one in served], settings.workers)
        self._signals = Signals(signal.SIGTERM, signal.SIGUSR1)
        self._workers: list[Worker] = []
        self._deaths = Deaths()
        self._said_ready = False
        self._ending = False

    def run(self) -> int:
        """RETURNS: The exit code."""
        for number in range(self._settings.workers):
            self._fork(number)
        code = 0
        while self._workers:
            pipes = {worker.status: worker for worker in self._workers}
            control = [] if self._ending else [self._control]
            for readable in wait_for([self._signals, *control, *pipes]):
                if readable is self._signals:
                    self._pass_on(self._signals.take())
                elif readable in pipes:
                    code = self._hear(pipes[readable]) or code
                else:  # the supervisor is gone
                    self._pass_on({signal.SIGTERM})
        return code

    def _pass_on(self, numbers: set[int]) -> None:
        for number in numbers:
            self._ending = True
            self._listener.close()
            for worker in self._workers:
                os.kill(worker.process, number)

    def _hear(self, worker: Worker) -> int:
        """RETURNS: The exit code, if this is the end; or 0."""
        if hear(worker.status):
            worker.ready = True
            if not self._said_ready and all(worker.ready for worker in self._workers):
                self._said_ready = True
                tell(self._status, ready=True)
            return 0
        self._workers.remove(worker)
        os.close(worker.status)
        _, status = os.waitpid(worker.process, 0)
        if self._ending:
            return 0
        code = os.waitstatus_to_exitcode(status)
        if not self._said_ready:
            self._fail(Errors.WORKER_DIED.format(code=code))
            return FAILED
        logger.error("Worker %d ended with exit code %d", worker.number, code)
        if self._deaths.too_many():
            message = Errors.TOO_MANY_DEATHS
            self._fail(message.format(what="Workers", deaths=MOST_DEATHS, seconds=int(WITHIN)))
            return HOPELESS
        self._fork(worker.number)
        return 0

    def _fail(self, reason: str) -> None:
        tell(self._status, failed=reason)
        self._pass_on({signal.SIGTERM})

    def _fork(self, number: int) -> None:
        read, write = os.pipe()
        process = os.fork()
        if process:
            os.close(write)
            self._workers.append(Worker(number, process, read))
            return
        code = 1
        try:
            self._signals.close()
            for pipe in [read, self._status, *(worker.status for worker in self._workers)]:
                os.close(pipe)
            parts = make_parts(self._served, self._settings, self._board, number)
            is_ready = partial(tell, write, ready=True)
            run_worker(parts, self._keys, self._listener, self._control, is_ready)
            code = 0
        except BaseException as error:
            logger.error("Worker %d failed: %s", number, say_where(error))
        finally:
            os._exit(code)  # what the generation does at its end is not the worker's


def share_cores(workers: int) -> None:
    """Let each of several workers have its part of the cores, unless the user has said how many."""
    if workers > 1:
        os.environ.setdefault("SPACY_PRETRAINED_THREADS", str(max(1, count_cores() // workers)))


def main() -> int:
    settings = Settings.from_json(sys.argv[1])
    listener, status, control = map(int, sys.argv[2:])
    set_up_log()
    share_cores(settings.workers)
    try:
        keys = read_keys(settings.key_file)
        served = load_pipelines(settings)
        import_server()
    except Exception as error:  # whatever a pipeline raises when it is loaded: no text is in it
        tell(status, failed=" ".join(f"{type(error).__name__}: {error}".split()))
        return FAILED
    # What is loaded stays where it is: a collector that visits it would copy it into each worker.
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=listener) as sock:
        return Generation(served, settings, keys, sock, status, control).run()


if __name__ == "__main__":
    sys.exit(main())
