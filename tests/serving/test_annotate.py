"""Batches become records: the same as the pipeline says of each text, and one bad text costs no
other its annotation."""

import gc
import logging
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import count

import pytest
import spacy
from hard_texts import HARD_TEXTS
from serving_client import find_pipeline
from spacy.language import Language
from spacy.tokens import Doc

from spacy_pretrained.records import PARTS, to_record
from spacy_pretrained.runtime import doc_stream, word_cache
from spacy_pretrained.serving import annotate
from spacy_pretrained.serving.annotate import (
    ANNOTATION,
    MAX_TEXTS,
    Annotated,
    Failed,
    annotate_stream,
)
from spacy_pretrained.serving.pipelines import Served, load_pipelines
from spacy_pretrained.serving.settings import Settings

SECRET = "a secret word"


@pytest.fixture(autouse=True)
def log(caplog, monkeypatch):
    """What this folder writes, as its own log would."""
    monkeypatch.setattr(logging.getLogger("spacy_pretrained.serving"), "propagate", True)
    return caplog


@dataclass(frozen=True)
class Text:
    asked: tuple


def annotate_batches(served, batches, labels=None):
    """The outcomes of each batch, in as many streams as it takes."""
    batches = [[Text(one) for one in batch] for batch in batches]
    waiting, found = deque(batches), {}
    while waiting:
        more = partial(next_of, waiting)
        for batch, outcomes in annotate_stream(served, labels, waiting.popleft(), more):
            found[id(batch)] = outcomes
    return [found.pop(id(batch)) for batch in batches]


def next_of(waiting, full):
    least = MAX_TEXTS if full else 1
    return waiting.popleft() if waiting and sum(map(len, waiting)) >= least else []


def annotate_batch(served, asked, labels):
    (outcomes,) = annotate_batches(served, [asked], labels)
    return outcomes


def flatten(value):
    """Numbers of a record to the digits that do not depend on the batch."""
    if isinstance(value, dict):
        return {key: flatten(item) for key, item in value.items()}
    if isinstance(value, list):
        return [flatten(item) for item in value]
    return pytest.approx(value, abs=1e-3) if isinstance(value, float) else value


def test_records_are_those_of_the_pipeline(syntax):
    expected = [to_record(syntax.nlp(text)) for text in HARD_TEXTS]
    for _ in range(3):  # zone after zone
        outcomes = annotate_batch(syntax, [(text, PARTS) for text in HARD_TEXTS], None)
        assert [one.record for one in outcomes] == flatten(expected)
        alone = [annotate_batch(syntax, [(text, PARTS)], None)[0] for text in HARD_TEXTS]
        assert [one.record for one in alone] == flatten(expected)
    assert [one.n_words for one in outcomes] == [len(one["tokens"]) for one in expected]


def test_each_text_has_the_parts_that_it_was_asked_for(syntax):
    outcomes = annotate_batch(syntax, [("Ada.", ("ents",)), ("Ada.", ("sents", "tokens"))], None)
    assert [set(one.record) for one in outcomes] == [
        {"text", "ents", "truncated"},
        {"text", "sents", "tokens", "truncated"},
    ]


def test_labels_are_those_of_the_batch(zero_shot):
    asked = [("Dogs bark.", ("cats",))] * 3
    for labels in (("x", "y"), None, ("rivers", "robots", "z")):
        for n in (1, 3):
            for one in annotate_batch(zero_shot, asked[:n], labels):
                found = tuple(cat["label"] for cat in one.record["cats"])
                assert found == (labels or zero_shot.nlp.get_pipe("zero_shot_textcat").labels)


@Language.component("fails_at_secrets")
def fail_at_secrets(doc):
    if SECRET in doc.text:
        raise ValueError(f"Cannot do {doc.text}")
    return doc


