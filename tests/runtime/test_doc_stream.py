"""Docs in streams: every one of them comes out once and in order, whatever fails or ends early, and
annotated as it is alone."""

import logging
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc
from tiny_pipelines import ENCODER, annotations, make_examples, make_nlp, train

from spacy_pretrained.runtime.doc_stream import (
    AHEAD,
    annotate_ahead,
    batch_docs,
    work_ahead,
    work_in_turn,
)

TAGGER, PARSER, NER = HEADS = ("pretrained_tagger", "biaffine_parser", "pretrained_ner")
TEXTS = [
    "Ada sees the old river.",
    "",
    "Robots sleep in Zürich. " * 40,
    " ",
    *(f"Yes! A hearing on issue {i}." for i in range(20)),
]


@pytest.fixture(scope="module")
def nlp(tiny_source) -> Language:
    nlp = make_nlp(str(tiny_source("bert")), *HEADS)
    train(nlp, make_examples(nlp), 3)
    return nlp


def make_docs(*lengths: int) -> list[Doc]:
    vocab = spacy.blank("xx").vocab
    return [Doc(vocab, words=["word"] * length) for length in lengths]


# Batches


@pytest.mark.parametrize(
    "lengths, expected",
    [
        ([], []),
        ([0, 0, 0, 0], [3, 1]),
        ([5, 5, 5, 5], [2, 2]),
        ([1, 1, 1, 1, 9, 30, 1], [3, 2, 1, 1]),
    ],
)
def test_batches_are_bounded_by_docs_and_by_tokens(lengths, expected):
    docs = make_docs(*lengths)
    batches = list(batch_docs(docs, 3, 10, 10))
    assert [len(batch) for batch in batches] == expected
    assert [doc for batch in batches for doc in batch] == docs


def test_the_first_batches_are_small():
    docs = make_docs(*[1] * 40)
    assert [len(batch) for batch in batch_docs(docs, 1000, 2, 10)] == [2, 4, 8, 10, 10, 6]
    assert [len(batch) for batch in batch_docs(docs, 1000, 15, 20)] == [15, 20, 5]


def test_nothing_is_read_ahead_of_a_full_batch():
    read = []
    batches = batch_docs((read.append(doc) or doc for doc in make_docs(1, 1, 1)), 2)
    next(batches)
    assert len(read) == 2


# Work ahead


@pytest.mark.parametrize("in_batches", [work_ahead, work_in_turn])
@pytest.mark.parametrize("n_batches", range(4))
def test_each_batch_comes_with_its_result_in_order(in_batches, n_batches):
    batches = [[i] for i in range(n_batches)]
    found = [(batch, result.result()) for batch, result in in_batches(batches, lambda b: b[0] * 2)]
    assert found == [([i], 2 * i) for i in range(n_batches)]


def test_the_next_batch_is_worked_on_while_one_is_with_the_caller():
    begun = [threading.Event() for _ in range(3)]
    for (number,), result in work_ahead([[0], [1], [2]], lambda batch: begun[batch[0]].set()):
        result.result()
        if number < 2:
            assert begun[number + 1].wait(30)


def test_in_turn_nothing_is_read_ahead():
    read = []
    for (number,), _ in work_in_turn(([read.append(i) or i] for i in range(3)), str):
        assert len(read) == number + 1


def test_no_more_batches_are_read_ahead_than_is_said():
    read = []
    for (number,), _ in work_ahead(([read.append(i) or i] for i in range(9)), str):
        assert len(read) == min(number + 1 + AHEAD, 9)


def test_batches_are_worked_on_side_by_side():
    both = threading.Barrier(AHEAD)
    for _, result in work_ahead([[i] for i in range(AHEAD)], lambda batch: both.wait(30)):
        result.result()


@pytest.mark.parametrize("in_batches", [work_ahead, work_in_turn])
def test_an_error_of_the_work_belongs_to_its_batch(in_batches):
    def fail_at_one(batch: list[int]) -> int:
        if batch == [1]:
            raise OSError("of this batch")
        return batch[0]

    found = []
    for batch, result in in_batches([[0], [1], [2]], fail_at_one):
        try:
            found.append(result.result())
        except OSError:
            found.append(f"{batch} failed")
    assert found == [0, "[1] failed", 2]


def test_an_error_of_the_source_comes_behind_what_it_gave():
    def source():
        yield [0]
        yield [1]
        raise OSError("no more")

    found = []
    with pytest.raises(OSError, match="no more"):
        found.extend(result.result() for _, result in work_ahead(source(), lambda b: b[0]))
    assert found == [0, 1]


