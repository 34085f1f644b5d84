"""By how much a score drops, and how sure that is: paired bootstrap over documents."""

from dataclasses import dataclass

import numpy as np

N_RESAMPLES = 2000
CONFIDENCE = 0.95
# The share of a document's counts that a system which annotates it badly is taken to lose at least.
BAD_SHARE = 0.1


def score(counts: np.ndarray) -> np.ndarray:
    """Ratios of summed counts: (..., 2), hits and what they are of, to (...). 0 of nothing is 0."""
    hits, of = counts[..., 0], counts[..., 1]
    return np.divide(hits, of, out=np.zeros(hits.shape), where=of > 0)


@dataclass(frozen=True)
class Estimates:
    """By how much scores drop from one system to another: arrays of shape (scores,), from -1 to 1;
    below 0 is a gain."""

    drop: np.ndarray
    least: np.ndarray  # lower end of a one-sided confidence interval
    spread: np.ndarray  # from the drop to the upper end of the other one-sided interval
    error: np.ndarray  # standard error
    unseen: np.ndarray  # the drop that may be there without these documents showing any of it


def estimate_drops(
    before: np.ndarray,
    after: np.ndarray,
    *,
    unit: float = 1.0,
    confidence: float = CONFIDENCE,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
) -> Estimates:
    """Estimate how much each score drops, with intervals by the percentiles of a paired bootstrap
    (B. Efron and R. Tibshirani, An Introduction to the Bootstrap, 1993; P. Koehn, Statistical
    Significance Tests for Machine Translation Evaluation, 2004). Only counts are drawn again,
    documents with the scores of both systems; nothing is annotated or scored a second time.

    A bootstrap sees only what the documents show: where a rare fault happens to be in none of
    them, it finds no drop and is sure of it. `unseen` is the drop that is then still possible. Of
    n documents none shows a fault that a share p of all documents has with probability
    (1 - p) ** n, so that p may be as high as 1 - (1 - confidence) ** (1 / n), about 3 / n (the
    "rule of three": J. Hanley and A. Lippman-Hand, If Nothing Goes Wrong, Is Everything All
    Right?, 1983). Each of them is taken to lose a tenth of its counts, and at least one unit.

    before, after: Shape (documents, scores, 2): hits, and what they are of, in each document.
    unit: What the counts change by if one thing is annotated otherwise.

    >>> counts = np.array([[[9, 10]]] * 50)
    >>> float(estimate_drops(counts, counts - [2, 0]).least.round(3))
    0.2
    """
    rng = np.random.default_rng(seed)
    n_docs = len(before)
    flat = np.concatenate([before, after], axis=1).reshape(n_docs, -1).astype("float64")
    drops = np.empty((n_resamples, before.shape[1]))
    for i in range(n_resamples):
        times_drawn = np.bincount(rng.integers(n_docs, size=n_docs), minlength=n_docs)
        drops[i] = _drops(times_drawn @ flat)
    drop = _drops(flat.sum(axis=0))
    mean = before[..., 1].mean(axis=0)
    lost = np.maximum(BAD_SHARE, np.divide(unit, mean, out=np.ones(mean.shape), where=mean > unit))
    return Estimates(
        drop=drop,
        least=np.quantile(drops, 1 - confidence, axis=0),
        spread=np.quantile(drops, confidence, axis=0) - drop,
        error=drops.std(axis=0),
        unseen=(1 - (1 - confidence) ** (1 / n_docs)) * lost,
    )


def _drops(totals: np.ndarray) -> np.ndarray:
    """From flat counts, all scores of one system and then of the other, to (scores,)."""
    before, after = totals.reshape(2, -1, 2)
    return score(before) - score(after)
