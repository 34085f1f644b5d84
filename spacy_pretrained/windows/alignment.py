"""Align tokens with wordpieces by character offsets, and pool their vectors to one per token."""

from dataclasses import dataclass

import numpy as np
from thinc.api import Ops
from thinc.types import Floats2d

from ..checkpoints.wordpieces import Pieces


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

    The vectors of pieces come in blocks, one for each batch of windows, and are added to the array
    of the tokens at once, so that no second array as long as the text is ever in memory.

    alignment: The tokens' pieces, numbered over all Docs together.
    slots: int64 (P,), where each piece's vector lies when all blocks are laid end to end.
    block_starts: int64 (B + 1,), where each block begins there.
    """

    def __init__(self, alignment: Alignment, slots: np.ndarray, block_starts: np.ndarray):
        single = alignment.first == alignment.last
        has_pieces = np.flatnonzero(alignment.first >= 0)
        several = np.flatnonzero(~single)
        self._weights = np.where(single, 1.0, 0.5).astype("float32")
        self._passes = [
            _by_block(has_pieces, slots[alignment.first[has_pieces]], block_starts),
            _by_block(several, slots[alignment.last[several]], block_starts),
        ]

    def pool(self, ops: Ops, block: int, vectors: Floats2d, out: Floats2d) -> None:
        """Add a block's vectors (rows, D) to those of the tokens, out (N, D), which starts at 0."""
        for blocks in self._passes:
            tokens, rows = blocks[block]
            if not len(tokens):
                continue
            tokens, rows = ops.asarray_i(tokens), ops.asarray_i(rows)
            out[tokens] += vectors[rows] * self._weight_column(ops, tokens)

    def unpool(self, ops: Ops, block: int, d_out: Floats2d, d_vectors: Floats2d) -> None:
        """The adjoint: add the tokens' gradients d_out (N, D) to a block's, d_vectors (rows, D)."""
        for blocks in self._passes:
            tokens, rows = blocks[block]
            if not len(tokens):
                continue
            shared = bool((rows[1:] == rows[:-1]).any())
            tokens, rows = ops.asarray_i(tokens), ops.asarray_i(rows)
            gradients = d_out[tokens] * self._weight_column(ops, tokens)
            if shared:  # several tokens, one piece: they add up
                ops.scatter_add(d_vectors, rows, gradients)
            else:
                d_vectors[rows] += gradients

    def _weight_column(self, ops: Ops, tokens):
        return ops.asarray_f(self._weights)[tokens][:, None]


def _by_block(
    tokens: np.ndarray, slots: np.ndarray, block_starts: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray]]:
    """The tokens of each block, with their row in it; ascending, so equal rows are neighbours."""
    order = np.argsort(slots, kind="stable")
    tokens, slots = tokens[order], slots[order]
    bounds = np.searchsorted(slots, block_starts)
    return [
        (tokens[low:high], slots[low:high] - start)
        for low, high, start in zip(bounds[:-1], bounds[1:], block_starts[:-1])
    ]
