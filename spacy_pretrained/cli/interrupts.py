"""Ctrl-C, for commands that write nothing before their end: they end, and all is as it was. And
SIGTERM, for those that have large temporary files."""

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

import typer

from ..saving.pipeline_folder import STOPPED, abandon_folders
from .errors import Errors

GRACE = 0.5  # seconds to end in an orderly way
INTERRUPTED = 130  # what shells say of it
TERMINATED = 143  # and of SIGTERM


@contextmanager
def ends_when_interrupted() -> Iterator[None]:
    """Around a command's work: Ctrl-C ends it with exit code 130, within `GRACE` and a moment.

    Python raises a KeyboardInterrupt in the main thread only when that is back from what a library
    does in another language, and some libraries swallow it. So a thread waits for the signal, too,
    and ends the process if it is a command's own. Another program goes on: it may have other work.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # which no signal reaches
        return
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    is_done = threading.Event()
    before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    handler = signal.getsignal(signal.SIGINT)
    if callable(handler):  # or else the signal is ignored
        signal.signal(signal.SIGINT, _note_and(handler))
    watcher = threading.Thread(target=_watch, args=(reader, is_done), daemon=True)
    watcher.start()
    try:
        yield
        if STOPPED.is_set():  # and somebody has swallowed it
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        print(Errors.STOPPED, file=sys.stderr)
        if _is_command_line():
            _end()
        raise typer.Exit(INTERRUPTED) from None
    finally:
        signal.set_wakeup_fd(before)
        if callable(handler):
            signal.signal(signal.SIGINT, handler)
        is_done.set()
        writer.close()
        watcher.join()
        reader.close()
        STOPPED.clear()


@contextmanager
def cleans_up_when_terminated() -> Iterator[None]:
    """Around a command's work: SIGTERM ends it with exit code 143 by way of an exception, so that
    temporary files are removed. Nothing is changed for a program that has a handler of its own."""
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _exit_once)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _exit_once(number: int, frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)  # a second one would end the cleaning up
    sys.exit(TERMINATED)


def _note_and(handler: Callable[[int, FrameType | None], Any]) -> Callable[[int, Any], None]:
    """A handler that notes the signal before anybody can swallow what the other one raises."""

    def handle(number: int, frame: FrameType | None) -> None:
        STOPPED.set()
        handler(number, frame)

    return handle


def _watch(reader: socket.socket, is_done: threading.Event) -> None:
    while received := reader.recv(1):  # nothing when the other end is closed
        if received[0] == signal.SIGINT:
            STOPPED.set()
            if not is_done.wait(GRACE) and _is_command_line():
                abandon_folders()
                print(Errors.STOPPED, file=sys.stderr)
                _end()
            return


def _is_command_line() -> bool:
    """Whether the process is `python -m spacy` or `spacy`, which has nothing to do any more."""
    program = Path(sys.argv[0])
    return program.stem == "spacy" or (program.name, program.parent.name) == (
        "__main__.py",
        "spacy",
    )


def _end() -> None:
    """End the process at once: taking down all modules that are loaded costs Python a second."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(INTERRUPTED)
