"""How whole texts become batches of windows, and the vectors of windows one vector a text."""

import numpy as np
from thinc.api import Ops
from thinc.types import Floats2d, Floats3d

from .checkpoint import Checkpoint
from .errors import Errors
from .windows import WindowBatch, Windows, batch, concatenate, split
from .wordpieces import PieceTokenizer

NO_SENTENCES = np.zeros(0, dtype="int64")


class TextPlan:
    """The batches of windows for T texts, and to which text each window belongs.

    The vector of a text is the mean over all pieces of its windows, special ones too: so windows
    count by their pieces. White space around a text does not count.

    window, max_pieces: As in `spacy-pretrained.TorchSentenceEncoder.v1`.
    """

    def __init__(self, checkpoint: Checkpoint, texts: list[str], *, window: int, max_pieces: int):
        tokenizer, layout = checkpoint.tokenizer, checkpoint.layout
        special = len(tokenizer.prefix) + len(tokenizer.suffix)
        room = min(window or layout.max_window, layout.max_window) - special
        if room < 1:
            raise ValueError(Errors.WINDOW_TOO_SMALL.format(window=room + special, special=special))

        texts = [text.strip() for text in texts]
        ids = tokenizer.encode_ids(texts)
        # Some tokenizers make a piece of nothing.
        lengths = np.array([len(i) if t else 0 for t, i in zip(texts, ids)], dtype="int64")
        pieces = np.concatenate([i[:n] for i, n in zip(ids, lengths)] or [NO_SENTENCES])
        starts = np.cumsum(lengths) - lengths
        self.batches: list[WindowBatch] = []
        if len(pieces):
            self.batches = batch(
                cut_texts(tokenizer, texts, starts, lengths, room),
                pieces,
                prefix=tokenizer.prefix,
                suffix=tokenizer.suffix,
                pad=layout.pad,
                max_pieces=max_pieces,
                max_length=room + special,
            )
        self._texts = [_find_texts(batch_, starts, lengths) for batch_ in self.batches]
        self._weights = self._find_weights(len(texts))

    def pool(self, ops: Ops, block: int, vectors: Floats3d, out: Floats2d) -> None:
        """Add what the vectors (W, L, D) of a batch are of the texts' means, to out (T, D)."""
        weights = ops.asarray_f(self._weights[block])
        summed = ops.xp.matmul(weights[:, None], vectors)[:, 0]
        ops.scatter_add(out, ops.asarray_i(self._texts[block]), summed)

    def unpool(self, ops: Ops, block: int, d_out: Floats2d) -> Floats3d:
        """The adjoint: of the texts' gradients (T, D) those of a batch's vectors, (W, L, D)."""
        weights = ops.asarray_f(self._weights[block])
        return weights[:, :, None] * d_out[ops.asarray_i(self._texts[block])][:, None]

    def _find_weights(self, n_texts: int) -> list[np.ndarray]:
        """How much each piece (W, L) of each batch counts in the mean of its text."""
        totals = np.zeros(n_texts, dtype="float32")
        for texts, batch_ in zip(self._texts, self.batches):
            np.add.at(totals, texts, batch_.mask.sum(axis=1))
        return [
            (batch_.mask / totals[texts][:, None]).astype("float32")
            for texts, batch_ in zip(self._texts, self.batches)
        ]


def cut_texts(
    tokenizer: PieceTokenizer,
    texts: list[str],
    starts: np.ndarray,
    lengths: np.ndarray,
    room: int,
) -> Windows:
    """One window a text, and several of like length where it has more than `room` pieces; none of
    a text without pieces.

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


def _find_texts(batch_: WindowBatch, starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """The number (W,) of the text that each window of a batch is of."""
    _, first = np.unique(batch_.rows // batch_.ids.shape[1], return_index=True)
    has_pieces = np.flatnonzero(lengths)
    return has_pieces[np.searchsorted(starts[has_pieces], batch_.pieces[first], "right") - 1]
