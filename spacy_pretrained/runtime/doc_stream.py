"""Batches of Docs for a pipeline: limited by tokens, and worked on ahead."""

import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from contextvars import copy_context
from threading import get_ident
from typing import TypeVar

from spacy.tokens import Doc

# Tokens in a batch of Docs: enough sentences of every length for full batches of windows, and few
# enough that the vectors of several batches need little memory (1.7 KB per token of width 416).
MAX_TOKENS = 8192

# Tokens in the first batch; each later one has twice as many, up to MAX_TOKENS. So the components
# after an encoder start early. On torch, smaller batches cost more than they gain.
FIRST_TOKENS = 4096

# Batches that are worked on ahead. With one, an engine waits while the next batch is cut into
# windows, and torch took half as long again on two cores.
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
    predict: Callable[[list[Doc]], Result],
    annotate: Callable[[list[Doc], Result], None],
    handle_error: Callable[[list[Doc], Exception], None],
    *,
    ahead: bool,
) -> Iterator[Doc]:
    """Yield the Docs of all batches, annotated and in order; but for those that an error is handled
    for (see `annotate_each`). Batches are always read in the thread that asks for the Docs.

    ahead: Whether the predictions for the following batches are made in other threads, while the
        next component has a batch. On a GPU they must not be: another thread has another CuPy
        device.
    """
    work = work_ahead if ahead else work_in_turn
    with closing(work(batches, predict)) as begun:
        for docs, predicted in begun:
            try:
                annotate(docs, predicted.result())
            except Exception as error:
                yield from annotate_each(
                    docs, error, lambda docs: annotate(docs, predict(docs)), handle_error
                )
            else:
                yield from docs


def annotate_each(
    docs: list[Doc],
    error: Exception,
    annotate: Callable[[list[Doc]], None],
    handle_error: Callable[[list[Doc], Exception], None],
) -> Iterator[Doc]:
    """Yield the Docs of a batch that can be annotated alone, where all together gave an error. Only
    the others are lost, if their errors are handled by not raising them."""
    if len(docs) == 1:
        handle_error(docs, error)
        return
    for doc in docs:
        try:
            annotate([doc])
        except Exception as own_error:
            handle_error([doc], own_error)
        else:
            yield doc


def work_in_turn(
    batches: Iterable[list[Doc]], work: Callable[[list[Doc]], Result]
) -> Iterator[tuple[list[Doc], Future[Result]]]:
    """Yield each batch and what `work` returns for it, in the caller's thread."""
    for batch in batches:
        yield batch, _do_now(batch, work)


def _do_now(batch: list[Doc], work: Callable[[list[Doc]], Result]) -> Future[Result]:
    done: Future[Result] = Future()
    try:
        done.set_result(work(batch))
    except Exception as error:
        done.set_exception(error)
    return done


def work_ahead(
    batches: Iterable[list[Doc]], work: Callable[[list[Doc]], Result]
) -> Iterator[tuple[list[Doc], Future[Result]]]:
    """Yield each batch and what `work` returns for it. Other threads work on the next batches while
    the caller has one, so `AHEAD` batches are read ahead.

    If reading the batches raises an error, it is raised after the last batch. If the generator is
    closed early, it waits until all work has stopped. Where no thread can be started, because the
    main thread has ended or the system has none left, the caller's thread does the work.
    """
    is_finalizing = sys.is_finalizing  # at the end of the interpreter, `sys` is gone from here
    source, caller = iter(batches), get_ident()
    executor = ThreadPoolExecutor(AHEAD, "spacy-pretrained")
    begun: deque[tuple[list[Doc], Future[Result]]] = deque()
    given: list[Future[Result]] = []  # what the caller has, which may still be worked on
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
                    begun.append((batch, _begin(executor, batch, work)))
            if begun:
                given = [begun[0][1]]
                yield begun.popleft()
    finally:
        if not is_finalizing():  # by then Python has waited for all threads
            executor.shutdown(wait=False, cancel_futures=True)
            # Garbage collection may close an abandoned generator in any thread: in one that works
            # on it, or that is just starting and holds the lock that joining a thread needs.
            if get_ident() == caller:
                _wait_for([*given, *(future for _, future in begun)])
    if error is not None:
        raise error


def _wait_for(futures: list[Future]) -> None:
    wait([future for future in futures if not future.cancelled()])


def _begin(
    executor: ThreadPoolExecutor, batch: list[Doc], work: Callable[[list[Doc]], Result]
) -> Future[Result]:
    try:
        # The thread has the caller's context: Thinc keeps the ops in use there.
        return executor.submit(copy_context().run, work, batch)
    except RuntimeError:  # no thread can be started
        return _do_now(batch, work)
