"""What all commands do with errors: one line on the screen and exit code 1."""

from collections.abc import Iterator
from contextlib import contextmanager

from wasabi import msg


@contextmanager
def clear_errors() -> Iterator[None]:
    """Around a command's work. An error that its user can mend is shown without a traceback, and
    ends the command with exit code 1; typer itself ends it with 2 when its arguments are wrong."""
    try:
        yield
    except (ValueError, OSError, ImportError) as error:
        msg.fail(str(error), exits=1)
