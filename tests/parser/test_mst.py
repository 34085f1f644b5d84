"""Trees: against every tree there is, against a naive walk, and independent of the batch."""

import doctest
import itertools
import time

import numpy as np
import pytest

from spacy_pretrained.parser import mst
from spacy_pretrained.parser.mst import decode, is_tree, maximum_arborescence


def naive_is_tree(heads) -> bool:
    """Exactly one token below the root, and every token's walk upwards gets there."""
    for token in range(1, len(heads) + 1):
        for _ in range(len(heads)):
            token = heads[token - 1]
            if token == 0:
                break
        if token != 0:
            return False
    return len(heads) == 0 or list(heads).count(0) == 1


def all_trees(n: int) -> np.ndarray:
    candidates = itertools.product(range(n + 1), repeat=n)
    return np.array([heads for heads in candidates if naive_is_tree(heads)])


def sums(scores: np.ndarray, trees: np.ndarray) -> np.ndarray:
    return scores[np.arange(len(scores)), trees].sum(axis=-1)


def draw(rng: np.random.Generator, kind: str, *shape: int) -> np.ndarray:
    if kind == "real":
        return rng.normal(size=shape).astype("float32")
    if kind == "integers":  # many ties
        return rng.integers(-2, 3, size=shape).astype("float32")
    if kind == "equal":
        return np.zeros(shape, dtype="float32")
    if kind == "rooted":  # the best unconstrained tree has several roots
        scores = rng.normal(size=shape).astype("float32")
        scores[..., 0] += 3
        return scores
    if kind == "cyclic":  # cycles within cycles: near tokens attract each other, the root nobody
        i, j = np.arange(shape[-2])[:, None], np.arange(shape[-1])[None] - 1
        scores = rng.normal(size=shape) - 2 * np.abs(i - j)
        scores[..., 0] -= 100
        return scores.astype("float32")
    raise ValueError(kind)


KINDS = ["real", "integers", "equal", "rooted", "cyclic"]


@pytest.mark.parametrize("n, count", [(1, 1), (2, 2), (3, 9), (4, 64), (5, 625)])
def test_single_rooted_trees_are_as_many_as_cayley_says(n, count):
    assert len(all_trees(n)) == count == n ** (n - 1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_no_tree_is_better(n, kind):
    trees = all_trees(n)
    rng = np.random.default_rng(n)
    for _ in range(100):
        scores = draw(rng, kind, n, n + 1)
        best = sums(scores, trees).max()
        for heads in (
            maximum_arborescence(scores),
            decode(scores[None], np.array([n]))[0],
        ):
            assert naive_is_tree(heads)
            assert sums(scores, heads) == pytest.approx(best, abs=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_no_single_change_improves_a_long_tree(kind):
    n = 40
    scores = draw(np.random.default_rng(1), kind, n, n + 1)
    heads = maximum_arborescence(scores)
    assert naive_is_tree(heads)
    changed = np.repeat(heads[None], n * (n + 1), axis=0)
    changed[np.arange(n * (n + 1)), np.repeat(np.arange(n), n + 1)] = np.tile(np.arange(n + 1), n)
    changed = changed[is_tree(changed, np.full(len(changed), n))]
    assert sums(scores, changed).max() <= sums(scores, heads) + 1e-4


@pytest.mark.parametrize("scale", [1e-20, 1e30])
def test_any_magnitude_of_scores(scale):
    scores = draw(np.random.default_rng(2), "real", 5, 6) * np.float32(scale)
    best = sums(scores, all_trees(5)).max()
    assert sums(scores, maximum_arborescence(scores)) == pytest.approx(best, rel=1e-5)


def test_a_constant_for_all_heads_of_a_token_changes_nothing():
    rng = np.random.default_rng(3)
    scores = draw(rng, "integers", 30, 31) + rng.normal(size=(30, 31))
    shifted = scores + rng.integers(-1000, 1000, size=(30, 1))
    assert (maximum_arborescence(scores) == maximum_arborescence(shifted)).all()


@pytest.mark.parametrize("n", [0, 1, 2, 3, 4])
def test_is_tree_walks_like_the_naive_one(n):
    every = list(itertools.product(range(n + 1), repeat=n))
    heads = np.array(every, dtype=int).reshape(len(every), n)
    expected = [naive_is_tree(row) for row in heads]
    assert is_tree(heads, np.full(len(heads), n)).tolist() == expected


def test_is_tree_for_sentences_of_any_length():
    rng = np.random.default_rng(4)
    lengths = rng.integers(0, 12, size=500)
    heads = np.full((500, 12), 99)
    for s, n in enumerate(lengths):
        # Heads from the left make a tree as long as nothing else changes.
        heads[s, :n] = [rng.integers(1, i + 1) if i else 0 for i in range(n)]
        if n and s % 2:
            heads[s, rng.integers(n)] = rng.integers(n + 1)
    expected = [naive_is_tree(row[:n]) for row, n in zip(heads, lengths)]
    assert 200 < sum(expected) < 500
    assert is_tree(heads, lengths).tolist() == expected


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 7, 8, 9, 63, 64, 65])
def test_is_tree_follows_a_chain_to_its_end(depth):
    chain = np.arange(depth)[None]
    assert is_tree(chain, np.array([depth]))[0]
    if depth > 1:
        assert not is_tree(np.where(chain == 0, depth, chain), np.array([depth]))[0]