@pytest.mark.skipif(not hasattr(threading, "_shutdown_locks_lock"), reason="Python 3.13 has none")
def test_closed_by_garbage_collection_in_a_thread_that_starts():
    """Such a thread holds the lock that joining another one takes: nobody waits there."""
    begun, closed = work_ahead(iter([[1], [2], [3], [4]]), lambda batch: batch), threading.Event()
    next(begun)

    def close() -> None:
        with threading._shutdown_locks_lock:
            begun.close()
        closed.set()

    threading.Thread(target=close, daemon=True).start()
    assert closed.wait(10)


def test_closed_early_it_waits_for_its_work():
    running, done = threading.Event(), []

    def work(batch: list[int]) -> None:
        if batch == [1]:
            running.set()
            threading.Event().wait(0.2)
        done.append(batch)

    batches = work_ahead([[0], [1], [2]], work)
    next(batches)
    running.wait(30)
    batches.close()
    assert [0] in done and [1] in done
    for thread in threading.enumerate():  # idle ones end by themselves
        if thread.name.startswith("spacy-pretrained"):
            thread.join(30)
            assert not thread.is_alive()


def test_garbage_collection_may_close_it_in_its_own_thread():
    """Which thread that is, is chance: here the work lets go of what nobody else holds."""
    begun, closed = threading.Event(), threading.Event()
    held = {}

    def work(batch: list[int]) -> None:
        if batch == [1]:
            begun.wait(30)
            held.pop("batches").close()
            closed.set()

    held["batches"] = work_ahead([[0], [1], [2]], work)
    next(held["batches"])
    begun.set()
    assert closed.wait(30) and not held


