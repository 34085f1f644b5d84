"""The file with the process id of a server that runs: locked as long as it does. Without the lock,
a signal might reach another program that has got the number of a server long gone."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import Errors


@contextmanager
def pid_file(path: Path | None) -> Iterator[None]:
    """Write our process id for as long as this lasts; None writes nothing.

    RAISES: ValueError if a server that runs has written it; OSError.
    """
    if path is None:
        yield
        return
    import fcntl

    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ValueError(Errors.PID_FILE_TAKEN.format(path=path)) from error
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


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
            process = int(file.read())
            os.kill(process, signal.SIGHUP)
            return process
    raise ValueError(Errors.PID_FILE_STALE.format(path=path))
