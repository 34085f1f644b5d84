"""Docs in streams: every one of them comes out once and in order, whatever fails or ends early, and
annotated as it is alone."""

import threading

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc
from tiny_pipelines import ENCODER, annotations, make_examples, make_nlp, train

from spacy_pretrained.runtime.doc_stream import AHEAD, batch_docs, work_ahead, work_in_turn

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
    vocab = spacy.blank("en").vocab
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
    assert not [t for t in threading.enumerate() if t.name.startswith("spacy-pretrained")]


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
    assert 1 <= len(failed) <= 3
    lost = {doc.text for doc in failed}
    assert found == [text for text in TEXTS if text not in lost]


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
