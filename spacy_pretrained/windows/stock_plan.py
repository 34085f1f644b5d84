"""The plan of an encoder that was a stock transformer's: the windows that it was trained with."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from spacy.tokens import Doc
from thinc.api import Ops
from thinc.types import Floats2d, Floats3d

from ..checkpoints.checkpoint import Checkpoint
from ..checkpoints.wordpieces import PieceTokenizer
from .batches import RowShape, WindowBatch, batch
from .doc_arrays import DocArrays
from .errors import Errors
from .pair_pooling import PairPooling, Pairs
from .split import Windows, split
from .stock_windows import DOCS, PIECES, SEEMING, TOKENS, StockWindows
from .window_size import WindowSize, find_size
from .word_pieces import NOTHING, encode_tokens

logger = logging.getLogger("spacy")
_has_warned = False  # that a span was cut, once a process

SHOWN = 60  # characters of a text in a message


@dataclass(frozen=True)
class Sequences:
    """What windows show, laid end to end: M wordpieces, special ones too.

    A piece belongs to the tokens first:last + 1, numbered over all Docs; to none where last is
    below first. One that is in several windows is here several times, each time with its share.
    """

    ids: np.ndarray  # int64 (M,)
    first: np.ndarray  # int64 (M,)
    last: np.ndarray  # int64 (M,)
    shares: np.ndarray  # float64 (M,)
    lengths: np.ndarray  # int64 (W,), of each window


class StockPlan:
    """The batches of windows for some Docs of N tokens in all, and where their vectors go: see
    `token_plan.WindowPlan`, whose place it takes.

    stock: The stock transformer's windows.
    window: Wordpieces that the encoder takes at once, special ones included; 0 for as many as it
        can. Of spans of tokens, sentences or Docs, what is beyond has no vector.
    stride: As `WindowPlan` has it, of "seeming_sentences"; None for others.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        docs: list[Doc],
        arrays: DocArrays,
        *,
        stock: StockWindows,
        window: int,
        stride: int | None,
        max_pieces: int,
        shape: RowShape,
    ):
        size = find_size(checkpoint, window, special=checkpoint.tokenizer.n_special)
        if stride is not None and stock.spans != SEEMING:
            raise ValueError(Errors.STOCK_STRIDE.format(stride=stride, spans=stock.spans))
        if stock.spans == PIECES and stock.window > size.limit:
            sizes = {"window": stock.window, "limit": size.limit}
            raise ValueError(Errors.STOCK_WINDOW_TOO_LARGE.format(**sizes))
        stride = min(stride or size.room, size.room)
        make = _sequences_of_tokens if stock.words else _sequences_of_spans
        found = make(checkpoint.tokenizer, stock, docs, arrays, size, stride)
        self.batches: list[WindowBatch] = []
        places, starts = NOTHING, np.zeros(1, dtype="int64")
        if len(found.ids):
            ends = np.cumsum(found.lengths)
            windows = Windows(ends - found.lengths, ends, ends - found.lengths, ends)
            layout = checkpoint.layout
            laid = batch(
                windows,
                found.ids,
                prefix=[],  # special pieces are among the others here
                suffix=[],
                pad=layout.pad,
                max_pieces=max_pieces,
                max_length=layout.max_window if shape.filled_to else size.limit,
                shape=shape,
            )
            self.batches, places, starts = laid.batches, laid.places, laid.starts
        n_tokens = sum(len(doc) for doc in docs)
        self._pooling = PairPooling(_make_pairs(found, places, n_tokens, stock.pooling), starts)

    def pool(self, ops: Ops, block: int, vectors: Floats3d, out: Floats2d) -> None:
        """Add the vectors (R, L, D) of a batch to those of the tokens, out (N, D). A backend on
        the CPU gives them from there, also to components on a GPU."""
        vectors = ops.asarray3f(vectors)
        self._pooling.pool(ops, block, vectors.reshape(-1, vectors.shape[-1]), out)

    def unpool(self, ops: Ops, block: int, d_out: Floats2d, d_vectors: Floats3d) -> None:
        """The adjoint: add the tokens' gradients (N, D) to those of a batch, (R, L, D)."""
        flat = d_vectors.reshape(-1, d_vectors.shape[-1])
        self._pooling.unpool(ops, block, d_out, flat)


