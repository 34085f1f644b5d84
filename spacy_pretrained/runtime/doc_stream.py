"""Docs on their way through a pipeline: in batches that words bound, and worked on ahead."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from contextvars import copy_context
from threading import get_ident
from typing import TypeVar

from spacy.tokens import Doc
from thinc.api import Ops

# Tokens of a batch of Docs: enough sentences of every length for full batches of windows, few
# enough that vectors of some batches are no memory to speak of (1.7 KB a token, for 416 of them).
MAX_TOKENS = 8192

# Tokens of the first batch; each further one has twice as many, up to MAX_TOKENS. So the components
# behind an encoder have something to do soon. Smaller ones cost torch more than that is worth.
FIRST_TOKENS = 4096

# Batches that are worked on before their turn. With one, an engine waits while the next is cut into
# windows, and torch, on two cores, took half as long again.
AHEAD = 2

Result = TypeVar("Result")


def batch_docs(
    docs: Iterable[Doc],
    max_docs: int,
    first_tokens: int = FIRST_TOKENS,
    max_tokens: int = MAX_TOKENS,
) -> Iterator[list[Doc]]:
    """Lists of up to `max_docs` Docs. Each ends with the Doc that brings it to `first_tokens`, then
    to twice as many and so on, to `max_tokens` in the end."""
    batch: list[Doc] = []
    n_tokens, enough = 0, first_tokens
    for doc in docs:
        batch.append(doc)
        n_tokens += len(doc)
        if len(batch) >= max_docs or n_tokens >= enough:
            yield batch
            batch, n_tokens, enough = [], 0, min(2 * enough, max_tokens)
    if batch:
        yield batch


def annotate_ahead(
    batches: Iterable[list[Doc]],
    ops: Ops,
    predict: Callable[[list[Doc]], Result],
    annotate: Callable[[list[Doc], Result], None],
    handle_error: Callable[[list[Doc], Exception], None],
) -> Iterator[Doc]:
    """The Docs of all batches, annotated; in order. While a batch is with whoever comes next, it is
    already predicted what the next ones are annotated with, in threads of their own.

    ops: Of the model that predicts. On a GPU nothing is read ahead: of a thread of its own, cupy's
        device is another.
    """
    work = work_ahead if ops.device_type == "cpu" else work_in_turn
    with closing(work(batches, predict)) as begun:
        for docs, predicted in begun:
            try:
                annotate(docs, predicted.result())
            except Exception as error:
                handle_error(docs, error)
            else:
                yield from docs


def work_in_turn(
    batches: Iterable[list[Doc]], work: Callable[[list[Doc]], Result]
) -> Iterator[tuple[list[Doc], Future[Result]]]:
    """Each batch with what `work` makes of it, in the caller's thread."""
    for batch in batches:
        done: Future[Result] = Future()
        try:
            done.set_result(work(batch))
        except Exception as error:
            done.set_exception(error)
        yield batch, done


def work_ahead(
    batches: Iterable[list[Doc]], work: Callable[[list[Doc]], Result]
) -> Iterator[tuple[list[Doc], Future[Result]]]:
    """Each batch with what `work` makes of it, in other threads: there the next batches are already
    worked on while one is with the caller. So `AHEAD` batches are read ahead.

    If the batches end in an error, it is raised behind the last batch that there is. Closed early,
    it waits until nothing is worked on any more.
    """
    source = iter(batches)
    workers: list[int] = []
    executor = ThreadPoolExecutor(
        AHEAD, "spacy-pretrained", initializer=lambda: workers.append(get_ident())
    )
    begun: deque[tuple[list[Doc], Future[Result]]] = deque()
    has_more, error = True, None
    try:
        while has_more or begun:
            while has_more and len(begun) <= AHEAD:
                try:
                    batch = next(source, None)
                except Exception as raised:
                    batch, error = None, raised
                has_more = batch is not None
                if has_more:
                    # The thread has the caller's context: Thinc keeps the ops in use there.
                    begun.append((batch, executor.submit(copy_context().run, work, batch)))
            if begun:
                yield begun.popleft()
    finally:
        # Garbage collection closes what nobody holds, in whatever thread: also in this one.
        executor.shutdown(wait=get_ident() not in workers, cancel_futures=True)
    if error is not None:
        raise error
