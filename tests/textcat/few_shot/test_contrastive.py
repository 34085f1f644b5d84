"""contrastive.py: the gradient is that of the loss, which is low where texts of the same labels are
near each other; what is not known of labels counts neither way."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from thinc.api import NumpyOps

from spacy_pretrained.textcat.few_shot.contrastive import contrastive_loss, count_in_common

OPS = NumpyOps()
ONE_LABEL = np.array([[1, -1, -1], [1, -1, -1], [-1, 1, -1], [-1, 1, -1], [1, -1, -1], [-1, -1, 1]])
SEVERAL = np.array([[1, 1, -1], [1, -1, -1], [0, 1, -1], [-1, -1, -1], [1, 1, 1], [0, 0, 1]])


def make_vectors(n: int = 6, width: int = 5) -> np.ndarray:
    vectors = np.random.default_rng(0).normal(size=(n, width))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def numeric_gradient(function, point: np.ndarray, step: float = 1e-6) -> np.ndarray:
    gradient = np.zeros_like(point)
    for index in np.ndindex(*point.shape):
        shift = np.zeros_like(point)
        shift[index] = step
        gradient[index] = (function(point + shift) - function(point - shift)) / (2 * step)
    return gradient


@pytest.mark.parametrize("known", [ONE_LABEL, SEVERAL], ids=["one label", "several"])
@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_the_gradient_is_that_of_the_loss(known, temperature):
    alike, vectors = count_in_common(known), make_vectors()
    gradient, _ = contrastive_loss(OPS, vectors, alike, temperature)
    numeric = numeric_gradient(lambda u: contrastive_loss(OPS, u, alike, temperature)[1], vectors)
    assert np.abs(gradient).max() > 0.01
    assert_allclose(gradient, numeric, atol=1e-4)


def test_how_alike_labels_are():
    assert count_in_common(ONE_LABEL)[:3].tolist() == [
        [0, 1, 0, 0, 1, 0],
        [1, 0, 0, 0, 1, 0],
        [0, 0, 0, 1, 0, 0],
    ]
    alike = count_in_common(SEVERAL)
    assert_allclose(alike, alike.T)
    # In common with the first: one of two; one of one that is known of both; nothing; two of three.
    assert_allclose(alike[0], [0, 1 / 2, 1, 0, 2 / 3, 0], atol=1e-6)
    assert not alike[3].any()


def test_the_same_label_is_enough_where_labels_exclude_each_other():
    only_what_holds = np.where(ONE_LABEL == 1, 1, 0)
    assert_allclose(count_in_common(only_what_holds), count_in_common(ONE_LABEL))


def test_it_is_low_where_texts_of_one_label_are_near():
    near = np.eye(3)[[0, 0, 1, 1, 0, 2]]
    apart = np.eye(3)[[0, 1, 2, 0, 1, 2]]
    alike = count_in_common(ONE_LABEL)
    assert contrastive_loss(OPS, near, alike)[1] < contrastive_loss(OPS, apart, alike)[1] / 3


def test_without_pairs_there_is_nothing_to_learn():
    alike = count_in_common(np.array([[1, -1], [-1, 1]]))
    gradient, loss = contrastive_loss(OPS, make_vectors(2), alike)
    assert loss == 0 and not gradient.any()
    gradient, loss = contrastive_loss(OPS, make_vectors(1), count_in_common(np.array([[1, -1]])))
    assert loss == 0 and not gradient.any()


def test_the_order_does_not_matter():
    vectors, order = make_vectors(), [3, 1, 5, 0, 4, 2]
    gradient, loss = contrastive_loss(OPS, vectors, count_in_common(SEVERAL))
    shuffled, same = contrastive_loss(OPS, vectors[order], count_in_common(SEVERAL[order]))
    assert same == pytest.approx(loss)
    assert_allclose(shuffled, gradient[order], atol=1e-6)
