"""sentences.py: every word is in one batch, heads survive their renumbering, and no sentence is too
long."""

import numpy as np
import pytest

from spacy_pretrained.annotation import sentences
from spacy_pretrained.annotation.sentences import (
    SentenceBatch,
    batch_sentences,
    bound,
    find_next_word,
    find_open,
    first_tokens,
    heads_of_spaces,
    passed_over,
)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def bools(text: str) -> np.ndarray:
    """A "1" for True, anything else for False."""
    return np.array([character == "1" for character in text], dtype=bool)


def random_text(rng, n: int, p_start: float = 0.1):
    starts, words = rng.random(n) < p_start, rng.random(n) < 0.9
    starts[:1] = True
    return starts, words


# Where sentences start


def test_first_tokens():
    assert first_tokens([2, 0, 3, 0]).tolist() == [True, False, True, False, False]
    assert first_tokens([0, 0]).tolist() == first_tokens([]).tolist() == []


@pytest.mark.parametrize(
    "words, known, is_open",
    [
        ("1111", "0000", "0111"),  # the first token starts anyway
        ("1111", "0+-0", "0001"),  # what is known is kept
        ("0111", "0000", "0011"),  # no sentence of white space alone
        ("0011", "0000", "0001"),
        ("1011", "0000", "0011"),
        ("1011", "0+00", "0001"),  # white space that starts a sentence
        ("0000", "0000", "0000"),
        ("", "", ""),
    ],
)
def test_find_open(words, known, is_open):
    known = np.array([{"+": 1, "-": -1, "0": 0}[k] for k in known], dtype="int64")
    firsts = first_tokens([len(words)])
    assert find_open(known, firsts, bools(words)).tolist() == bools(is_open).tolist()


def test_find_open_in_each_doc():
    words, firsts = bools("0101"), first_tokens([2, 2])
    assert not find_open(np.zeros(4, dtype="int64"), firsts, words).any()


@pytest.mark.parametrize("longest", [1, 2, 5, 30])
def test_no_sentence_is_longer_than_allowed(rng, longest):
    starts, _ = random_text(rng, 200)
    scores = rng.normal(size=200)
    new = bound(starts, scores, longest)
    assert (new | ~starts).all()  # none is taken away
    lengths = np.diff(np.flatnonzero(np.append(new, True)))
    assert lengths.max() <= longest
    too_long = np.diff(np.flatnonzero(np.append(starts, True))) > longest
    assert new.sum() == starts.sum() or too_long.any()


def test_a_sentence_is_split_at_the_best_place():
    scores = np.array([9, 0, 3, 1, 2, 9, 0, 0, 7, 0.0])
    starts = bools("1000000000")
    assert np.flatnonzero(bound(starts, scores, 4)).tolist() == [0, 2, 5, 8]
    assert np.flatnonzero(bound(starts, scores, 9)).tolist() == [0, 5]
    assert np.flatnonzero(bound(starts, scores, 10)).tolist() == [0]
    # Where all are equal, as far right as may be, so that few pieces are made.
    assert np.flatnonzero(bound(starts, np.zeros(10), 4)).tolist() == [0, 4, 8]
    assert np.flatnonzero(bound(starts, np.full(10, -np.inf), 4)).tolist() == [0, 4, 8]


def test_passed_over(rng):
    assert passed_over(np.array([1, 4]), np.array([3, 4]), 6).tolist() == [0, 0, 1, 1, 0, 0]
    heads = rng.integers(30, size=30)
    expected = [any(min(i, h) < gap <= max(i, h) for i, h in enumerate(heads)) for gap in range(30)]
    assert passed_over(np.arange(30), heads, 30).tolist() == expected
    nothing = np.zeros(0, dtype="int64")
    assert passed_over(nothing, nothing, 0).tolist() == []


# Batches


@pytest.mark.parametrize("n", [0, 1, 5, 300])
def test_each_word_is_in_one_batch_with_its_sentence(rng, n):
    starts, words = random_text(rng, n)
    sentence = np.cumsum(starts)
    seen = []
    for batch in batch_sentences(starts, words):
        assert (np.flatnonzero(batch.is_word) == np.flatnonzero(batch.words >= 0)).all()
        assert batch.words[batch.is_word].tolist() == list(range(len(batch.rows)))
        for words_of_one, length in zip(batch.words, batch.lengths):
            assert (words_of_one[length:] == -1).all()
            rows = batch.rows[words_of_one[:length]]
            assert (np.diff(rows) > 0).all()
            assert len(set(sentence[rows])) == 1
            assert length == (words & (sentence == sentence[rows[0]])).sum()
        seen += batch.rows.tolist()
    assert sorted(seen) == np.flatnonzero(words).tolist()


