"""How probable predicted spans are: `span._.confidence`.

The numbers are in `doc.user_data` under keys ("._.", name, first character, end) as spaCy's own
custom attributes are, so that they follow their spans into `as_doc(copy_user_data=True)`,
`Doc.from_docs`, bytes and DocBins. There are two entries a span:

- `ROWS` says who predicted what: [target, component, label, text, probability] of each
  prediction. The target is the group of `doc.spans`, "" for `doc.ents`. The text tells a span
  from another one that an operation has moved an entry to.
- `PUBLIC` is {label: probability}, for `doc.to_json(underscore=["confidence"])`. A Doc without
  predictions has an empty one, for without any `to_json` fails. It is not written while a user has
  an attribute of that name, which would have its values there.

Entries are never changed in place: copies of a Doc share them.
"""

from collections.abc import Iterable, Iterator

import numpy as np
from spacy.tokens import Doc, Span

from .extension import Getter, is_taken, register

PUBLIC = "confidence"
ROWS = "pretrained_confidence"
# Arrays of all spans in DocBins of version 0.1 and before.
OLD = "span_confidence"

Key = tuple[str, str, int, int]
Row = tuple[str, str, str, str, float]


def register_spans(component: str) -> None:
    """Make `span._.confidence`, a probability, or None for spans that nothing predicted."""
    register(Span, PUBLIC, Getter(read_span), component, "spacy_pretrained.confidence(span)")


def store_spans(
    doc: Doc, component: str, spans: Iterable[Span], probabilities: Iterable[float], target: str
) -> None:
    """Keep the probability of each of the spans that a component predicted.

    target: The group of `doc.spans` that they are in, "" for `doc.ents`.
    """
    rows: dict[Key, list[Row]] = {}
    for span, probability in zip(spans, probabilities):
        key = _key(ROWS, span)
        old = rows.get(key) or doc.user_data.get(key, [])
        row = (target, component, span.label_, span.text, float(probability))
        rows[key] = [*old, row]
    for key, new in rows.items():
        _write(doc, key, new)
    if len(doc) and not is_taken(Span, PUBLIC) and not any(_keys(doc, PUBLIC)):
        doc.user_data["._.", PUBLIC, 0, doc[-1].idx + len(doc[-1])] = {}


def clear_spans(
    doc: Doc,
    component: str,
    target: str,
    *,
    kept: Iterable[Span] = (),
    all_components: bool = False,
) -> None:
    """Forget what a component, or all, predicted for a target, and what nobody is known to have
    predicted: of a JSON, or of an old DocBin.

    kept: The spans that stay. Their probabilities do, too, if all that the component predicted is
        among them. Otherwise somebody has changed the spans since, and what looks like a prediction
        may have been set by hand.
    """
    if not doc.user_data:
        return
    labels: dict[tuple[int, int], set[str]] = {}
    for span in kept:
        labels.setdefault((span.start_char, span.end_char), set()).add(span.label_)
    _clear_unknown(doc, list(kept), labels)

    def is_old(row: Row) -> bool:
        return row[0] == target and (all_components or row[1] == component)

    old = {key: list(filter(is_old, doc.user_data[key])) for key in _keys(doc, ROWS)}
    if all(row[2] in labels.get(key[2:], ()) for key, rows in old.items() for row in rows):
        return
    for key, rows in old.items():
        if rows:
            _write(doc, key, [row for row in doc.user_data[key] if not is_old(row)])


def _clear_unknown(doc: Doc, kept: list[Span], labels: dict[tuple[int, int], set[str]]) -> None:
    """Forget what nobody is known to have predicted, but for spans that are kept.

    labels: Those of kept spans, by first character and end.
    """
    old = doc.user_data.pop(OLD, None)
    if is_taken(Span, PUBLIC):
        return
    for key in list(_keys(doc, PUBLIC)):
        if ("._.", ROWS, *key[2:]) not in doc.user_data:
            values = doc.user_data.pop(key)
            stay = labels.get(key[2:], set())
            if values := {label: values[label] for label in values if label in stay}:
                doc.user_data[key] = values
    for span in kept if old else ():
        if (value := _read_old(span, old)) is not None:
            key = _key(PUBLIC, span)
            doc.user_data[key] = {span.label_: value, **doc.user_data.get(key, {})}


def read_span(span: Span, component: str | None = None) -> float | None:
    """The probability of a span with its label, or None if it was not predicted, or if components
    that predicted it do not agree and none of them is named."""
    user_data = span.doc.user_data
    if not user_data:
        return None
    if rows := user_data.get(_key(ROWS, span)):
        return _find(rows, span.label_, span.text, component)
    if component is not None:
        return None
    value = None if is_taken(Span, PUBLIC) else user_data.get(_key(PUBLIC, span))
    if isinstance(value, dict):
        return value.get(span.label_)
    return _read_old(span, user_data[OLD]) if OLD in user_data else None


def _write(doc: Doc, key: Key, rows: list[Row]) -> None:
    public: Key = ("._.", PUBLIC, key[2], key[3])
    if rows:
        doc.user_data[key] = rows
    else:
        doc.user_data.pop(key, None)
    if is_taken(Span, PUBLIC):
        return
    values = {label: _find(rows, label, text) for _, _, label, text, _ in rows}
    if values := {label: value for label, value in values.items() if value is not None}:
        doc.user_data[public] = values
    else:
        doc.user_data.pop(public, None)


def _find(rows: list[Row], label: str, text: str, component: str | None = None) -> float | None:
    found = {
        row[4] for row in rows if row[2] == label and row[3] == text and component in (None, row[1])
    }
    return found.pop() if len(found) == 1 else None


def _key(name: str, span: Span) -> Key:
    return "._.", name, span.start_char, span.end_char


def _keys(doc: Doc, name: str) -> Iterator[Key]:
    """Those of all spans that have an entry of that name."""
    for key in doc.user_data:
        is_custom = isinstance(key, tuple) and len(key) == 4
        if is_custom and key[:2] == ("._.", name) and key[3] is not None:
            yield key


def _read_old(span: Span, stored: dict[str, np.ndarray]) -> float | None:
    """The same from the arrays of an old DocBin. `as_doc` copies them as they are: in its Doc, the
    spans are elsewhere, which shows if they do not begin and end with tokens."""
    doc = span.doc
    edges = np.asarray([(token.idx, token.idx + len(token)) for token in doc]).reshape(-1, 2)
    starts, ends = np.asarray(stored["start"]), np.asarray(stored["end"])
    if not (np.isin(starts, edges[:, 0]).all() and np.isin(ends, edges[:, 1]).all()):
        return None
    same = (starts == span.start_char) & (ends == span.end_char)
    found = np.flatnonzero(same & (np.asarray(stored["label"]) == span.label))
    return float(stored["probability"][found[0]]) if len(found) else None
