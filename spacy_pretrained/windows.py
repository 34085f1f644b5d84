"""Cut the wordpieces of a Doc into windows that the encoder takes, and windows into batches."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

# Padding that a batch may have: pieces that cost as much as to run another batch, or this share.
PADDING_ALLOWED = 48
PADDING_SHARE = 1 / 12


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
    """Windows of like length, padded to the longest, L pieces with the special ones."""

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
    sentences = np.unique(np.concatenate([[0], sentence_starts, [n_pieces]]).astype("int64"))
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
) -> list[WindowBatch]:
    """Batch windows of like length, so that no batch holds more than `max_pieces` with padding
    (a single window may), nor much padding."""
    special = len(prefix) + len(suffix)
    lengths = windows.end - windows.start + special
    return [
        _pad(windows, chosen, ids, prefix, suffix, pad) for chosen in group(lengths, max_pieces)
    ]


def group(lengths: np.ndarray, max_pieces: int) -> Iterator[np.ndarray]:
    """Numbers of the windows of each batch, longest first, by their lengths (W,)."""
    order = np.argsort(-lengths, kind="stable")
    position = 0
    while position < len(order):
        count = max(1, max_pieces // int(lengths[order[position]]))
        chosen = order[position : position + count]
        chosen = chosen[: _count_with_little_padding(lengths[chosen])]
        yield chosen
        position += len(chosen)


def slots(batches: list[WindowBatch], n_pieces: int) -> tuple[np.ndarray, np.ndarray]:
    """Where each piece's vector lies when the batches' outputs, each as (W * L, D), are laid end
    to end (n_pieces,), and where each batch begins there (B + 1,)."""
    sizes = [0] + [batch.ids.size for batch in batches]
    starts = np.cumsum(sizes)
    places = np.full(n_pieces, -1)
    for start, batch_ in zip(starts, batches):
        places[batch_.pieces] = start + batch_.rows
    return places, starts


def _count_with_little_padding(lengths: np.ndarray) -> int:
    """How many of the windows, longest first, fill most of an array as wide as the first."""
    cells = lengths[0] * np.arange(1, len(lengths) + 1)
    allowed = np.maximum(PADDING_ALLOWED, cells * PADDING_SHARE)
    too_much = cells - np.cumsum(lengths) > allowed
    return int(np.argmax(too_much)) if too_much.any() else len(lengths)


def _cut_near(target: int, low: int, high: int, places: np.ndarray) -> int:
    """The place in (low, high] nearest to the target; `high` where there is none."""
    first, last = np.searchsorted(places, [low, high], "right")
    near = places[first:last]
    return int(near[np.argmin(np.abs(near - target))]) if len(near) else high


def _pad(windows, chosen, ids, prefix, suffix, pad) -> WindowBatch:
    """Lay the chosen windows (longest first) into one padded array, without a loop over pieces."""
    start, end = windows.start[chosen], windows.end[chosen]
    counts = end - start
    width = int(counts[0]) + len(prefix) + len(suffix)
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
