"""Texts with labels, in a table or a data set, to Docs with categories.

    review,stars                     {"text": "Ada won.", "label": ["sport", "people"]}
    "Good, really.",5

A label is a string, or a number, which is given its name if the data set has one. A row may have a
list of labels or, in a string, several with a separator between them: then any number of them may
hold, and `multi_label = true` belongs in the config.
"""

import csv
import gzip
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc

from .dataset_source import Row, Rows, check_columns, open_dataset
from .errors import Errors

DELIMITERS = {".csv": ",", ".tsv": "\t"}
LONGEST_FIELD = 131_072  # characters, as Python has it


@dataclass
class TextReport:
    """What was read."""

    documents: int = 0
    words: int = 0
    unlabelled_documents: int = 0
    rows_without_text: int = 0  # left out
    labels: Counter[str] = field(default_factory=Counter)  # documents by label


@dataclass
class Table:
    """The rows of a .csv or .tsv file, as `datasets` would give them."""

    column_names: list[str]
    rows: list[Row]

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def select_columns(self, columns: Sequence[str]) -> list[Row]:
        return [{column: row[column] for column in columns} for row in self.rows]


def open_texts(
    path: str | Path,
    split: str = "train",
    *,
    columns: Sequence[str] | None = None,
    name: str | None = None,
    revision: str | None = None,
) -> Rows:
    """Open a .csv or .tsv file, also a compressed one (.csv.gz), or whatever
    `dataset_source.open_dataset` opens.

    columns: The names of a table's columns, where the file has no line with names. A table has
        strings and nothing else: "NA" and "1.0" are what they are.
    split, name, revision: Of a data set; see `dataset.build_dataset`.

    RAISES: ValueError if it is not there, or cannot be read; OSError if a file cannot be opened.
    """
    if _ending(path) in DELIMITERS:
        return _read_table(path, columns)
    return open_dataset(path, split, name=name, revision=revision)


def _ending(path: str | Path) -> str:
    """That of a table's name, without the ".gz" of a compressed one."""
    return Path(str(path).removesuffix(".gz")).suffix


def _read_table(path: str | Path, columns: Sequence[str] | None) -> Table:
    with open_table(path, columns) as (names, rows):
        table = Table(names, list(rows))
    if not table.rows:
        raise ValueError(Errors.DATASET_EMPTY)
    return table


@contextmanager
def open_table(
    path: str | Path, columns: Sequence[str] | None = None, longest_field: int = LONGEST_FIELD
) -> Iterator[tuple[list[str], Iterator[Row]]]:
    """The names of a table's columns, and its rows one by one; see `open_texts`.

    longest_field: In characters; a longer one is an error.
    RAISES: ValueError, also while the rows are taken, if they cannot be read.
    """
    delimiter = DELIMITERS[_ending(path)]
    open_ = gzip.open if Path(path).suffix == ".gz" else open
    limit = csv.field_size_limit(longest_field)
    try:
        # Excel begins it with a mark.
        with open_(path, "rt", encoding="utf-8-sig", newline="") as file:
            # Strict, or a quote that nobody closes takes in all rows up to the next one.
            reader = csv.DictReader(file, columns, delimiter=delimiter, restval="", strict=True)
            names = list(reader.fieldnames or [])
            if len(set(names)) < len(names):
                raise ValueError(Errors.TEXTS_COLUMNS.format(path=path, names=", ".join(names)))
            yield names, _whole_rows(reader)
    except UnicodeDecodeError as error:
        raise ValueError(Errors.LINES_ENCODING.format(at=path, error=error)) from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(Errors.LINES_BROKEN.format(path=path, error=error)) from error
    except csv.Error as error:
        raise ValueError(Errors.TEXTS_TABLE.format(path=path, error=error)) from error
    finally:
        csv.field_size_limit(limit)


def _whole_rows(reader: csv.DictReader) -> Iterator[Row]:
    for row in reader:
        if None in row:  # where the fields go that no name is left for
            raise ValueError(Errors.TEXTS_FIELDS.format(row=list(row.values()), n=len(row) - 1))
        yield row


