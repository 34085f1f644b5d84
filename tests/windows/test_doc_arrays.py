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
        arrays = read_arrays([doc])
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
    arrays = read_arrays([Doc(spacy.blank("en").vocab, words=words)])
    for name, column in vars(arrays).items():
        assert column.shape == (2 if name == "bounds" else len(words),), name
    assert arrays.sentence_like.all()


def test_many_docs_are_read_as_each_alone():
    nlp, other = spacy.blank("en"), spacy.blank("en")
    docs = [nlp.make_doc(text) for text in ["", *HARD_TEXTS, "", *random_texts(50), ") b", "\n"]]
    docs += [other.make_doc("new\n\n \n words"), Doc(nlp.vocab, words=list("a.)b"))]
    docs += [Doc(nlp.vocab, words=list("a."), sent_starts=[False, True]), nlp.make_doc("")]
    for doc, arrays in zip(docs, read_arrays(docs).by_doc(), strict=True):
        for name, column in vars(read_arrays([doc])).items():
            assert np.array_equal(column, getattr(arrays, name)), (name, doc.text)


def test_no_docs():
    assert read_arrays([]).by_doc() == []
    assert all(len(column) == (name == "bounds") for name, column in vars(read_arrays([])).items())


def sentence_starts(words: list[str], **settings) -> list[str]:
    doc = Doc(spacy.blank("en").vocab, words=words, **settings)
    return [words[i] for i in np.flatnonzero(read_arrays([doc]).sentence_like)]


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
