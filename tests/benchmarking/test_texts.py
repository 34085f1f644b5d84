"""Texts to measure on: as long as they should be, and one sentence each."""

import pytest
import spacy

from spacy_pretrained.benchmarking.texts import SENTENCES, count_texts, make_texts


@pytest.mark.parametrize("words", [1, 16, 64, 256])
def test_texts_have_as_many_tokens_as_they_should(words):
    texts = make_texts(words, 5)
    nlp = spacy.blank("xx")
    assert len(texts) == 5 and len(set(texts)) == 5
    assert all(len(nlp.make_doc(text)) == words for text in texts)
    assert texts == make_texts(words, 5) != make_texts(words, 5, seed=1)


def test_a_text_is_one_sentence():
    assert not any(character in sentence for sentence in SENTENCES for character in ".!?;:")


def test_texts_of_a_batch():
    assert [count_texts(16, 1500), count_texts(256, 1500), count_texts(256, 100)] == [94, 6, 1]
