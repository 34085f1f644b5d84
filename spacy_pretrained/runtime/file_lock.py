"""A lock on a file: two processes do not work in one folder."""

import errno
from contextlib import suppress
from typing import IO

# What file systems without locks say, such as Lustre or NFS, if they are mounted so.
NO_LOCKS = {errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP}


class NoLocks(OSError):
    """There are no locks: on Windows, and on some network file systems."""


def try_lock(file: IO, *, required: bool = False) -> bool:
    """Lock an open file until it is closed or this process ends, however it does.

    Where there are no locks, nothing is locked, and work goes on: large jobs run on such file
    systems, and the lock only guards against a mistake.

    required: Raise NoLocks there, for work that is wrong without the lock.
    RETURNS: Whether no other process has locked it.
    RAISES: OSError if the lock fails for another reason.
    """
    try:
        return _flock(file)
    except NoLocks:
        if required:
            raise
        return True


def lock(file: IO) -> None:
    """The same, but wait until no other process has locked it."""
    with suppress(NoLocks):
        _flock(file, wait=True)


def is_locked(file: IO) -> bool:
    """Whether another process has locked an open file. Several may ask at once.

    RAISES: NoLocks; OSError if that cannot be found out for another reason.
    """
    return not _flock(file, shared=True)


def _flock(file: IO, *, shared: bool = False, wait: bool = False) -> bool:
    """RETURNS: False if another process has locked it. RAISES: NoLocks; OSError."""
    try:
        import fcntl
    except ImportError as error:  # Windows
        raise NoLocks(errno.ENOSYS, "There are no locks", file.name) from error
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(file, kind if wait else kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        failure = NoLocks if error.errno in NO_LOCKS else OSError
        raise failure(error.errno, error.strerror, file.name) from error
    return True
