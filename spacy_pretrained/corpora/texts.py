"""Texts with labels, in a table or a data set, to Docs with categories.

    review,stars                     {"text": "Ada won.", "label": ["sport", "people"]}
    "Good, really.",5

A label is a string, or a number, which is given its name if the data set has one. A row may have a
list of labels or, in a string, several with a separator between them: then any number of them may
hold, and `multi_label = true` belongs in the config.
"""

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import StringIO
from itertools import chain, islice
from pathlib import Path
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc

from .dataset_source import Row, Rows, check_columns, open_dataset
from .errors import Errors
from .faults import Faults
from .lines import UTF8, place, read_whole_lines

DELIMITERS = {".csv": ",", ".tsv": "\t"}
# Whether a field may be quoted. "auto": in .csv, not in .tsv, where a quotation mark is text.
QUOTING = ("auto", "quotes", "none")
MISSING_NUMBERS = (-1, -100)  # what ClassLabel takes for "unknown", and losses of PyTorch leave out
FLAGS = {"0", "1", "False", "True"}  # in lists that have one for each label
LONGEST_FIELD = 2**31 - 1  # characters; by default the module `csv` refuses more than 131,072


@dataclass
class TextReport:
    """What was read."""

    documents: int = 0
    words: int = 0
    unlabelled_documents: int = 0
    rows_without_text: int = 0  # left out
    # Quoted fields with a line break and a delimiter in them: is a quotation mark never closed?
    fields_over_several_rows: int = 0
    labels: Counter[str] = field(default_factory=Counter)  # documents by label


@dataclass
class Table:
    """The rows of a .csv or .tsv file, as `datasets` would give them."""

    column_names: list[str]
    rows: list[Row]
    fields_over_several_rows: int = 0

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def select_columns(self, columns: Sequence[str]) -> list[Row]:
        return [{column: row[column] for column in columns} for row in self.rows]


def open_texts(
    path: str | Path,
    split: str = "train",
    *,
    columns: Sequence[str] | None = None,
    quoting: str = "auto",
    encoding: str = UTF8,
    name: str | None = None,
    revision: str | None = None,
) -> Rows:
    """Open a .csv or .tsv file, also a compressed one (.csv.gz), or whatever
    `dataset_source.open_dataset` opens.

    columns: The names of a table's columns, where the file has no line with names. A table has
        strings and nothing else: "NA" and "1.0" are what they are.
    quoting: Of a table, whether fields may stand in quotation marks: "quotes", as spreadsheets
        write them, or "none", where a quotation mark is text. "auto": "none" in .tsv alone.
    encoding: Of a table, by its name in Python.
    split, name, revision: Of a data set; see `dataset.build_dataset`.

    RAISES: ValueError if it is not there, or cannot be read, or if something is given for a table
        that is a data set, or the other way round; OSError if a file cannot be opened.
    """
    is_table = _ending(path) in DELIMITERS
    of_table = {"columns": columns, "quoting": quoting != "auto", "encoding": encoding != UTF8}
    of_dataset = {"split": split != "train", "name": name, "revision": revision}
    others = of_dataset if is_table else of_table
    if unused := [f"--{option}" for option, is_given in others.items() if is_given]:
        error = Errors.TEXTS_OF_TABLE if is_table else Errors.TEXTS_OF_DATASET
        raise ValueError(error.format(path=path, options=", ".join(unused)))
    if is_table:
        return _read_table(path, columns, quoting, encoding)
    return open_dataset(path, split, name=name, revision=revision)


def _ending(path: str | Path) -> str:
    """That of a table's name, without the ".gz" of a compressed one."""
    return Path(str(path).removesuffix(".gz")).suffix


def _read_table(
    path: str | Path, columns: Sequence[str] | None, quoting: str, encoding: str
) -> Table:
    faults = Faults()
    with open_table(path, columns, quoting, encoding, faults) as (names, rows):
        table = Table(names, list(rows))
    faults.check()
    if not table.rows:
        raise ValueError(Errors.DATASET_EMPTY)
    delimiter = DELIMITERS[_ending(path)]
    values = (value for row in table for value in row.values())
    table.fields_over_several_rows = sum("\n" in v and delimiter in v for v in values)
    return table


@contextmanager
def open_table(
    path: str | Path,
    columns: Sequence[str] | None = None,
    quoting: str = "auto",
    encoding: str = UTF8,
    faults: Faults | None = None,
) -> Iterator[tuple[list[str], Iterator[Row | ValueError]]]:
    """The names of a table's columns, and its rows one by one; see `open_texts`.

    faults: Gathers the rows with too many or too few fields, which are left out. Without it, an
        error takes the place of each.
    RAISES: ValueError, also while the rows are taken, if they cannot be read.
    """
    if quoting not in QUOTING:
        raise ValueError(Errors.TEXTS_QUOTING.format(quoting=quoting, known=", ".join(QUOTING)))
    delimiter = DELIMITERS[_ending(path)]
    is_quoted = quoting == "quotes" or (quoting == "auto" and delimiter == ",")
    # The lines of old Macs end in "\r" alone.
    lines = (StringIO(line, newline="") for _, line in read_whole_lines(path, encoding))
    # Strict, or a quote that nobody closes takes in all rows up to the next one.
    reader = csv.DictReader(
        chain.from_iterable(lines),
        columns,
        delimiter=delimiter,
        quoting=csv.QUOTE_MINIMAL if is_quoted else csv.QUOTE_NONE,
        restval=None,
        strict=True,
    )
    limit = csv.field_size_limit(LONGEST_FIELD)
    try:
        rows = _whole_rows(reader, path, faults)
        names = next(rows)
        if len(set(names)) < len(names):
            raise ValueError(Errors.TEXTS_COLUMNS.format(path=path, names=", ".join(names)))
        yield names, rows
    finally:
        csv.field_size_limit(limit)