@pytest.mark.parametrize("heads", [[0, 3], [0, -1], [0, 99]])
def test_heads_outside_of_the_sentence_make_no_tree(heads):
    assert not is_tree(np.array([[*heads, 0]]), np.array([2]))[0]


def test_a_greedy_tree_is_kept():
    rng = np.random.default_rng(5)
    lengths = rng.integers(1, 20, size=50)
    scores = draw(rng, "real", 50, 20, 21)
    trees = np.zeros((50, 20), dtype=int)
    for s, n in enumerate(lengths):
        trees[s, :n] = [rng.integers(1, i + 1) if i else 0 for i in range(n)]
    np.put_along_axis(scores, trees[:, :, None], 10, axis=2)
    assert (decode(scores, lengths) == trees).all()
    exact = [maximum_arborescence(scores[s, :n, : n + 1]) for s, n in enumerate(lengths)]
    assert all((trees[s, :n] == exact[s]).all() for s, n in enumerate(lengths))


@pytest.mark.parametrize("kind", KINDS)
def test_single_is_batch_and_padding_and_self_scores_are_not_read(kind):
    rng = np.random.default_rng(6)
    lengths = np.array([0, 1, 2, 3, 9, 17, 5, 17])
    scores = draw(rng, kind, 8, 17, 18)
    alone = []
    for s, n in enumerate(lengths):
        alone.append(decode(scores[s : s + 1, :n, : n + 1], lengths[s : s + 1])[0])
        scores[s, n:] = np.nan
        scores[s, :, n + 1 :] = np.inf
        scores[s, range(17), range(1, 18)] = np.inf
    heads = decode(scores, lengths)
    assert is_tree(heads, lengths).all()
    for s, n in enumerate(lengths):
        assert (heads[s, :n] == alone[s]).all()
        assert (heads[s, n:] == 0).all()


@pytest.mark.parametrize("sentences, longest", [(0, 0), (0, 5), (3, 0), (3, 5)])
def test_nothing_to_do(sentences, longest):
    scores = np.zeros((sentences, longest, longest + 1), dtype="float32")
    heads = decode(scores, np.zeros(sentences, dtype=int))
    assert heads.shape == (sentences, longest)
    assert not heads.any()
    assert maximum_arborescence(np.zeros((0, 1))).shape == (0,)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_scores_have_to_be_finite(value):
    scores = np.zeros((2, 3, 4), dtype="float32")
    scores[1, 2, 1] = value
    with pytest.raises(ValueError, match=rf"{value} at sentence 1, token 2, column 1"):
        decode(scores, np.array([3, 3]))
    with pytest.raises(ValueError, match="finite"):
        maximum_arborescence(scores[1])


def test_shapes_have_to_fit():
    with pytest.raises(ValueError, match=r"\(2, 3, 3\)"):
        decode(np.zeros((2, 3, 3)), np.array([3, 3]))
    for lengths in ([3], [3, 4], [-1, 3]):
        with pytest.raises(ValueError, match="number of tokens"):
            decode(np.zeros((2, 3, 4)), np.array(lengths))


def test_docstrings_examples():
    assert doctest.testmod(mst) == (0, 1)


@pytest.mark.parametrize("kind", KINDS)
def test_long_sentences_take_no_second(kind):
    scores = draw(np.random.default_rng(7), kind, 512, 513)
    start = time.perf_counter()
    heads = maximum_arborescence(scores)
    assert time.perf_counter() - start < 1  # 0.02 s on one core at rest
    assert naive_is_tree(heads)
