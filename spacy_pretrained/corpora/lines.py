"""Lines of text files, with their numbers."""

import gzip
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from .errors import Errors

BOM = "\ufeff"


def read_lines(path: str | Path) -> Iterator[tuple[int, str]]:
    """The lines of a file in UTF-8, from 1, without their ends and the byte order mark that some
    programs begin a file with. The file is uncompressed if its name ends in ".gz".

    RAISES: ValueError, with file and line, where it is not UTF-8 or cannot be uncompressed; OSError
        if it cannot be opened.
    """
    for number, raw in read_raw_lines(path):
        yield number, decode_line(path, number, raw)


def read_raw_lines(
    path: str | Path, on_read: Callable[[int], None] | None = None
) -> Iterator[tuple[int, bytes]]:
    """The lines of a file, from 1, as they are.

    on_read: Is told before each line how far the file has been read, in bytes as they are on disk.
    RAISES: ValueError if the file cannot be uncompressed; OSError if it cannot be opened.
    """
    is_compressed = Path(path).suffix == ".gz"
    with open(path, "rb") as file, gzip.open(file) if is_compressed else file as content:
        lines = enumerate(content, 1)
        while True:
            try:
                number, raw = next(lines)
            except StopIteration:
                return
            except (gzip.BadGzipFile, EOFError, zlib.error) as error:
                raise ValueError(Errors.LINES_BROKEN.format(path=path, error=error)) from error
            if on_read is not None:
                on_read(file.tell())
            yield number, raw


def decode_line(path: str | Path, number: int, raw: bytes) -> str:
    """A line of UTF-8 without its end; the first without a byte order mark.

    RAISES: ValueError, with file and line, if it is not UTF-8.
    """
    try:
        line = raw.decode("utf8")
    except UnicodeDecodeError as error:
        at = place(path, number)
        raise ValueError(Errors.LINES_ENCODING.format(at=at, error=error)) from error
    return (line.removeprefix(BOM) if number == 1 else line).rstrip("\r\n")


def place(path: str | Path, number: int) -> str:
    """A line, as error messages name it."""
    return f"{path}, line {number}"
