"""Words that are learnt outside of memory zones are known inside of them, and are not many."""

from unittest.mock import patch

import pytest
import spacy
from spacy.tokens import Doc

from spacy_pretrained.runtime import word_cache
from spacy_pretrained.runtime.word_cache import WordCache

# Without special cases, such as "Ada's": spaCy keeps no words that have one in them.
TEXTS = ["Ada (old) has a river-boat.", "Zoë sees www.example.org/x, sleeps!"]


class Counted:
    """Counts the words that a tokenizer takes apart: it looks for a prefix in each."""

    def __init__(self, nlp):
        self.n = 0
        self.find = nlp.tokenizer.prefix_search
        nlp.tokenizer.prefix_search = self

    def __call__(self, text):
        self.n += 1
        return self.find(text)


@pytest.fixture
def nlp():
    return spacy.blank("en")


def count_taken_apart(nlp, texts):
    counted = Counted(nlp)  # which empties the cache
    words = WordCache(nlp)
    words.learn(texts)
    before = counted.n
    with nlp.memory_zone():
        found = [[token.text for token in nlp.make_doc(text)] for text in TEXTS]
    return counted.n - before, found


def test_what_is_learnt_is_not_taken_apart_again(nlp):
    expected = [[token.text for token in nlp.make_doc(text)] for text in TEXTS]
    assert count_taken_apart(nlp, TEXTS) == (0, expected)
    n, found = count_taken_apart(nlp, TEXTS[:1])
    assert n and found == expected, "the words of the other one are not known"


def test_no_more_words_are_learnt_than_may_be(nlp, monkeypatch):
    monkeypatch.setattr(word_cache, "MOST_WORDS", 50)
    words, before = WordCache(nlp), len(nlp.vocab)
    for part in range(10):
        words.learn(f"word{part}x{i} and" for i in range(20))
    assert 50 <= len(nlp.vocab) - before <= 52


def test_long_texts_and_many_are_not_read_to_their_end(nlp):
    read = []

    def texts():
        for number in range(word_cache.MOST_TEXTS * 2):
            read.append(number)
            yield "word " * word_cache.MOST_CHARACTERS

    WordCache(nlp).learn(texts())
    assert len(read) == word_cache.MOST_TEXTS


def test_what_cannot_be_tokenized_is_passed_over(nlp):
    n, _ = count_taken_apart(nlp, ["\ud800", *TEXTS])
    assert not n


def test_a_tokenizer_of_ones_own_is_left_alone(nlp):
    class Whole:
        def __call__(self, text):
            raise AssertionError("called")

    with patch.object(nlp, "tokenizer", Whole()):
        WordCache(nlp).learn(TEXTS)
    assert isinstance(nlp.make_doc("x"), Doc)
