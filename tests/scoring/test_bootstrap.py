"""What the bootstrap calls a loss: not a token, not noise, but what all documents show."""

import numpy as np
import pytest

from spacy_pretrained.scoring.bootstrap import least_losses, score


def make_counts(hits, of) -> np.ndarray:
    """One score; of each document its hits and what they are of."""
    return np.stack([np.asarray(hits), np.broadcast_to(of, np.shape(hits))], axis=-1)[:, None]


def test_a_score_is_the_ratio_of_sums_not_the_mean_of_ratios():
    counts = make_counts([1, 90], [10, 90])
    assert score(counts.sum(axis=0)).tolist() == [0.91]
    assert score(np.zeros((2, 3, 2))).tolist() == [[0, 0, 0], [0, 0, 0]]


def test_no_change_is_no_loss():
    counts = make_counts(np.arange(20), 20)
    assert least_losses(counts, counts).tolist() == [0]


def test_a_loss_that_all_documents_share_is_found_whole():
    before = make_counts([10] * 30, 10)
    assert least_losses(before, before - [1, 0])[0] == pytest.approx(0.1)


@pytest.mark.parametrize("n_docs", [2, 5, 30])
def test_one_document_alone_shows_no_loss(n_docs):
    before = make_counts([10] * n_docs, 10)
    after = before.copy()
    after[0, 0, 0] = 0
    assert least_losses(before, after)[0] <= 0


def test_noise_is_no_loss_and_a_loss_within_noise_is_found_by_its_pairs():
    rng = np.random.default_rng(0)
    hits = rng.integers(0, 100, size=300)  # documents differ much more than the systems do
    before = make_counts(hits, 100)
    noisy = make_counts(hits + rng.integers(-1, 2, size=300), 100)
    assert least_losses(before, noisy)[0] < 0
    worse = make_counts(hits - 2 + rng.integers(-1, 2, size=300), 100)
    assert 0.018 < least_losses(before, worse)[0] < 0.02


def test_the_bound_is_below_the_truth_in_about_95_of_100_cases():
    rng = np.random.default_rng(1)
    covered = 0
    for seed in range(200):
        before = rng.binomial(20, 0.9, size=60)
        after = rng.binomial(before, 0.95)  # the true loss is 0.9 * 0.05
        bound = least_losses(
            make_counts(before, 20), make_counts(after, 20), n_resamples=200, seed=seed
        )
        covered += bound[0] < 0.9 * 0.05
    assert 0.89 < covered / 200 <= 0.99


def test_scores_do_not_touch_each_other_and_seeds_repeat():
    rng = np.random.default_rng(2)
    before = rng.integers(1, 20, size=(40, 3, 2)).cumsum(axis=-1)
    after = before - [1, 0]
    together = least_losses(before, after, seed=3)
    assert together.shape == (3,)
    for i in range(3):
        alone = least_losses(before[:, i : i + 1], after[:, i : i + 1], seed=3)
        assert alone[0] == pytest.approx(together[i])


def test_a_score_of_nothing_loses_nothing():
    nothing = np.zeros((10, 1, 2), dtype="int64")
    assert least_losses(nothing, nothing).tolist() == [0]
