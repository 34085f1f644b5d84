"""Files that a command writes at its end."""

import errno
import os
from pathlib import Path


def check_writable(path: Path) -> None:
    """Make the folder of a file that is written after minutes of work, and see now whether it can
    be written. What is there stays.

    RAISES: OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    place = path if path.exists() else path.parent
    if not os.access(place, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
