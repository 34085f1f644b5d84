"""How the tokens of a batch of Docs become batches of windows, and vectors of tokens again."""

import itertools

import numpy as np
from spacy.tokens import Doc
from thinc.api import Ops
from thinc.types import Floats2d, Floats3d

from ..checkpoints.checkpoint import Checkpoint
from ..checkpoints.wordpieces import Pieces, PieceTokenizer, join
from .alignment import Alignment, Pooling, align
from .batches import WindowBatch, batch_for
from .doc_arrays import DocArrays
from .split import concatenate, distinct, split
from .window_size import find_size

# The tokenizer works on one thread a text; long ones are handed over in parts of this size.
TEXT_PART_CHARACTERS = 20_000


class WindowPlan:
    """The batches of windows for some Docs of N tokens in all, and where their vectors go.

    window, stride, max_pieces: As in `spacy-pretrained.TorchEncoder.v1`.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        docs: list[Doc],
        arrays: list[DocArrays],
        *,
        window: int,
        stride: int | None,
        max_pieces: int,
    ):
        size = find_size(checkpoint, window, special=checkpoint.tokenizer.n_special)
        stride = min(stride or size.room, size.room)
        pieces = _tokenize(checkpoint.tokenizer, docs, arrays)
        alignments = [align(a.starts, a.ends, p) for a, p in zip(arrays, pieces)]
        shifts = np.cumsum([0] + [len(p.ids) for p in pieces])
        windows = [
            split(len(p.ids), _cuts(a, alignment), size.room, stride)
            for p, a, alignment in zip(pieces, arrays, alignments)
        ]
        self.batches: list[WindowBatch] = []
        places, starts = np.zeros(0, dtype="int64"), np.zeros(1, dtype="int64")
        if shifts[-1]:
            ids = np.concatenate([p.ids for p in pieces])
            laid = batch_for(
                checkpoint, concatenate(windows, shifts), ids, size=size, max_pieces=max_pieces
            )
            self.batches, places, starts = laid.batches, laid.places, laid.starts
        self._pooling = Pooling(_join_alignments(alignments, shifts), places, starts)

    def pool(self, ops: Ops, block: int, vectors: Floats3d, out: Floats2d) -> None:
        """Add the vectors (R, L, D) of a batch to those of the tokens, out (N, D). A backend on
        the CPU gives them from there, also to components on a GPU."""
        vectors = ops.asarray3f(vectors)
        self._pooling.pool(ops, block, vectors.reshape(-1, vectors.shape[-1]), out)

    def unpool(self, ops: Ops, block: int, d_out: Floats2d, d_vectors: Floats3d) -> None:
        """The adjoint: add the tokens' gradients (N, D) to those of a batch, (R, L, D)."""
        flat = d_vectors.reshape(-1, d_vectors.shape[-1])
        self._pooling.unpool(ops, block, d_out, flat)


def _tokenize(tokenizer: PieceTokenizer, docs: list[Doc], arrays: list[DocArrays]) -> list[Pieces]:
    """The pieces of each Doc; long texts go through the tokenizer in parts."""
    texts, bounds = [], []
    for doc, a in zip(docs, arrays):
        cuts = _text_cuts(a)
        text = doc.text
        texts.extend(text[low:high] for low, high in itertools.pairwise(cuts))
        bounds.append(cuts)
    parts = iter(tokenizer.encode(texts))
    return [join([next(parts) for _ in cuts[1:]], cuts[:-1]) for cuts in bounds]


def _text_cuts(arrays: DocArrays) -> list[int]:
    """Characters to cut a text at: before a space that follows a word, since byte-level and Unigram
    tokenizers read it as the beginning of the next word. A text without spaces stays whole."""
    length = int(arrays.ends[-1]) if len(arrays.ends) else 0
    if length <= TEXT_PART_CHARACTERS:
        return [0, length + 1]
    places = arrays.ends[arrays.spaced & ~arrays.whitespace]
    wanted = np.arange(TEXT_PART_CHARACTERS, length, TEXT_PART_CHARACTERS)
    found = np.searchsorted(places, wanted)
    cuts = np.unique(places[found[found < len(places)]])
    # Behind the last token may be a space.
    return [0, *(int(c) for c in cuts if c < length), length + 1]


def _cuts(arrays: DocArrays, alignment: Alignment) -> list[np.ndarray]:
    """Pieces at which a window may begin: where sentences seem to start, then any token."""
    has_pieces = alignment.first >= 0
    tokens = distinct(alignment.first[has_pieces])
    # A sentence may seem to start at a token without pieces: it does with the next that has some.
    following = np.minimum.accumulate(
        np.where(has_pieces, np.arange(len(has_pieces)), len(has_pieces))[::-1]
    )[::-1]
    starts = following[arrays.sentence_like]
    starts = distinct(alignment.first[starts[starts < len(has_pieces)]])
    return [starts, tokens]


def _join_alignments(alignments: list[Alignment], shifts: np.ndarray) -> Alignment:
    def shifted(name: str) -> np.ndarray:
        columns = [getattr(a, name) for a in alignments]
        parts = [np.where(c < 0, -1, c + shift) for c, shift in zip(columns, shifts)]
        return np.concatenate(parts) if parts else np.zeros(0, dtype="int64")

    return Alignment(shifted("first"), shifted("last"))