def _make_pairs(found: Sequences, places: np.ndarray, n_tokens: int, pooling: str) -> Pairs:
    """Each token with all its pieces: the sum of their shares is 1 a token, for the mean."""
    counts = np.maximum(found.last - found.first + 1, 0)
    entries = np.repeat(np.arange(len(counts)), counts)
    within = np.arange(len(entries)) - np.repeat(np.cumsum(counts) - counts, counts)
    tokens = found.first[entries] + within
    weights = found.shares[entries]
    if pooling == "mean":
        weights = weights / np.bincount(tokens, weights=weights, minlength=n_tokens)[tokens]
    return Pairs(tokens, places[entries], weights.astype("float32"))


# The text of a span is tokenized


def _sequences_of_spans(
    tokenizer: PieceTokenizer,
    stock: StockWindows,
    docs: list[Doc],
    arrays: DocArrays,
    size: WindowSize,
    stride: int,
) -> Sequences:
    texts, before, owners = [], [], []  # of all spans; characters before them, and whose they are
    n_characters, token_starts = 0, [NOTHING]
    for number, (doc, a) in enumerate(zip(docs, arrays.by_doc())):
        text = doc.text
        for low, high in find_spans(stock, doc, a):
            start = int(a.starts[low])
            texts.append(text[start : int(a.ends[high - 1])])
            before.append(n_characters + start)
            owners.append(number)
        token_starts.append(a.starts + n_characters)
        n_characters += len(text)
    starts = np.concatenate(token_starts)
    parts = _Parts(tokenizer)
    for shift, owner, pieces in zip(before, owners, tokenizer.encode_with_special(texts)):
        is_empty = pieces.starts >= pieces.ends
        first = np.searchsorted(starts, shift + pieces.starts, "right") - 1
        last = np.searchsorted(starts, shift + pieces.ends - 1, "right") - 1
        last[is_empty] = first[is_empty] - 1
        if is_empty.all():
            continue
        if stock.spans == SEEMING:
            cuts = [NOTHING, _find_changes(first)]
            windows = split(len(first), cuts, size.room, stride)
            parts.add_windows(windows, pieces.ids, first, last)
            continue
        n_pieces = len(first) + size.special
        if n_pieces > size.limit:
            _warn_of_cut(n_pieces, size.limit, docs[owner].text)
        parts.add(pieces.ids, first, last, limit=size.limit)
    return parts.join()


def find_spans(stock: StockWindows, doc: Doc, arrays: DocArrays) -> Iterator[tuple[int, int]]:
    """The spans of a Doc, as tokens from and to; none of an empty one.

    RAISES: ValueError if there are no sentences where these are the spans.
    """
    n_tokens = len(doc)
    if not n_tokens:
        return
    if stock.spans == TOKENS:
        yield from stride_over(n_tokens, stock.window, stock.stride)
    elif stock.spans == DOCS:
        yield 0, n_tokens
    elif stock.spans == SEEMING:
        yield from pairwise([*np.flatnonzero(arrays.sentence_like).tolist(), n_tokens])
    else:
        yield from ((sentence.start, sentence.end) for sentence in doc.sents)


def stride_over(n_tokens: int, window: int, stride: int) -> Iterator[tuple[int, int]]:
    """
    >>> list(stride_over(10, 4, 3))
    [(0, 4), (3, 7), (6, 10)]
    >>> list(stride_over(9, 4, 4))
    [(0, 4), (4, 8), (8, 9)]
    """
    start = 0
    while start + window < n_tokens:
        yield start, start + window
        start += stride
    yield start, n_tokens


def _warn_of_cut(n_pieces: int, limit: int, text: str) -> None:
    global _has_warned
    if not _has_warned:
        _has_warned = True
        shown = " ".join(text[:SHOWN].split()) + ("…" if len(text) > SHOWN else "")
        logger.warning(Errors.SPAN_CUT.format(n_pieces=n_pieces, limit=limit, text=shown))


