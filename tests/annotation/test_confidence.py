"""confidence.py: arrays of a Doc, read token by token and span by span."""

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span, Token

from spacy_pretrained.annotation import confidence


@pytest.fixture
def doc():
    doc = Doc(spacy.blank("en").vocab, words=["a", "b", "c"])
    confidence.register("x")
    confidence.store(doc, "x", np.array([0.25, 1.0, 0.5], dtype="float32"))
    return doc


def test_each_token_has_its_own(doc):
    assert [token._.x_confidence for token in doc] == [0.25, 1.0, 0.5]
    assert all(type(token._.x_confidence) is float for token in doc)
    assert [token._.x_confidence for token in doc[1:]] == [1.0, 0.5]


def test_nothing_predicted(doc):
    other = Doc(doc.vocab, words=["a"])
    assert other[0]._.x_confidence is None
    with pytest.raises(AttributeError):
        _ = other[0]._.never_registered_confidence


def test_registering_again_keeps_what_is_stored(doc):
    confidence.register("x")
    assert doc[0]._.x_confidence == 0.25
    assert Token.has_extension("x_confidence")


def test_kinds_are_apart(doc):
    confidence.register("y")
    confidence.store(doc, "y", np.ones(3))
    assert (doc[0]._.x_confidence, doc[0]._.y_confidence) == (0.25, 1.0)


def test_stored_with_the_doc(doc):
    copies = [doc.copy(), Doc(doc.vocab).from_bytes(doc.to_bytes())]
    copies += DocBin(store_user_data=True, docs=[doc]).get_docs(doc.vocab)
    for copy in copies:
        assert [token._.x_confidence for token in copy] == [0.25, 1.0, 0.5]
    (without,) = DocBin(docs=[doc]).get_docs(doc.vocab)
    assert without[0]._.x_confidence is None


def test_tokens_that_are_merged_or_split(doc):
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[0:2])
    assert [token._.x_confidence for token in doc] == [None, 0.5]
    with doc.retokenize() as retokenizer:
        retokenizer.split(doc[0], ["a ", "b"], heads=[doc[0], doc[0]])
    assert [token._.x_confidence for token in doc] == [None, 1.0, 0.5]


def test_tokens_of_which_nothing_was_said(doc):
    confidence.store(doc, "x", np.array([0.25, np.nan, 0.5]))
    assert [token._.x_confidence for token in doc] == [0.25, None, 0.5]


# Spans


@pytest.fixture
def spans():
    """A Doc of predicted spans, and a function that makes a span of it."""
    doc = Doc(spacy.blank("en").vocab, words=["aa", "b", "ccc", "d"], spaces=[True, False] * 2)
    confidence.register_spans()
    store(doc, [(0, 2, "X", 0.25), (2, 3, "Y", 0.5)])
    return doc


def store(doc: Doc, rows: list[tuple]) -> None:
    starts, ends, names, probabilities = map(list, zip(*rows)) if rows else ([], [], [], [])
    labels = np.array([doc.vocab.strings.add(name) for name in names], dtype="uint64")
    starts, ends = (np.array(column, dtype="int64") for column in (starts, ends))
    confidence.store_spans(doc, starts, ends, labels, np.array(probabilities, dtype="float32"))


def confidence_of(doc: Doc, start: int, end: int, label: str) -> float | None:
    return Span(doc, start, end, label=label)._.confidence


def test_a_span_again_is_stored_once(spans):
    store(spans, [(2, 3, "Y", 0.75), (3, 4, "Y", 0.5)])
    assert confidence_of(spans, 2, 3, "Y") == 0.75
    assert confidence_of(spans, 0, 2, "X") == 0.25
    assert len(spans.user_data[confidence.SPANS]["start"]) == 3


def test_each_span_has_its_own(spans):
    assert confidence_of(spans, 0, 2, "X") == 0.25
    assert confidence_of(spans, 2, 3, "Y") == 0.5
    assert type(confidence_of(spans, 2, 3, "Y")) is float
    spans.ents = [Span(spans, 0, 2, label="X")]
    assert spans.ents[0]._.confidence == 0.25
    spans.spans["sc"] = [Span(spans, 2, 3, label="Y", kb_id="Q1")]
    assert spans.spans["sc"][0]._.confidence == 0.5


def test_spans_that_nothing_predicted(spans):
    for start, end, label in [(0, 2, "Y"), (0, 1, "X"), (1, 2, "X"), (0, 3, "X"), (3, 4, "X")]:
        assert confidence_of(spans, start, end, label) is None
    assert spans[0:2]._.confidence is None and spans[:]._.confidence is None
    assert Doc(spans.vocab, words=["a"])[:]._.confidence is None
    other = Doc(spans.vocab, words=["a"])
    store(other, [])
    assert other[:]._.confidence is None
    empty = Doc(spans.vocab)
    store(empty, [])
    assert empty[:]._.confidence is None


def test_spans_of_two_components(spans):
    """In any order, at the same place; of the same span the last word counts."""
    store(spans, [(3, 4, "Z", 0.75), (0, 2, "Z", 0.125), (2, 3, "Y", 1.0)])
    assert confidence_of(spans, 0, 2, "X") == 0.25
    assert confidence_of(spans, 0, 2, "Z") == 0.125
    assert confidence_of(spans, 2, 3, "Y") == 1.0
    assert confidence_of(spans, 3, 4, "Z") == 0.75


def test_spans_stored_with_the_doc(spans):
    copies = [spans.copy(), Doc(spans.vocab).from_bytes(spans.to_bytes())]
    copies += (
        DocBin()
        .from_bytes(DocBin(store_user_data=True, docs=[spans]).to_bytes())
        .get_docs(spans.vocab)
    )
    for copy in copies:
        assert confidence_of(copy, 0, 2, "X") == 0.25
        assert confidence_of(copy, 2, 3, "Y") == 0.5
        store(copy, [(3, 4, "Z", 0.75)])  # what was read may be written to
        assert confidence_of(copy, 3, 4, "Z") == 0.75
    assert confidence_of(spans, 3, 4, "Z") is None
    (without,) = DocBin(docs=[spans]).get_docs(spans.vocab)
    assert confidence_of(without, 0, 2, "X") is None


def test_spans_whose_tokens_are_merged_or_split(spans):
    with spans.retokenize() as retokenizer:
        retokenizer.merge(spans[0:2])
        retokenizer.split(spans[2], ["c", "cc"], heads=[spans[2], spans[2]])
    assert len(spans) == 4
    assert confidence_of(spans, 0, 1, "X") == 0.25
    assert confidence_of(spans, 1, 3, "Y") == 0.5
    assert confidence_of(spans, 0, 2, "X") is confidence_of(spans, 2, 3, "Y") is None
