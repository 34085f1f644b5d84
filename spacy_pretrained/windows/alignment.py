"""Align tokens with wordpieces by character offsets, and pool their vectors to one per token."""

import itertools
from dataclasses import dataclass

import numpy as np
from thinc.api import Ops
from thinc.types import Floats2d

from ..checkpoints.wordpieces import Pieces
from .split import distinct

NOTHING = np.zeros(0, dtype="int64")


@dataclass(frozen=True)
class Alignment:
    """First and last wordpiece of each of N tokens, as numbers into the pieces of one Doc.

    A token without pieces (white space, characters that the tokenizer drops) has -1 for both.
    """

    first: np.ndarray  # int64 (N,)
    last: np.ndarray  # int64 (N,)


def align(starts: np.ndarray, ends: np.ndarray, pieces: Pieces) -> Alignment:
    """Align tokens that span the characters starts[i]:ends[i] (both ascending) to pieces.

    A piece belongs to every token it shares a character with.

    >>> pieces = Pieces(np.arange(3), np.array([0, 2, 5]), np.array([2, 4, 6]))
    >>> align(np.array([0, 4, 5]), np.array([4, 5, 6]), pieces)
    Alignment(first=array([ 0, -1,  2]), last=array([ 1, -1,  2]))
    """
    if not len(pieces.ids):
        nothing = np.full(len(starts), -1)
        return Alignment(nothing, nothing)
    # Normalizers may reorder accents, so offsets do not always ascend; the search needs them to.
    piece_ends = np.maximum.accumulate(pieces.ends)
    piece_starts = np.minimum.accumulate(pieces.starts[::-1])[::-1]
    first = np.searchsorted(piece_ends, starts, side="right")
    last = np.searchsorted(piece_starts, ends, side="left") - 1
    empty = last < first
    return Alignment(np.where(empty, -1, first), np.where(empty, -1, last))


class Pooling:
    """One vector per token: the mean of the vectors of its first and its last piece.

    The vectors of pieces come in blocks, one for each batch of windows, and go to the array of the
    tokens at once, so that no second array as long as the text is ever in memory.

    alignment: The tokens' pieces, numbered over all Docs together.
    slots: int64 (P,), where each piece's vector lies when all blocks are laid end to end.
    block_starts: int64 (B + 1,), where each block begins there.
    """

    def __init__(self, alignment: Alignment, slots: np.ndarray, block_starts: np.ndarray):
        tokens = np.flatnonzero(alignment.first >= 0)
        first, last = slots[alignment.first[tokens]], slots[alignment.last[tokens]]
        blocks = [np.searchsorted(block_starts, place, "right") for place in (first, last)]
        is_whole = blocks[0] == blocks[1]
        self._blocks = [
            _Block.lay(tokens[own], first[own] - start, last[own] - start)
            for own, start in zip(_by_block(first, is_whole, block_starts), block_starts)
        ]
        # Two entries for each token whose pieces are in two blocks.
        self._halves = [(NOTHING, NOTHING)] * len(self._blocks)
        if not is_whole.all():
            tokens, places = np.tile(tokens, 2), np.concatenate([first, last])
            self._halves = [
                (tokens[own], places[own] - start)
                for own, start in zip(
                    _by_block(places, ~np.tile(is_whole, 2), block_starts), block_starts
                )
            ]

    def pool(self, ops: Ops, block: int, vectors: Floats2d, out: Floats2d) -> None:
        """Put a block's vectors (rows, D) into those of the tokens, out (N, D), which starts at
        0."""
        own = self._blocks[block]
        pooled = vectors[_on(ops, own.first)]
        if len(own.several):
            several = _on(ops, own.several)
            pooled[several] = (pooled[several] + vectors[_on(ops, own.last)]) * 0.5
        out[_on(ops, own.tokens)] = pooled
        tokens, rows = self._halves[block]
        if len(tokens):
            out[_on(ops, tokens)] += vectors[_on(ops, rows)] * 0.5

    def unpool(self, ops: Ops, block: int, d_out: Floats2d, d_vectors: Floats2d) -> None:
        """The adjoint: add the tokens' gradients d_out (N, D) to a block's, d_vectors (rows, D)."""
        own = self._blocks[block]
        gradients = d_out[_on(ops, own.tokens)]
        gradients[_on(ops, own.several)] *= 0.5
        _add_rows(ops, d_vectors, own.first, gradients)
        _add_rows(ops, d_vectors, own.last, gradients[_on(ops, own.several)])
        tokens, rows = self._halves[block]
        _add_rows(ops, d_vectors, rows, d_out[_on(ops, tokens)] * 0.5)


@dataclass(frozen=True)
class _Block:
    """The M tokens whose first and last piece are both in one block, as nearly all are: their
    vectors can be put where they belong, and not only added up."""

    tokens: np.ndarray  # int64 (M,)
    first: np.ndarray  # int64 (M,), the rows of their first pieces
    several: np.ndarray  # int64 (S,), which of the M have more than one piece
    last: np.ndarray  # int64 (S,), the rows of the last pieces of these

    @classmethod
    def lay(cls, tokens: np.ndarray, first: np.ndarray, last: np.ndarray) -> "_Block":
        several = np.flatnonzero(first != last)
        return cls(tokens, first, several, last[several])


def _by_block(slots: np.ndarray, chosen: np.ndarray, block_starts: np.ndarray) -> list[np.ndarray]:
    """The numbers of the chosen slots in each block, by ascending slots."""
    numbers = np.flatnonzero(chosen)
    numbers = numbers[np.argsort(slots[numbers], kind="stable")]
    bounds = np.searchsorted(slots[numbers], block_starts).tolist()
    return [numbers[low:high] for low, high in itertools.pairwise(bounds)]


def _on(ops: Ops, numbers: np.ndarray):
    """The same where the vectors are."""
    return ops.asarray_i(numbers, dtype="int64")


def _add_rows(ops: Ops, out: Floats2d, rows: np.ndarray, gradients: Floats2d) -> None:
    """Add gradients (M, D) to rows of out; those of tokens that share a piece add up."""
    if len(distinct(np.sort(rows))) < len(rows):
        ops.scatter_add(out, ops.asarray_i(rows), gradients)
    else:
        out[_on(ops, rows)] += gradients
