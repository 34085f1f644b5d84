"""A corpus reader of Hugging Face `datasets`: a row is a text, with its entities by characters.

{"text": "The EU said no.", "entities": [{"start": 4, "end": 6, "label": "ORG"}]}
{"text": "The EU said no.", "entities": [[4, 6, "ORG"]]}
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import logger

from .columns import set_entities
from .dataset_source import Row, Rows, check_columns, open_dataset
from .errors import Errors
from .faults import Faults

CharSpan = tuple[int, int, str]  # first character, behind the last one, label


@dataclass
class SpanReport:
    """What was read, and what was repaired."""

    documents: int = 0
    words: int = 0  # tokens of the pipeline's tokenizer
    entities: int = 0
    trimmed_spans: int = 0  # white space at their ends taken off
    misaligned_spans: int = 0  # that cut a token: left out, the annotation of its tokens is missing
    blank_spans: int = 0  # nothing but white space: left out
    repeated_spans: int = 0  # the same as another, with the same label: left out
    empty_documents: int = 0  # without text: left out
    unannotated_documents: int = 0  # with null in place of entities: kept, their annotation missing
    labels: dict[str, int] = field(default_factory=dict)  # entities by label

    @property
    def repairs(self) -> int:
        spans = self.trimmed_spans + self.misaligned_spans + self.blank_spans + self.repeated_spans
        return spans + self.empty_documents


def build_span_dataset(
    path: str | Path | None,
    split: str = "train",
    text: str = "text",
    spans: str = "entities",
    name: str | None = None,
    limit: int = 0,
    streaming: bool = False,
    revision: str | None = None,
) -> Callable[[Language], Iterator[Example]]:
    """Build a reader of a data set with texts and entities. The pipeline's tokenizer makes the
    words. It is opened when it is first read.

    text: The column with the text of each row.
    spans: The column with its entities: a list of {"start", "end", "label"}, or of lists of these
        three. start is the first character, end is behind the last one. [] is a text without
        entities, None one whose entities are missing.
    path, split, name, limit, streaming, revision: See `build_dataset`.

    White space at the ends of an entity is taken off. An entity that begins or ends inside of a
    token is left out, and the annotation of its tokens is missing. Entities that are nothing but
    white space, and the second of two that are the same, are left out. A warning counts all these.

    ValueError, while it is read, if the data set, the split or a column is not there, if there are
    no rows, or where a row is malformed: no string for a text, entities that overlap or cross, are
    empty, or are not inside of the text.
    """
    opened: list[Rows] = []
    has_warned = False

    def read(nlp: Language) -> Iterator[Example]:
        nonlocal has_warned
        if not opened:
            opened.append(
                open_dataset(path, split, name=name, streaming=streaming, revision=revision)
            )
        report = SpanReport()
        documents = read_span_dataset(
            opened[0], nlp, text=text, spans=spans, limit=limit, report=report
        )
        for reference in documents:
            yield Example(nlp.make_doc(reference.text), reference)
        if report.repairs and not has_warned:
            logger.warning(
                Errors.DATASET_SPAN_REPAIRS.format(
                    path=path,
                    misaligned=report.misaligned_spans,
                    trimmed=report.trimmed_spans,
                    blank=report.blank_spans,
                    repeated=report.repeated_spans,
                    rows=report.empty_documents,
                    entities=report.entities,
                )
            )
            has_warned = True

    return read


def read_span_dataset(
    rows: Rows,
    nlp: Language,
    *,
    text: str = "text",
    spans: str = "entities",
    limit: int = 0,
    report: SpanReport | None = None,
    faults: Faults | None = None,
) -> Iterator[Doc]:
    """Read an open data set row by row, a Doc each, with ENT_IOB and ENT_TYPE. Rows without text
    are left out. See `build_span_dataset`.

    report: is added to while the Docs are taken.
    faults: gathers the rows that are malformed, which are left out until all have been read.
        Without it the first one is raised.
    """
    report = SpanReport() if report is None else report
    faults = Faults(most=1) if faults is None else faults
    check_columns(rows, [text, spans])
    n_before = report.documents
    for number, row in enumerate(islice(rows.select_columns([text, spans]), limit or None)):
        try:
            doc = _make_doc(row, number, nlp, text, spans, report)
        except ValueError as error:
            faults.add(error)
            continue
        if doc is not None:
            yield doc
    faults.check()
    if report.documents == n_before:
        raise ValueError(Errors.DATASET_EMPTY)


def _make_doc(
    row: Row, number: int, nlp: Language, text: str, spans: str, report: SpanReport
) -> Doc | None:
    if not isinstance(row[text], str | None):
        raise ValueError(
            Errors.DATASET_TEXT.format(row=number, column=text, value=repr(row[text])[:80])
        )
    if not (row[text] or "").strip():
        report.empty_documents += 1
        return None
    doc = nlp.make_doc(row[text])
    if row[spans] is None:
        report.unannotated_documents += 1
    else:
        set_spans(doc, _read_spans(row, number, spans), f"Row {number}", report)
    report.documents += 1
    report.words += len(doc)
    return doc


def _read_spans(row: Row, number: int, column: str) -> list[CharSpan]:
    spans: list[CharSpan] = []
    for value in _as_list(row[column]):
        span = as_char_span(value)
        if span is None:
            raise ValueError(
                Errors.DATASET_SPAN.format(row=number, column=column, value=repr(value)[:80])
            )
        spans.append(span)
    return sorted(spans)


def _as_list(values: Any) -> list:
    # `datasets` turns a Sequence of dicts into a dict of lists.
    if isinstance(values, dict) and all(isinstance(value, list) for value in values.values()):
        are_whole = len(set(map(len, values.values()))) < 2
        return [dict(zip(values, row)) for row in zip(*values.values())] if are_whole else [values]
    return values if isinstance(values, list) else [values]


def as_char_span(value: Any) -> CharSpan | None:
    """None of what is no start, end and label."""
    if isinstance(value, dict):
        value = [value.get(key) for key in ("start", "end", "label")]
    if not isinstance(value, (list, tuple)) or len(value) != 3:
        return None
    start, end, label = value
    # Lists of numbers and labels in .json files arrive as strings, for a list has one type.
    start, end = (int(n) if isinstance(n, str) and n.isdigit() else n for n in (start, end))
    is_valid = isinstance(start, int) and isinstance(end, int) and isinstance(label, str)
    return (start, end, label) if is_valid and label.strip() else None


def set_spans(doc: Doc, spans: list[CharSpan], at: str, report: SpanReport) -> None:
    """Set entities, sorted by where they begin.

    at: Where they stand, for error messages.
    report: Is added to.
    RAISES: ValueError if one is empty or not inside of the text, or two overlap.
    """
    text = doc.text
    entities, missing = [], set()
    placed: list[CharSpan] = []
    for start, end, label in spans:
        if not 0 <= start < end <= len(text):
            raise ValueError(
                Errors.DATASET_SPAN_PLACE.format(at=at, span=(start, end, label), n=len(text))
            )
        words = text[start:end].strip()
        if not words:
            report.blank_spans += 1
            continue
        begin = text.index(words, start)
        place = (begin, begin + len(words), label)
        report.trimmed_spans += len(words) != end - start
        if place in placed[-1:]:
            report.repeated_spans += 1
        elif placed and begin < placed[-1][1]:
            raise ValueError(Errors.DATASET_OVERLAP.format(at=at, span=(start, end, label)))
        else:
            placed.append(place)
    for start, end, label in placed:
        strict = doc.char_span(start, end, label=label)
        if strict is not None:
            entities.append((strict.start, strict.end, label))
            report.labels[label] = report.labels.get(label, 0) + 1
        else:
            touched = doc.char_span(start, end, alignment_mode="expand")
            missing.update(range(touched.start, touched.end))
            report.misaligned_spans += 1
    report.entities += len(entities)
    set_entities(doc, entities, sorted(missing))
