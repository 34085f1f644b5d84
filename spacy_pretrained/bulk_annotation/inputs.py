"""Texts out of files, one by one: `.jsonl`, `.txt`, `.csv`, `.tsv` (all of them also `.gz`),
`.parquet`, `.spacy` and CoNLL-U, of which tokens are kept.

A row that cannot be read is an item with an error, and the rest goes on; a file that cannot is a
ValueError or OSError. The first row of a file has to have the fields that are asked for: a wrong
name is no reason to have a million errors.
"""

import gzip
import json
import math
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spacy.tokens import Doc
from spacy.vocab import Vocab

from ..corpora.conllu import read_conllu
from ..corpora.corpus import read_documents
from ..corpora.lines import BOM, decode_line, place, read_raw_lines
from ..corpora.texts import open_table
from ..quantization.calibration_texts import cut_doc, cut_text
from .errors import Errors
from .items import Item

if TYPE_CHECKING:
    import pyarrow

NEWDOC = re.compile(r"#\s*newdoc\b")
NAME = re.compile(r"#\s*newdoc\s+id\s*=\s*(\S+)")
ROWS_AT_ONCE = 1000
# Lists and dicts in one another. Python pickles a few hundred; pyarrow reads Parquet files of 100
# levels, of which a list takes two.
MOST_LEVELS = 40
STDIN = Path("/dev/stdin")

# Is told which share of a file has been read.
OnRead = Callable[[float], None]


@dataclass(frozen=True)
class Reading:
    """How files are read."""

    text_field: str = "text"
    keep: tuple[str, ...] = ()
    whole: bool = False  # a .txt file is one text
    sentences: bool = False  # its lines are sentences, and blank lines end documents
    silver: bool = False  # long texts are cut, as for quantization
    stdin: str = "jsonl"  # the format of STDIN


def check_input(path: Path, reading: Reading) -> None:
    """ValueError if it is not there, or its format is unknown or has not what is to be kept."""
    if not path.is_file():
        raise ValueError(Errors.INPUT_MISSING.format(path=path))
    reader = READERS.get(_suffix(path, reading))
    if reader is None:
        raise ValueError(Errors.INPUT_FORMAT.format(path=path, known=", ".join(READERS)))
    if reading.keep and reader in (_read_txt, _read_spacy, _read_conllu):
        raise ValueError(Errors.INPUT_NO_FIELDS.format(path=path, field=reading.keep[0]))


def read_items(
    path: Path, reading: Reading, on_read: OnRead = lambda share: None
) -> Iterator[Item]:
    """The texts of a file; their numbers are still 0.

    RAISES: ValueError or OSError if the file cannot be read, or lacks a field.
    """
    read = READERS[_suffix(path, reading)]
    items = read(path, reading, on_read)
    return (part for item in items for part in _cut(item)) if reading.silver else items


def kept_types(path: Path, reading: Reading) -> "dict[str, pyarrow.DataType]":
    """The types of the fields that are kept, where the file has types; else none."""
    if _suffix(path, reading) != ".parquet":
        return {}
    types = _parquet().read_schema(path)
    return {name: types.field(name).type for name in reading.keep if name in types.names}


def _suffix(path: Path, reading: Reading) -> str:
    if path == STDIN:
        return f".{reading.stdin}"
    return Path(path.name.removesuffix(".gz")).suffix


def _cut(item: Item) -> Iterator[Item]:
    if item.error or item.words is not None or item.sentences is not None:
        yield item
        return
    for part in cut_text(item.text):
        yield Item(item.source, item.row, text=part, name=item.name, kept=item.kept)


def _bytes_read(path: Path, on_read: OnRead) -> Callable[[int], None] | None:
    if not path.is_file():  # but a pipe
        return None
    size = max(1, path.stat().st_size)
    return lambda n_bytes: on_read(n_bytes / size)


def _read_jsonl(path: Path, reading: Reading, on_read: OnRead) -> Iterator[Item]:
    is_first = True
    for row, raw in read_raw_lines(path, _bytes_read(path, on_read)):
        if not raw.strip():
            continue
        item = Item(str(path), row)
        try:
            values = json.loads(decode_line(path, row, raw), parse_constant=_refuse)
            if not isinstance(values, dict):
                raise ValueError(type(values).__name__)
        except (ValueError, RecursionError) as error:
            item.error = Errors.ROW_JSON.format(error=error)
        else:
            if is_first:
                _check_fields(place(path, row), reading, list(values))
            _take(item, values, reading)
            is_first = False
        yield item


def _refuse(constant: str) -> None:
    raise ValueError(constant)  # NaN and its like, which JSON has not


def _read_txt(path: Path, reading: Reading, on_read: OnRead) -> Iterator[Item]:
    if reading.whole:
        yield _read_whole(path)
        return
    lines = read_raw_lines(path, _bytes_read(path, on_read))
    if reading.sentences:
        yield from _read_sentences(path, lines)
        return
    for row, raw in lines:
        if raw.strip():
            item = Item(str(path), row)
            _decode(item, path, raw)
            yield item


