"""Masking: the shares of BERT, whole words, and nothing that is special."""

import numpy as np
import pytest
from tiny_models import KINDS, TOKENIZERS

from spacy_pretrained.adapting.masking import IGNORED, Vocabulary, mask
from spacy_pretrained.adapting.words import number_words
from spacy_pretrained.checkpoints.wordpieces import PieceTokenizer

MASK = 1
VOCABULARY = Vocabulary(MASK, np.arange(10, 1000))
N = 100_000


def test_the_shares():
    ids = np.full(N, 5)
    read, labels = mask(ids, np.arange(N), VOCABULARY, np.random.default_rng(0))
    chosen = labels != IGNORED
    # Four standard deviations of a share of N, or of the chosen ones.
    assert chosen.mean() == pytest.approx(0.15, abs=4 * (0.15 * 0.85 / N) ** 0.5)
    n = chosen.sum()
    for share, found in (
        (0.8, (read == MASK)[chosen]),
        (0.1, (read >= 10)[chosen]),
        (0.1, (read == 5)[chosen]),
    ):
        assert found.mean() == pytest.approx(share, abs=4 * (share * (1 - share) / n) ** 0.5)
    assert (read[~chosen] == 5).all() and (labels[chosen] == 5).all()
    assert len(set(read[(read >= 10) & chosen])) > 500  # any ordinary piece


def test_nothing_special_is_chosen():
    units = np.where(np.arange(N) % 2, -1, np.arange(N))
    _, labels = mask(np.full(N, 5), units, VOCABULARY, np.random.default_rng(0))
    assert (labels[units == -1] == IGNORED).all() and (labels != IGNORED).any()


@pytest.mark.parametrize("seed", range(20))
def test_a_short_block_has_one_to_predict(seed):
    units = np.array([-1, 0, 0, 1, -1])
    _, labels = mask(np.full(5, 5), units, VOCABULARY, np.random.default_rng(seed))
    assert (labels != IGNORED).any()


def test_a_block_without_pieces_has_none():
    _, labels = mask(np.full(3, 5), np.full(3, -1), VOCABULARY, np.random.default_rng(0))
    assert (labels == IGNORED).all()


def test_a_word_is_chosen_as_a_whole():
    units = np.repeat(np.arange(N // 4), 4)
    _, labels = mask(np.full(N, 5), units, VOCABULARY, np.random.default_rng(0))
    chosen = (labels != IGNORED).reshape(-1, 4)
    assert (chosen.all(axis=1) | ~chosen.any(axis=1)).all()
    assert chosen.mean() == pytest.approx(0.15, abs=4 * (0.15 * 0.85 / (N / 4)) ** 0.5)


TEXT = "Zürich isn't unbelievable, 1999 café!  他们在 e-mail"
WORDS = ["Zürich", "isn", "'", "t", "unbelievable", ",", "1999", "café", "!"]
WORDS += ["他", "们", "在", "e", "-", "mail"]


@pytest.mark.parametrize("family", sorted({family for family, _, _ in KINDS.values()}))
def test_words_by_offsets(family):
    """No word is split, however a tokenizer cuts it, and none goes beyond a space. A piece of a
    byte-level one may have two words in it, such as "'t"."""
    tokenizer = PieceTokenizer(TOKENIZERS[family]().to_str())
    (pieces,) = tokenizer.encode([TEXT])
    numbers = number_words(TEXT, pieces)
    found = {}
    for number, start, end in zip(numbers, pieces.starts, pieces.ends):
        first, last = found.get(number, (start, end))
        found[number] = min(first, start), max(last, end)
    spelled = [TEXT[start:end].strip() for start, end in found.values()]
    assert not any(set(word) & set(" \n") for word in spelled)
    without_spaces = {"他", "们", "在"}  # there a piece counts as a word
    for word in set(WORDS) - without_spaces:
        assert any(word in found for found in spelled), (word, spelled)
    if family in ("wordpiece", "mpnet"):
        assert spelled == WORDS


def test_an_empty_text_has_no_words(tokenizer):
    (pieces,) = tokenizer.encode([""])
    assert len(number_words("", pieces)) == 0