# Each token is tokenized by itself


def _sequences_of_tokens(
    tokenizer: PieceTokenizer,
    stock: StockWindows,
    docs: list[Doc],
    arrays: DocArrays,
    size: WindowSize,
    stride: int,
) -> Sequences:
    ids, lengths = encode_tokens(tokenizer, stock.words, docs, arrays)
    piece_bounds = np.cumsum([0, *lengths])[arrays.bounds]
    tokens = np.repeat(np.arange(len(lengths)), lengths)
    parts = _Parts(tokenizer)
    for a, n_before, (low, high) in zip(
        arrays.by_doc(), arrays.bounds.tolist(), pairwise(piece_bounds.tolist())
    ):
        if low == high:
            continue
        own, owners = ids[low:high], tokens[low:high]
        if stock.spans == SEEMING:
            sentences = np.cumsum(a.sentence_like)[owners - n_before]
            cuts = [_find_changes(sentences), _find_changes(owners)]
            windows = split(len(own), cuts, size.room, stride)
            parts.add_windows(windows, own, owners, owners)
        else:
            whole = _Parts(tokenizer)
            whole.add(own, owners, owners)
            parts.add_overlapping(whole.join(), stock.window, stock.stride)
    return parts.join()


def _find_changes(ascending: np.ndarray) -> np.ndarray:
    """Where another number begins, the first one included."""
    return np.flatnonzero(np.r_[True, ascending[1:] > ascending[:-1]])


class _Parts:
    """Windows that are put together one by one, each with the tokenizer's special pieces around."""

    def __init__(self, tokenizer: PieceTokenizer):
        self._prefix = np.array(tokenizer.prefix, dtype="int64")
        self._suffix = np.array(tokenizer.suffix, dtype="int64")
        self._columns: list[tuple[np.ndarray, ...]] = []
        self._lengths: list[np.ndarray] = []

    def add(
        self, ids: np.ndarray, first: np.ndarray, last: np.ndarray, limit: int | None = None
    ) -> None:
        """One window, of at most `limit` pieces: what is beyond is left out, special ones too."""
        before, behind = np.zeros_like(self._prefix), np.zeros_like(self._suffix)
        columns = (
            np.concatenate([self._prefix, ids, self._suffix])[:limit],
            np.concatenate([before, first, behind])[:limit],
            np.concatenate([before - 1, last, behind - 1])[:limit],
        )
        self._columns.append((*columns, np.ones(len(columns[0]))))
        self._lengths.append(np.array([len(columns[0])]))

    def add_windows(
        self, windows: Windows, ids: np.ndarray, first: np.ndarray, last: np.ndarray
    ) -> None:
        """Windows over pieces; only their cores have vectors."""
        bounds = (windows.start, windows.end, windows.core_start, windows.core_end)
        for start, end, core_start, core_end in zip(*(b.tolist() for b in bounds)):
            number = np.arange(start, end)
            is_core = (number >= core_start) & (number < core_end)
            shown = np.where(is_core, last[start:end], first[start:end] - 1)
            self.add(ids[start:end], first[start:end], shown)

    def add_overlapping(self, whole: Sequences, window: int, stride: int) -> None:
        """Windows over one long sequence, from 0, stride, 2 * stride … to its end. What is in two
        windows has half a share in each."""
        n_pieces = len(whole.ids)
        starts = np.arange(0, n_pieces, stride)
        lengths = np.minimum(window, n_pieces - starts)
        ends = np.cumsum(lengths)
        places = np.arange(ends[-1]) + np.repeat(starts - (ends - lengths), lengths)
        shares = 1 / np.bincount(places)[places]
        self._columns.append((whole.ids[places], whole.first[places], whole.last[places], shares))
        self._lengths.append(lengths)

    def join(self) -> Sequences:
        if not self._columns:
            return Sequences(NOTHING, NOTHING, NOTHING, np.zeros(0), NOTHING)
        columns = (np.concatenate(column) for column in zip(*self._columns))
        return Sequences(*columns, np.concatenate(self._lengths))
