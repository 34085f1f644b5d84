"""Every token gets just the pieces it shares characters with; pooling and its adjoint."""

import itertools

import numpy as np
import pytest
import spacy
from hard_texts import HARD_TEXTS, random_texts
from numpy.testing import assert_allclose
from thinc.api import NumpyOps
from tiny_models import TOKENIZERS

from spacy_pretrained.checkpoints.wordpieces import Pieces, PieceTokenizer
from spacy_pretrained.windows.alignment import Alignment, Pooling, align
from spacy_pretrained.windows.doc_arrays import read_arrays

TEXTS = HARD_TEXTS + random_texts(200)
OPS = NumpyOps()


def spans(*pairs: tuple[int, int]) -> Pieces:
    starts, ends = np.array(pairs, dtype="int64").reshape(-1, 2).T
    return Pieces(np.arange(len(pairs)), starts, ends)


def align_pairs(tokens: list[tuple[int, int]], pieces: Pieces) -> list[tuple[int, int]]:
    starts, ends = np.array(tokens, dtype="int64").reshape(-1, 2).T
    found = align(starts, ends, pieces)
    return list(zip(found.first.tolist(), found.last.tolist()))


@pytest.mark.parametrize("kind", TOKENIZERS)
@pytest.mark.parametrize("language", ["en", "xx"])
def test_tokens_have_the_pieces_that_overlap_them(kind, language):
    nlp = spacy.blank(language)
    tokenizer = PieceTokenizer(TOKENIZERS[kind]().to_str())
    for text, pieces in zip(TEXTS, tokenizer.encode(TEXTS)):
        arrays = read_arrays([nlp.make_doc(text)])
        found = align(arrays.starts, arrays.ends, pieces)
        for i, (start, end) in enumerate(zip(arrays.starts, arrays.ends)):
            overlap = np.flatnonzero((pieces.starts < end) & (pieces.ends > start))
            expected = (overlap[0], overlap[-1]) if len(overlap) else (-1, -1)
            assert (found.first[i], found.last[i]) == expected, repr(text)


@pytest.mark.parametrize("kind", ["byte_bpe", "plain_byte_bpe", "unigram", "deberta", "xlnet"])
def test_tokenizers_that_drop_nothing_leave_no_word_without_pieces(kind):
    nlp = spacy.blank("en")
    tokenizer = PieceTokenizer(TOKENIZERS[kind]().to_str())
    for text, pieces in zip(TEXTS, tokenizer.encode(TEXTS)):
        arrays = read_arrays([nlp.make_doc(text)])
        found = align(arrays.starts, arrays.ends, pieces)
        assert (found.first >= 0)[~arrays.whitespace].all(), repr(text)


def test_one_piece_may_belong_to_several_tokens():
    assert align_pairs([(0, 1), (1, 3), (4, 5)], spans((0, 3), (4, 5))) == [(0, 0), (0, 0), (1, 1)]


def test_tokens_between_before_and_behind_pieces_have_none():
    tokens = [(0, 1), (2, 4), (4, 5), (5, 7), (9, 10)]
    assert align_pairs(tokens, spans((2, 4), (5, 6), (6, 7))) == [
        (-1, -1),
        (0, 0),
        (-1, -1),
        (1, 2),
        (-1, -1),
    ]


def test_empty_pieces_give_no_token_a_vector():
    assert align_pairs([(0, 1), (1, 2)], spans((0, 1), (1, 1), (1, 1))) == [(0, 0), (-1, -1)]


def test_no_pieces_and_no_tokens():
    assert align_pairs([(0, 1), (1, 2)], spans()) == [(-1, -1), (-1, -1)]
    assert align_pairs([], spans((0, 1))) == []
    assert align_pairs([], spans()) == []


def test_reordered_pieces_are_all_found():
    # An accent that a normalizer moved: its piece comes before one of an earlier character.
    pieces = spans((0, 1), (3, 4), (1, 3), (4, 5))
    (word, behind) = align_pairs([(0, 4), (4, 5)], pieces)
    assert word == (0, 2) and behind == (3, 3)
    first, second = align_pairs([(0, 2), (2, 4)], pieces)
    assert first[0] == 0 and first[1] >= 2 and second[0] <= 1 and second[1] == 2


def random_pooling(seed: int) -> tuple[Pooling, Alignment, np.ndarray, np.ndarray]:
    """Tokens of up to four pieces, some without, some sharing; pieces spread over blocks."""
    rng = np.random.default_rng(seed)
    n_pieces, sizes = 40, [24, 8, 30]
    first = np.sort(rng.integers(n_pieces, size=30))
    last = np.minimum(first + rng.integers(0, 4, size=30), n_pieces - 1)
    without = rng.random(30) < 0.2
    alignment = Alignment(np.where(without, -1, first), np.where(without, -1, last))
    slots = rng.permutation(sum(sizes))[:n_pieces]  # the other places are padding
    block_starts = np.cumsum([0, *sizes])
    return Pooling(alignment, slots, block_starts), alignment, slots, block_starts


def pool_all(pooling: Pooling, vectors: np.ndarray, bounds: np.ndarray, n_tokens: int):
    out = np.zeros((n_tokens, vectors.shape[1]), dtype="float32")
    for block, (low, high) in enumerate(itertools.pairwise(bounds)):
        pooling.pool(OPS, block, vectors[low:high], out)
    return out


def unpool_all(pooling: Pooling, d_out: np.ndarray, bounds: np.ndarray):
    d_vectors = np.zeros((bounds[-1], d_out.shape[1]), dtype="float32")
    for block, (low, high) in enumerate(itertools.pairwise(bounds)):
        pooling.unpool(OPS, block, d_out, d_vectors[low:high])
    return d_vectors


@pytest.mark.parametrize("seed", range(10))
def test_a_token_is_the_mean_of_its_first_and_last_piece(seed):
    pooling, alignment, slots, bounds = random_pooling(seed)
    vectors = np.random.default_rng(seed).normal(size=(bounds[-1], 5)).astype("float32")
    out = pool_all(pooling, vectors, bounds, 30)
    for i, (first, last) in enumerate(zip(alignment.first, alignment.last)):
        expected = (vectors[slots[first]] + vectors[slots[last]]) / 2 if first >= 0 else 0
        assert_allclose(out[i], expected, atol=1e-6)


@pytest.mark.parametrize("seed", range(10))
def test_unpool_is_the_adjoint_of_pool(seed):
    pooling, _, _, bounds = random_pooling(seed)
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(bounds[-1], 5)).astype("float32")
    y = rng.normal(size=(30, 5)).astype("float32")
    left = (pool_all(pooling, x, bounds, 30) * y).sum()
    right = (x * unpool_all(pooling, y, bounds)).sum()
    assert_allclose(left, right, rtol=1e-5)


def test_gradients_of_tokens_that_share_a_piece_add_up():
    alignment = Alignment(np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1]))
    pooling = Pooling(alignment, np.array([0, 1]), np.array([0, 2]))
    d_vectors = unpool_all(pooling, np.array([[1.0], [10.0], [100.0], [1000.0]], "float32"), [0, 2])
    assert d_vectors.ravel().tolist() == [1 + 10 + 50, 50 + 1000]
