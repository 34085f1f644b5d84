"""parser/sentence_starts.py: who the neighbours are, gradients, and that no Doc sees another."""

import numpy as np
import pytest
from numeric_gradient import differences

from spacy_pretrained.parser.sentence_starts import LinearStarts, WindowStarts, find_neighbours

WIDTH = 5
LENGTHS = [4, 0, 1, 3]
WORDS = np.array([1, 1, 0, 1, 1, 0, 1, 1], dtype=bool)
NEIGHBOURS = [[-1, 1], [0, 3], [-1, -1], [1, -1], [-1, -1], [-1, -1], [-1, 7], [6, -1]]


@pytest.fixture
def vectors():
    return np.random.default_rng(0).normal(size=(8, WIDTH))


@pytest.fixture(params=["linear", "window"])
def layer(request, vectors):
    made = LinearStarts() if request.param == "linear" else WindowStarts(3)
    made.initialize((vectors, np.asarray(NEIGHBOURS)))
    rng = np.random.default_rng(1)
    for node in made.walk():
        for name in node.param_names:
            node.set_param(name, rng.normal(size=node.get_param(name).shape))
    return made


def test_neighbours_are_words_of_the_same_doc():
    assert find_neighbours(LENGTHS, WORDS).tolist() == NEIGHBOURS
    assert find_neighbours([], np.zeros(0, dtype=bool)).shape == (0, 2)
    assert find_neighbours([2], np.zeros(2, dtype=bool)).tolist() == [[-1, -1]] * 2


def test_window_scores_are_those_of_joined_vectors(vectors):
    layer = WindowStarts(3).initialize((vectors.astype("float32"), np.asarray(NEIGHBOURS)))
    hidden, output = layer.layers
    W, b = (hidden.get_param(name).reshape(3, 3, -1) for name in ("W", "b"))
    padded = np.concatenate([vectors, np.zeros((1, WIDTH))]).astype("float32")
    rows = np.stack(
        [find_neighbours(LENGTHS, WORDS)[:, 0], np.arange(8), np.asarray(NEIGHBOURS)[:, 1]]
    )
    joined = sum(
        padded[rows[i]] @ W[i].T + (rows[i] >= 0)[:, None] * b[i].ravel() for i in range(3)
    )
    expected = np.maximum(joined, 0) @ output.get_param("W").T + output.get_param("b")
    found = layer.predict((vectors.astype("float32"), np.asarray(NEIGHBOURS)))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_doc_alone_and_in_a_batch(layer, vectors):
    together = layer.predict((vectors, find_neighbours(LENGTHS, WORDS)))
    low = 0
    for length in LENGTHS:
        high = low + length
        own = vectors[low:high], find_neighbours([length], WORDS[low:high])
        np.testing.assert_allclose(layer.predict(own), together[low:high], atol=1e-12)
        low = high


def test_the_gradient_is_that_of_the_scores(layer, vectors):
    neighbours = find_neighbours(LENGTHS, WORDS)
    weights = np.random.default_rng(2).normal(size=(8, 1))
    _, backprop = layer.begin_update((vectors, neighbours))
    expected = differences(lambda X: (layer.predict((X, neighbours)) * weights).sum(), vectors)
    np.testing.assert_allclose(backprop(weights), expected, atol=1e-6)


def test_gradients_of_the_weights(layer, vectors):
    neighbours = find_neighbours(LENGTHS, WORDS)
    weights = np.random.default_rng(2).normal(size=(8, 1))
    _, backprop = layer.begin_update((vectors, neighbours))
    backprop(weights)
    for node in layer.walk():
        for name in node.param_names:
            start = node.get_param(name).copy()

            def loss(values, node=node, name=name):
                node.set_param(name, values)
                return (layer.predict((vectors, neighbours)) * weights).sum()

            expected = differences(loss, start)
            node.set_param(name, start)
            np.testing.assert_allclose(node.get_grad(name), expected, atol=1e-6)


def test_the_window_sees_what_stands_before(vectors):
    """Another vector of a neighbour changes a score, one of another Doc or further off does not."""
    layer = WindowStarts(3).initialize((vectors, np.asarray(NEIGHBOURS)))
    layer.layers[0].get_param("b")[:] = 5.0  # above the ReLU's edge
    neighbours = find_neighbours(LENGTHS, WORDS)
    before = layer.predict((vectors, neighbours))
    changed = vectors.copy()
    changed[3] += 0.5
    moved = np.abs(layer.predict((changed, neighbours)) - before).ravel() > 1e-6
    assert moved.tolist() == [False, True, False, True, False, False, False, False]
