"""Batches of few examples, drawn so that each has pairs of the same label and of others."""

from collections.abc import Iterator

import numpy as np
from thinc.types import Ints1d, Ints2d

# So many of a label in a batch, as far as there are; fewer only where two labels have no room.
A_LABEL = 2


def draw_batches(known: Ints2d, n_batches: int, batch_size: int, seed: int) -> Iterator[Ints1d]:
    """The rows of each batch. Labels take turns, and so do the examples of a label, whatever their
    number: a rare label is seen as often as a frequent one.

    known: As `textcat_gold.read_cats` gives it (N, K). Examples without any label that holds are
        a group of their own.
    batch_size: Rows of a batch, at most; fewer where there are fewer examples.
    """
    groups = [np.flatnonzero(column == 1) for column in known.T]
    groups.append(np.flatnonzero((known != 1).all(axis=1)))
    random = np.random.default_rng(seed)
    decks = [_deal(rows, random) for rows in groups if len(rows)]
    sizes = [len(rows) for rows in groups if len(rows)]
    n_groups = min(len(decks), max(batch_size // A_LABEL, min(2, batch_size)))
    turns = _deal(np.arange(len(decks)), random)
    for _ in range(n_batches):
        rows: list[int] = []
        for group in _take(turns, n_groups):
            rows += _take(decks[group], min(batch_size // n_groups, sizes[group]))
        yield np.unique(rows)  # of several labels an example has several turns


def _take(deck: Iterator[int], n: int) -> set[int]:
    """The next n different items."""
    taken: set[int] = set()
    while len(taken) < n:
        taken.add(next(deck))
    return taken


def _deal(items: np.ndarray, random: np.random.Generator) -> Iterator[int]:
    """The items over and over, each time in another order."""
    while True:
        yield from random.permutation(items).tolist()
