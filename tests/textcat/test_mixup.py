"""mixup.py: mixtures of rows, and the adjoint of mixing them."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from thinc.api import fix_random_seed

from spacy_pretrained.textcat.mixup import Mixup, draw_mixup, mix, unmix


def random(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).normal(size=shape)


def test_each_row_is_between_two():
    rows = random(4, 3)
    mixup = Mixup(0.75, np.array([1, 0, 3, 2]))
    mixed = mix(rows, mixup)
    assert_allclose(mixed[0], 0.75 * rows[0] + 0.25 * rows[1])
    assert_allclose(mixed[3], 0.75 * rows[3] + 0.25 * rows[2])
    assert_allclose(mix(rows, Mixup(1.0, mixup.partners)), rows)


@pytest.mark.parametrize("n", [1, 2, 7])
def test_unmix_is_the_adjoint(n):
    rows, gradient, mixup = random(n, 5), random(5, n).T, draw_mixup(n, 0.4)
    assert_allclose((mix(rows, mixup) * gradient).sum(), (rows * unmix(gradient, mixup)).sum())


def test_gradient_of_a_loss_is_the_numeric_one():
    rows, target, mixup = random(5, 3), random(3, 5).T, draw_mixup(5, 1.0)

    def loss(x):
        return ((mix(x, mixup) - target) ** 2).sum()

    gradient = unmix(2 * (mix(rows, mixup) - target), mixup)
    for place in np.ndindex(rows.shape):
        step = np.zeros_like(rows)
        step[place] = 1e-6
        numeric = (loss(rows + step) - loss(rows - step)) / 2e-6
        assert gradient[place] == pytest.approx(numeric, abs=1e-6)


def test_what_is_drawn():
    drawn = [draw_mixup(6, 0.2) for _ in range(400)]
    assert all(sorted(mixup.partners) == list(range(6)) for mixup in drawn)
    shares = np.array([mixup.share for mixup in drawn])
    assert shares.min() >= 0 and shares.max() <= 1
    # Beta(a, a) has the mean 1/2 and the variance 1 / (4 (2 a + 1)).
    assert shares.mean() == pytest.approx(0.5, abs=0.06)
    assert shares.var() == pytest.approx(1 / 5.6, abs=0.03)
    fix_random_seed(1)
    one = draw_mixup(6, 0.2)
    fix_random_seed(1)
    assert draw_mixup(6, 0.2).share == one.share
