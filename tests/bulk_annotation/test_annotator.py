"""annotator.py: each text comes out once, whatever fails, and others are as they would be alone."""

import logging

import numpy as np
import pytest
import spacy
from hard_texts import HARD_TEXTS
from spacy.language import Language
from spacy.tokens import Doc
from tiny_pipelines import annotations

from spacy_pretrained.bulk_annotation.annotator import Annotator, cut_text, make_doc
from spacy_pretrained.bulk_annotation.items import Failure, Item
from spacy_pretrained.records import TRUNCATED

FAILING = ["RAISE", "\ud800 half a pair", "x" * 200]


@pytest.fixture
def annotator(pipeline) -> Annotator:
    return Annotator(spacy.load(pipeline), max_characters=150)


def as_items(texts: list[str]) -> list[Item]:
    return [Item(number=number, text=text) for number, text in enumerate(texts)]


def by_number(found) -> dict:
    found = list(found)
    numbers = {item.number: one for item, one in found}
    assert len(numbers) == len(found)
    return numbers


@pytest.mark.parametrize("seed", range(4))
def test_every_text_comes_out_once(annotator, seed):
    rng = np.random.default_rng(seed)
    fine = [f"Ada sees river {i}. " for i in range(300)]
    texts = [str(rng.choice(FAILING)) if rng.random() < 0.1 else text for text in fine]
    found = by_number(annotator.annotate(as_items(texts)))
    assert sorted(found) == list(range(len(texts)))
    for number, text in enumerate(texts):
        if text in FAILING:
            assert found[number].status == "failed"
        else:
            assert found[number].text == text and found[number].ents[0].label_ == "PER"


def test_reasons(annotator):
    found = by_number(annotator.annotate([*as_items(FAILING), Item(number=3, error="No JSON.")]))
    raised, half, long, unread = (found[number].reason for number in range(4))
    assert raised == "Component 'obedient' failed: KeyError: 'as it was told'"
    assert half.startswith("Character 0 of the text is U+D800, half of a surrogate pair")
    assert long == "The text has 200 characters, and the limit is 150 (--max-characters)."
    assert unread == "No JSON."


@Language.factory("all_or_nothing")
class AllOrNothing:
    """As spaCy's own components are: one text fails, and its batch with it."""

    def __init__(self, nlp, name):
        self.error_handler = None

    def set_error_handler(self, handler):
        self.error_handler = handler

    def __call__(self, doc):
        if "RAISE" in doc.text:
            raise ValueError("no")
        return doc

    def pipe(self, stream, batch_size):
        for docs in spacy.util.minibatch(stream, batch_size):
            try:
                docs = [self(doc) for doc in docs]
            except ValueError as error:
                self.error_handler("all_or_nothing", self, docs, error)
            else:
                yield from docs


@Language.factory("breaks_the_stream")
class BreaksTheStream(AllOrNothing):
    """Its errors go to no handler."""

    def pipe(self, stream, batch_size):
        for doc in stream:
            yield self(doc)


@pytest.mark.parametrize("name", ["all_or_nothing", "breaks_the_stream"])
@pytest.mark.parametrize("places", [[], [0], [99], [3, 4, 50], range(100)])
def test_a_failed_batch_does_not_take_others_along(name, places):
    nlp = spacy.blank("en", config={"nlp": {"batch_size": 16}})
    nlp.add_pipe("sentencizer")
    nlp.add_pipe(name)
    texts = ["RAISE" if i in places else f"text {i}" for i in range(100)]
    found = by_number(Annotator(nlp).annotate(as_items(texts)))
    assert sorted(found) == list(range(100))
    assert {n for n, one in found.items() if isinstance(one, Failure)} == set(places)
    assert all(found[n].text == texts[n] for n in range(100) if n not in places)


def test_an_error_of_where_texts_come_from_is_none_of_theirs(annotator):
    def broken():
        yield from as_items(["Ada"])
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        list(annotator.annotate(broken()))


