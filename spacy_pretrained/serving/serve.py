"""A server from its settings, on every operating system."""

import os
import signal
import sys
from importlib.util import find_spec
from pathlib import Path

from .errors import Errors
from .log import logger, set_up_log
from .metrics import Board
from .pid_file import pid_file
from .pipelines import load_pipelines
from .settings import Settings, is_loopback, read_keys
from .supervisor import Supervisor, find_url, open_socket
from .worker import make_parts, run_worker

EXTRA = ("fastapi", "uvicorn", "httptools")
# macOS can fork, but its own libraries may not survive it.
FORKS = hasattr(os, "fork") and sys.platform != "darwin"


def serve(settings: Settings, *, no_key: bool = False, pid: Path | None = None) -> int:
    """Serve pipelines over HTTP until a signal ends it.

    no_key: Whether anybody who can reach the server may use it.
    pid: A file for the process id, for `reload_server`.
    RETURNS: The exit code.
    RAISES: ValueError for settings that do not fit together, and for pipelines that cannot be
        loaded; OSError for an address that is taken; ImportError without the extra `serve`.
    """
    if pid is not None:
        check_forks()
    _check(settings, no_key)
    set_up_log()
    if FORKS:  # a reload is of no use before the first generation; it is not to end the server
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with pid_file(pid), open_socket(settings.host, settings.port) as listener:
        if FORKS:
            return Supervisor(settings, listener).run()
        served = load_pipelines(settings)
        board = Board([(one.name, one.version) for one in served], 1)
        logger.info("Serving at %s", find_url(listener))
        run_worker(make_parts(served, settings, board, 0), read_keys(settings.key_file), listener)
        return 0


def check_forks() -> None:
    """ValueError where there is no supervisor, which alone can load new versions."""
    if not FORKS:
        raise ValueError(Errors.RELOAD_NEEDS_FORK)


def _check(settings: Settings, no_key: bool) -> None:
    for package in EXTRA:
        if find_spec(package) is None:
            raise ImportError(Errors.SERVE_EXTRA.format(package=package))
    if not settings.pipelines:
        raise ValueError(Errors.NO_PIPELINE)
    if settings.workers > 1 and not FORKS:
        raise ValueError(Errors.WORKERS_NEED_FORK.format(workers=settings.workers))
    if settings.key_file and no_key:
        raise ValueError(Errors.KEY_AND_NO_KEY)
    if not (settings.key_file or no_key or is_loopback(settings.host)):
        raise ValueError(Errors.KEY_MISSING.format(host=settings.host))
    read_keys(settings.key_file)
    limits = settings.limits
    sizes = {
        "workers": settings.workers,
        "max-body": limits.body,
        "max-texts": limits.texts,
        "max-characters": limits.characters,
        "max-waiting": limits.waiting,
        "timeout": limits.seconds,
    }
    for name, value in sizes.items():
        if not 1 <= value < float("inf"):  # NaN is neither
            raise ValueError(Errors.LIMIT.format(name=name, value=value))
    if limits.waiting < limits.texts:
        raise ValueError(Errors.FEW_MAY_WAIT.format(waiting=limits.waiting, texts=limits.texts))