def test_batches_are_small_and_hold_little_padding(rng, monkeypatch):
    monkeypatch.setattr(sentences, "MAX_ARCS", 400)
    monkeypatch.setattr(sentences, "MAX_WORDS", 50)
    starts, words = random_text(rng, 1000)
    sizes, lengths = [], []
    for batch in batch_sentences(starts, words):
        S, L = batch.words.shape
        assert S == 1 or (S * L * L <= 400 and S * L <= 50)
        assert batch.lengths.min() * 3 // 2 + 1 >= L
        sizes.append(S)
        lengths.append(L)
    assert max(sizes) > 1 and lengths == sorted(lengths)


def test_renumbered_heads(rng):
    starts, words = random_text(rng, 300)
    for batch in batch_sentences(starts, words):
        heads = []  # a random tree's are no different
        for words_of_one, length in zip(batch.words, batch.lengths):
            heads += rng.choice(np.append(words_of_one[:length], -1), size=length).tolist()
        heads = np.array(heads)
        heads[heads == np.arange(len(heads))] = -1
        assert (batch.from_rows(batch.to_rows(heads)) == heads).all()
        assert (batch.from_columns(batch.to_columns(heads)) == heads).all()
        rows = batch.to_rows(heads)
        assert (rows[heads < 0] == batch.rows[heads < 0]).all()
        assert words[rows].all()
        columns = np.zeros(batch.words.shape, dtype=int)
        columns[batch.is_word] = batch.to_columns(heads)
        for s, i in zip(*np.nonzero(batch.is_word)):
            head = heads[batch.words[s, i]]
            assert columns[s, i] == 0 if head < 0 else batch.words[s, columns[s, i] - 1] == head


def test_missing_heads_are_renumbered_to_anything_but_an_error():
    batch = SentenceBatch(rows=np.array([5, 3, 4]), words=np.array([[0, -1], [1, 2]]))
    assert set(batch.from_rows(np.array([-1, 99, 4]))) <= {-1, 0, 1, 2}


def test_which_scores_are_of_heads():
    batch = SentenceBatch(rows=np.arange(3), words=np.array([[0, 1], [2, -1]]))
    assert batch.is_head.tolist() == [
        [[True, False, True], [True, True, False]],
        [[True, False, False], [True, True, False]],
    ]


# White space


def test_find_next_word():
    assert find_next_word(bools("0100100")).tolist() == [1, 1, 4, 4, 4, 7, 7]
    assert find_next_word(bools("")).tolist() == []


@pytest.mark.parametrize(
    "starts, words, heads",
    [
        ("100", "101", [-1, 0, -1]),  # the token before it
        ("1000", "1001", [-1, 0, 1, -1]),
        ("1000", "0010", [2, 2, -1, 2]),  # at the beginning the first word
        ("1010", "1101", [-1, -1, 3, -1]),  # of the same sentence
        ("1010", "1000", [-1, 0, 2, 2]),  # a sentence of nothing else: its first token
        ("100", "000", [0, 0, 0]),
        ("", "", []),
    ],
)
def test_heads_of_spaces(starts, words, heads):
    assert heads_of_spaces(bools(starts), bools(words)).tolist() == heads


def test_heads_of_spaces_stay_in_the_sentence_and_make_trees(rng):
    starts, words = random_text(rng, 400, p_start=0.3)
    words &= rng.random(400) < 0.6
    heads, sentence = heads_of_spaces(starts, words), np.cumsum(starts)
    for i in np.flatnonzero(~words):
        assert sentence[heads[i]] == sentence[i]
        path = [i]
        while not words[path[-1]] and heads[path[-1]] != path[-1]:
            path.append(heads[path[-1]])
            assert len(path) < 100
        has_words = (words & (sentence == sentence[i])).any()
        assert words[path[-1]] == has_words
