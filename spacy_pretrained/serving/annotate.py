"""Batches of texts through a pipeline, and records out of it."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from traceback import clear_frames
from typing import Protocol

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
# Texts of a batch at most. More gains nothing, and lets others wait.
MAX_TEXTS = 64
# Batches that the engine has while the components behind it have another.
AHEAD = 2


class Text(Protocol):
    """A text that somebody waits for."""

    @property
    def asked(self) -> Asked: ...


Batch = Sequence[Text]


# The next batch; an empty one if nothing waits, or, where it has to be full, if it would not be.
More = Callable[[bool], Batch]


@dataclass
class _Begun:
    """A batch that an engine has, or has had."""

    batch: Batch
    encoded: Future[list[tuple[Doc, int | None]]]


def annotate_stream(
    served: Served, labels: tuple[str, ...] | None, first: Batch, more: More
) -> Iterator[tuple[Batch, list[Outcome]]]:
    """Each batch with the outcomes of its texts, as soon as they are there.

    While the components behind the engine have a batch, the engine has what has come meanwhile, and
    one more where a full one waits; `nlp.pipe` would wait for full batches, or for the end of all.
    What has come is asked for before each component: those who have the answers of one batch ask
    again while the next one is annotated. It ends when nothing has come. Texts that fail, or are
    left out, are tried alone. A first batch of a single text has nothing to gain from this, and is
    the last.
    """
    served.words.learn(text.asked[0] for text in first)
    if len(first) == 1:
        yield first, [_annotate_alone(served, first[0].asked, labels)]
        return
    failed: list[tuple[Batch, list[Outcome | None]]] = []
    # Records are made inside the zone: what a Doc's strings are is gone when it ends. Errors are
    # caught inside of it, too: as long as one is there, so are the Docs that it came through.
    with served.nlp.memory_zone(), ThreadPoolExecutor(AHEAD, "engine") as engine:
        begun = deque([_begin(engine, served, labels, first)])

        def begin_more() -> None:
            while not failed and len(begun) < AHEAD:
                batch = more(bool(begun))
                if not batch:
                    return
                begun.append(_begin(engine, served, labels, batch))

        while begun:
            one = begun.popleft()
            outcomes = _finish(served, labels, one, begin_more)
            if all(outcomes):
                yield one.batch, outcomes
            else:
                failed.append((one.batch, outcomes))
    for batch, outcomes in failed:
        yield (
            batch,
            [
                outcome or _annotate_alone(served, text.asked, labels)
                for text, outcome in zip(batch, outcomes)
            ],
        )


def _begin(
    engine: Executor, served: Served, labels: tuple[str, ...] | None, batch: Batch
) -> _Begun:
    """Let the engine have a batch. The components before it work in the caller's thread, like the
    tokenizer: two batches would have them at once, and anybody's component may stand there."""
    stages = served.stages
    try:
        made = [(served.nlp.make_doc(text.asked[0]), i) for i, text in enumerate(batch)]
        docs = list(_pipe(served, labels, made, stages.before))
        encoded = engine.submit(
            # The thread has the caller's context: Thinc keeps the ops in use there.
            copy_context().run,
            lambda: list(_pipe(served, labels, docs, stages.engine)),
        )
    except Exception as error:  # that no thread can be started, too: the batch is nobody else's
        encoded = Future()
        encoded.set_exception(error)
    return _Begun(batch, encoded)


def _finish(
    served: Served,
    labels: tuple[str, ...] | None,
    begun: _Begun,
    begin_more: Callable[[], None],
) -> list[Outcome | None]:
    """The outcomes of a batch; None for what failed, or was left out."""
    batch = begun.batch
    outcomes: list[Outcome | None] = [None] * len(batch)
    try:
        begin_more()
        docs = begun.encoded.result()
        for name in served.stages.behind:
            begin_more()
            docs = list(_pipe(served, labels, docs, [name]))
        for doc, i in docs:
            if i is not None:  # else a component has made another Doc: nobody knows what of
                outcomes[i] = Annotated(to_record(doc, batch[i].asked[1]), len(doc))
    except Exception as error:
        n_texts = outcomes.count(None)
        logger.warning("A batch failed, %d texts are tried alone: %s", n_texts, say_where(error))
        _let_go(error)
    return outcomes


def _pipe(
    served: Served,
    labels: tuple[str, ...] | None,
    docs: list[tuple[Doc, int | None]],
    names: list[str],
) -> Iterator[tuple[Doc, int | None]]:
    """These components of the pipeline alone."""
    return served.nlp.pipe(
        docs,
        as_tuples=True,
        batch_size=MAX_TEXTS,
        disable=[name for name in served.nlp.pipe_names if name not in names],
        component_cfg=served.component_cfg(labels),
    )


def _annotate_alone(served: Served, asked: Asked, labels: tuple[str, ...] | None) -> Outcome:
    text, what = asked
    with served.nlp.memory_zone():
        try:
            doc = served.nlp(text, component_cfg=served.component_cfg(labels))
            return Annotated(to_record(doc, what), len(doc))
        except Exception as error:
            logger.error("A text of %d characters failed: %s", len(text), say_where(error))
            _let_go(error)
    return Failed(ANNOTATION, Answers.ANNOTATION_FAILED)


def _let_go(error: Exception) -> None:
    """Free the Docs of what has failed. Its error holds the frames that it came through, and some
    of these hold the error: that of spaCy's `raise_error`, and those with a Future. Without this,
    all of them stay until the garbage collector runs."""
    clear_frames(error.__traceback__)
    error.__traceback__ = None
