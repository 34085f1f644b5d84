"""Lines of text files, with their numbers."""

import codecs
import gzip
import zlib
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import BinaryIO

from .errors import Errors

BOM = "\ufeff"
UTF8 = "utf8"
# Encodings with several bytes for a line end begin a file so.
WIDE = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def read_lines(path: str | Path, encoding: str = UTF8) -> Iterator[tuple[int, str]]:
    """As `read_whole_lines`, without line ends."""
    for number, line in read_whole_lines(path, encoding):
        yield number, line.rstrip("\r\n")


def read_whole_lines(path: str | Path, encoding: str = UTF8) -> Iterator[tuple[int, str]]:
    """The lines of a file, from 1, with their ends, but without the byte order mark that some
    programs begin a file with. The file is uncompressed if its name ends in ".gz".

    encoding: By its name in Python.
    RAISES: ValueError, with file and line, where it is not in this encoding or cannot be
        uncompressed; OSError if it cannot be opened.
    """
    check_encoding(encoding)
    with open_file(path) as file:
        lines = enumerate(_split(file, encoding), 1)
        number, start = 0, b""
        while True:
            try:
                number, raw = next(lines)
                start = start or raw
                line = raw if isinstance(raw, str) else raw.decode(encoding)
            except StopIteration:
                return
            except UnicodeDecodeError as error:
                at = place(path, number or 1)
                raise ValueError(describe_encoding(at, encoding, start, error)) from error
            except (gzip.BadGzipFile, EOFError, zlib.error) as error:
                raise ValueError(Errors.LINES_BROKEN.format(path=path, error=error)) from error
            yield number, line.removeprefix(BOM) if number == 1 else line


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
        line = raw.decode(UTF8)
    except UnicodeDecodeError as error:
        at = place(path, number)
        raise ValueError(describe_encoding(at, UTF8, raw, error)) from error
    return (line.removeprefix(BOM) if number == 1 else line).rstrip("\r\n")


def open_file(path: str | Path) -> BinaryIO:
    return (gzip.open if Path(path).suffix == ".gz" else open)(path, "rb")


def _split(file: BinaryIO, encoding: str) -> Iterator[bytes | str]:
    """Lines. Where a line end has several bytes all is decoded at once."""
    is_wide = codecs.lookup(encoding).name.startswith(("utf-16", "utf-32"))
    yield from StringIO(file.read().decode(encoding), newline="\n") if is_wide else file


def check_encoding(encoding: str) -> None:
    """ValueError if Python does not know an encoding, or knows it for something else than text."""
    try:
        " ".encode(encoding)
    except LookupError as error:
        raise ValueError(Errors.LINES_ENCODING_UNKNOWN.format(encoding=encoding)) from error


def check_file(path: str | Path) -> None:
    """ValueError if a path is that of a pipe or device, of which a second reading finds nothing."""
    path = Path(path)
    if path.exists() and not path.is_file() and not path.is_dir():
        raise ValueError(Errors.LINES_PIPE.format(path=path))


def describe_encoding(at: str, encoding: str, start: bytes, error: UnicodeDecodeError) -> str:
    """What is wrong with a file, which begins with these bytes, that is not in an encoding."""
    names = [name for mark, name in WIDE.items() if start.startswith(mark)]
    other = "utf8" if encoding != UTF8 else names[0] if names else "cp1252"
    said = "UTF-8" if encoding == UTF8 else encoding
    return Errors.LINES_ENCODING.format(at=at, encoding=said, other=other, error=error)


def place(path: str | Path, number: int) -> str:
    """A line, as error messages name it."""
    return f"{path}, line {number}"