@pytest.mark.parametrize("place", [0, 3, 7])
def test_a_failed_batch_is_tried_one_by_one(log, place):
    nlp = spacy.load(find_pipeline("syntax_int8"))
    nlp.add_pipe("fails_at_secrets", last=True)
    served = Served("a", nlp, "")
    asked = [(f"Ada sees {i} rivers.", ("tokens",)) for i in range(8)]
    asked[place] = (f"This is {SECRET}.", ("tokens",))
    for _ in range(5):
        outcomes = annotate_batch(served, asked, None)
        for i, ((text, _), one) in enumerate(zip(asked, outcomes, strict=True)):
            if i == place:
                assert isinstance(one, Failed) and one.code == ANNOTATION
            else:
                assert one.record["text"] == text
    assert "ValueError at test_annotate.py" in log.text
    assert SECRET not in log.text


def fail_before(nlp):
    nlp.add_pipe("fails_at_secrets", first=True)


def fail_in_the_engine(nlp):
    encoder = nlp.get_pipe("pretrained_encoder")
    predict = encoder.predict
    encoder.predict = lambda docs: predict([fail_at_secrets(doc) for doc in docs])


def fail_behind(nlp):
    nlp.add_pipe("fails_at_secrets", last=True)


@pytest.mark.parametrize("fail", [fail_before, fail_in_the_engine, fail_behind])
def test_docs_of_a_failed_batch_do_not_wait_for_the_garbage_collector(fail):
    nlp = spacy.load(find_pipeline("syntax_int8"))
    fail(nlp)
    asked = [(text, ("tokens",)) for text in ("Ada sees it.", SECRET, "Rivers run.")]
    gc.collect()
    gc.disable()
    try:
        before = count_docs()
        outcomes = annotate_batch(Served("a", nlp, ""), asked, None)
        assert count_docs() == before
    finally:
        gc.enable()
    assert [isinstance(one, Failed) for one in outcomes] == [False, True, False]


def count_docs():
    return sum(type(one) is Doc for one in gc.get_objects())


def test_docs_that_an_error_handler_leaves_out_are_not_lost():
    nlp = spacy.blank("xx")
    nlp.add_pipe("fails_at_secrets")
    nlp.set_error_handler(lambda name, pipe, docs, error: None)
    asked = [(text, ("tokens",)) for text in ("x", SECRET, "y")]
    outcomes = annotate_batch(Served("a", nlp, ""), asked, None)
    assert [one.record["text"] for one in outcomes] == ["x", SECRET, "y"]


def test_batches_of_a_stream(syntax):
    """Some of them are of one text, or of none that is long."""
    sizes = [2, 1, 70, 1, 5]
    texts = [f"Ada sees {i} rivers." for i in range(sum(sizes))]
    asked = [(text, PARTS) for text in texts]
    batches = [asked[sum(sizes[:i]) : sum(sizes[: i + 1])] for i in range(len(sizes))]
    found = annotate_batches(syntax, batches)
    assert [len(outcomes) for outcomes in found] == sizes
    outcomes = [one for of_batch in found for one in of_batch]
    assert [one.record["text"] for one in outcomes] == texts
    expected = [to_record(doc) for doc in syntax.nlp.pipe(texts)]
    assert [one.record for one in outcomes] == flatten(expected)


def test_batches_are_asked_for_while_others_are_annotated(syntax):
    """The engine has one, components have another."""
    events, numbers = [], count()

    def more(full):
        events.append("full" if full else "any")
        return make_batch(next(numbers)) if len(events) < 8 else []

    def make_batch(number):
        return [Text((f"Ada sees {number} {i} rivers.", ("tokens",))) for i in range(MAX_TEXTS)]

    for _ in annotate_stream(syntax, None, make_batch(-1), more):
        events.append("done")
    assert events[:4] == ["any", "full", "done", "full"], "a third one only if it is full"
    assert events.count("done") == 1 + next(numbers)


def test_what_has_come_while_a_batch_was_annotated_follows_however_little_it_is(syntax):
    batches = [[Text((f"Ada {n} {i}.", ("tokens",))) for i in range(n)] for n in (5, 3, 2, 1)]
    waiting = deque(batches)
    stream = annotate_stream(syntax, None, waiting.popleft(), partial(next_of, waiting))
    assert [len(batch) for batch, _ in stream] == [5, 3, 2, 1]


