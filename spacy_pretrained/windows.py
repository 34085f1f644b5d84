"""Cut the wordpieces of a Doc into windows that the encoder takes, and windows into batches."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

# What it takes to run one more batch, whatever its size, as so many pieces (OpenVINO, MiniLM-L6).
BATCH_COST = 16
# Batches are of few shapes, for an engine compiles something for each and keeps it: a multiple of
# so many pieces by a power of two windows. With 2 a stream of 20,000 texts takes twice the memory.
LENGTH_STEP = 8
# Of twice that beyond so many pieces: such windows are rare, and shapes may first come late in a
# stream. A window alone, too: of single sentences, one after the other, it costs an engine more to
# change shapes than to run eight pieces of padding.
LONG = 64


@dataclass(frozen=True)
class Windows:
    """W windows over the pieces of one or many Docs.

    A window shows the encoder the pieces start:end and answers for core_start:core_end; cores
    never overlap and leave nothing out, so that every piece has exactly one vector.
    """

    start: np.ndarray  # int64 (W,)
    end: np.ndarray
    core_start: np.ndarray
    core_end: np.ndarray

    def __len__(self) -> int:
        return len(self.start)


@dataclass(frozen=True)
class WindowBatch:
    """Windows of like length, padded to L pieces, special ones included."""

    ids: np.ndarray  # int64 (W, L)
    mask: np.ndarray  # int64 (W, L), 1 where there is a piece
    pieces: np.ndarray  # int64 (n,), the pieces that this batch answers for
    rows: np.ndarray  # int64 (n,), where their vectors lie in the output as (W * L, D)

    @property
    def inputs(self) -> dict[str, np.ndarray]:
        """What a model is given, by the names of its inputs."""
        return {"input_ids": self.ids, "attention_mask": self.mask}

    def select(self, vectors: np.ndarray) -> np.ndarray:
        """The vectors (P, D) of all pieces among those (W, L, D) that a model gives."""
        return vectors[self.mask == 1]


def split(n_pieces: int, cuts: list[np.ndarray], window: int, stride: int) -> Windows:
    """Cut one Doc of `n_pieces` into windows of at most `window` pieces, one for each sentence.

    cuts: Ascending piece numbers: where sentences start, and a window begins in any case; then
        where tokens start. A sentence of more than `stride` pieces is cut there, and within a
        token only where a token is longer still.
    window: Pieces a window shows, special ones not counted.
    stride: Pieces a window answers for at most. Below `window` the rest is context on both
        sides, shown to the encoder again; equal to it, windows do not overlap.

    The windows of a long sentence are of like length: 130 pieces become 65 + 65, not 128 + 2.
    """
    sentence_starts, token_starts = cuts
    sentences = distinct(np.concatenate([[0], sentence_starts, [n_pieces]]).astype("int64"))
    bounds = [0]
    for end in sentences[1:].tolist():
        while end - bounds[-1] > stride:
            left = end - bounds[-1]
            target = bounds[-1] + -(-left // -(-left // stride))
            bounds.append(_cut_near(target, bounds[-1], bounds[-1] + stride, token_starts))
        bounds.append(end)
    core_start, core_end = np.asarray(bounds[:-1], "int64"), np.asarray(bounds[1:], "int64")
    context = (window - (core_end - core_start)) // 2 if stride < window else 0
    return Windows(
        start=np.maximum(core_start - context, 0),
        end=np.minimum(core_end + context, n_pieces),
        core_start=core_start,
        core_end=core_end,
    )


def concatenate(windows: list[Windows], shifts: np.ndarray) -> Windows:
    """Windows of many Docs, whose pieces are laid end to end with `shifts` pieces before each."""
    return Windows(
        *(
            np.concatenate([getattr(w, name) + s for w, s in zip(windows, shifts)])
            for name in ("start", "end", "core_start", "core_end")
        )
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
) -> list[WindowBatch]:
    """Batch windows of like length, longest first.

    max_pieces, max_length: As in `group`.
    """
    lengths = windows.end - windows.start + len(prefix) + len(suffix)
    return [
        _pad(windows, chosen, width, ids, prefix, suffix, pad)
        for chosen, width in group(lengths, max_pieces, max_length)
    ]


def group(
    lengths: np.ndarray, max_pieces: int, max_length: int
) -> Iterator[tuple[np.ndarray, int]]:
    """Numbers of the windows of each batch and the length to pad them to, longest first, so that
    they take the least time: as `BATCH_COST` says, and padding costs what pieces do.

    lengths: (W,), in pieces, special ones included.
    max_pieces: Pieces in a batch, with padding; a single window may have more.
    max_length: Pieces that the encoder is to see at once.
    """
    order = np.argsort(-lengths, kind="stable")
    steps = np.where(lengths[order] > LONG, 2 * LENGTH_STEP, LENGTH_STEP)
    widths = np.minimum(_round_up(lengths[order], steps), max_length)
    position = 0
    for count in _best_counts(widths.tolist(), max_pieces):
        chosen, width = order[position : position + count], int(widths[position])
        yield chosen, min(_round_up(width, 2 * LENGTH_STEP), max_length) if count == 1 else width
        position += count


def slots(batches: list[WindowBatch], n_pieces: int) -> tuple[np.ndarray, np.ndarray]:
    """Where each piece's vector lies when the batches' outputs, each as (W * L, D), are laid end
    to end (n_pieces,), and where each batch begins there (B + 1,)."""
    sizes = [0] + [batch.ids.size for batch in batches]
    starts = np.cumsum(sizes)
    places = np.full(n_pieces, -1)
    for start, batch_ in zip(starts, batches):
        places[batch_.pieces] = start + batch_.rows
    return places, starts


def _round_up(lengths: np.ndarray | int, steps: np.ndarray | int) -> np.ndarray | int:
    return -(-lengths // steps) * steps


def _best_counts(widths: list[int], max_pieces: int) -> list[int]:
    """How many windows, whose widths fall, each batch has: the cheapest way to part them.

    >>> _best_counts([40, 40, 12, 12, 12, 12, 12], 2048)
    [2, 4, 1]
    """
    n_windows = len(widths)
    costs = [0] * (n_windows + 1)  # of the windows from each on
    counts = [0] * n_windows  # of the batch that begins there
    for first in reversed(range(n_windows)):
        width, count, best = widths[first], 1, None
        while first + count <= n_windows and (count == 1 or count * width <= max_pieces):
            cost = BATCH_COST + count * width + costs[first + count]
            if best is None or cost < best:
                best, counts[first] = cost, count
            count *= 2
        costs[first] = best
    first, chosen = 0, []
    while first < n_windows:
        chosen.append(counts[first])
        first += counts[first]
    return chosen


def distinct(ascending: np.ndarray) -> np.ndarray:
    """As `np.unique`, of values that ascend, and ten times as quick for few of them."""
    is_new = np.ones(len(ascending), dtype=bool)
    np.not_equal(ascending[1:], ascending[:-1], out=is_new[1:])
    return ascending[is_new]


def _cut_near(target: int, low: int, high: int, places: np.ndarray) -> int:
    """The place in (low, high] nearest to the target; `high` where there is none."""
    first, last = np.searchsorted(places, [low, high], "right")
    near = places[first:last]
    return int(near[np.argmin(np.abs(near - target))]) if len(near) else high


def _pad(windows, chosen, width, ids, prefix, suffix, pad) -> WindowBatch:
    """Lay the chosen windows into one array, padded to a width, without a loop over pieces."""
    start, end = windows.start[chosen], windows.end[chosen]
    counts = end - start
    column = np.arange(width)
    inside = (column >= len(prefix)) & (column < (len(prefix) + counts)[:, None])
    padded = np.full((len(chosen), width), pad, dtype="int64")
    source = start[:, None] + column - len(prefix)
    padded[inside] = ids[source[inside]]
    padded[:, : len(prefix)] = prefix
    for offset, piece in enumerate(suffix):
        padded[np.arange(len(chosen)), len(prefix) + counts + offset] = piece
    mask = (column < (counts + len(prefix) + len(suffix))[:, None]).astype("int64")
    core = inside & (source >= windows.core_start[chosen][:, None])
    core &= source < windows.core_end[chosen][:, None]
    return WindowBatch(padded, mask, source[core], np.flatnonzero(core.ravel()))