@pytest.mark.slow
def test_a_quantized_pipeline(int8_pipeline):
    """Streams, zones of memory, and batches with a text that fails: the same annotation."""
    texts = [*filter(None, HARD_TEXTS), "Ada sees the old river. " * 3] * 2
    docs = spacy.load(int8_pipeline).pipe(texts)
    expected = [annotations(doc)[: len(doc)] for doc in docs]  # of tokens: labels, and no scores
    nlp = spacy.load(int8_pipeline)
    nlp.add_pipe("all_or_nothing")
    annotator = Annotator(nlp)
    annotator.warm_up()
    for _ in range(3):
        with nlp.memory_zone():
            items = [*as_items(texts), Item(number=len(texts), text="RAISE")]
            found = by_number(annotator.annotate(items))
            assert isinstance(found.pop(len(texts)), Failure)
            labels = [annotations(found[n])[: len(found[n])] for n in range(len(texts))]
        assert labels == expected


# Long texts


@pytest.mark.parametrize(("on_long", "status"), [("skip", "skipped"), ("error", "failed")])
def test_long_texts(pipeline, on_long, status):
    annotator = Annotator(spacy.load(pipeline), max_characters=10, on_long=on_long)
    found = by_number(annotator.annotate(as_items(["Ada", "Ada sees ri", "x" * 10])))
    assert found[1].status == status
    assert found[0].text == "Ada" and found[2].text == "x" * 10


def test_cut_texts_say_so(pipeline):
    annotator = Annotator(spacy.load(pipeline), max_characters=10, on_long="cut")
    items = as_items(["Ada sees a river", "Ada", "x" * 30])
    items.append(Item(number=3, words=["Ada", "sees", "rivers"], spaces=[True, True, False]))
    items.append(Item(number=4, sentences=["Ada.", "Yes.", "No!"]))
    items.append(Item(number=5, words=["Ada", "sees", "rivers"], spaces=None))
    found = by_number(annotator.annotate(items))
    texts = {number: doc.text for number, doc in found.items()}
    assert texts == {
        0: "Ada sees a",
        1: "Ada",
        2: "x" * 10,
        3: "Ada sees ",
        4: "Ada. Yes. ",
        5: "Ada sees ",
    }
    cut = {number for number, doc in found.items() if doc.user_data.get(TRUNCATED)}
    assert cut == {0, 2, 3, 4, 5}


@pytest.mark.slow
def test_a_limit_above_that_of_spacy(pipeline):
    annotator = Annotator(spacy.load(pipeline), max_characters=2_000_000)
    (_, doc), *_ = annotator.annotate([Item(text="a " * 600_000)])
    assert len(doc) == 600_000


@pytest.mark.parametrize("text", [*HARD_TEXTS, "one two  three"])
def test_cutting(text):
    for limit in range(1, len(text) + 1):
        part = cut_text(text, limit)
        assert part and len(part) <= limit and text.startswith(part)
        is_whole_words = text[: len(part)].split() == text.split()[: len(part.split())]
        assert is_whole_words or not part.strip() or len(part.split()) == 1


def test_docs_of_sentences_and_of_tokens():
    nlp = spacy.blank("xx")
    doc = make_doc(nlp, Item(sentences=["One. Two.", "Three"]))
    assert [sentence.text for sentence in doc.sents] == ["One. Two.", "Three"]
    doc = make_doc(nlp, Item(words=["A", "da"], spaces=[False, True]))
    assert isinstance(doc, Doc) and [token.text_with_ws for token in doc] == ["A", "da "]
    assert make_doc(nlp, Item(words=["A"], spaces=None)).has_unknown_spaces


def test_no_warnings_of_handled_errors(annotator, caplog):
    with caplog.at_level(logging.WARNING):
        list(annotator.annotate(as_items(["RAISE", "Ada"])))
    assert not caplog.records
