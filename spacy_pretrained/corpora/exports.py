"""Texts with entities by characters, as tools for annotation export them: JSON Lines, or one list.

doccano       {"text": "The EU said no.", "label": [[4, 6, "ORG"]]}
              {"text": …, "entities": [{"start_offset": 4, "end_offset": 6, "label": "ORG"}]}
Prodigy       {"text": …, "spans": [{"start": 4, "end": 6, "label": "ORG"}], "answer": "accept"}
Label Studio  {"data": {"text": …}, "annotations": [{"result": [{"type": "labels",
                  "value": {"start": 4, "end": 6, "text": "EU", "labels": ["ORG"]}}]}]}
              {"text": …, "label": [{"start": 4, "end": 6, "labels": ["ORG"]}]}  (JSON-MIN)

Each record shows by its keys which of these it is. JSON-MIN has the regions under the name of the
control, which may be any; a full export has that name as "from_name", and as "to_name" the name of
the tag that shows the text. `span_dataset.py` makes entities of the spans.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc

from .dataset_source import Row
from .errors import Errors
from .faults import Faults
from .lines import UTF8, check_file, place, read_lines
from .span_dataset import CharSpan, SpanReport, as_char_span, set_spans

SPANS = ("spans", "entities", "label", "labels")  # where a record may have them
TOKENS = "tokens"  # Prodigy's, which are no annotation
# In the text of a region, Label Studio writes a line break as a backslash and an "n", and browsers
# make one space of several.
SPACE = re.compile(r"\s|\\n")


@dataclass
class ExportReport(SpanReport):
    """What was read, and what was repaired or left out."""

    rejected_documents: int = 0  # by an answer other than "accept": left out
    unannotated_documents: int = 0  # with no annotation, or a cancelled one: left out
    twice_annotated_documents: int = 0  # the ground truth was taken or, if none is, the last one
    other_annotations: int = 0  # no entities of the text that was asked for: left out


@dataclass(frozen=True)
class Annotated:
    text: str
    spans: list[CharSpan]


@dataclass
class SpanKey:
    """Under which key the records of a file have their entities.

    asked: By the user. None: one of SPANS, or another that holds entities.
    """

    asked: str | None
    is_found: bool = False  # in one record or more
    filled: dict[str, None] = field(default_factory=dict)  # the keys that hold some in any record
    lacking: dict[str, None] = field(default_factory=dict)  # the keys of records without it
    texts: dict[str, None] = field(default_factory=dict)  # what Label Studio's texts are called

    @property
    def names(self) -> tuple[str, ...]:
        return (self.asked,) if self.asked else SPANS

    def error(self, at: str, keys: Iterable[str]) -> ValueError:
        """That it is not among these keys."""
        asked = ", ".join(self.names)
        return ValueError(Errors.EXPORT_SPANS.format(at=at, asked=asked, keys=", ".join(keys)))


def read_export(
    path: str | Path,
    nlp: Language,
    *,
    text: str = "text",
    spans: str | None = None,
    encoding: str = UTF8,
    report: ExportReport | None = None,
) -> Iterator[Doc]:
    """Read a file record by record, a Doc each, with ENT_IOB and ENT_TYPE. What is no entity is
    outside of all. See `span_dataset.build_span_dataset` for what is repaired.

    nlp: Its tokenizer makes the words.
    text: The key of the text, in a record or in the "data" of one.
    spans: The key of the entities. None: the one that holds some, or else the first of SPANS that a
        record has. In a full export of Label Studio, the control; None: all of them.
    report: Is added to while the Docs are taken.

    RAISES: ValueError, with file and place, if a record is malformed, none has text, or none has
        the key. It tells all that are malformed, up to 20, after the last Doc.
    """
    report = ExportReport() if report is None else report
    key = SpanKey(spans)
    faults = Faults()
    n_before = report.documents
    for at, record in read_records(path, encoding, faults):
        try:
            found = _read(record, at, text, key, report)
            if found is None:
                continue
            doc = nlp.make_doc(found.text)
            set_spans(doc, sorted(found.spans), at, report)
        except ValueError as error:
            faults.add(error)
            continue
        report.documents += 1
        report.words += len(doc)
        yield doc
    faults.check()
    if key.lacking and not key.is_found:
        raise key.error(str(path), key.lacking)
    if report.documents == n_before:
        raise ValueError(Errors.EXPORT_EMPTY.format(path=path))


def read_records(
    path: str | Path, encoding: str = UTF8, faults: Faults | None = None
) -> Iterator[tuple[str, Row]]:
    """The objects of a file, and where they stand.

    faults: Gathers lines that are no objects. Without it the first one is raised.
    RAISES: ValueError, with file and line, if the file is no JSON.
    """
    faults = Faults(most=1) if faults is None else faults
    check_file(path)
    lines = ((number, line) for number, line in read_lines(path, encoding) if line.strip())
    first = next(lines, None)
    if first is None:
        return
    if first[1].lstrip().startswith("["):
        yield from _read_list(path, encoding, faults)
        return
    for number, line in chain([first], lines):
        at = place(path, number)
        try:
            record = json.loads(line)
        except json.JSONDecodeError as error:
            faults.add(Errors.EXPORT_JSON.format(at=at, error=error))
            continue
        yield from _check_object(record, at, faults)


def _read_list(path: str | Path, encoding: str, faults: Faults) -> Iterator[tuple[str, Row]]:
    content = "\n".join(line for _, line in read_lines(path, encoding))
    try:
        records = json.loads(content)
    except json.JSONDecodeError as error:
        at = place(path, error.lineno)
        raise ValueError(Errors.EXPORT_JSON.format(at=at, error=error.msg)) from error
    for number, record in enumerate(records, 1):
        yield from _check_object(record, f"{path}, record {number}", faults)


def _check_object(record: Any, at: str, faults: Faults) -> Iterator[tuple[str, Row]]:
    if isinstance(record, dict):
        yield at, record
    else:
        faults.add(Errors.EXPORT_OBJECT.format(at=at, value=repr(record)[:80]))


def is_export(record: Row) -> bool:
    """Whether a record shows beyond doubt that it is a text with entities by characters."""
    if isinstance(record.get("data"), dict):
        return isinstance(record.get("annotations"), list)
    lists = [values for name, values in record.items() if _has_spans(name, values)]
    has_spans = any(all(_as_span(value) is not None for value in values) for values in lists)
    return isinstance(record.get("text"), str) and has_spans


def _read(
    record: Row, at: str, text_key: str, key: SpanKey, report: ExportReport
) -> Annotated | None:
    """None if the record is to be left out, which is counted."""
    is_task = isinstance(record.get("data"), dict)
    is_any = is_task and key.asked is None
    key.is_found = key.is_found or is_any or any(name in record for name in key.names)
    if record.get("answer", "accept") != "accept":
        report.rejected_documents += 1
        return None
    text = _read_text(record["data"] if is_task else record, at, text_key)
    if not text.strip():
        report.empty_documents += 1
        return None
    if is_task:
        values = _read_task(record, at, text_key, key, report)
    else:
        values = _find_spans(record, at, key, report)
    if values is None:
        report.unannotated_documents += 1
        return None
    return Annotated(text, [_read_span(value, text, at) for value in values])


def _read_text(record: Row, at: str, key: str) -> str:
    text = record.get(key)
    if text is None and key in record:
        return ""
    if not isinstance(text, str):
        keys = ", ".join(record)
        raise ValueError(Errors.EXPORT_TEXT.format(at=at, key=key, keys=keys))
    try:
        text.encode("utf8")
    except UnicodeEncodeError as error:
        raise ValueError(Errors.EXPORT_SURROGATE.format(at=at, start=error.start)) from error
    return text


def _find_spans(record: Row, at: str, key: SpanKey, report: ExportReport) -> list[Any] | None:
    name = _find_key(record, at, key)
    others = {other: values for other, values in record.items() if other not in (name, TOKENS)}
    report.other_annotations += sum(_count_regions(*other) for other in others.items())
    if name is None:
        if not ("answer" in record or "annotation_id" in record):
            raise key.error(at, record)
        # Prodigy and JSON-MIN leave out the list of an annotated text without any: others of the
        # file have the key then.
        key.lacking |= dict.fromkeys(record)
        return []
    key.is_found = True
    values = record[name]
    if not isinstance(values, list | None):
        raise ValueError(Errors.EXPORT_SPAN.format(at=at, key=name, value=repr(values)[:80]))
    return values


def _find_key(record: Row, at: str, key: SpanKey) -> str | None:
    """ValueError if several could be meant."""
    if key.asked:
        return key.asked if key.asked in record else None
    filled = [name for name, values in record.items() if _has_spans(name, values)]
    key.filled |= dict.fromkeys(filled)
    # Records of several tools may be in one file, but two controls are two kinds of annotation.
    if len(filled) > 1 or (len(key.filled) > 1 and not key.filled.keys() <= {*SPANS}):
        raise ValueError(Errors.EXPORT_SEVERAL.format(at=at, names=", ".join(key.filled)))
    known = sorted((name for name in SPANS if name in record), key=lambda name: not record[name])
    return next(iter(filled or known), None)


def _count_regions(name: str, values: Any) -> int:
    """The parts of a text, labelled in whatever way, that are among them."""
    if not isinstance(values, list):
        return 0
    return sum(
        {"start", "end"} <= value.keys() if isinstance(value, dict) else _has_spans(name, [value])
        for value in values
    )


def _has_spans(name: str, values: Any) -> bool:
    """Whether there are entities among them; under other keys than SPANS, only with their names."""
    return isinstance(values, list) and any(
        (isinstance(value, dict) or name in SPANS) and _as_span(value) is not None
        for value in values
    )


def _read_task(
    record: Row, at: str, text_key: str, key: SpanKey, report: ExportReport
) -> list[Any] | None:
    """The values of Label Studio's results that are entities of the text, by the control that was
    asked for."""
    annotations = [
        one
        for one in record.get("annotations") or []
        if isinstance(one, dict) and not one.get("was_cancelled")
    ]
    if not annotations:
        return None
    report.twice_annotated_documents += len(annotations) > 1
    # sorted() is stable: of several the last one.
    annotation = sorted(annotations, key=lambda one: bool(one.get("ground_truth")))[-1]
    values = []
    for result in annotation.get("result") or []:
        if (
            _is_entity(result)
            and _is_asked(result, key)
            and _is_of_text(result, record["data"], at, text_key, key)
        ):
            values.append(_name_labels(result))
        else:
            report.other_annotations += 1
    return values


def _is_entity(result: Any) -> bool:
    """Of the kinds of tags, Labels, HyperTextLabels and the like name entities. Choices, ratings
    and so on may belong to a part of the text, too."""
    value = result.get("value") if isinstance(result, dict) else None
    if not isinstance(value, dict) or not {"start", "end"} <= value.keys():
        return False
    return str(result.get("type", "labels")).endswith("labels")


def _is_asked(result: Row, key: SpanKey) -> bool:
    if key.asked is None:
        return True
    name = str(result.get("from_name"))
    key.lacking[name] = None
    key.is_found = key.is_found or name == key.asked
    return name == key.asked


def _is_of_text(result: Row, data: Row, at: str, text_key: str, key: SpanKey) -> bool:
    """Whether it labels the text under that key, and not another one of the task.

    RAISES: ValueError if that cannot be known: the texts may have other names than their keys.
    """
    name = result.get("to_name")
    if not isinstance(name, str):
        return True
    if name != text_key and isinstance(data.get(name), str):
        try:
            _read_span(_name_labels(result), data[name], at)
        except ValueError:
            pass  # a name that is the key of another text: it is told from its quotation
        else:
            return False
    key.texts[name] = None
    if len(key.texts) > 1:
        names = ", ".join(key.texts)
        raise ValueError(Errors.EXPORT_TEXTS.format(at=at, names=names, key=text_key))
    return True


def _name_labels(result: Row) -> Row:
    """Its value. The names of labels stand under the name of the kind of tag."""
    value, kind = result["value"], result.get("type", "labels")
    return {**value, "labels": value.get(kind, value.get("labels"))}


def _read_span(value: Any, text: str, at: str) -> CharSpan:
    span = _as_span(value)
    if span is None:
        raise ValueError(Errors.EXPORT_SPAN.format(at=at, key="spans", value=repr(value)[:80]))
    said = value.get("text") if isinstance(value, dict) else None
    return _find_said(span, said, text, at) if isinstance(said, str) else span


def _find_said(span: CharSpan, said: str, text: str, at: str) -> CharSpan:
    """The span, or where it is as a browser counts.

    said: The text that the span has by its export. ValueError if it does not, white space aside.
    """
    start, end, label = span
    in_utf16 = _from_utf16(start, end, text)
    places = [(start, end), in_utf16] if in_utf16 else [(start, end)]
    for form in (str, _without_space):  # the same text first, wherever it is
        for first, last in places:
            if form(text[first:last]) == form(said):
                return first, last, label
    raise ValueError(Errors.EXPORT_MOVED.format(at=at, span=span, said=said, found=text[start:end]))


def _without_space(text: str) -> str:
    return SPACE.sub("", text)


def _from_utf16(start: int, end: int, text: str) -> tuple[int, int] | None:
    """A place that a browser has counted: an emoji is two characters there. None if one is cut."""
    units = text.encode("utf-16-le", "surrogatepass")
    try:
        before, inside = (
            part.decode("utf-16-le") for part in (units[: 2 * start], units[2 * start : 2 * end])
        )
    except UnicodeDecodeError:
        return None
    return len(before), len(before) + len(inside)


def _as_span(value: Any) -> CharSpan | None:
    if not isinstance(value, dict):
        return as_char_span(value)
    labels = value.get("label", value.get("labels"))
    label = labels[0] if isinstance(labels, list) and len(labels) == 1 else labels
    start, end = (value.get(key, value.get(f"{key}_offset")) for key in ("start", "end"))
    return as_char_span([start, end, label])
