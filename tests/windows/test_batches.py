"""Batches of windows: nothing lost, nothing twice, padded as they should be, and not much; packed
rows the same, with less padding."""

import numpy as np
import pytest
from random_windows import random_cuts

from spacy_pretrained.windows.batches import (
    BATCH_COST,
    LENGTH_STEP,
    LONG,
    WINDOW_A_ROW,
    Batches,
    RowShape,
    _best_counts,
    batch,
    pack,
)
from spacy_pretrained.windows.split import Windows, concatenate, split

SPECIAL = [([1], [2]), ([], []), ([], [3, 4]), ([5, 6], [])]
SHAPES = [WINDOW_A_ROW, RowShape(filled_to=64), RowShape(filled_to=64, step=16)]


def random_batches(
    seed: int,
    prefix: list[int],
    suffix: list[int],
    max_pieces: int,
    max_length: int = 100,
    shape: RowShape = WINDOW_A_ROW,
) -> tuple[Windows, np.ndarray, Batches]:
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 60, size=8)
    shifts = np.cumsum([0, *counts])
    stride = int(rng.choice([8, 16]))
    windows = concatenate([split(int(n), random_cuts(rng, n), 16, stride) for n in counts], shifts)
    ids = rng.integers(10, 1000, size=shifts[-1])
    batches = batch(
        windows,
        ids,
        prefix=prefix,
        suffix=suffix,
        pad=7,
        max_pieces=max_pieces,
        max_length=max_length,
        shape=shape,
    )
    return windows, ids, batches


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("prefix, suffix", SPECIAL)
@pytest.mark.parametrize("seed", range(5))
def test_rows_are_the_windows_with_special_pieces_around(seed, prefix, suffix, shape):
    windows, ids, laid = random_batches(seed, prefix, suffix, 64, shape=shape)
    found = {}
    for one in laid.batches:
        for row, mask, of_row in zip(one.ids, one.mask, one.windows):
            assert (row[mask == 0] == 7).all()
            behind = np.flatnonzero(mask == 0)
            assert len(behind) == 0 or mask[behind[0] :].max() == 0
            for number, window in enumerate(of_row, start=1):
                places = np.flatnonzero(mask == number)
                assert (window < 0) == (len(places) == 0)
                if window >= 0:
                    assert (np.diff(places) == 1).all()
                    found[int(window)] = row[places].tolist()
    for window, pieces in found.items():
        own = ids[windows.start[window] : windows.end[window]]
        assert pieces == [*prefix, *own, *suffix]
    assert len(found) == len(windows)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("prefix, suffix", SPECIAL)
@pytest.mark.parametrize("seed", range(5))
def test_every_piece_has_exactly_one_place_and_it_is_its_own(seed, prefix, suffix, shape):
    _, ids, laid = random_batches(seed, prefix, suffix, 64, shape=shape)
    laid_out = np.concatenate([one.ids.ravel() for one in laid.batches])
    places = laid.places
    assert len(set(places.tolist())) == len(ids) and places.min() >= 0
    assert np.array_equal(laid_out[places], ids)
    sizes = [one.ids.size for one in laid.batches]
    assert laid.starts.tolist() == np.cumsum([0, *sizes]).tolist()


def test_a_place_is_in_a_window_that_answers_for_the_piece():
    windows, _, laid = random_batches(3, [1], [2], 64, shape=SHAPES[-1])
    for one, start in zip(laid.batches, laid.starts):
        inside = np.flatnonzero((laid.places >= start) & (laid.places < start + one.ids.size))
        rows, columns = np.divmod(laid.places[inside] - start, one.ids.shape[1])
        of = one.windows[rows, one.mask[rows, columns] - 1]
        assert (windows.core_start[of] <= inside).all() and (inside < windows.core_end[of]).all()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("max_pieces", [1, 18, 40, 100, 10_000])
