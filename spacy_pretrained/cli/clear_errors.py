"""What all commands do with errors: one line on the screen and exit code 1."""

from collections.abc import Iterator
from contextlib import contextmanager

from wasabi import msg

from .errors import Errors


@contextmanager
def clear_errors() -> Iterator[None]:
    """Around a command's work. An error that its user can mend is shown without a traceback, and
    ends the command with exit code 1; typer itself ends it with 2 when its arguments are wrong."""
    try:
        yield
    except (ValueError, OSError, ImportError) as error:
        msg.fail(describe(error), exits=1)


def describe(error: Exception) -> str:
    """What an error says. Those of the operating system begin with a number ("[Errno 2]"), and do
    not say what to do."""
    path = getattr(error, "filename", None)
    if not isinstance(error, OSError) or path is None:
        return str(error)
    if isinstance(error, FileNotFoundError):
        return Errors.FILE_MISSING.format(path=path)
    if isinstance(error, IsADirectoryError):
        return Errors.FILE_IS_FOLDER.format(path=path)
    if isinstance(error, NotADirectoryError | FileExistsError):
        return Errors.FOLDER_IS_FILE.format(path=path)
    if isinstance(error, PermissionError):
        return Errors.FILE_FORBIDDEN.format(path=path)
    return Errors.FILE_FAILED.format(path=path, reason=error.strerror)
