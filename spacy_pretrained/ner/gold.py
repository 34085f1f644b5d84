"""The entities that the reference of an Example says its predicted tokens to be."""

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from spacy.attrs import ENT_IOB, ENT_TYPE
from spacy.tokens import Doc, Span
from spacy.training import Example
from thinc.types import Ints1d

from ..annotation.columns import read_columns
from ..annotation.gold import is_space
from ..annotation.span_confidence import read_span
from .errors import Errors

# spaCy's codes of token.ent_iob
MISSING, INSIDE, OUTSIDE, BEGIN = range(4)


@dataclass(frozen=True)
class Entities:
    """S entities of a Doc of N tokens, in order and without overlap."""

    starts: Ints1d  # (S,)
    ends: Ints1d  # (S,) exclusive
    labels: np.ndarray  # (S,) hashes, uint64
    known: np.ndarray  # (N,) whether it is known what a token is


def read_entities(doc: Doc, spans_key: str | None = None) -> Entities:
    """The entities of a Doc, or the spans of a group; a Doc without the group knows nothing.

    ValueError if spans overlap: a token is part of one at most.
    """
    if spans_key is None:
        return _read_ents(doc)
    spans = [span for span in doc.spans.get(spans_key, []) if len(span)]
    spans.sort(key=lambda span: (span.start, span.end))
    for one, other in pairwise(spans):
        if other.start < one.end:
            raise ValueError(
                Errors.SPANS_OVERLAP.format(
                    key=spans_key, one=_show(one), other=_show(other), text=doc[: other.end].text
                )
            )
    return Entities(
        np.asarray([span.start for span in spans], dtype="int64"),
        np.asarray([span.end for span in spans], dtype="int64"),
        np.asarray([span.label for span in spans], dtype="uint64"),
        np.full(len(doc), spans_key in doc.spans),
    )


def read_gold_entities(example: Example, spans_key: str | None = None) -> Entities:
    """The entities of the reference, as predicted tokens.

    Where tokens are cut otherwise in the prediction, so that an entity does not begin and end
    with whole tokens, its tokens are not known. Nor are predicted tokens that the reference does
    not have. White space at the ends of entities is cut off, for none is predicted there.
    """
    return _trim(example.predicted, _align(example, read_entities(example.reference, spans_key)))


@dataclass
class FitReport:
    """Which entities references have, and how they fit predicted tokens."""

    labels: set[str] = field(default_factory=set)
    entities: int = 0
    trimmed: int = 0  # white space cut off
    lost: int = 0  # they do not begin and end with tokens, or are nothing but white space

    def add(self, example: Example, spans_key: str | None = None) -> None:
        gold = read_entities(example.reference, spans_key)
        aligned = _align(example, gold)
        trimmed = _trim(example.predicted, aligned)
        strings = example.reference.vocab.strings  # the examples may be another pipeline's
        self.labels.update(strings[label] for label in gold.labels.tolist())
        self.entities += len(gold.starts)
        self.lost += len(gold.starts) - len(trimmed.starts)
        same = set(zip(aligned.starts.tolist(), aligned.ends.tolist()))
        self.trimmed += sum(
            s not in same for s in zip(trimmed.starts.tolist(), trimmed.ends.tolist())
        )


def read_outcomes(
    example: Example, spans_key: str | None = None, component: str | None = None
) -> list[tuple[float, bool]]:
    """Of each entity that a component predicted, or any did, and that the reference can judge: its
    confidence, and whether it is right. Entities without a confidence were not predicted."""
    gold = read_gold_entities(example, spans_key)
    right = set(zip(gold.starts.tolist(), gold.ends.tolist(), gold.labels.tolist()))
    doc = example.predicted
    spans = doc.spans.get(spans_key, []) if spans_key else doc.ents
    return [
        (probability, (span.start, span.end, span.label) in right)
        for span in spans
        if (probability := read_span(span, component)) is not None
        and gold.known[span.start : span.end].all()
    ]


def _trim(doc: Doc, gold: Entities) -> Entities:
    space = is_space(doc)
    if not space.any():
        return gold
    numbers = np.arange(len(space))
    next_word = np.minimum.accumulate(np.where(space, len(space), numbers)[::-1])[::-1]
    last_word = np.maximum.accumulate(np.where(space, -1, numbers))
    starts, ends = next_word[gold.starts], last_word[gold.ends - 1] + 1
    kept = starts < ends
    return Entities(starts[kept], ends[kept], gold.labels[kept], gold.known)


def _align(example: Example, gold: Entities) -> Entities:
    x2y, y2x = example.alignment.x2y, example.alignment.y2x
    if _is_identity(x2y.lengths, y2x.lengths):
        return gold
    tokens = np.repeat(np.arange(len(example.predicted)), x2y.lengths)
    known = x2y.lengths > 0
    known[tokens[~gold.known[x2y.data]]] = False
    kept = []
    for number, (start, end) in enumerate(zip(gold.starts.tolist(), gold.ends.tolist())):
        own = y2x[start:end]
        if not len(own):
            continue
        low, high = int(own.min()), int(own.max()) + 1
        back = x2y[low:high]
        if back.min() < start or back.max() >= end:
            known[low:high] = False
        else:
            kept.append((low, high, number))
    columns = np.asarray(kept, dtype="int64").reshape(-1, 3)
    return Entities(columns[:, 0], columns[:, 1], gold.labels[columns[:, 2]], known)


def find_blocked(docs: list[Doc]) -> np.ndarray:
    """Tokens (N,), of Docs laid end to end, that `Doc.set_ents(blocked=...)` says to be no
    entity."""
    iob, labels = _columns(docs)
    return (iob == BEGIN) & (labels == 0)


def _read_ents(doc: Doc) -> Entities:
    iob, labels = _columns([doc])
    is_inside = (iob == INSIDE) | (iob == BEGIN) & (labels != 0)
    starts = np.flatnonzero((iob == BEGIN) & (labels != 0))
    # An entity ends before the next token that does not go on with it.
    goes_on = np.append(iob[1:] == INSIDE, False) if len(iob) else np.zeros(0, dtype=bool)
    ends = np.flatnonzero(is_inside & ~goes_on) + 1
    return Entities(starts, ends, labels[starts], iob != MISSING)


def _columns(docs: list[Doc]) -> tuple[Ints1d, np.ndarray]:
    iob, labels = read_columns(docs, [ENT_IOB, ENT_TYPE])
    return iob.astype("int64"), labels


def _is_identity(x2y: Ints1d, y2x: Ints1d) -> bool:
    return len(x2y) == len(y2x) and bool((x2y == 1).all()) and bool((y2x == 1).all())


def _show(span: Span) -> str:
    return f"{span.label_} '{span.text}' (tokens {span.start} to {span.end - 1})"
