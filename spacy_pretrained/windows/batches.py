"""Lay windows side by side in rows, and rows of about equal length together in batches."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..checkpoints.checkpoint import Checkpoint
from .split import Windows
from .window_size import WindowSize

# One more batch costs as much time as this many pieces, whatever its size (OpenVINO, MiniLM-L6).
BATCH_COST = 16
# Batches have few shapes, because an engine compiles something for each shape and keeps it: rows
# of a multiple of this many pieces, and a power of two rows. With 2, a stream of 20,000 texts takes
# twice the memory.
LENGTH_STEP = 8
# Beyond this many pieces, the step is twice as large: such windows are rare, and a new shape may
# come late in a stream.
LONG = 64


@dataclass(frozen=True)
class RowShape:
    """How windows are laid into rows, which is the backend's choice.

    filled_to: Rows are filled up with windows, side by side, to so many pieces. 0 means that each
        window has a row of its own.
    step: Rows are padded to a multiple of so many pieces.
    """

    filled_to: int = 0
    step: int = LENGTH_STEP


WINDOW_A_ROW = RowShape()


@dataclass(frozen=True)
class WindowBatch:
    """R rows of windows, padded to L pieces, special ones included.

    A row has one window, or, where the backbone tells them apart by their numbers in the mask,
    several side by side.
    """

    ids: np.ndarray  # int64 (R, L)
    mask: np.ndarray  # int64 (R, L), the window's number within its row, from 1; 0 is padding
    windows: np.ndarray  # int64 (R, K), which windows a row has; -1 where it has fewer than K

    @property
    def inputs(self) -> dict[str, np.ndarray]:
        """What a model is given, by the names of its inputs."""
        return {"input_ids": self.ids, "attention_mask": self.mask}

    @property
    def has_packed_rows(self) -> bool:
        """Whether a row has more than one window."""
        return bool((self.windows[:, 1:] >= 0).any())

    @property
    def n_pieces(self) -> int:
        """Padding left out."""
        return int(np.count_nonzero(self.mask))

    def select(self, vectors: np.ndarray) -> np.ndarray:
        """The vectors (P, D) of all pieces among those (R, L, D) that a model gives."""
        return vectors[self.mask > 0]


@dataclass(frozen=True)
class Batches:
    """All windows, each in one batch, and where the pieces are.

    Places count the rows of the batches' outputs, each as (R * L, D), laid end to end.
    """

    batches: list[WindowBatch]
    places: np.ndarray  # int64 (P,), of each piece's vector
    starts: np.ndarray  # int64 (B + 1,), of each batch


@dataclass(frozen=True)
class _Rows:
    """Which row each of W windows stands in, how many windows and how many pieces before it."""

    row: np.ndarray  # int64 (W,)
    number: np.ndarray
    offset: np.ndarray

    def lengths(self, lengths: np.ndarray) -> np.ndarray:
        """Pieces in each row, by those in each window."""
        return np.bincount(self.row, weights=lengths).astype("int64")

    def table(self) -> np.ndarray:
        """Which windows each row has (R, K); -1 where it has fewer."""
        table = np.full((self.row.max() + 1, self.number.max() + 1), -1)
        table[self.row, self.number] = np.arange(len(self.row))
        return table


def batch_for(
    checkpoint: Checkpoint,
    windows: Windows,
    ids: np.ndarray,
    *,
    size: WindowSize,
    max_pieces: int,
    shape: RowShape,
) -> Batches:
    """Batches as a backbone takes them, of windows of at most a size: see `batch`."""
    tokenizer, layout = checkpoint.tokenizer, checkpoint.layout
    return batch(
        windows,
        ids,
        prefix=tokenizer.prefix,
        suffix=tokenizer.suffix,
        pad=layout.pad,
        max_pieces=max_pieces,
        max_length=layout.max_window if shape.filled_to else size.limit,
        shape=shape,
    )


def batch(
    windows: Windows,
    ids: np.ndarray,
    *,
    prefix: list[int],
    suffix: list[int],
    pad: int,
    max_pieces: int,
    max_length: int,
    shape: RowShape,
) -> Batches:
    """Lay windows over the pieces `ids` (P,) into batches of rows of equal length, longest first.

    max_pieces: Pieces in a batch, with padding; a single row may have more.
    max_length: Pieces that the encoder may see at once.
    """
    if len(windows) == 1:
        return _batch_of_one(ids, prefix, suffix, pad, max_length, shape.step)
    lengths = windows.end - windows.start + len(prefix) + len(suffix)
    rows = pack(lengths, max_length, shape) if shape.filled_to else _one_each(len(windows))
    table = rows.table()
    groups = list(group(rows.lengths(lengths), max_pieces, max_length, shape.step))
    starts = np.cumsum([0] + [len(chosen) * width for chosen, width in groups])
    row_starts = np.empty(len(table), dtype="int64")
    for (chosen, width), start in zip(groups, starts):
        row_starts[chosen] = start + width * np.arange(len(chosen))

    pieces = _lay(windows, lengths, ids, row_starts[rows.row] + rows.offset, prefix, suffix)
    laid = np.full(starts[-1], pad, dtype="int64")
    laid[pieces.place] = pieces.id
    mask = np.zeros_like(laid)
    mask[pieces.place] = rows.number[pieces.window] + 1
    places = np.full(len(ids), -1)
    places[pieces.source[pieces.is_core]] = pieces.place[pieces.is_core]
    batches = [
        WindowBatch(
            laid[start:end].reshape(-1, width), mask[start:end].reshape(-1, width), table[chosen]
        )
        for (chosen, width), start, end in zip(groups, starts[:-1], starts[1:])
    ]
    return Batches(batches, places, starts)


def _batch_of_one(
    ids: np.ndarray, prefix: list[int], suffix: list[int], pad: int, max_length: int, step: int
) -> Batches:
    """All pieces in one window, as those of a short text: the same, without what many need."""
    start, end = len(prefix), len(prefix) + len(ids)
    filled = end + len(suffix)
    width = min(_round_up(filled, 2 * LENGTH_STEP if filled > LONG else step), max_length)
    row, mask = np.full((1, width), pad, dtype="int64"), np.zeros((1, width), dtype="int64")
    row[0, :start] = prefix
    row[0, start:end] = ids
    row[0, end:filled] = suffix
    mask[0, :filled] = 1
    laid = WindowBatch(row, mask, np.array([[0]]))
    return Batches([laid], np.arange(start, end), np.array([0, width]))


@dataclass(frozen=True)
class _Laid:
    """All pieces of all windows, special ones too: their windows, what they are, where they go."""

    window: np.ndarray  # int64 (N,)
    id: np.ndarray
    place: np.ndarray
    source: np.ndarray  # the number of the piece; of special ones, none's
    is_core: np.ndarray  # bool, whether the window gives its vector


def _lay(
    windows: Windows,
    lengths: np.ndarray,
    ids: np.ndarray,
    places: np.ndarray,
    prefix: list[int],
    suffix: list[int],
) -> _Laid:
    """Lay windows with special pieces around from their places (W,) on, without a loop over pieces.

    lengths: (W,), special pieces included.
    """
    of = np.repeat(np.arange(len(windows)), lengths)
    ends = np.cumsum(lengths)
    within = np.arange(len(of)) - (ends - lengths)[of]
    source = windows.start[of] + within - len(prefix)
    is_own = (within >= len(prefix)) & (source < windows.end[of])
    values = ids[np.where(is_own, source, 0)]
    for offset, piece in enumerate(prefix):
        values[ends - lengths + offset] = piece
    for offset, piece in enumerate(suffix, start=-len(suffix)):
        values[ends + offset] = piece
    is_core = is_own & (source >= windows.core_start[of]) & (source < windows.core_end[of])
    return _Laid(of, values, places[of] + within, source, is_core)


def pack(lengths: np.ndarray, max_length: int, shape: RowShape) -> _Rows:
    """Fill rows with windows, the longest first, each where it leaves least room (best fit
    decreasing: D. S. Johnson et al., Worst-Case Performance Bounds for Simple One-Dimensional
    Packing Algorithms, 1974). A longer window has a longer row.

    lengths: (W,), in pieces, special ones included, of at most max_length.
    """
    usual = min(shape.filled_to, max_length)
    with_room: list[list[int]] = [[] for _ in range(max(usual, shape.step))]  # rows, by their room
    n_windows: list[int] = []  # in each row
    n_pieces: list[int] = []
    row, number, offset = (np.zeros(len(lengths), dtype="int64") for _ in range(3))
    for window in np.argsort(-lengths, kind="stable").tolist():
        length = int(lengths[window])
        room = next((r for r in range(length, len(with_room)) if with_room[r]), None)
        if room is not None:
            chosen = with_room[room].pop()
        else:
            chosen = len(n_windows)
            room = max(usual, min(_round_up(length, shape.step), max_length))
            n_windows.append(0)
            n_pieces.append(0)
        row[window], number[window], offset[window] = chosen, n_windows[chosen], n_pieces[chosen]
        n_windows[chosen] += 1
        n_pieces[chosen] += length
        if room > length:
            with_room[room - length].append(chosen)
    return _Rows(row, number, offset)


def _one_each(n_windows: int) -> _Rows:
    nothing = np.zeros(n_windows, dtype="int64")
    return _Rows(np.arange(n_windows), nothing, nothing)


def group(
    lengths: np.ndarray, max_pieces: int, max_length: int, step: int = LENGTH_STEP
) -> Iterator[tuple[np.ndarray, int]]:
    """Numbers of the rows of each batch and the length to pad them to, longest first, so that
    they take the least time: as `BATCH_COST` says, and padding costs what pieces do.

    lengths: (R,), in pieces, special ones included.
    max_pieces: Pieces in a batch, with padding; a single row may have more.
    max_length: Pieces that the encoder may see at once.
    step: What lengths are a multiple of; of more from `LONG` on.
    """
    order = np.argsort(-lengths, kind="stable")
    steps = np.where(lengths[order] > LONG, 2 * LENGTH_STEP, step)
    widths = np.minimum(_round_up(lengths[order], steps), max_length)
    position = 0
    for count in _best_counts(widths.tolist(), max_pieces):
        yield order[position : position + count], int(widths[position])
        position += count


def _round_up(lengths: np.ndarray | int, steps: np.ndarray | int) -> np.ndarray | int:
    return -(-lengths // steps) * steps


def _best_counts(widths: list[int], max_pieces: int) -> list[int]:
    """How many rows, whose widths fall, each batch has: the cheapest way to part them.

    >>> _best_counts([40, 40, 12, 12, 12, 12, 12], 2048)
    [2, 4, 1]
    """
    n_rows = len(widths)
    costs = [0] * (n_rows + 1)  # of the rows from each on
    counts = [0] * n_rows  # of the batch that begins there
    for first in reversed(range(n_rows)):
        width, count, best = widths[first], 1, None
        while first + count <= n_rows and (count == 1 or count * width <= max_pieces):
            cost = BATCH_COST + count * width + costs[first + count]
            if best is None or cost < best:
                best, counts[first] = cost, count
            count *= 2
        costs[first] = best
    first, chosen = 0, []
    while first < n_rows:
        chosen.append(counts[first])
        first += counts[first]
    return chosen
