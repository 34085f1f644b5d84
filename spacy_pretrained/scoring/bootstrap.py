"""Whether a loss of a score is more than chance: paired bootstrap over documents."""

import numpy as np

N_RESAMPLES = 2000
CONFIDENCE = 0.95


def score(counts: np.ndarray) -> np.ndarray:
    """Ratios of summed counts: (..., 2), hits and what they are of, to (...). 0 of nothing is 0."""
    hits, of = counts[..., 0], counts[..., 1]
    return np.divide(hits, of, out=np.zeros(hits.shape), where=of > 0)


def least_losses(
    before: np.ndarray,
    after: np.ndarray,
    *,
    confidence: float = CONFIDENCE,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
) -> np.ndarray:
    """How much of each score is lost at least: the lower end of a one-sided confidence interval,
    by the percentiles of a paired bootstrap (B. Efron and R. Tibshirani, An Introduction to the
    Bootstrap, 1993; P. Koehn, Statistical Significance Tests for Machine Translation Evaluation,
    2004). Only counts are drawn again, documents with the scores of both systems; nothing is
    annotated or scored a second time.

    before, after: Shape (documents, scores, 2): hits, and what they are of, in each document.
    RETURNS: Shape (scores,). Below 0 where chance alone may have made the loss, or a gain.

    >>> counts = np.array([[[9, 10]]] * 50)
    >>> float(least_losses(counts, counts - [2, 0]).round(3))
    0.2
    """
    rng = np.random.default_rng(seed)
    n_docs = len(before)
    flat = np.concatenate([before, after], axis=1).reshape(n_docs, -1).astype("float64")
    losses = np.empty((n_resamples, before.shape[1]))
    for i in range(n_resamples):
        times_drawn = np.bincount(rng.integers(n_docs, size=n_docs), minlength=n_docs)
        totals = (times_drawn @ flat).reshape(2, -1, 2)
        losses[i] = score(totals[0]) - score(totals[1])
    return np.quantile(losses, 1 - confidence, axis=0)