def read_texts(
    rows: Rows,
    nlp: Language,
    *,
    text: Sequence[str] = ("text",),
    label: str = "label",
    separator: str = "",
    labels: Sequence[str] | None = None,
    limit: int = 0,
    report: TextReport | None = None,
) -> Iterator[Doc]:
    """Read open texts row by row, a Doc each, with a category for each label of all rows: 1 or 0.

    nlp: Its tokenizer makes the words.
    text: The columns of the text, joined by a space.
    label: The column of the label or labels. A row without one (empty, null, -1) makes a Doc
        without categories, which nothing is learnt from; with an empty list all are 0.
    separator: What stands between several labels in one string. "": a string is one label.
    labels: All labels there are, where these rows may lack some. None: the names that the data set
        has, or those found in the rows.
    limit: Read this many rows only; 0 means all.
    report: Is added to while the Docs are taken.

    Rows without text are left out.

    RAISES: ValueError if a column is not there, a row is malformed, or no row has text.
    """
    report = TextReport() if report is None else report
    reader = _LabelReader(rows, label, separator)
    check_columns(rows, text)
    rows = list(islice(rows.select_columns([*text, label]), limit or None))
    found = [reader.read(row, number) for number, row in enumerate(rows)]
    known = labels or reader.names or sorted({name for row in found for name in row or []})
    nothing = dict.fromkeys(known, 0.0)
    n_before = report.documents
    for number, (row, own) in enumerate(zip(rows, found)):
        doc = nlp.make_doc(_join(row, number, text))
        if not len(doc):
            report.rows_without_text += 1
            continue
        for name in own or []:
            if name not in nothing:
                raise ValueError(
                    Errors.TEXTS_LABEL.format(row=number, label=name, known=", ".join(known))
                )
        if own is not None:
            doc.cats = nothing | dict.fromkeys(own, 1.0)
            report.labels.update(own)
        report.unlabelled_documents += own is None
        report.documents += 1
        report.words += len(doc)
        yield doc
    if report.documents == n_before:
        raise ValueError(Errors.DATASET_EMPTY)


class _LabelReader:
    """Reads the labels of a row, as strings."""

    def __init__(self, rows: Rows, column: str, separator: str):
        check_columns(rows, [column])
        feature = (getattr(rows, "features", None) or {}).get(column)
        feature = getattr(feature, "feature", feature)  # of a list, what is in it
        self.names: list[str] | None = getattr(feature, "names", None)
        self._column = column
        self._separator = separator

    def read(self, row: Row, number: int) -> list[str] | None:
        """The labels that hold; None if that is not known."""
        value = row[self._column]
        if isinstance(value, str):
            value = value.strip()
        if isinstance(value, str) and value and self._separator:
            value = [part.strip() for part in value.split(self._separator) if part.strip()]
        if isinstance(value, list):
            return [self._name(one, number) for one in value]
        return None if value in (None, "", -1) else [self._name(value, number)]

    def _name(self, value: Any, number: int) -> str:
        if isinstance(value, int) and not isinstance(value, bool) and self.names is not None:
            if not 0 <= value < len(self.names):
                n = len(self.names)
                raise ValueError(
                    Errors.DATASET_RANGE.format(row=number, column=self._column, value=value, n=n)
                )
            return self.names[value]
        if isinstance(value, str | int) and str(value).strip():
            return str(value).strip()
        raise ValueError(
            Errors.DATASET_LABEL.format(row=number, column=self._column, value=repr(value))
        )


def _join(row: Row, number: int, columns: Sequence[str]) -> str:
    for column in columns:
        if not isinstance(row[column], str | None):
            value = repr(row[column])[:80]
            raise ValueError(Errors.DATASET_TEXT.format(row=number, column=column, value=value))
    return " ".join(part for column in columns if (part := (row[column] or "").strip()))
