"""From pairs of a text and a hypothesis to batches, and from logits back to pairs."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from thinc.types import Floats2d, Floats3d, Ints1d

from ..checkpoints.checkpoint import Checkpoint
from .batches import group
from .errors import Errors
from .text_plan import cut_texts
from .window_size import find_size


@dataclass(frozen=True)
class PairBatch:
    """Pairs of a text's window and a hypothesis, about equally long, padded to the longest."""

    ids: np.ndarray  # int64 (W, L)
    mask: np.ndarray  # int64 (W, L), 1 where there is a piece
    segments: np.ndarray | None  # int64 (W, L), for models that take them
    windows: Ints1d  # (W,), number of the window
    hypotheses: Ints1d  # (W,), number of the hypothesis
    has_packed_rows: ClassVar[bool] = False

    @property
    def inputs(self) -> dict[str, np.ndarray]:
        """What a model is given, by the names of its inputs."""
        inputs = {"input_ids": self.ids, "attention_mask": self.mask}
        return inputs if self.segments is None else inputs | {"token_type_ids": self.segments}

    def select(self, logits: np.ndarray) -> np.ndarray:
        """All logits (W, C): none is of padding."""
        return logits


@dataclass(frozen=True)
class _Parts:
    """Texts that are laid end to end, cut into parts."""

    ids: np.ndarray  # int64 (P,)
    starts: Ints1d  # (N,), first piece of each part
    lengths: Ints1d  # (N,)


class PairPlan:
    """The batches for all pairs of T texts and H hypotheses, and what their logits are worth.

    A text that is longer than what the hypotheses leave of a window is cut between words into
    windows of about equal length, each of which is paired with each hypothesis. The logits of the
    pair are the mean of its windows', weighted by their pieces. White space around a text does not
    count.

    window, max_pieces: As in `spacy-pretrained.EntailmentClassifier.v1`.
    RAISES: ValueError if a hypothesis leaves less than half of a window, or the special pieces
        nothing.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        texts: Iterable[str],
        hypotheses: Iterable[str],
        *,
        window: int,
        max_pieces: int,
    ):
        self._checkpoint = checkpoint
        self._max_pieces = max_pieces
        self._frame = checkpoint.tokenizer.find_pair_frame()
        hypotheses = list(hypotheses)
        self._hypotheses = _lay_out(checkpoint.tokenizer.encode_ids(hypotheses))
        self._size = size = find_size(checkpoint, window, special=self._frame.n_special)
        longest = int(self._hypotheses.lengths.max(initial=0))
        if 2 * (size.special + longest) > size.limit:
            raise ValueError(
                Errors.HYPOTHESIS_TOO_LONG.format(
                    hypothesis=hypotheses[int(self._hypotheses.lengths.argmax())][:80],
                    pieces=longest,
                    window=size.limit,
                )
            )
        self._windows, self._texts = self._cut([t.strip() for t in texts], size.room - longest)
        self._shares = _find_shares(self._windows.lengths, self._texts)

    def _cut(self, texts: list[str], room: int) -> tuple[_Parts, Ints1d]:
        """Windows of at most `room` pieces, and to which text (W,) each belongs; a text without
        pieces has one, too."""
        tokenizer = self._checkpoint.tokenizer
        parts = _lay_out(tokenizer.encode_ids(texts))
        windows = cut_texts(tokenizer, texts, parts.starts, parts.lengths, room)
        filled, empty = np.flatnonzero(parts.lengths), np.flatnonzero(parts.lengths == 0)
        of_windows = np.searchsorted(parts.starts[filled], windows.start, "right") - 1
        starts = np.concatenate([windows.start, parts.starts[empty]])
        lengths = np.concatenate([windows.end - windows.start, parts.lengths[empty]])
        return _Parts(parts.ids, starts, lengths), np.concatenate([filled[of_windows], empty])

    def batches(self) -> Iterator[PairBatch]:
        """Made as they are asked for: there may be very many."""
        n_hypotheses = len(self._hypotheses.lengths)
        lengths = self._windows.lengths[:, None] + self._hypotheses.lengths + self._size.special
        for chosen, width in group(lengths.ravel(), self._max_pieces, self._size.limit):
            yield self._lay_pairs(chosen // n_hypotheses, chosen % n_hypotheses, width)

    def _lay_pairs(self, windows: Ints1d, hypotheses: Ints1d, width: int) -> PairBatch:
        """Pairs as one array, padded to a width, without a loop over pieces."""
        frame, layout = self._frame, self._checkpoint.layout
        n_first, n_second = self._windows.lengths[windows], self._hypotheses.lengths[hypotheses]
        sizes = n_first + n_second + self._size.special
        ids = np.full((len(windows), width), layout.pad, dtype="int64")
        segments = np.zeros_like(ids)
        column = np.arange(ids.shape[1])

        def lay(place: Ints1d, parts: _Parts, numbers: Ints1d, segment: int) -> Ints1d:
            """Pieces of a part each from a place on. RETURNS: The places behind them."""
            end = place + parts.lengths[numbers]
            inside = (column >= place[:, None]) & (column < end[:, None])
            source = parts.starts[numbers][:, None] + column - place[:, None]
            ids[inside] = parts.ids[source[inside]]
            segments[inside] = segment
            return end

        def lay_special(place: Ints1d, pieces: list[int], own_segments: list[int]) -> Ints1d:
            rows = np.arange(len(place))
            for offset, (piece, segment) in enumerate(zip(pieces, own_segments)):
                ids[rows, place + offset] = piece
                segments[rows, place + offset] = segment
            return place + len(pieces)

        before, first, between, second, behind = frame.segments
        place = lay_special(np.zeros_like(sizes), frame.before, before)
        place = lay(place, self._windows, windows, first)
        place = lay_special(place, frame.between, between)
        place = lay(place, self._hypotheses, hypotheses, second)
        lay_special(place, frame.behind, behind)
        mask = (column < sizes[:, None]).astype("int64")
        return PairBatch(ids, mask, segments if layout.segments else None, windows, hypotheses)

    def collect(self, batches: Iterable[tuple[PairBatch, Floats2d]]) -> Floats3d:
        """Logits (T, H, C) of all pairs of those (W, C) of all batches."""
        n_texts = int(self._texts.max(initial=-1)) + 1
        shape = n_texts, len(self._hypotheses.lengths), self._checkpoint.layout.width
        out = np.zeros(shape, dtype="float32")
        for batch, logits in batches:
            shares = self._shares[batch.windows][:, None]
            np.add.at(out, (self._texts[batch.windows], batch.hypotheses), shares * logits)
        return out


def _lay_out(ids: list[np.ndarray]) -> _Parts:
    lengths = np.array([len(i) for i in ids], dtype="int64")
    return _Parts(
        np.concatenate([*ids, np.zeros(0, "int64")]), np.cumsum(lengths) - lengths, lengths
    )


def _find_shares(lengths: Ints1d, texts: Ints1d) -> np.ndarray:
    """What each of W windows counts in the mean of its text (W,), which sums to 1 a text."""
    lengths = np.maximum(lengths, 1)  # of a text without pieces, one window counts
    return (lengths / np.bincount(texts, weights=lengths)[texts]).astype("float32")
