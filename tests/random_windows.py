"""Random windows and batches of them, for the tests of what cuts, packs and runs them; and the
lengths of windows in batches."""

import numpy as np

from spacy_pretrained.windows.batches import WindowBatch


def random_cuts(rng: np.random.Generator, n_pieces: int) -> list[np.ndarray]:
    tokens = np.flatnonzero(rng.random(n_pieces) < rng.choice([0.02, 0.7]))
    return [tokens[rng.random(len(tokens)) < 0.15], tokens]


def make_batch(rows: int, length: int, pad: int, seed: int = 0) -> WindowBatch:
    rng = np.random.default_rng(seed)
    ids = rng.integers(6, 130, size=(rows, length))
    mask = np.ones_like(ids)
    for row in range(1, rows):
        mask[row, -(length * row // rows) :] = 0
    ids[mask == 0] = pad
    return WindowBatch(ids, mask, np.arange(rows)[:, None])


def make_row(lengths: list[int], width: int, pad: int) -> WindowBatch:
    """Windows side by side in one row."""
    numbers = np.repeat(np.arange(1, len(lengths) + 1), lengths)
    mask = np.pad(numbers, (0, width - len(numbers)))[None]
    ids = np.where(mask > 0, np.random.default_rng(0).integers(6, 130, size=mask.shape), pad)
    return WindowBatch(ids, mask, np.arange(len(lengths))[None])


def window_lengths(batches: list[WindowBatch]) -> list[int]:
    """Pieces of each window, special ones included, in the order of rows."""
    rows = [row for one in batches for row in one.mask]
    return [int(n) for row in rows for n in np.bincount(row)[1:]]
