"""A token's vector is the weighted sum of those it is paired with; unpooling is the adjoint."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose
from thinc.api import NumpyOps

from spacy_pretrained.windows.pair_pooling import PairPooling, Pairs

OPS = NumpyOps()
SIZES, WIDTH, N_TOKENS = [24, 8, 0, 30], 5, 20
BOUNDS = np.cumsum([0, *SIZES])


def random_pairs(seed: int) -> Pairs:
    """Tokens with none to many vectors, in one batch or several, that other tokens have, too."""
    rng = np.random.default_rng(seed)
    tokens = rng.integers(N_TOKENS - 5, size=60)
    places = rng.integers(BOUNDS[-1], size=60)
    return Pairs(tokens, places, rng.random(60).astype("float32"))


def pool(pairs: Pairs, vectors: np.ndarray) -> np.ndarray:
    out, pooling = np.zeros((N_TOKENS, WIDTH), "float32"), PairPooling(pairs, BOUNDS)
    for block, (low, high) in enumerate(itertools.pairwise(BOUNDS)):
        pooling.pool(OPS, block, vectors[low:high], out)
    return out


def unpool(pairs: Pairs, d_out: np.ndarray) -> np.ndarray:
    d_vectors, pooling = np.zeros((BOUNDS[-1], WIDTH), "float32"), PairPooling(pairs, BOUNDS)
    for block, (low, high) in enumerate(itertools.pairwise(BOUNDS)):
        pooling.unpool(OPS, block, d_out, d_vectors[low:high])
    return d_vectors


@pytest.mark.parametrize("seed", range(10))
def test_a_token_is_a_weighted_sum(seed):
    pairs = random_pairs(seed)
    vectors = np.random.default_rng(seed).normal(size=(BOUNDS[-1], WIDTH)).astype("float32")
    expected = np.zeros((N_TOKENS, WIDTH))
    for token, place, weight in zip(pairs.tokens, pairs.places, pairs.weights):
        expected[token] += weight * vectors[place]
    assert_allclose(pool(pairs, vectors), expected, atol=1e-5)


@pytest.mark.parametrize("seed", range(10))
def test_unpool_is_the_adjoint_of_pool(seed):
    pairs, rng = random_pairs(seed), np.random.default_rng(seed)
    x = rng.normal(size=(BOUNDS[-1], WIDTH)).astype("float32")
    y = rng.normal(size=(N_TOKENS, WIDTH)).astype("float32")
    assert_allclose((pool(pairs, x) * y).sum(), (x * unpool(pairs, y)).sum(), rtol=1e-4)


def test_no_pairs_at_all():
    nothing = Pairs(np.zeros(0, "int64"), np.zeros(0, "int64"), np.zeros(0, "float32"))
    assert not pool(nothing, np.ones((BOUNDS[-1], WIDTH), "float32")).any()
    assert not unpool(nothing, np.ones((N_TOKENS, WIDTH), "float32")).any()
