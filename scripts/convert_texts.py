"""Convert texts with labels to spaCy's format, as categories.

    python scripts/convert_texts.py reviews.csv train.spacy --text review --label stars
    python scripts/convert_texts.py news.csv dev.spacy --columns label,title,text --text title,text
    python scripts/convert_texts.py fancyzhx/ag_news dev.spacy --split test

The source is a .csv or .tsv file, or what scripts/convert_dataset.py takes: a .jsonl, .json or
.parquet file, a folder, a name on the hub. A label is a string, or a number, which is given its
name if the data set has one. A row may have a list of labels, or, in a .csv file, several in one
string (`--separator "|"`): then any number may hold, and `multi_label = true` belongs into the
config.

Each document has all labels, 1 or 0. Rows without a label (empty, null, -1) have none of them: they
are not learnt from. Rows without text are left out.
"""

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import spacy
import typer
from convert_columns import save
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from wasabi import msg

from spacy_pretrained.corpora.dataset_source import Row, Rows, check_columns, open_dataset
from spacy_pretrained.errors import Errors

DELIMITERS = {".csv": ",", ".tsv": "\t"}


@dataclass
class TextReport:
    """What was read."""

    documents: int = 0
    words: int = 0
    unlabelled_documents: int = 0
    rows_without_text: int = 0
    labels: Counter[str] = field(default_factory=Counter)  # documents by label


def main(
    source: Annotated[str, typer.Argument(help="File, folder, or name on the hub")],
    output: Annotated[Path, typer.Argument(help="File to write, .spacy")],
    text: Annotated[str, typer.Option(help="Column of the text; of several, joined")] = "text",
    label: Annotated[str, typer.Option(help="Column of the label or labels")] = "label",
    columns: Annotated[str, typer.Option(help="Names, where a .csv file has no header")] = "",
    separator: Annotated[str, typer.Option(help="Between several labels in one string")] = "",
    labels: Annotated[
        str, typer.Option(help="All labels there are, where this file may lack some: a,b,c")
    ] = "",
    split: Annotated[str, typer.Option(help="The part to read")] = "train",
    lang: Annotated[str, typer.Option(help="Language of the tokenizer")] = "en",
    name: Annotated[str, typer.Option(help="Configuration of a data set on the hub")] = "",
    limit: Annotated[int, typer.Option(help="Rows to read; 0 means all")] = 0,
    revision: Annotated[str, typer.Option(help="Version on the hub, such as a commit")] = "",
) -> None:
    """Convert texts with labels to spaCy's format, as categories."""
    report = TextReport()
    try:
        rows = open_rows(source, split, columns, name=name or None, revision=revision or None)
        reader = LabelReader(rows, label, separator)
        docs = read_docs(rows, spacy.blank(lang), reader, text.split(","), labels, limit, report)
        doc_bin = DocBin(docs=docs)
    except (ValueError, OSError) as error:
        msg.fail(str(error), exits=1)
    save(doc_bin, output, report)


def open_rows(source: str, split: str, columns: str, **hub: str | None) -> Rows:
    """A .csv file has strings and nothing else: "NA" and "1.0" are what they are."""
    delimiter = DELIMITERS.get(Path(source).suffix)
    if delimiter is None or not Path(source).is_file():
        return open_dataset(source, split, **hub)
    from datasets import Dataset

    with open(source, encoding="utf-8-sig", newline="") as file:  # Excel begins it with a mark
        names = columns.split(",") if columns else None
        reader = csv.DictReader(file, names, delimiter=delimiter, restval="")
        names = list(reader.fieldnames or [])
        rows = list(reader)
    if len(set(names)) < len(names):
        raise ValueError(Errors.TEXTS_COLUMNS.format(path=source, names=", ".join(names)))
    for row in rows:
        if None in row:  # where the fields go that no name is left for
            raise ValueError(Errors.TEXTS_FIELDS.format(row=list(row.values()), n=len(row) - 1))
    if not rows:
        raise ValueError(Errors.DATASET_EMPTY)
    return Dataset.from_list(rows)


class LabelReader:
    """Reads the labels of a row, as strings."""

    def __init__(self, rows: Rows, column: str, separator: str):
        check_columns(rows, [column])
        feature = (getattr(rows, "features", None) or {}).get(column)
        feature = getattr(feature, "feature", feature)  # of a list, what is in it
        self.column = column
        self.names: list[str] | None = getattr(feature, "names", None)
        self._separator = separator

    def read(self, row: Row, number: int) -> list[str] | None:
        """The labels that hold; None if that is not known."""
        value = row[self.column]
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
                    Errors.DATASET_RANGE.format(row=number, column=self.column, value=value, n=n)
                )
            return self.names[value]
        if isinstance(value, str | int) and str(value).strip():
            return str(value).strip()
        raise ValueError(
            Errors.DATASET_LABEL.format(row=number, column=self.column, value=repr(value))
        )


def read_docs(
    rows: Rows,
    nlp: Language,
    reader: LabelReader,
    text: list[str],
    labels: str,
    limit: int,
    report: TextReport,
) -> Iterator[Doc]:
    """A Doc a row, with a category for each label of all rows."""
    check_columns(rows, text)
    rows = list(islice(rows.select_columns([*text, reader.column]), limit or None))
    found = [reader.read(row, number) for number, row in enumerate(rows)]
    known = [label.strip() for label in labels.split(",")] if labels else reader.names
    known = known or sorted({label for row in found for label in row or []})
    nothing = dict.fromkeys(known, 0.0)
    for number, (row, own) in enumerate(zip(rows, found)):
        doc = nlp.make_doc(_join(row, number, text))
        if not len(doc):
            report.rows_without_text += 1
            continue
        for label in own or []:
            if label not in nothing:
                raise ValueError(Errors.TEXTS_LABEL.format(row=number, label=label, known=labels))
        if own is not None:
            doc.cats = nothing | dict.fromkeys(own, 1.0)
            report.labels.update(own)
        report.unlabelled_documents += own is None
        report.documents += 1
        report.words += len(doc)
        yield doc
    if not report.documents:
        raise ValueError(Errors.DATASET_EMPTY)


def _join(row: Row, number: int, columns: list[str]) -> str:
    for column in columns:
        if not isinstance(row[column], str | None):
            value = repr(row[column])[:80]
            raise ValueError(Errors.DATASET_TEXT.format(row=number, column=column, value=value))
    return " ".join(part for column in columns if (part := (row[column] or "").strip()))


if __name__ == "__main__":
    typer.run(main)
