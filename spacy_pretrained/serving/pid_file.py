"""The file with the process id of a server that runs: locked as long as it does. Without the lock,
a signal might reach another program that has got the number of a server long gone. So there is no
such file where the file system has no locks."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO

from ..runtime.file_lock import NoLocks, is_locked, try_lock
from .errors import Errors


@contextmanager
def pid_file(path: Path | None) -> Iterator[None]:
    """Write our process id for as long as this lasts; None writes nothing.

    RAISES: ValueError if a server that runs has written it, or if it cannot be locked; OSError.
    """
    if path is None:
        yield
        return
    with _open_locked(path) as file:
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def _open_locked(path: Path) -> TextIO:
    """RAISES: as `pid_file`."""
    while True:
        with ExitStack() as opened:
            file = opened.enter_context(path.open("a+"))
            try:
                if not try_lock(file, required=True):
                    raise ValueError(Errors.PID_FILE_TAKEN.format(path=path))
            except NoLocks as error:
                raise ValueError(Errors.PID_FILE_NO_LOCKS.format(path=path)) from error
            if _is_at(path, file):  # if not, a server that has ended since has removed it
                opened.pop_all()
                return file


def _is_at(path: Path, file: TextIO) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def reload_server(path: Path) -> int:
    """Ask the server that has written the file for a new generation.

    RETURNS: Its process id.
    RAISES: ValueError if it does not run, or if that cannot be told; OSError.
    """
    with path.open("r") as file:
        try:
            runs = is_locked(file)
        except NoLocks as error:
            raise ValueError(Errors.PID_FILE_NO_LOCKS.format(path=path)) from error
        number = file.read().strip()  # nothing, if it is about to be written
        if runs and number:
            os.kill(int(number), signal.SIGHUP)
            return int(number)
    raise ValueError(Errors.PID_FILE_STALE.format(path=path))