def test_no_batch_is_larger_than_allowed_but_for_a_single_row(max_pieces, shape):
    _, _, laid = random_batches(0, [1], [2], max_pieces, shape=shape)
    for one in laid.batches:
        assert one.ids.size <= max_pieces or len(one.ids) == 1


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(5))
def test_batches_are_of_few_shapes(seed, shape):
    _, _, laid = random_batches(seed, [1], [2] * (1 + 20 * seed), 400, max_length=500, shape=shape)
    for one in laid.batches:
        n_rows, width = one.ids.shape
        longest = np.count_nonzero(one.mask, axis=1).max()
        step = shape.step if longest <= LONG else 2 * LENGTH_STEP
        assert width % step == 0 and width - longest < step
        assert n_rows & (n_rows - 1) == 0  # a power of two


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("prefix, suffix", SPECIAL)
@pytest.mark.parametrize("length", [1, 20, 60, 66, 98])
def test_one_window_is_laid_as_among_others(length, prefix, suffix, shape):
    """As it is beside another one that has a row to itself."""
    special = len(prefix) + len(suffix)

    def lay(*lengths: int) -> Batches:
        ends = np.cumsum(lengths)
        windows = Windows(ends - lengths, ends, ends - lengths, ends)
        settings = {"prefix": prefix, "suffix": suffix, "pad": 7, "shape": shape}
        return batch(
            windows, np.arange(10, 10 + ends[-1]), **settings, max_pieces=1, max_length=100
        )

    alone, both = lay(length), lay(length, 100 - special)
    (one,) = alone.batches
    number = next(i for i, other in enumerate(both.batches) if 0 in other.windows)
    other = both.batches[number]
    filled = length + special
    assert one.windows.tolist() == [[0]] and one.ids.shape[1] <= other.ids.shape[1]
    # Another width would have INT8 kernels round otherwise than in a stream.
    step = shape.step if filled <= LONG else 2 * LENGTH_STEP
    assert one.ids.shape[1] == min(-(-filled // step) * step, 100)
    for column in ("ids", "mask"):
        found, expected = getattr(one, column)[0], getattr(other, column)[0]
        assert found[:filled].tolist() == expected[:filled].tolist()
        assert set(found[filled:].tolist()) <= {7 if column == "ids" else 0}
    assert alone.places.tolist() == (both.places[:length] - both.starts[number]).tolist()
    assert alone.starts.tolist() == [0, one.ids.size]


@pytest.mark.parametrize("shape", SHAPES)
def test_no_row_is_wider_than_the_encoder_takes(shape):
    _, _, laid = random_batches(0, [], [], 200, max_length=16, shape=shape)
    assert max(one.ids.shape[1] for one in laid.batches) == 16


@pytest.mark.parametrize("shape", SHAPES[1:])
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("max_length", [13, 64, 100, 1000])
def test_packed_rows_hold_each_window_once_and_no_more_than_fits(seed, max_length, shape):
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, min(max_length, 200) + 1, size=int(rng.integers(1, 100)))
    rows = pack(lengths, max_length, shape)
    filled = rows.lengths(lengths)
    usual = min(shape.filled_to, max_length)
    table = rows.table()
    assert sorted(table[table >= 0].tolist()) == list(range(len(lengths)))
    for row, total in zip(table, filled):
        of_row = lengths[row[row >= 0]]
        assert of_row.sum() == total
        ends = np.cumsum(of_row)
        assert rows.offset[row[row >= 0]].tolist() == (ends - of_row).tolist()
        room = max(usual, min(-(-of_row.max() // shape.step) * shape.step, max_length))
        assert total <= room <= max_length
    # No two rows could be one, or the second one's windows would stand in the first.
    halves = filled[filled <= usual / 2]
    assert len(halves) <= 1


def test_packed_rows_have_little_padding():
    """Of windows as long as sentences are."""
    rng = np.random.default_rng(0)
    lengths = np.minimum(rng.gamma(2.0, 9.0, size=2000).astype("int64") + 3, 128)
    shares = []
    for shape in SHAPES:
        counts = np.cumsum([0, *lengths])
        windows = Windows(counts[:-1], counts[1:], counts[:-1], counts[1:])
        laid = batch(
            windows,
            np.zeros(counts[-1], "int64"),
            prefix=[],
            suffix=[],
            pad=0,
            max_pieces=512,
            max_length=512,
            shape=shape,
        )
        shares.append(laid.starts[-1] / lengths.sum() - 1)
    assert max(shares[1:]) < 0.02 < shares[0]


def all_partitions(n_windows: int):
    if not n_windows:
        yield []
    for count in (1, 2, 4, 8):
        if count <= n_windows:
            yield from ([count, *rest] for rest in all_partitions(n_windows - count))


@pytest.mark.parametrize("max_pieces", [1, 60, 1000])
@pytest.mark.parametrize("seed", range(3))
def test_windows_are_parted_in_the_cheapest_way(seed, max_pieces):
    def cost(counts: list[int]) -> int:
        firsts = np.cumsum([0, *counts[:-1]])
        return sum(BATCH_COST + count * widths[first] for count, first in zip(counts, firsts))

    def is_allowed(counts: list[int]) -> bool:
        firsts = np.cumsum([0, *counts[:-1]])
        return all(n == 1 or n * widths[first] <= max_pieces for n, first in zip(counts, firsts))

    rng = np.random.default_rng(seed)
    widths = sorted(rng.choice([4, 12, 14, 30], size=11).tolist(), reverse=True)
    found = _best_counts(widths, max_pieces)
    assert sum(found) == len(widths) and is_allowed(found)
    assert cost(found) == min(cost(c) for c in all_partitions(len(widths)) if is_allowed(c))


def test_windows_are_batched_longest_first():
    _, _, laid = random_batches(1, [1], [2], 40)
    found = np.concatenate([one.mask.sum(axis=1) for one in laid.batches])
    assert (np.diff(found) <= 0).all()