def test_where_no_thread_can_be_started_the_caller_works(monkeypatch):
    def refuse(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    found = [(batch, result.result()) for batch, result in work_ahead([[0], [1], [2]], len)]
    assert found == [([i], 1) for i in range(3)]


# Errors


@pytest.mark.parametrize("ahead", [True, False])
@pytest.mark.parametrize("where", ["predict", "annotate"])
def test_only_the_docs_that_fail_alone_are_lost(ahead, where):
    docs = make_docs(*range(1, 41))
    bad = {docs[i] for i in (0, 7, 8, 39)}
    handled = []

    def fail(step: str, batch: list[Doc]) -> None:
        if where == step and bad.intersection(batch):
            raise OSError(str(len(batch)))

    found = annotate_ahead(
        batch_docs(docs, 8),
        lambda batch: fail("predict", batch),
        lambda batch, _: fail("annotate", batch),
        lambda batch, error: handled.append((batch, str(error))),
        ahead=ahead,
    )
    assert list(found) == [doc for doc in docs if doc not in bad]
    assert handled == [([doc], "1") for doc in docs if doc in bad]


# Pipelines


@pytest.mark.parametrize("batch_size", [1, 2, 7, 1000])
def test_a_stream_is_annotated_as_single_texts(nlp, batch_size):
    expected = [annotations(nlp(text)) for text in TEXTS]
    docs = list(nlp.pipe(TEXTS, batch_size=batch_size))
    assert [doc.text for doc in docs] == TEXTS
    assert [annotations(doc) for doc in docs] == expected
    assert all(doc.tensor.shape == (len(doc), 40) for doc in docs)


def test_long_docs_make_batches_of_their_own(nlp, monkeypatch):
    monkeypatch.setattr("spacy_pretrained.runtime.doc_stream.batch_docs.__defaults__", (50, 50))
    sizes = []
    encoder = nlp.get_pipe(ENCODER)
    predict = encoder.predict
    monkeypatch.setattr(encoder, "predict", lambda docs: sizes.append(len(docs)) or predict(docs))
    assert len(list(nlp.pipe(TEXTS))) == len(TEXTS)
    assert len(sizes) > 2 and sum(sizes) == len(TEXTS)


@pytest.mark.parametrize("name", [ENCODER, *HEADS])
def test_a_batch_that_fails_is_handed_to_the_error_handler(nlp, monkeypatch, name):
    pipe, failed = nlp.get_pipe(name), []
    predict = pipe.predict

    def fail(docs: list[Doc]):
        if any("issue 5" in doc.text for doc in docs):
            raise OSError("cannot")
        return predict(docs)

    monkeypatch.setattr(pipe, "predict", fail)
    with pytest.raises(OSError, match="cannot"):
        list(nlp.pipe(TEXTS, batch_size=3))
    monkeypatch.setattr(
        pipe, "get_error_handler", lambda: lambda name, proc, docs, error: failed.extend(docs)
    )
    found = [doc.text for doc in nlp.pipe(TEXTS, batch_size=3)]
    assert [doc.text for doc in failed] == [text for text in TEXTS if "issue 5" in text]
    assert found == [text for text in TEXTS if "issue 5" not in text]


def test_with_batches_of_one_a_source_may_wait_for_each_answer(nlp):
    """The next text is made of the answer to the one before."""
    answers = []

    def source():
        for number in range(5):
            assert len(answers) == number
            yield " ".join([*(doc[-1].text for doc in answers), f"river {number}"])

    for doc in nlp.pipe(source(), batch_size=1):
        answers.append(doc)
    assert [doc.text.split()[-1] for doc in answers] == list("01234")


def test_no_more_is_read_ahead_than_is_said(nlp):
    """In Docs, as docs/architecture.md says; here the batches of all components are the same."""
    n_read, size = 0, 4

    def source():
        nonlocal n_read
        for number in range(60):
            n_read += 1
            yield f"A river {number}."

    for n_given, _ in enumerate(nlp.pipe(source(), batch_size=size)):
        batch_end = (n_given // size + 1) * size
        assert n_read <= batch_end + AHEAD * size


def test_a_component_behind_an_encoder_reads_nothing_ahead_itself(tiny_source):
    source, labels = str(tiny_source("bert")), {"labels": ["the sea", "dogs"]}
    nlp = make_nlp(source, ("zero_shot_textcat", labels))
    alone = spacy.blank("xx").add_pipe("zero_shot_textcat", config=labels)
    assert nlp.get_pipe(ENCODER).reads_ahead and alone.reads_ahead
    assert not nlp.get_pipe("zero_shot_textcat").reads_ahead


def test_the_source_is_read_in_the_thread_that_asks(nlp):
    """A cursor of sqlite3 works in its own thread only."""
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE texts (text TEXT)")
    connection.executemany("INSERT INTO texts VALUES (?)", [(text,) for text in TEXTS])
    rows = connection.execute("SELECT text FROM texts")
    found = [doc.text for doc in nlp.pipe((text for (text,) in rows), batch_size=3)]
    assert found == TEXTS


AT_EXIT = """
import atexit, sys, threading
import spacy

nlp = spacy.load(sys.argv[1])
texts = [f"Ada sees river {i}." for i in range(300)]

def read():
    print(sum(1 for _ in nlp.pipe(texts, batch_size=16)))

if sys.argv[2] == "thread":
    def wait_and_read():
        threading.main_thread().join()
        read()
    threading.Thread(target=wait_and_read).start()
elif sys.argv[2] == "atexit":
    atexit.register(read)
else:
    stream = nlp.pipe(texts, batch_size=16)
    print(len(next(stream)))
"""
SAVED = Path(__file__).parents[1] / "fixtures" / "saved" / "v0.1.0" / "syntax_int8" / "pipeline"


@pytest.mark.slow
@pytest.mark.parametrize("when, said", [("thread", "300"), ("atexit", "300"), ("open", "5")])
def test_streams_at_the_end_of_a_program(when, said):
    """In a thread that outlives the main thread, in an `atexit` handler, and one left open."""
    command = [sys.executable, "-c", AT_EXIT, str(SAVED), when]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (done.stdout.strip(), done.stderr, done.returncode) == (said, "", 0)


def test_six_bad_texts_among_many_cost_only_themselves(nlp, monkeypatch, caplog):
    texts = [f"Robots sleep in river {i}." for i in range(300)]
    bad = {texts[i] for i in (0, 1, 50, 120, 121, 299)}
    encoder = nlp.get_pipe(ENCODER)
    predict = encoder.predict

    def fail(docs: list[Doc]):
        if any(doc.text in bad for doc in docs):
            raise OSError("cannot")
        return predict(docs)

    monkeypatch.setattr(encoder, "predict", fail)
    nlp.set_error_handler(spacy.util.ignore_error)
    try:
        with caplog.at_level(logging.CRITICAL):
            found = [doc.text for doc in nlp.pipe(texts)]
    finally:
        nlp.set_error_handler(spacy.util.raise_error)
    assert found == [text for text in texts if text not in bad]


def test_a_stream_that_is_left_does_no_harm(nlp):
    expected = annotations(nlp(TEXTS[0]))
    for _ in range(3):
        docs = nlp.pipe(TEXTS, batch_size=4)
        assert annotations(next(docs)) == expected
        docs.close()
    assert [doc.text for doc in nlp.pipe(TEXTS)] == TEXTS


def test_two_streams_of_one_pipeline_side_by_side(nlp):
    pairs = list(zip(nlp.pipe(TEXTS, batch_size=3), nlp.pipe(TEXTS, batch_size=5)))
    assert len(pairs) == len(TEXTS)
    assert all(annotations(one) == annotations(other) for one, other in pairs)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of forks with threads
def test_processes_give_the_same(nlp):
    expected = [annotations(doc) for doc in nlp.pipe(TEXTS)]
    found = [annotations(doc) for doc in nlp.pipe(TEXTS, n_process=2, batch_size=5)]
    assert found == expected
