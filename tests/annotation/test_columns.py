"""Columns of many Docs are those of each, end to end."""

import numpy as np
import spacy
from spacy.attrs import IS_SPACE, LENGTH, ORTH
from spacy.tokens import Doc

from spacy_pretrained.annotation.columns import read_columns
from spacy_pretrained.annotation.gold import is_space

VOCAB = spacy.blank("xx").vocab


def test_columns_are_the_tokens_attributes():
    docs = [Doc(VOCAB, words=words) for words in ([], ["a", "\n", "bc"], [], ["d"], [" "])]
    tokens = [token for doc in docs for token in doc]
    orth, space, lengths = read_columns(docs, [ORTH, IS_SPACE, LENGTH])
    assert orth.tolist() == [token.orth for token in tokens]
    assert lengths.tolist() == [len(token) for token in tokens]
    assert space.tolist() == is_space(*docs).tolist() == [token.is_space for token in tokens]
    assert np.array_equal(is_space(docs[1]), read_columns([docs[1]], [IS_SPACE])[0])


def test_no_docs():
    assert read_columns([], [ORTH, LENGTH]).shape == (2, 0)
    assert is_space().tolist() == []
