"""confidence.py: one array a Doc, read token by token."""

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc, DocBin, Token

from spacy_pretrained import confidence


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
