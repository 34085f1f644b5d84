"""A batch of texts through a pipeline, and records out of it."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from spacy.tokens import Doc

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


def annotate_batch(
    served: Served, asked: Sequence[Asked], labels: tuple[str, ...] | None
) -> list[Outcome]:
    """The outcome of each text, in order. If the batch fails, each text is tried alone.

    Records are made inside the zone: what a Doc's strings are is gone when it ends.
    """
    together = _annotate_together(served, asked, labels) if len(asked) > 1 else None
    return together or [_annotate_alone(served, one, labels) for one in asked]


def _annotate_together(
    served: Served, asked: Sequence[Asked], labels: tuple[str, ...] | None
) -> list[Outcome] | None:
    """None if the batch failed. That is caught inside the zone: as long as the error is there, so
    are the streams that it came through, and the threads that work ahead on their Docs."""
    texts = [text for text, _ in asked]
    with served.nlp.memory_zone():
        try:
            stream = served.nlp.pipe(texts, component_cfg=served.component_cfg(labels))
            with closing(stream) as docs:
                # An error handler of the pipeline's may have left a Doc out, hence `strict`.
                return [_to_outcome(doc, what) for doc, (_, what) in zip(docs, asked, strict=True)]
        except Exception as error:
            logger.warning("A batch of %d texts failed: %s", len(asked), say_where(error))
    return None


def _annotate_alone(served: Served, asked: Asked, labels: tuple[str, ...] | None) -> Outcome:
    text, what = asked
    with served.nlp.memory_zone():
        try:
            doc = served.nlp(text, component_cfg=served.component_cfg(labels))
            return _to_outcome(doc, what)
        except Exception as error:
            logger.error("A text of %d characters failed: %s", len(text), say_where(error))
    return Failed(ANNOTATION, Answers.ANNOTATION_FAILED)


def _to_outcome(doc: Doc, what: tuple[str, ...]) -> Annotated:
    return Annotated(to_record(doc, what), len(doc))
