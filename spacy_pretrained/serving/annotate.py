"""Batches of texts through a pipeline, and records out of it."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

from ..records import Record, to_record
from .errors import Answers
from .log import logger, say_where
from .pipelines import Served


@dataclass(frozen=True)
class Annotated:
    record: Record
    n_words: int


@dataclass(frozen=True)
class Failed:
    """Why there is no record of a text.

    code: For programs. message: For people; it says nothing of the text.
    """

    code: str
    message: str


TOO_LONG, NOT_UNICODE, WAITED, ANNOTATION = "too_long", "not_unicode", "waited", "annotation"
# What the client has to change.
FAULTS_OF_CLIENTS = {TOO_LONG, NOT_UNICODE}

Outcome = Annotated | Failed
# A text and the parts of its record.
Asked = tuple[str, tuple[str, ...]]
# Texts of a batch at most. More gains nothing, and lets others wait.
MAX_TEXTS = 64


class Text(Protocol):
    """A text that somebody waits for."""

    @property
    def asked(self) -> Asked: ...


Batch = Sequence[Text]


@dataclass
class _Part:
    """A batch that has begun, and the outcomes that are there."""

    batch: Batch
    outcomes: list[Outcome | None]
    n_left: int


def annotate_stream(
    served: Served, labels: tuple[str, ...] | None, batches: Iterable[Batch]
) -> Iterator[tuple[Batch, list[Outcome]]]:
    """Each batch with the outcomes of its texts, as soon as they are there.

    A batch is asked for when those before it have begun: an engine has one while the components
    behind it have another. If the stream fails, or leaves texts out, these are tried alone. A
    first batch of a single text is not streamed, and is the last.
    """
    batches = iter(batches)
    first = next(batches)
    if len(first) == 1:
        yield first, [_annotate_alone(served, first[0].asked, labels)]
        return
    parts: dict[int, _Part] = {}
    # Records are made inside the zone: what a Doc's strings are is gone when it ends. Errors are
    # caught inside of it, too: as long as one is there, so are the streams that it came through,
    # and the threads that work ahead on their Docs.
    with served.nlp.memory_zone():
        try:
            yield from _annotate_together(served, labels, chain([first], batches), parts)
        except Exception as error:
            n_texts = sum(part.n_left for part in parts.values())
            logger.warning("A batch of %d texts failed: %s", n_texts, say_where(error))
    for part in parts.values():
        yield (
            part.batch,
            [
                outcome or _annotate_alone(served, text.asked, labels)
                for text, outcome in zip(part.batch, part.outcomes)
            ],
        )


def _annotate_together(
    served: Served,
    labels: tuple[str, ...] | None,
    batches: Iterable[Batch],
    parts: dict[int, _Part],
) -> Iterator[tuple[Batch, list[Outcome]]]:
    """parts: Has the batches that have begun and not come out, by their numbers."""
    stream = served.nlp.pipe(
        _read(batches, parts),
        as_tuples=True,
        batch_size=MAX_TEXTS,
        component_cfg=served.component_cfg(labels),
    )
    with closing(stream) as docs:
        for doc, place in docs:
            if place is None:  # a component has made another Doc: nobody knows what of
                continue
            number, i = place
            part = parts[number]
            part.outcomes[i] = Annotated(to_record(doc, part.batch[i].asked[1]), len(doc))
            part.n_left -= 1
            if not part.n_left:
                del parts[number]
                yield part.batch, part.outcomes


def _read(
    batches: Iterable[Batch], parts: dict[int, _Part]
) -> Iterator[tuple[str, tuple[int, int]]]:
    """Each text with its place: the number of its batch, and its own in there."""
    for number, batch in enumerate(batches):
        parts[number] = _Part(batch, [None] * len(batch), len(batch))
        for i, text in enumerate(batch):
            yield text.asked[0], (number, i)


def _annotate_alone(served: Served, asked: Asked, labels: tuple[str, ...] | None) -> Outcome:
    text, what = asked
    with served.nlp.memory_zone():
        try:
            doc = served.nlp(text, component_cfg=served.component_cfg(labels))
            return Annotated(to_record(doc, what), len(doc))
        except Exception as error:
            logger.error("A text of %d characters failed: %s", len(text), say_where(error))
    return Failed(ANNOTATION, Answers.ANNOTATION_FAILED)
