"""Blocks and pairs: all pieces, once, in order."""

import numpy as np
import pytest

from spacy_pretrained.adapting.blocks import NO_UNIT, pack
from spacy_pretrained.adapting.pairs import NEXT, OTHER, draw_pairs, pack_pairs

PAD = 0


def test_blocks_have_all_pieces_in_order(tokenizer, texts):
    blocks = pack(texts, tokenizer, 32, PAD, whole_words=False)
    inner = [
        row[len(tokenizer.prefix) : length - len(tokenizer.suffix)]
        for row, length in zip(blocks.ids, blocks.lengths)
    ]
    expected = []
    for pieces in tokenizer.encode(texts):
        expected += [*pieces.ids, *tokenizer.suffix]
    assert np.concatenate(inner).tolist() == expected[: -len(tokenizer.suffix)]
    assert (blocks.lengths[:-1] == 32).all() and 2 < blocks.lengths[-1] <= 32
    for row, length in zip(blocks.ids, blocks.lengths):
        assert row[: len(tokenizer.prefix)].tolist() == tokenizer.prefix
        assert row[length - len(tokenizer.suffix) : length].tolist() == tokenizer.suffix
        assert (row[length:] == PAD).all()


def test_what_may_be_masked(wordpiece, texts):
    blocks = pack(texts, wordpiece, 32, PAD, whole_words=False)
    special = {*wordpiece.prefix, *wordpiece.suffix, PAD}
    assert (np.isin(blocks.ids, list(special)) == (blocks.units == NO_UNIT)).all()
    for row in blocks.units:  # each piece is a unit of its own
        own = row[row != NO_UNIT]
        assert own.tolist() == list(range(len(own)))
    assert blocks.n_pieces == sum(len(pieces.ids) for pieces in wordpiece.encode(texts))


def test_units_are_words(wordpiece, texts):
    blocks = pack(texts, wordpiece, 32, PAD, whole_words=True)
    alone = pack(texts, wordpiece, 32, PAD, whole_words=False)
    assert (blocks.ids == alone.ids).all()
    assert blocks.units.max() < alone.units.max()
    for row in blocks.units:
        own = row[row != NO_UNIT]
        assert own[0] == 0 and set(np.diff(own)) <= {0, 1}


def test_empty_texts(wordpiece):
    assert len(pack([], wordpiece, 32, PAD, whole_words=True)) == 0
    assert len(pack(["", " "], wordpiece, 32, PAD, whole_words=True)) == 0
    one = pack(["", "a", ""], wordpiece, 32, PAD, whole_words=True)
    assert len(one) == 1 and one.n_pieces == 1


SENTENCES = [5, 1, 0, 40, 2]  # of five texts


def test_pairs_are_next_or_of_another_text():
    starts = np.cumsum(SENTENCES) - SENTENCES
    own = np.repeat(np.arange(5), SENTENCES)
    seen = set()
    for seed in range(300):
        pairs = draw_pairs(SENTENCES, np.random.default_rng(seed))
        assert len(pairs.first) == 4 + 39 + 1  # all that have one behind them
        for first, second, kind in zip(pairs.first, pairs.second, pairs.is_next):
            if kind == NEXT:
                assert second == first + 1 and own[first] == own[second]
            else:
                assert kind == OTHER and own[first] != own[second]
        seen |= set(zip(own[pairs.first], pairs.second[:]))
    assert starts[4] in {second for text, second in seen if text == 0}
    others = {second for text, second in seen if text == 4 and own[second] != 4}
    assert min(others) == 0 and max(others) == starts[4] - 1  # any sentence of any other text
    assert len(others) > 0.8 * starts[4]


def test_half_of_them_are_next():
    pairs = draw_pairs([1000] * 10, np.random.default_rng(0))
    assert (pairs.is_next == NEXT).mean() == pytest.approx(0.5, abs=4 * 0.5 / 9990**0.5)


@pytest.mark.parametrize("counts, said", [([1, 1], "two sentences"), ([5], "one text")])
def test_there_are_no_pairs(counts, said):
    with pytest.raises(ValueError, match=said):
        draw_pairs(counts, np.random.default_rng(0))


def test_pairs_that_are_all_too_long(wordpiece):
    """It says how many, and what the limit is."""
    texts = [["the lazy dog " * 20] * 3, ["She sold shells " * 20] * 2]
    settings = {"rng": np.random.default_rng(0), "whole_words": True}
    with pytest.raises(ValueError, match=r"3 of 3 pairs .*longer than 32 wordpieces \(--length\)"):
        pack_pairs(texts, wordpiece, 32, PAD, **settings)
    with pytest.raises(ValueError, match="No pair of sentences"):
        pack_pairs([["", " "], [" "]], wordpiece, 32, PAD, **settings)


def test_pairs_that_are_too_long_are_left_out(wordpiece):
    texts = [["The quick fox.", "It jumps.", "the lazy dog " * 20], ["She sold shells.", "Yes!"]]
    rng = np.random.default_rng(0)
    blocks, left_out = pack_pairs(texts, wordpiece, 32, PAD, rng, whole_words=True)
    assert len(blocks) + left_out == 3 and left_out
    for ids, segments, units, length in zip(
        blocks.ids, blocks.segments, blocks.units, blocks.lengths
    ):
        (separator,) = wordpiece.suffix
        first, second = np.flatnonzero(ids == separator)
        assert ids[0] == wordpiece.prefix[0] and second == length - 1
        assert (segments[: first + 1] == 0).all() and (segments[first + 1 : length] == 1).all()
        assert (ids[length:] == PAD).all() and (units[length:] == NO_UNIT).all()
        assert units[first] == units[second] == units[0] == NO_UNIT
        assert not set(units[1:first]) & set(units[first + 1 : second])  # no word is of both
    assert set(blocks.is_next) <= {NEXT, OTHER}