@pytest.mark.parametrize("place", [0, 7, 12])
def test_a_text_that_fails_costs_no_other_batch_its_outcomes(log, place):
    nlp = spacy.load(find_pipeline("syntax_int8"))
    nlp.add_pipe("fails_at_secrets", last=True)
    asked = [(f"Ada sees {i} rivers.", ("tokens",)) for i in range(13)]
    asked[place] = (f"This is {SECRET}.", ("tokens",))
    found = annotate_batches(Served("a", nlp, ""), [asked[:5], asked[5:10], asked[10:]])
    outcomes = [one for of_batch in found for one in of_batch]
    assert [isinstance(one, Annotated) for one in outcomes] == [i != place for i in range(13)]
    assert [one.record["text"] for one in outcomes if isinstance(one, Annotated)] == [
        text for i, (text, _) in enumerate(asked) if i != place
    ]


def test_components_before_the_engine_never_have_two_batches_at_once():
    nlp = spacy.load(find_pipeline("syntax_int8"))
    threads = []

    @Language.component("notes_its_thread")
    def note_thread(doc):
        threads.append(threading.get_ident())
        return doc

    nlp.add_pipe("notes_its_thread", first=True)
    asked = [[(f"Ada {n} {i}.", ("tokens",)) for i in range(MAX_TEXTS)] for n in range(4)]
    annotate_batches(Served("a", nlp, ""), asked)
    assert threads == [threading.get_ident()] * 4 * MAX_TEXTS


def test_only_threads_of_the_stream_itself_are_started(monkeypatch):
    """Not those of the encoder, too: they cost a batch of a few texts more than they gain."""
    pools = []

    class Pool(ThreadPoolExecutor):
        def __init__(self, workers, prefix):
            pools.append(prefix)
            super().__init__(workers, prefix)

    path = str(find_pipeline("syntax_int8"))
    (served,) = load_pipelines(Settings(pipelines=(("", path),)))
    for module in (annotate, doc_stream):
        monkeypatch.setattr(module, "ThreadPoolExecutor", Pool)
    annotate_batches(served, [[(f"Ada {n} {i}.", ("tokens",)) for i in range(9)] for n in range(3)])
    assert pools == ["engine"]


def test_no_text_is_lost_where_no_thread_can_be_started(syntax, monkeypatch):
    """Nor is it the fault of the batch that is annotated meanwhile."""
    submit = ThreadPoolExecutor.submit
    numbers = count()

    def refuse_second(self, *args):
        if self._thread_name_prefix == "engine" and next(numbers) == 1:
            raise RuntimeError("can't start new thread")
        return submit(self, *args)

    monkeypatch.setattr(ThreadPoolExecutor, "submit", refuse_second)
    asked = [[(f"Ada {n} {i}.", ("tokens",)) for i in range(5)] for n in range(3)]
    found = annotate_batches(syntax, asked)
    assert [[one.record["text"] for one in outcomes] for outcomes in found] == [
        [text for text, _ in batch] for batch in asked
    ]


@Language.component("makes_another")
def make_another(doc):
    return doc.copy()


def test_docs_that_a_component_makes_anew_are_not_lost():
    nlp = spacy.blank("xx")
    nlp.add_pipe("makes_another")
    asked = [(text, ("tokens",)) for text in ("x", "y")]
    outcomes = annotate_batch(Served("a", nlp, ""), asked, None)
    assert [one.record["text"] for one in outcomes] == ["x", "y"]


def test_strings_of_texts_do_not_stay_but_for_those_of_the_first_words(syntax, monkeypatch):
    """What the zone is for; and what makes the tokenizer fast."""
    monkeypatch.setattr(word_cache, "MOST_WORDS", 20)
    served, strings = Served("a", syntax.nlp, ""), syntax.nlp.vocab.strings
    annotate_batch(served, [("Zyxwvutsr sees it.", PARTS), ("Qponmlkji.", PARTS)], None)
    assert "Zyxwvutsr" in strings
    for i in range(40):
        if i == 20:
            n = len(strings)
        annotate_batch(served, [(f"Zyxw{i}vutsr sees it.", PARTS), (f"Qpon{i}mlkji.", PARTS)], None)
    assert len(strings) == n
    assert "Zyxw1vutsr" in strings and "Zyxw30vutsr" not in strings
