"""A corpus reader of Hugging Face `datasets`: a row is a sentence, with a list of words and lists
of labels of the same length.

    {"tokens": ["EU", "said", "no"], "ner_tags": ["B-ORG", "O", "O"]}
    {"tokens": ["EU", "said", "no"], "ner_tags": [3, 0, 0]}  # and their names, O, B-PER ...
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import logger
from spacy.vocab import Vocab

from ..annotation.bare import bare_copy
from .column_rows import ColumnsReport
from .columns import set_entities
from .conllu_rows import UPOS_TAGS
from .dataset_source import Row, Rows, check_columns, open_dataset
from .errors import Errors
from .faults import Faults
from .tag_schemes import AUTO, MISSING, OUTSIDE, check_scheme, detect_scheme, parse_tag, to_spans

# -100 is what losses of PyTorch leave out, -1 what ClassLabel takes for "unknown".
MISSING_LABELS = (None, -100, -1)
SCHEME_ROWS = 1_000  # of a stream, to find the scheme from


@dataclass
class DatasetReport(ColumnsReport):
    """What was read, and what was repaired; a row is a document."""

    empty_rows: int = 0  # without words: left out
    unlabelled_rows: int = 0  # null in place of all lists of labels: left out


@dataclass
class RowLayout:
    """The columns of words and labels by name, and the names of integer labels."""

    words: str
    tags: str | None
    upos: str | None
    xpos: str | None
    label_names: dict[str, Sequence[str] | None]  # by column
    scheme: str

    @property
    def labels(self) -> list[str]:
        return [name for name in (self.tags, self.upos, self.xpos) if name is not None]


def build_dataset(
    path: str | Path | None,
    split: str = "train",
    words: str = "tokens",
    tags: str | None = "ner_tags",
    upos: str | None = None,
    xpos: str | None = None,
    name: str | None = None,
    label_names: list[str] | None = None,
    scheme: str = AUTO,
    limit: int = 0,
    streaming: bool = False,
    revision: str | None = None,
) -> Callable[[Language], Iterator[Example]]:
    """Build a reader of a data set with words and labels. It takes the words as they are: the
    pipeline's tokenizer is not asked. It is opened when it is first read.

    path: A folder that `save_to_disk` wrote, a folder of .parquet, .json or .jsonl files, such a
        file, or the data set's name on the hub.
    split: The part to read: "train", "validation", "test" ... A single file is a split by itself.
    words: The column with the list of words of each row.
    tags: The column with a tag of IOB1, IOB2, BIOES or BILUO for each word: strings, integers whose
        names are in the data set's features (ClassLabel), or integers with `label_names`. None, -1
        and -100 are missing.
    upos, xpos: The columns of the tags of Universal Dependencies (POS) and of the treebank (TAG),
        strings or ClassLabel. "_" and "-" are missing, as are None, -1 and -100.
    name: The configuration, where a data set on the hub has several.
    label_names: The names of the integers in `tags`, from 0; in place of the features' if given.
    scheme: "iob1", "iob2", "bioes" or "biluo"; "auto" finds it (see tag_schemes.py) from all rows,
        or from the first 1,000 with `streaming`.
    limit: Read this many rows only; 0 means all.
    streaming: Take rows as they come, without a copy on the disk.
    revision: The version on the hub, such as a commit.

    A row is a sentence and a document of its own, with unknown spaces. Rows without words are left
    out, and rows with null in place of their lists of labels; of one column among several, null
    means that these labels are missing. Words that are null or white space are left out with their
    labels, unless they have a tag. Tags that do not keep to the scheme are repaired. Warnings count
    what is left out, and what is repaired.

    ValueError, while it is read, if the data set, the split or a column is not there, if there are
    no rows, or where a row is malformed.
    """
    check_scheme(scheme, AUTO)
    opened: list[tuple[Rows, RowLayout]] = []
    has_warned = False

    def read(nlp: Language) -> Iterator[Example]:
        nonlocal has_warned
        if not opened:
            rows = open_dataset(path, split, name=name, streaming=streaming, revision=revision)
            layout = find_row_layout(
                rows,
                words=words,
                tags=tags,
                upos=upos,
                xpos=xpos,
                label_names=label_names,
                scheme=scheme,
            )
            opened.append((rows, layout))
        report = DatasetReport()
        for reference in read_dataset(*opened[0], nlp.vocab, limit=limit, report=report):
            yield Example(bare_copy(reference), reference)
        if not has_warned:
            _warn(path, report)
            has_warned = True

    return read


def _warn(path: str | Path | None, report: DatasetReport) -> None:
    """Of what was repaired and left out, if anything was."""
    if report.repairs:
        logger.warning(
            Errors.DATASET_REPAIRS.format(
                path=path, repairs=report.repairs, entities=report.entities
            )
        )
    if report.empty_rows or report.unlabelled_rows or report.blank_words:
        logger.warning(
            Errors.DATASET_LEFT_OUT.format(
                path=path,
                empty=report.empty_rows,
                rows=report.unlabelled_rows,
                words=report.blank_words,
            )
        )


def find_row_layout(
    rows: Rows,
    *,
    words: str = "tokens",
    tags: str | None = "ner_tags",
    upos: str | None = None,
    xpos: str | None = None,
    label_names: Sequence[str] | None = None,
    scheme: str = AUTO,
) -> RowLayout:
    """Check the columns of an open data set, and find the names of labels and the scheme. See
    `build_dataset` for the arguments."""
    layout = RowLayout(words, tags, upos, xpos, {}, scheme)
    if not layout.labels:
        raise ValueError(Errors.DATASET_NO_LABELS)
    check_columns(rows, [words, *layout.labels])
    layout.label_names = {column: _class_names(rows, column) for column in layout.labels}
    if tags is not None and label_names is not None:
        layout.label_names[tags] = label_names
    if tags is not None and scheme == AUTO:
        layout.scheme = _find_scheme(rows, layout)
    return layout


def read_dataset(
    rows: Rows,
    layout: RowLayout,
    vocab: Vocab,
    *,
    limit: int = 0,
    report: DatasetReport | None = None,
    faults: Faults | None = None,
) -> Iterator[Doc]:
    """Read an open data set row by row: a Doc each, with its sentence start, and ENT_IOB and
    ENT_TYPE, POS and TAG as the layout has columns for them.

    report: is added to while the Docs are taken.
    faults: gathers the rows that are malformed, which are left out until all have been read.
        Without it the first one is raised.

    ValueError where a row is malformed, or if no row has words.
    """
    report = DatasetReport() if report is None else report
    faults = Faults(most=1) if faults is None else faults
    n_before = report.sentences
    rows = rows.select_columns([layout.words, *layout.labels])
    for number, row in enumerate(islice(rows, limit or None)):
        try:
            doc = _make_doc(row, number, vocab, layout, report)
        except ValueError as error:
            faults.add(error)
            continue
        if doc is not None:
            yield doc
    faults.check()
    if report.sentences == n_before:
        raise ValueError(Errors.DATASET_EMPTY)


def _class_names(rows: Rows, column: str) -> Sequence[str] | None:
    feature = (rows.features or {}).get(column)
    inner = feature[0] if isinstance(feature, list) else getattr(feature, "feature", None)
    return getattr(inner, "names", None)


def _find_scheme(rows: Rows, layout: RowLayout) -> str:
    """Of a stream, the names of the labels tell BIOES and BILUO from the others, if it has names:
    the first rows may show too little."""
    is_stream = not hasattr(rows, "__len__")
    names = layout.label_names[layout.tags]
    if is_stream and names:
        letters = {name[:1] for name in names}
        if letters & {"E", "S", "L", "U"}:
            return "biluo" if letters & {"L", "U"} else "bioes"
    column = rows.select_columns([layout.tags])
    sentences = (
        _sound_labels(row, layout.tags, number, layout)
        for number, row in enumerate(islice(column, SCHEME_ROWS if is_stream else None))
    )
    return detect_scheme(sentences, where=lambda row, token: f"row {row}, label {token}")


def _sound_labels(row: Row, column: str, number: int, layout: RowLayout) -> list[str]:
    """None of a row that is malformed: reading it will say so."""
    try:
        labels = _labels(row, column, number, layout) or []
        for label in labels:
            parse_tag(label)
    except ValueError:
        return []
    return labels


def _make_doc(
    row: Row, number: int, vocab: Vocab, layout: RowLayout, report: DatasetReport
) -> Doc | None:
    words, trimmed = _words(row, number, layout)
    known = {column: _labels(row, column, number, layout) for column in layout.labels}
    for column, values in known.items():
        if values is not None and len(values) != len(words):
            raise ValueError(
                Errors.DATASET_LENGTHS.format(
                    row=number, words=layout.words, n=len(words), column=column, m=len(values)
                )
            )
    labels = {column: values or [MISSING[0]] * len(words) for column, values in known.items()}
    blanks = _find_blanks(words, labels, number, layout)
    if not any(words):
        report.empty_rows += 1
        return None
    if all(values is None for values in known.values()):
        report.unlabelled_rows += 1
        return None
    words = [word for word in words if word]
    labels = {c: [v for i, v in enumerate(own) if i not in blanks] for c, own in labels.items()}
    pos = [_value(label) for label in labels.get(layout.upos, [])]
    unknown = set(pos) - {"", *UPOS_TAGS.split()}
    if unknown:
        raise ValueError(Errors.DATASET_UPOS.format(row=number, upos=min(unknown), known=UPOS_TAGS))
    doc = Doc(
        vocab,
        words=words,
        tags=[_value(label) for label in labels.get(layout.xpos, [])] or None,
        pos=pos or None,
        sent_starts=[1] + [-1] * (len(words) - 1),
    )
    if layout.tags is not None:
        try:
            entities = to_spans(labels[layout.tags], layout.scheme)
        except ValueError as error:
            raise ValueError(f"Row {number}: {error}") from error
        report.add_entities(entities)
        set_entities(doc, entities.spans, entities.missing)
    report.documents += 1
    report.sentences += 1
    report.words += len(words)
    report.trimmed_words += trimmed
    report.blank_words += len(blanks)
    return doc


def _words(row: Row, number: int, layout: RowLayout) -> tuple[list[str], int]:
    """The words of a row, "" for one that is null or white space, and of how many white space was
    taken off."""
    values = row[layout.words]
    if values is None:
        return [], 0
    is_list = isinstance(values, (list, tuple))
    if not is_list or not all(isinstance(value, str | None) for value in values):
        raise ValueError(
            Errors.DATASET_WORDS.format(row=number, column=layout.words, value=repr(values)[:80])
        )
    words = [(value or "").strip() for value in values]
    return words, sum(word not in ("", value) for word, value in zip(words, values))


def _find_blanks(
    words: list[str], labels: dict[str, list[str]], number: int, layout: RowLayout
) -> set[int]:
    """The words to leave out, by number. ValueError if one of them has a tag of an entity."""
    blanks = {i for i, word in enumerate(words) if not word}
    for i in sorted(blanks) if layout.tags is not None else ():
        if labels[layout.tags][i] not in (OUTSIDE, *MISSING):
            raise ValueError(
                Errors.DATASET_BLANK.format(
                    row=number, column=layout.words, i=i, tag=labels[layout.tags][i]
                )
            )
    return blanks


def _labels(row: Row, column: str, number: int, layout: RowLayout) -> list[str] | None:
    """None where the row has none."""
    values = row[column]
    if values is None:
        return None
    if not isinstance(values, (list, tuple)):
        raise ValueError(
            Errors.DATASET_LABELS.format(row=number, column=column, value=repr(values)[:80])
        )
    names = layout.label_names[column]
    return [_label(value, names, column, number) for value in values]


def _label(value: Any, names: Sequence[str] | None, column: str, number: int) -> str:
    if isinstance(value, str):
        return value
    if value in MISSING_LABELS:
        return MISSING[0]
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(
            Errors.DATASET_LABEL.format(row=number, column=column, value=repr(value)[:80])
        )
    if names is None:
        raise ValueError(Errors.DATASET_NAMES.format(row=number, column=column, value=value))
    if not 0 <= value < len(names):
        raise ValueError(
            Errors.DATASET_RANGE.format(row=number, column=column, value=value, n=len(names))
        )
    return names[value]


def _value(label: str) -> str:
    return "" if label in MISSING else label
