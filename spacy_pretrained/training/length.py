"""How long a training is, by the size of its corpus.

A training sees the corpus 15 times in batches of 1,500 words. A small corpus gets smaller batches,
so that it is still learnt in `LEAST_STEPS` steps or more.
"""

from math import ceil

EPOCHS = 15
LEAST_STEPS = 500
LEAST_BATCH, BATCH = 200, 1500  # words
WARMUP = 0.1  # of the steps


def fit_length(n_words: int, max_steps: int = 0) -> tuple[int, int]:
    """Steps of a training, and words of a batch."""
    batch = min(BATCH, max(LEAST_BATCH, n_words * EPOCHS // LEAST_STEPS))
    steps = max_steps or max(LEAST_STEPS, 100 * ceil(EPOCHS * n_words / batch / 100))
    return steps, batch


def count_epochs(n_words: int, steps: int, batch: int) -> int:
    """How often a corpus is seen, about: no batch goes beyond one pass."""
    return round(steps * min(1, batch / n_words))
