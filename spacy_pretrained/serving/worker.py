"""A process that answers requests: an event loop, and the thread that annotates."""

import os
import socket
from collections.abc import Callable, Sequence
from importlib import import_module

from .annotate import annotate_stream
from .batching import Annotator
from .log import logger, say_where, silence_others
from .metrics import Board
from .parts import Parts, State
from .pipelines import Served, warm_up
from .settings import Settings

# What `run_worker` imports, and what uvicorn does when its server starts.
SERVER = (
    f"{__package__}.fastapi_app",
    f"{__package__}.uvicorn_server",
    "uvicorn.lifespan.off",
    "uvicorn.loops.auto",
    "uvicorn.protocols.http.httptools_impl",
)
# Exit code of a worker whose annotating thread has broken down.
CRASHED = 70


def make_parts(served: Sequence[Served], settings: Settings, board: Board, number: int) -> Parts:
    """number: Of the worker, from 0."""
    row = board.row(number)
    annotator = Annotator(annotate_stream, settings.limits.waiting, row, _end_at_once)
    return Parts(served, settings, annotator, board, row, State())


def _end_at_once(error: BaseException) -> None:
    """A worker that cannot annotate is replaced."""
    logger.critical("The annotating thread broke down: %s", say_where(error))
    os._exit(CRASHED)


def import_server() -> None:
    """Before workers are forked: one that is forked after an upgrade, in place of one that died,
    would import new modules into old ones."""
    for name in SERVER:
        import_module(name)


def run_worker(
    parts: Parts,
    keys: Sequence[bytes],
    listener: socket.socket,
    control: int | None = None,
    is_ready: Callable[[], None] = lambda: None,
) -> None:
    """Warm up and answer requests, until a signal ends it.

    control: A file descriptor that is at its end when whoever has started this process is gone.
    is_ready: Called when requests are taken.
    """
    from .fastapi_app import build_app
    from .uvicorn_server import make_server

    silence_others()
    warm_up(parts.served)
    make_server(build_app(parts, keys), parts, control, is_ready).run(sockets=[listener])
    parts.annotator.close()
