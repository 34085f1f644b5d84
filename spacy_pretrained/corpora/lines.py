"""Lines of text files, with their numbers."""

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path

from .errors import Errors

BOM = "\ufeff"


def read_lines(path: str | Path) -> Iterator[tuple[int, str]]:
    """The lines of a file in UTF-8, from 1, without their ends and the byte order mark that some
    programs begin a file with. The file is uncompressed if its name ends in ".gz".

    RAISES: ValueError, with file and line, where it is not UTF-8 or cannot be uncompressed; OSError
        if it cannot be opened.
    """
    open_ = gzip.open if Path(path).suffix == ".gz" else open
    with open_(path, "rb") as file:
        lines = enumerate(file, 1)
        while True:
            try:
                number, raw = next(lines)
                line = raw.decode("utf8")
            except StopIteration:
                return
            except UnicodeDecodeError as error:
                at = place(path, number)
                raise ValueError(Errors.LINES_ENCODING.format(at=at, error=error)) from error
            except (gzip.BadGzipFile, EOFError, zlib.error) as error:
                raise ValueError(Errors.LINES_BROKEN.format(path=path, error=error)) from error
            yield number, (line.removeprefix(BOM) if number == 1 else line).rstrip("\r\n")


def place(path: str | Path, number: int) -> str:
    """A line, as error messages name it."""
    return f"{path}, line {number}"
