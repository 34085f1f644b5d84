"""How the tokens of a batch of Docs become batches of windows, and vectors of tokens again."""

import itertools
from dataclasses import dataclass

import numpy as np
from spacy.tokens import Doc
from thinc.api import Ops
from thinc.types import Floats2d, Floats3d

from ..checkpoints.checkpoint import Checkpoint
from ..checkpoints.wordpieces import Pieces, PieceTokenizer, join
from .alignment import Alignment, Pooling, align
from .batches import RowShape, WindowBatch, batch_for
from .doc_arrays import DocArrays
from .split import distinct, split
from .window_size import find_size

# The tokenizer works on one thread a text; long ones are handed over in parts of this size.
TEXT_PART_CHARACTERS = 20_000


class WindowPlan:
    """The batches of windows for some Docs of N tokens in all, and where their vectors go.

    window, stride, max_pieces: As in `spacy-pretrained.TorchEncoder.v1`.
    shape: Of rows, as the backend wants them.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        docs: list[Doc],
        arrays: DocArrays,
        *,
        window: int,
        stride: int | None,
        max_pieces: int,
        shape: RowShape,
    ):
        size = find_size(checkpoint, window, special=checkpoint.tokenizer.n_special)
        stride = min(stride or size.room, size.room)
        found = _tokenize(checkpoint.tokenizer, docs, arrays)
        shifts = np.repeat(found.shifts, np.diff(arrays.bounds))
        alignment = align(arrays.starts + shifts, arrays.ends + shifts, found.pieces)
        self.batches: list[WindowBatch] = []
        places, starts = np.zeros(0, dtype="int64"), np.zeros(1, dtype="int64")
        ids = found.pieces.ids
        if len(ids):
            cuts = _cuts(arrays, alignment, found.bounds)
            windows = split(len(ids), cuts, size.room, stride)
            sizes = {"size": size, "max_pieces": max_pieces, "shape": shape}
            laid = batch_for(checkpoint, windows, ids, **sizes)
            self.batches, places, starts = laid.batches, laid.places, laid.starts
        self._pooling = Pooling(alignment, places, starts)

    def pool(self, ops: Ops, block: int, vectors: Floats3d, out: Floats2d) -> None:
        """Add the vectors (R, L, D) of a batch to those of the tokens, out (N, D). A backend on
        the CPU gives them from there, also to components on a GPU."""
        vectors = ops.asarray3f(vectors)
        self._pooling.pool(ops, block, vectors.reshape(-1, vectors.shape[-1]), out)

    def unpool(self, ops: Ops, block: int, d_out: Floats2d, d_vectors: Floats3d) -> None:
        """The adjoint: add the tokens' gradients (N, D) to those of a batch, (R, L, D)."""
        flat = d_vectors.reshape(-1, d_vectors.shape[-1])
        self._pooling.unpool(ops, block, d_out, flat)


@dataclass(frozen=True)
class _Tokenized:
    """The P pieces of T texts, which are laid end to end with one character between them: so no
    piece and no token of one touches those of another."""

    pieces: Pieces
    bounds: np.ndarray  # int64 (T + 1,), where the pieces of each text begin, and where all end
    shifts: np.ndarray  # int64 (T,), characters before each text


def _tokenize(tokenizer: PieceTokenizer, docs: list[Doc], arrays: DocArrays) -> _Tokenized:
    """Long texts go through the tokenizer in parts."""
    texts, shifts, parts, part_shifts, n_parts = [doc.text for doc in docs], [], [], [], [0]
    before = 0
    for number, text in enumerate(texts):
        cuts = [0, len(text)]
        if len(text) > TEXT_PART_CHARACTERS:
            cuts = _text_cuts(arrays, number)
        parts.extend(text[low:high] for low, high in itertools.pairwise(cuts))
        part_shifts.extend(before + cut for cut in cuts[:-1])
        n_parts.append(len(parts))
        shifts.append(before)
        before += len(text) + 1
    pieces = tokenizer.encode(parts)
    bounds = np.cumsum([0, *(len(p.ids) for p in pieces)])[n_parts]
    return _Tokenized(join(pieces, part_shifts), bounds, np.array(shifts, dtype="int64"))


def _text_cuts(arrays: DocArrays, number: int) -> list[int]:
    """Characters to cut a Doc's text at: before a space that follows a word, since byte-level and
    Unigram tokenizers read it as the beginning of the next word. A text without spaces stays
    whole."""
    own = slice(*arrays.bounds[number : number + 2].tolist())
    ends = arrays.ends[own]
    length = int(ends[-1]) if len(ends) else 0
    places = ends[arrays.spaced[own] & ~arrays.whitespace[own]]
    wanted = np.arange(TEXT_PART_CHARACTERS, length, TEXT_PART_CHARACTERS)
    found = np.searchsorted(places, wanted)
    cuts = np.unique(places[found[found < len(places)]])
    # Behind the last token may be a space.
    return [0, *(int(c) for c in cuts if c < length), length + 1]


def _cuts(arrays: DocArrays, alignment: Alignment, bounds: np.ndarray) -> list[np.ndarray]:
    """Pieces at which a window may begin: where sentences seem to start, then any token.

    bounds: int64 (T + 1,), where the pieces of each Doc begin: a sentence does in any case.
    """
    has_pieces = alignment.first >= 0
    tokens = distinct(alignment.first[has_pieces])
    # A sentence may seem to start at a token without pieces: it does with the next that has some.
    following = np.minimum.accumulate(
        np.where(has_pieces, np.arange(len(has_pieces)), len(has_pieces))[::-1]
    )[::-1]
    starts = following[arrays.sentence_like]
    starts = alignment.first[starts[starts < len(has_pieces)]]
    return [distinct(np.sort(np.concatenate([bounds[:-1], starts]))), tokens]
