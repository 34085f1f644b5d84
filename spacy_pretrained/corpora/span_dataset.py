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

CharSpan = tuple[int, int, str]  # first character, behind the last one, label


@dataclass
class SpanReport:
    """What was read, and what was repaired."""

    documents: int = 0
    words: int = 0  # tokens of the pipeline's tokenizer
    entities: int = 0
    trimmed_spans: int = 0  # white space at their ends taken off
    misaligned_spans: int = 0  # that cut a token: left out, the annotation of its tokens is missing
    labels: dict[str, int] = field(default_factory=dict)  # entities by label


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
    token is left out, and the annotation of its tokens is missing. Both are counted in a warning.

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
        if (report.trimmed_spans or report.misaligned_spans) and not has_warned:
            logger.warning(
                Errors.DATASET_SPAN_REPAIRS.format(
                    path=path,
                    misaligned=report.misaligned_spans,
                    trimmed=report.trimmed_spans,
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
) -> Iterator[Doc]:
    """Read an open data set row by row, a Doc each, with ENT_IOB and ENT_TYPE. Rows without text
    are left out. See `build_span_dataset`.

    report: is added to while the Docs are taken.
    """
    report = SpanReport() if report is None else report
    check_columns(rows, [text, spans])
    n_before = report.documents
    for number, row in enumerate(islice(rows.select_columns([text, spans]), limit or None)):
        if not isinstance(row[text], str):
            raise ValueError(
                Errors.DATASET_TEXT.format(row=number, column=text, value=repr(row[text])[:80])
            )
        if row[text].strip():
            doc = nlp.make_doc(row[text])
            if row[spans] is not None:
                _set_spans(doc, _read_spans(row, number, spans), number, report)
            report.documents += 1
            report.words += len(doc)
            yield doc
    if report.documents == n_before:
        raise ValueError(Errors.DATASET_EMPTY)


def _read_spans(row: Row, number: int, column: str) -> list[CharSpan]:
    spans: list[CharSpan] = []
    for value in _as_list(row[column]):
        span = _as_tuple(value)
        if span is None:
            raise ValueError(
                Errors.DATASET_SPAN.format(row=number, column=column, value=repr(value)[:80])
            )
        spans.append(span)
    return sorted(spans)


def _as_list(values: Any) -> list:
    # `datasets` turns a Sequence of dicts into a dict of lists.
    if isinstance(values, dict) and all(isinstance(value, list) for value in values.values()):
        return [dict(zip(values, row)) for row in zip(*values.values())]
    return values if isinstance(values, list) else [values]


def _as_tuple(value: Any) -> CharSpan | None:
    if isinstance(value, dict):
        value = [value.get(key) for key in ("start", "end", "label")]
    if not isinstance(value, (list, tuple)) or len(value) != 3:
        return None
    start, end, label = value
    # Lists of numbers and labels in .json files arrive as strings, for a list has one type.
    start, end = (int(n) if isinstance(n, str) and n.isdigit() else n for n in (start, end))
    is_valid = isinstance(start, int) and isinstance(end, int) and isinstance(label, str)
    return (start, end, label) if is_valid and label.strip() else None


def _set_spans(doc: Doc, spans: list[CharSpan], number: int, report: SpanReport) -> None:
    text = doc.text
    entities, missing = [], set()
    last = 0
    for start, end, label in spans:
        words = text[start:end].strip() if 0 <= start < end <= len(text) else ""
        if not words:
            raise ValueError(
                Errors.DATASET_SPAN_PLACE.format(row=number, span=(start, end, label), n=len(text))
            )
        begin = text.index(words, start)
        if begin < last:
            raise ValueError(Errors.DATASET_OVERLAP.format(row=number, span=(start, end, label)))
        last = begin + len(words)
        report.trimmed_spans += len(words) != end - start
        strict = doc.char_span(begin, last, label=label)
        if strict is not None:
            entities.append((strict.start, strict.end, label))
            report.labels[label] = report.labels.get(label, 0) + 1
        else:
            touched = doc.char_span(begin, last, alignment_mode="expand")
            missing.update(range(touched.start, touched.end))
            report.misaligned_spans += 1
    report.entities += len(entities)
    set_entities(doc, entities, sorted(missing))
