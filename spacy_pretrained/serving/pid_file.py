"""The file with the process id of a server that runs: locked as long as it does. Without the lock,
a signal might reach another program that has got the number of a server long gone."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from .errors import Errors


@contextmanager
def pid_file(path: Path | None) -> Iterator[None]:
    """Write our process id for as long as this lasts; None writes nothing.

    RAISES: ValueError if a server that runs has written it; OSError.
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
    """RAISES: ValueError if a server that runs has written it; OSError."""
    import fcntl

    while True:
        file = path.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.close()
            raise ValueError(Errors.PID_FILE_TAKEN.format(path=path)) from error
        if _is_at(path, file):
            return file
        file.close()  # a server that has ended since it was opened has removed it


def _is_at(path: Path, file: TextIO) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def reload_server(path: Path) -> int:
    """Ask the server that has written the file for a new generation.

    RETURNS: Its process id.
    RAISES: ValueError if it does not run; OSError.
    """
    import fcntl

    with path.open("r") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            if number := file.read().strip():  # nothing, if it is about to be written
                os.kill(int(number), signal.SIGHUP)
                return int(number)
    raise ValueError(Errors.PID_FILE_STALE.format(path=path))
