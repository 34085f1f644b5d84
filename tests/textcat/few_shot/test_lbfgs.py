"""lbfgs.py: it finds known minima, never goes up, and stops where nothing is to be gained."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose

from spacy_pretrained.textcat.few_shot.lbfgs import minimize


def make_quadratic(condition: float, n: int = 20):
    """A function with its minimum at 1, 2, 3 ..."""
    random = np.random.default_rng(0)
    rotation, _ = np.linalg.qr(random.normal(size=(n, n)))
    curvature = rotation * np.geomspace(1, condition, n) @ rotation.T
    best = np.arange(1.0, n + 1)

    def function(x):
        return float((x - best) @ curvature @ (x - best)) / 2, curvature @ (x - best)

    return function, best


@pytest.mark.parametrize("condition", [1, 1e2, 1e4])
def test_minimum_of_a_quadratic(condition):
    function, best = make_quadratic(condition)
    assert_allclose(minimize(function, np.zeros(20), tolerance=1e-8), best, atol=1e-4)


def test_minimum_of_rosenbrocks_valley():
    def function(x):
        a, b = 1 - x[0], x[1] - x[0] ** 2
        return a**2 + 100 * b**2, np.array([-2 * a - 400 * x[0] * b, 200 * b])

    assert_allclose(minimize(function, np.array([-1.2, 1.0]), tolerance=1e-8), [1, 1], atol=1e-6)


def test_it_never_goes_up_and_heeds_the_number_of_steps():
    function, _ = make_quadratic(1e3)
    values = [function(minimize(function, np.zeros(20), max_steps=n))[0] for n in range(8)]
    assert values[0] == function(np.zeros(20))[0]
    assert all(later < earlier for earlier, later in pairwise(values))


def test_the_minimum_stays():
    function, best = make_quadratic(10)
    assert (minimize(function, best) == best).all()
    assert len(minimize(lambda x: (0.0, x), np.zeros(0))) == 0


def test_where_no_step_gains_anything_it_stops():
    # The gradient is wrong: all ways go up.
    assert minimize(lambda x: (abs(float(x[0])), np.ones(1)), np.zeros(1)).tolist() == [0.0]


def test_the_start_is_not_changed():
    function, _ = make_quadratic(10)
    start = np.zeros(20)
    minimize(function, start)
    assert not start.any()