def _decode(item: Item, path: Path, raw: bytes) -> None:
    try:
        item.text = decode_line(path, item.row, raw)
    except ValueError as error:
        item.error = str(error)


def _read_whole(path: Path) -> Item:
    item = Item(str(path), 1)
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        try:
            item.text = file.read().decode("utf8").removeprefix(BOM)
        except UnicodeDecodeError as error:
            item.error = Errors.INPUT_ENCODING.format(path=path, error=error)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            item.error = Errors.INPUT_BROKEN.format(path=path, error=error)
    return item


def _read_sentences(path: Path, lines: Iterator[tuple[int, bytes]]) -> Iterator[Item]:
    """Documents of lines that are sentences, with blank lines between them, and a line
    "# newdoc id = NAME" before those that have a name."""
    item, name = Item(str(path), sentences=[]), ""
    for row, raw in lines:
        line = Item(str(path), row)
        _decode(line, path, raw.strip())
        if NEWDOC.match(line.text):
            match = NAME.match(line.text)
            name = match[1] if match else ""
        elif line.text or line.error:
            item.row, item.error = item.row or row, item.error or line.error
            item.sentences.append(line.text)
        elif item.sentences:
            item.name = name
            yield item
            item, name = Item(str(path), sentences=[]), ""
    if item.sentences:
        item.name = name
        yield item


def _read_table(path: Path, reading: Reading, on_read: OnRead) -> Iterator[Item]:
    with open_table(path) as (names, rows):
        _check_fields(path, reading, names)
        for row, values in enumerate(rows, 1):
            item = Item(str(path), row)
            if isinstance(values, ValueError):
                item.error = str(values)
            else:
                _take(item, values, reading)
            yield item


def _read_parquet(path: Path, reading: Reading, on_read: OnRead) -> Iterator[Item]:
    parquet = _parquet()
    try:
        file = parquet.ParquetFile(path)
    except (OSError, ValueError) as error:
        raise ValueError(Errors.INPUT_BROKEN.format(path=path, error=error)) from error
    _check_fields(path, reading, file.schema_arrow.names)
    columns = list(dict.fromkeys([reading.text_field, *reading.keep]))
    numbers = count(1)
    with file:
        for batch in file.iter_batches(ROWS_AT_ONCE, columns=columns):
            for values in batch.to_pylist():
                item = Item(str(path), next(numbers))
                on_read(item.row / file.metadata.num_rows)
                _take(item, values, reading)
                yield item


def _parquet() -> Any:
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise ImportError(Errors.PYARROW_MISSING) from error
    return pyarrow.parquet


def _check_fields(at: Any, reading: Reading, fields: list[str]) -> None:
    for field in (reading.text_field, *reading.keep):
        if field not in fields:
            known = ", ".join(map(str, fields))
            raise ValueError(Errors.INPUT_FIELD.format(at=at, field=field, fields=known))


def _take(item: Item, values: dict[str, Any], reading: Reading) -> None:
    for field in reading.keep:
        try:
            item.kept[field] = _without_nan(values.get(field))
        except RecursionError:
            item.kept[field] = None
            item.error = Errors.ROW_DEPTH.format(field=field, most=MOST_LEVELS)
    text = values.get(reading.text_field)
    if isinstance(text, str):
        item.text = text
    else:
        value = repr(text)[:80]
        item.error = Errors.ROW_TEXT.format(field=reading.text_field, value=value)


def _without_nan(value: Any, levels: int = MOST_LEVELS) -> Any:
    """NaN and infinities, which JSON has not, become None, also inside of lists and dicts.

    RAISES: RecursionError if these have more levels.
    """
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if not isinstance(value, list | dict):
        return value
    if not levels:
        raise RecursionError
    if isinstance(value, list):
        return [_without_nan(inner, levels - 1) for inner in value]
    return {name: _without_nan(inner, levels - 1) for name, inner in value.items()}


def _read_spacy(path: Path, reading: Reading, on_read: OnRead) -> Iterator[Item]:
    for row, doc in enumerate(read_documents(path, Vocab()), 1):
        for part in cut_doc(doc) if reading.silver else (doc,):
            yield _take_tokens(path, row, part)


def _read_conllu(path: Path, reading: Reading, on_read: OnRead) -> Iterator[Item]:
    for row, doc in enumerate(read_conllu(path, Vocab(), multiword="auto"), 1):
        yield _take_tokens(path, row, doc)


def _take_tokens(path: Path, row: int, doc: Doc) -> Item:
    words = [token.text for token in doc]
    spaces = None if doc.has_unknown_spaces else [bool(token.whitespace_) for token in doc]
    return Item(str(path), row, words=words, spaces=spaces)


READERS = {
    ".jsonl": _read_jsonl,
    ".txt": _read_txt,
    ".csv": _read_table,
    ".tsv": _read_table,
    ".parquet": _read_parquet,
    ".spacy": _read_spacy,
    ".conllu": _read_conllu,
}
