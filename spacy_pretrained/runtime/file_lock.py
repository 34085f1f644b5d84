"""A lock on a file: two processes do not work in one folder."""

import errno
from typing import IO

# What file systems without locks say, such as Lustre or NFS, if they are mounted so.
NO_LOCKS = {errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP}


def try_lock(file: IO) -> bool:
    """Lock an open file until it is closed or this process ends, however it does.

    Where there are no locks (on Windows, and on some network file systems), nothing is locked, and
    work goes on: large jobs run on such file systems, and the lock only guards against a mistake.

    RETURNS: Whether no other process has locked it.
    RAISES: OSError if the lock fails for another reason.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise OSError(error.errno, error.strerror, file.name) from error
    return True
