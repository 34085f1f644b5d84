"""Pooling by pairs of a token and a wordpiece, each with a weight: for what does not take just the
first and the last piece of a token."""

from dataclasses import dataclass

import numpy as np
from thinc.api import Ops
from thinc.types import Floats2d


@dataclass(frozen=True)
class Pairs:
    """K pairs of a token and the place of a piece's vector, and what the vector counts in the sum
    that is the token's vector."""

    tokens: np.ndarray  # int64 (K,)
    places: np.ndarray  # int64 (K,)
    weights: np.ndarray  # float32 (K,)


@dataclass(frozen=True)
class _Block:
    """The pairs of one batch, those of a token beside each other."""

    tokens: np.ndarray  # int64 (T,), each once
    lengths: np.ndarray  # int32 (T,), pairs of each
    rows: np.ndarray  # int64 (K,), in the batch's vectors
    weights: np.ndarray  # float32 (K, 1)


class PairPooling:
    """The weighted sum of vectors, for each token. It has the interface of `alignment.Pooling`.

    block_starts: int64 (B + 1,), where each batch begins among the places.
    """

    def __init__(self, pairs: Pairs, block_starts: np.ndarray):
        order = np.argsort(pairs.places, kind="stable")
        bounds = np.searchsorted(pairs.places[order], block_starts)
        self._blocks = [
            _make_block(pairs, order[low:high], start)
            for low, high, start in zip(bounds[:-1], bounds[1:], block_starts[:-1])
        ]

    def pool(self, ops: Ops, block: int, vectors: Floats2d, out: Floats2d) -> None:
        """Add a block's vectors (rows, D) to those of the tokens, out (N, D), which starts at 0."""
        b = self._blocks[block]
        if len(b.tokens):
            weighted = vectors[ops.asarray_i(b.rows)] * ops.asarray_f(b.weights)
            out[ops.asarray_i(b.tokens)] += ops.reduce_sum(weighted, ops.asarray1i(b.lengths))

    def unpool(self, ops: Ops, block: int, d_out: Floats2d, d_vectors: Floats2d) -> None:
        """The adjoint: add the tokens' gradients d_out (N, D) to a block's, d_vectors (rows, D)."""
        b = self._blocks[block]
        if len(b.tokens):
            tokens = ops.asarray_i(np.repeat(b.tokens, b.lengths))
            gradients = d_out[tokens] * ops.asarray_f(b.weights)
            ops.scatter_add(d_vectors, ops.asarray_i(b.rows), gradients)


def _make_block(pairs: Pairs, chosen: np.ndarray, start: int) -> _Block:
    chosen = chosen[np.argsort(pairs.tokens[chosen], kind="stable")]
    tokens, lengths = np.unique(pairs.tokens[chosen], return_counts=True)
    weights = pairs.weights[chosen].astype("float32")[:, None]
    return _Block(tokens, lengths.astype("int32"), pairs.places[chosen] - start, weights)