def _whole_rows(reader: csv.DictReader, path: str | Path, faults: Faults | None) -> Iterator[Any]:
    """The names of the columns, then the rows."""
    n_lines = 0
    try:
        yield list(reader.fieldnames or [])
        n_lines = reader.line_num
        for row in reader:
            at = place(path, n_lines + 1)
            n_lines = reader.line_num
            fault = _find_fault(row, at)
            if not fault:
                yield row
            elif faults is None:
                yield ValueError(fault)
            else:
                faults.add(fault)
    except csv.Error as error:
        # Nothing behind it can be read: where does the next row begin?
        faults = Faults() if faults is None else faults
        faults.add(Errors.TEXTS_TABLE.format(at=place(path, n_lines + 1), error=error))
        faults.check()


def _find_fault(row: dict[str | None, Any], at: str) -> str:
    """What is wrong with the number of its fields, if anything."""
    if None in row:  # where the fields go that no name is left for
        values = list(row.values())
        return Errors.TEXTS_FIELDS.format(at=at, row=values, n=len(row) - 1)
    if None in row.values():
        values = [value for value in row.values() if value is not None]
        return Errors.TEXTS_SHORT.format(at=at, row=values, n=len(row))
    return ""


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
    label: The column of the label or labels. A row without one (empty, null, or -1 or -100 where
        labels have names) makes a Doc without categories, which nothing is learnt from; with an
        empty list all are 0. A list with a number for each label, 0 or 1, is refused.
    separator: What stands between several labels in one string. "": a string is one label.
    labels: All labels there are, where these rows may lack some. None: the names that the data set
        has, or those found in the rows.
    limit: Read this many rows only; 0 means all.
    report: Is added to while the Docs are taken.

    Rows without text are left out.

    RAISES: ValueError if a column is not there, a row is malformed, or no row has text. It tells
        all rows that are malformed, up to 20, before the first Doc.
    """
    report = TextReport() if report is None else report
    report.fields_over_several_rows += getattr(rows, "fields_over_several_rows", 0)
    reader = _LabelReader(rows, label, separator)
    check_columns(rows, text)
    faults = Faults()
    read: list[tuple[str, list[str] | None]] = []
    given = labels or reader.names
    for number, row in enumerate(islice(rows.select_columns([*text, label]), limit or None)):
        try:
            own = reader.read(row, number)
            _check_known(own, given, number)
            read.append((_join(row, number, text), own))
        except ValueError as error:
            faults.add(error)
    reader.check_lists()
    faults.check()
    nothing = dict.fromkeys(given or sorted({name for _, own in read for name in own or []}), 0.0)
    n_before = report.documents
    for joined, own in read:
        doc = nlp.make_doc(joined)
        if not len(doc):
            report.rows_without_text += 1
            continue
        if own is not None:
            doc.cats = nothing | dict.fromkeys(own, 1.0)
            report.labels.update(own)
        report.unlabelled_documents += own is None
        report.documents += 1
        report.words += len(doc)
        yield doc
    if report.documents == n_before:
        raise ValueError(Errors.DATASET_EMPTY)


def _check_known(labels: list[str] | None, given: Sequence[str] | None, number: int) -> None:
    for name in labels or []:
        if given and name not in given:
            raise ValueError(
                Errors.TEXTS_LABEL.format(row=number, label=name, known=", ".join(given))
            )


class _LabelReader:
    """Reads the labels of a row, as strings."""

    def __init__(self, rows: Rows, column: str, separator: str):
        check_columns(rows, [column])
        feature = (getattr(rows, "features", None) or {}).get(column)
        feature = getattr(feature, "feature", feature)  # of a list, what is in it
        self.names: list[str] | None = getattr(feature, "names", None)
        self._column = column
        self._separator = separator
        self._lengths: set[int] = set()  # of lists with nothing but FLAGS; 0 of others

    def read(self, row: Row, number: int) -> list[str] | None:
        """The labels that hold; None if that is not known."""
        value = row[self._column]
        if isinstance(value, str):
            value = value.strip()
        if isinstance(value, str) and value and self._separator:
            value = [part.strip() for part in value.split(self._separator) if part.strip()]
        if isinstance(value, list):
            return self._read_list(value, number)
        if value == "" or self._is_missing(value):
            return None
        return [self._name(value, number)]

    def check_lists(self) -> None:
        """RAISES: ValueError if the lists of all rows that were read have a number for each label,
        rather than the labels that hold."""
        if len(self._lengths) == 1 and max(self._lengths) > 1:
            n = max(self._lengths)
            raise ValueError(Errors.TEXTS_MULTI_HOT.format(column=self._column, n=n))

    def _read_list(self, values: list, number: int) -> list[str]:
        if any(map(self._is_missing, values)):
            value = repr(values)[:80]
            raise ValueError(
                Errors.TEXTS_MISSING.format(row=number, column=self._column, value=value)
            )
        if values:
            self._lengths.add(len(values) if FLAGS.issuperset(map(str, values)) else 0)
        return list(dict.fromkeys(self._name(value, number) for value in values))

    def _is_missing(self, value: Any) -> bool:
        """Without names, -1 is a label as any other."""
        return value is None or (self.names is not None and value in MISSING_NUMBERS)

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
