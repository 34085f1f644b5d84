"""What is read off a Doc agrees with what its tokens say, one by one."""

import numpy as np
import pytest
import spacy
from hard_texts import HARD_TEXTS, random_texts
from spacy.tokens import Doc

from spacy_pretrained.windows.doc_arrays import read_arrays


def test_columns_are_the_tokens_attributes():
    nlp = spacy.blank("en")
    for doc in nlp.pipe(HARD_TEXTS + random_texts(50)):
        arrays = read_arrays(doc)
        for i, token in enumerate(doc):
            assert arrays.starts[i] == token.idx
            assert doc.text[arrays.starts[i] : arrays.ends[i]] == token.text
            assert arrays.spaced[i] == bool(token.whitespace_)
            assert arrays.whitespace[i] == token.is_space
            assert arrays.newline[i] == (token.is_space and "\n" in token.text)
            assert arrays.shape[i] == token.shape
            case = 1 * token.is_title + 2 * token.is_upper + 4 * token.is_lower
            assert arrays.case[i] == case


@pytest.mark.parametrize("words", [[], ["a"], ["\n"]])
def test_short_docs(words):
    arrays = read_arrays(Doc(spacy.blank("en").vocab, words=words))
    for name, column in vars(arrays).items():
        assert column.shape == (len(words),), name
    assert arrays.sentence_like.all()


def sentence_starts(words: list[str], **settings) -> list[str]:
    doc = Doc(spacy.blank("en").vocab, words=words, **settings)
    return [words[i] for i in np.flatnonzero(read_arrays(doc).sentence_like)]


@pytest.mark.parametrize(
    "text, expected",
    [
        ("A b . C d ? E", "A C E"),
        ("A b . ” ) C d", "A C"),
        ("A ( b ) c", "A"),
        ("A b ! ! C", "A C"),
        ("A b … c", "A c"),
        ("北 。 京", "北 京"),
    ],
)
def test_sentences_seem_to_start_behind_final_punctuation(text, expected):
    assert sentence_starts(text.split()) == expected.split()


def test_sentences_seem_to_start_behind_line_breaks():
    assert sentence_starts(["A", "b", "\n\n", "C", "\t", "d"]) == ["A", "C"]


def test_known_sentence_starts_count():
    starts = [True, False, True, False]
    assert sentence_starts(["a", "b", "c", "d"], sent_starts=starts) == ["a", "c"]
