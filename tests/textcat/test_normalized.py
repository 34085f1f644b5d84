"""normalized.py: rows of length 1, and their gradient."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from spacy_pretrained.textcat.normalized import Normalize, normalize


def test_normalized_vectors_have_length_one_and_the_gradient_of_the_formula():
    random = np.random.default_rng(0)
    vectors, d_normalized = random.normal(size=(4, 3)), random.normal(size=(4, 3))
    vectors[2] = 0
    layer = Normalize()
    normalized, backprop = layer(vectors, is_train=True)
    assert_allclose(np.linalg.norm(normalized, axis=1), [1, 1, 0, 1])
    gradient = backprop(d_normalized)
    assert not gradient[2].any()
    for row, column in np.ndindex(4, 3):
        if row != 2:
            shift = np.zeros((4, 3))
            shift[row, column] = 1e-6
            up, down = (layer.predict(vectors + sign * shift) for sign in (1, -1))
            expected = ((up - down) * d_normalized).sum() / 2e-6
            assert gradient[row, column] == pytest.approx(expected, abs=1e-6)
    assert_allclose(normalize(vectors), layer.predict(vectors))
