"""Which process runs a trial, and whether it still does."""

import os
import socket
from pathlib import Path


def this_process() -> str:
    """Its machine, its number, and when it began: numbers are used again."""
    return f"{socket.gethostname()} {os.getpid()} {_begin(os.getpid())}"


def is_alive(owner: str) -> bool:
    """Whether a process still runs; one of another machine is taken to."""
    host, number, begin = owner.rsplit(" ", 2)
    if host != socket.gethostname():
        return True
    if os.name == "nt":  # signal 0 is Ctrl-C there; and one process searches, see lock.py
        return int(number) == os.getpid()
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it is somebody else's
        return True
    return _begin(int(number)) == begin


def _begin(number: int) -> str:
    """In clock ticks since the machine was started; "0" where /proc is not there."""
    try:
        stat = Path(f"/proc/{number}/stat").read_text()
    except OSError:
        return "0"
    fields = stat.rpartition(")")[2].split()
    return "gone" if fields[0] == "Z" else fields[19]
