"""From whole texts to batches of windows, and from vectors of windows to one vector per text."""

import numpy as np
from thinc.api import Ops
from thinc.types import Floats2d, Floats3d

from ..checkpoints.checkpoint import Checkpoint
from ..checkpoints.wordpieces import PieceTokenizer
from .batches import RowShape, WindowBatch, batch_for
from .split import Windows, concatenate, split
from .window_size import find_size

NO_SENTENCES = np.zeros(0, dtype="int64")


class TextPlan:
    """The batches of windows for T texts, and to which text each window belongs.

    The vector of a text is the mean over all pieces of its windows, special ones too: so windows
    count by their pieces. White space around a text does not count.

    window, max_pieces: As in `spacy-pretrained.TorchSentenceEncoder.v1`.
    shape: Of rows, as the backend wants them.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        texts: list[str],
        *,
        window: int,
        max_pieces: int,
        shape: RowShape,
    ):
        tokenizer = checkpoint.tokenizer
        size = find_size(checkpoint, window, special=tokenizer.n_special)
        texts = [text.strip() for text in texts]
        ids = tokenizer.encode_ids(texts)
        # Some tokenizers make a piece of nothing.
        lengths = np.array([len(i) if t else 0 for t, i in zip(texts, ids)], dtype="int64")
        pieces = np.concatenate([i[:n] for i, n in zip(ids, lengths)] or [NO_SENTENCES])
        starts = np.cumsum(lengths) - lengths
        self.batches: list[WindowBatch] = []
        texts_of_windows = np.zeros(0, dtype="int64")
        if len(pieces):
            windows = cut_texts(tokenizer, texts, starts, lengths, size.room)
            sizes = {"size": size, "max_pieces": max_pieces, "shape": shape}
            laid = batch_for(checkpoint, windows, pieces, **sizes)
            self.batches = laid.batches
            filled = np.flatnonzero(lengths)
            texts_of_windows = filled[np.searchsorted(starts[filled], windows.start, "right") - 1]
        totals = lengths + size.special * np.bincount(texts_of_windows, minlength=len(texts))
        totals = np.maximum(totals, 1)  # of a text without pieces
        self._shares = [_find_shares(b, texts_of_windows, totals) for b in self.batches]

    def pool(self, ops: Ops, block: int, vectors: Floats3d, out: Floats2d) -> None:
        """Add what the vectors (R, L, D) of a batch are of the texts' means, to out (T, D). A
        backend on the CPU gives them from there, also to components on a GPU."""
        texts, weights = self._shares[block]
        summed = ops.xp.matmul(ops.asarray_f(weights), ops.asarray3f(vectors))
        ops.scatter_add(out, ops.asarray_i(texts.ravel()), summed.reshape(-1, out.shape[1]))

    def unpool(self, ops: Ops, block: int, d_out: Floats2d) -> Floats3d:
        """The adjoint: of the texts' gradients (T, D) those of a batch's vectors, (R, L, D)."""
        texts, weights = self._shares[block]
        d_windows = d_out[ops.asarray_i(texts)]
        return ops.xp.matmul(ops.asarray_f(weights).transpose(0, 2, 1), d_windows)


def _find_shares(
    batch_: WindowBatch, texts_of_windows: np.ndarray, totals: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Which texts (R, K) the windows of each row are of, and how much each piece counts in the mean
    of each of them (R, K, L). Where a row has fewer windows than K, nothing counts."""
    texts = np.where(batch_.windows < 0, 0, texts_of_windows[batch_.windows])
    numbers = np.arange(1, texts.shape[1] + 1)
    is_of = batch_.mask[:, None] == numbers[:, None]
    return texts, (is_of / totals[texts][:, :, None]).astype("float32")


def cut_texts(
    tokenizer: PieceTokenizer,
    texts: list[str],
    starts: np.ndarray,
    lengths: np.ndarray,
    room: int,
) -> Windows:
    """One window per text, and several of about equal length where it has more than `room` pieces;
    none of a text without pieces.

    starts, lengths: (T,), of each text's pieces, which are laid end to end.
    """
    short = np.flatnonzero((lengths > 0) & (lengths <= room))
    start, end = starts[short], (starts + lengths)[short]
    windows, shifts = [Windows(start, end, start, end)], [0]
    for i in np.flatnonzero(lengths > room):
        words = _find_words(tokenizer, texts[i])
        windows.append(split(int(lengths[i]), [NO_SENTENCES, words], room, room))
        shifts.append(starts[i])
    return concatenate(windows, np.array(shifts))


def _find_words(tokenizer: PieceTokenizer, text: str) -> np.ndarray:
    """The pieces that words begin with: there is white space before them, or in them."""
    (pieces,) = tokenizer.encode([text])
    gap = np.r_[True, pieces.starts[1:] > pieces.ends[:-1]]
    spaced = [text[start : start + 1].isspace() for start in pieces.starts.tolist()]
    return np.flatnonzero(gap | np.array(spaced, dtype=bool))
