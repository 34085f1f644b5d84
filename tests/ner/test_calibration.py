"""calibration.py: what was distorted comes out straight, and nothing makes it run away."""

import numpy as np
import pytest

from spacy_pretrained.ner.calibration import apply, fit, fit_outcomes


def log_odds(p):
    return np.log(p) - np.log1p(-p)


def draw(slope: float, offset: float, n: int = 20_000, seed: int = 0):
    """Probabilities, and whether predictions were correct that had to be read with this slope and
    offset."""
    rng = np.random.default_rng(seed)
    x = rng.normal(1.0, 1.5, size=n)
    return 1 / (1 + np.exp(-x)), rng.random(n) < 1 / (1 + np.exp(-slope * x - offset))


def calibration_error(probabilities, correct, n_bins: int = 10) -> float:
    bins = np.minimum((probabilities * n_bins).astype(int), n_bins - 1)
    gaps = [abs(probabilities[bins == b].sum() - correct[bins == b].sum()) for b in range(n_bins)]
    return sum(gaps) / len(correct)


@pytest.mark.parametrize(
    "slope, offset", [(1, 0), (0.5, 0.3), (2, -1), (0.2, 2), (0.0, -1), (3, 3)]
)
def test_slope_and_offset_are_found(slope, offset):
    found = fit(*draw(slope, offset))
    assert found == pytest.approx((slope, offset), abs=0.12)
    assert all(type(number) is float for number in found)


def test_confidences_mean_what_they_say():
    probabilities, correct = draw(0.4, -0.5)
    before = calibration_error(probabilities, correct)
    after = calibration_error(apply(probabilities, *fit(probabilities, correct)), correct)
    assert after < 0.02 < 0.15 < before


def test_no_change_is_no_change():
    p = np.linspace(0.001, 0.999, 100)
    np.testing.assert_allclose(apply(p, 1.0, 0.0), p, rtol=1e-9)
    np.testing.assert_allclose(apply(np.array([0.0, 1.0]), 1.0, 0.0), [0, 1], atol=1e-5)
    assert apply(p.astype("float32"), 1.0, 0.0).shape == (100,)
    assert apply(np.zeros(0), 0.5, 1.0).shape == (0,)


@pytest.mark.parametrize("slope, offset", [(0.3, 1), (1, -2), (4, 0)])
def test_the_order_stays(slope, offset):
    p = apply(np.linspace(0.0, 1.0, 1000), slope, offset)
    assert (np.diff(p) >= 0).all() and ((p >= 0) & (p <= 1)).all()
    assert p[-1] - p[0] > 0.5


def test_what_fits_is_a_minimum():
    """The gradient of the loss is 0 there, also for few predictions, and odd ones."""
    rng = np.random.default_rng(1)
    for _ in range(200):
        n = int(rng.integers(2, 40))
        p = rng.choice([0.0, 1e-9, 0.3, 0.5, 0.9, 0.999, 1.0], size=n)
        correct = rng.random(n) < rng.random()
        correct[:2] = True, False
        slope, offset = fit(p, correct)
        n_correct, n_wrong = correct.sum(), (~correct).sum()
        target = np.where(correct, (n_correct + 1) / (n_correct + 2), 1 / (n_wrong + 2))
        residual = apply(p, slope, offset) - target
        x = log_odds(np.clip(p, 1e-6, 1 - 1e-6))
        assert abs(residual.sum()) < 1e-4 and abs((residual * x).sum()) < 1e-3


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "probabilities, correct",
    [
        ([0.1, 0.2, 0.8, 0.9], [False, False, True, True]),  # separable
        ([0.9, 0.8, 0.2, 0.1], [False, False, True, True]),  # the other way round
        ([1.0, 1.0, 1.0, 0.0], [True, True, False, False]),
        ([0.5, 0.5], [True, False]),  # all the same
        ([0.7] * 50, [True] * 40 + [False] * 10),
        ([1.0] * 2000 + [0.0], [True] * 2000 + [False]),
    ],
)
def test_extremes_stay_finite(dtype, probabilities, correct):
    p, correct = np.array(probabilities, dtype=dtype), np.array(correct)
    slope, offset = fit(p, correct)
    assert np.isfinite([slope, offset]).all() and abs(slope) < 100 and abs(offset) < 100
    new = apply(p, slope, offset)
    assert ((new > 0) & (new < 1)).all()
    assert new.mean() == pytest.approx(correct.mean(), abs=0.2)


def test_outcomes_of_both_kinds():
    outcomes = [(0.9, True), (0.8, False), (0.3, False)]
    expected = fit(np.array([0.9, 0.8, 0.3]), np.array([True, False, False]))
    assert fit_outcomes(outcomes, "ner") == expected
    for wrong, counts in (
        (outcomes[:1], r"\(1\) 1 are"),
        (outcomes[1:], r"\(2\) 0 are"),
        ([], r"\(0\)"),
    ):
        with pytest.raises(ValueError, match=f"'ner' cannot be calibrated: .*{counts}"):
            fit_outcomes(wrong, "ner")
