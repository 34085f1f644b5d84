"""Pairs of sentences for next-sentence prediction, built directly: a sentence and the one behind
it, or one of another text."""

from dataclasses import dataclass

import numpy as np

from ..checkpoints.wordpieces import PairFrame, PieceTokenizer
from .blocks import NO_UNIT, Blocks, number_pieces
from .errors import Errors

NEXT, OTHER = 0, 1  # as BERT has them


@dataclass(frozen=True)
class Pairs:
    """Q pairs of sentences, by their numbers among all sentences."""

    first: np.ndarray  # int64 (Q,)
    second: np.ndarray  # int64 (Q,)
    is_next: np.ndarray  # int64 (Q,), NEXT or OTHER


def draw_pairs(n_sentences: list[int], rng: np.random.Generator) -> Pairs:
    """A pair for each sentence that has another one behind it in its text; in half of them, by the
    throw of a coin, the second is a sentence of another text, all of these alike.

    n_sentences: Of each text.
    RAISES: ValueError if no text has two sentences, or there is one text only.
    """
    counts = np.asarray(n_sentences, dtype="int64")
    starts = np.cumsum(counts) - counts
    n_all = int(counts.sum())
    own = np.repeat(np.arange(len(counts)), counts)  # the text of each sentence
    is_last = np.zeros(n_all, dtype=bool)
    is_last[(starts + counts - 1)[counts > 0]] = True
    first = np.flatnonzero(~is_last)
    if not len(first):
        raise ValueError(Errors.PAIRS_NONE)
    if (counts > 0).sum() < 2:
        raise ValueError(Errors.PAIRS_ONE_TEXT)
    is_other = rng.random(len(first)) < 0.5
    size, start = counts[own[first]], starts[own[first]]
    # One of the sentences that are not of this text, counted as if the text were not there.
    drawn = (rng.random(len(first)) * (n_all - size)).astype("int64")
    other = np.where(drawn < start, drawn, drawn + size)
    second = np.where(is_other, other, first + 1)
    return Pairs(first, second, np.where(is_other, OTHER, NEXT))


def pack_pairs(
    texts: list[list[str]],
    tokenizer: PieceTokenizer,
    length: int,
    pad: int,
    rng: np.random.Generator,
    *,
    whole_words: bool,
) -> tuple[Blocks, int]:
    """A block for each pair that fits into one.

    RETURNS: The blocks, and how many pairs were left out because they are too long.
    RAISES: ValueError if there are no pairs, or all are too long.
    """
    sentences = [sentence for text in texts for sentence in text]
    pairs = draw_pairs([len(text) for text in texts], rng)
    pieces = list(number_pieces(sentences, tokenizer, whole_words))
    sizes = np.asarray([len(ids) for ids, _ in pieces], dtype="int64")
    frame = tokenizer.find_pair_frame()
    total = sizes[pairs.first] + sizes[pairs.second] + frame.n_special
    is_pair = (sizes[pairs.first] > 0) & (sizes[pairs.second] > 0)
    kept = np.flatnonzero(is_pair & (total <= length))
    n_long = int(is_pair.sum()) - len(kept)
    if not len(kept):
        if n_long:
            raise ValueError(Errors.PAIRS_LONG.format(n_long=n_long, n=n_long, length=length))
        raise ValueError(Errors.PAIRS_NONE)
    ids = np.full((len(kept), length), pad, dtype="int32")
    units = np.full((len(kept), length), NO_UNIT, dtype="int32")
    segments = np.zeros((len(kept), length), dtype="int8")
    for row, pair in enumerate(kept):
        parts = pieces[pairs.first[pair]], pieces[pairs.second[pair]]
        size = total[pair]
        ids[row, :size], units[row, :size], segments[row, :size] = _lay_out(frame, *parts)
    blocks = Blocks(ids, units, total[kept].astype("int32"), segments, pairs.is_next[kept])
    return blocks, n_long


def _lay_out(frame: PairFrame, first: tuple, second: tuple) -> tuple[list, list, list]:
    """Ids, units and segments of one pair, special pieces included."""
    (ids_a, units_a), (ids_b, units_b) = first, second
    none = [NO_UNIT]
    before, of_first, between, of_second, behind = frame.segments
    return (
        [*frame.before, *ids_a, *frame.between, *ids_b, *frame.behind],
        [
            *(none * len(frame.before)),
            *units_a,
            *(none * len(frame.between)),
            *(units_b + units_a[-1] + 1),
            *(none * len(frame.behind)),
        ],
        [
            *before,
            *([of_first] * len(ids_a)),
            *between,
            *([of_second] * len(ids_b)),
            *behind,
        ],
    )
