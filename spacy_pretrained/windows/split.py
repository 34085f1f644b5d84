"""Cut the wordpieces of Docs into windows that the encoder takes."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Windows:
    """W windows over the pieces of one or many Docs.

    The encoder sees the pieces start:end of a window and gives vectors for core_start:core_end.
    Cores never overlap and leave nothing out, so that every piece has exactly one vector.
    """

    start: np.ndarray  # int64 (W,)
    end: np.ndarray
    core_start: np.ndarray
    core_end: np.ndarray

    def __len__(self) -> int:
        return len(self.start)


def split(n_pieces: int, cuts: list[np.ndarray], window: int, stride: int) -> Windows:
    """Cut `n_pieces`, of one Doc or of many laid end to end, into windows of at most `window`
    pieces, one for each sentence.

    cuts: Ascending piece numbers: where sentences start, and a window begins in any case, those of
        each Doc among them; then where tokens start. A sentence of more than `stride` pieces is cut
        there, and within a token only where a token is longer still.
    window: Pieces a window shows, special ones not counted.
    stride: The most pieces that a window gives vectors for. Below `window`, the windows of a
        sentence that is cut also show as many of its other pieces as fit, as context on both sides.
        Equal to it, windows do not overlap.

    The windows of a long sentence have about equal length: 130 pieces become 65 + 65, not 128 + 2.
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
    if stride == window:
        return Windows(core_start, core_end, core_start, core_end)
    context = (window - (core_end - core_start)) // 2
    sentence = np.searchsorted(sentences, core_start, "right")
    return Windows(
        start=np.maximum(core_start - context, sentences[sentence - 1]),
        end=np.minimum(core_end + context, sentences[sentence]),
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
