"""What the bootstrap calls a drop: not a token, not noise, but what all documents show."""

import numpy as np
import pytest

from spacy_pretrained.scoring.bootstrap import estimate_drops, score


def make_counts(hits, of) -> np.ndarray:
    """One score; of each document its hits and what they are of."""
    return np.stack([np.asarray(hits), np.broadcast_to(of, np.shape(hits))], axis=-1)[:, None]


def test_a_score_is_the_ratio_of_sums_not_the_mean_of_ratios():
    counts = make_counts([1, 90], [10, 90])
    assert score(counts.sum(axis=0)).tolist() == [0.91]
    assert score(np.zeros((2, 3, 2))).tolist() == [[0, 0, 0], [0, 0, 0]]


def test_no_change_is_no_drop():
    counts = make_counts(np.arange(20), 20)
    found = estimate_drops(counts, counts)
    for values in (found.drop, found.least, found.spread, found.error):
        assert values.tolist() == [0]
    assert found.unseen[0] > 0


def test_a_drop_that_all_documents_share_is_found_whole():
    before = make_counts([10] * 30, 10)
    found = estimate_drops(before, before - [1, 0])
    assert found.drop[0] == pytest.approx(0.1) and found.least[0] == pytest.approx(0.1)
    assert found.spread[0] == pytest.approx(0) and found.error[0] == pytest.approx(0)


@pytest.mark.parametrize("n_docs", [2, 5, 30])
def test_one_document_alone_shows_no_drop(n_docs):
    before = make_counts([10] * n_docs, 10)
    after = before.copy()
    after[0, 0, 0] = 0
    assert estimate_drops(before, after).least[0] <= 0


def test_noise_is_no_drop_and_a_drop_within_noise_is_found_by_its_pairs():
    rng = np.random.default_rng(0)
    hits = rng.integers(0, 100, size=300)  # documents differ much more than the systems do
    before = make_counts(hits, 100)
    noisy = make_counts(hits + rng.integers(-1, 2, size=300), 100)
    assert estimate_drops(before, noisy).least[0] < 0
    worse = make_counts(hits - 2 + rng.integers(-1, 2, size=300), 100)
    assert 0.018 < estimate_drops(before, worse).least[0] < 0.02


@pytest.mark.slow
def test_each_bound_holds_in_about_95_of_100_cases():
    rng = np.random.default_rng(1)
    truth = 0.9 * 0.05
    below = above = 0
    errors, drops = [], []
    for seed in range(200):
        before = rng.binomial(20, 0.9, size=60)
        after = rng.binomial(before, 0.95)
        found = estimate_drops(
            make_counts(before, 20), make_counts(after, 20), n_resamples=200, seed=seed
        )
        below += found.least[0] < truth
        above += found.drop[0] + found.spread[0] > truth
        errors.append(found.error[0])
        drops.append(found.drop[0])
    assert 0.89 < below / 200 <= 0.99
    assert 0.89 < above / 200 <= 0.99
    assert np.mean(errors) == pytest.approx(np.std(drops), rel=0.15)


@pytest.mark.parametrize("n_docs", [5, 20, 100])
def test_what_no_document_shows_may_still_be_there(n_docs):
    """A fault that a share of documents has, each of which loses a tenth, is in none of n documents
    in 1 of 20 draws: that is how `unseen` is defined."""
    counts = make_counts([20] * n_docs, 20)
    unseen = estimate_drops(counts, counts, n_resamples=1).unseen[0]
    assert (1 - unseen / 0.1) ** n_docs == pytest.approx(0.05)
    one_thing = estimate_drops(counts, counts, unit=20, n_resamples=1).unseen[0]
    assert one_thing == pytest.approx(10 * unseen)  # documents of one thing lose all of it


def test_scores_do_not_touch_each_other_and_seeds_repeat():
    rng = np.random.default_rng(2)
    before = rng.integers(1, 20, size=(40, 3, 2)).cumsum(axis=-1)
    after = before - [1, 0]
    together = estimate_drops(before, after, seed=3)
    assert together.least.shape == (3,)
    for i in range(3):
        alone = estimate_drops(before[:, i : i + 1], after[:, i : i + 1], seed=3)
        for name in vars(alone):
            assert getattr(alone, name)[0] == pytest.approx(getattr(together, name)[i])


def test_a_score_of_nothing_does_not_drop():
    nothing = np.zeros((10, 1, 2), dtype="int64")
    assert estimate_drops(nothing, nothing).least.tolist() == [0]
