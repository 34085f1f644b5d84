"""Texts packed into blocks of equal length: made once, so that training only reads them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from ..checkpoints.wordpieces import PieceTokenizer
from .words import number_words

TEXTS_AT_ONCE = 1000
NO_UNIT = -1


@dataclass(frozen=True)
class Blocks:
    """B blocks of L pieces, special ones and padding included.

    Pairs of sentences have segments, and whether the second one is the next in its text.
    """

    ids: np.ndarray  # int32 (B, L)
    units: np.ndarray  # int32 (B, L), what is masked together; -1 for what is never masked
    lengths: np.ndarray  # int32 (B,), pieces without padding
    segments: np.ndarray | None = None  # int8 (B, L)
    is_next: np.ndarray | None = None  # int64 (B,)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def n_pieces(self) -> int:
        """Pieces that may be masked."""
        return int((self.units != NO_UNIT).sum())

    def take(self, rows: slice | np.ndarray) -> "Blocks":
        """Some of the blocks."""
        parts = (self.ids, self.units, self.lengths, self.segments, self.is_next)
        return Blocks(*(None if part is None else part[rows] for part in parts))


def pack(
    texts: Iterable[str], tokenizer: PieceTokenizer, length: int, pad: int, *, whole_words: bool
) -> Blocks:
    """Join texts and cut them into blocks. Between two texts stands what the tokenizer puts behind
    one, such as [SEP]. Only the last block may be shorter.

    length: L, special pieces included. pad: The id of the padding piece.
    """
    room = length - tokenizer.n_special
    ids, units = _join(texts, tokenizer, whole_words)
    n_blocks = -(-len(ids) // room)
    sizes = np.minimum(room, len(ids) - room * np.arange(n_blocks))
    block_ids = np.full((n_blocks, length), pad, dtype="int32")
    block_units = np.full((n_blocks, length), NO_UNIT, dtype="int32")
    before, behind = tokenizer.prefix, tokenizer.suffix
    for row, size in enumerate(sizes):
        part = slice(row * room, row * room + size)
        end = len(before) + size
        block_ids[row, : end + len(behind)] = [*before, *ids[part], *behind]
        block_units[row, len(before) : end] = renumber(units[part])
    lengths = (sizes + tokenizer.n_special).astype("int32")
    return Blocks(block_ids, block_units, lengths)


def renumber(units: np.ndarray) -> np.ndarray:
    """The same units, from 0 on; those that have a number rise."""
    is_unit = units != NO_UNIT
    first = units[is_unit].min(initial=np.iinfo("int32").max)
    return np.where(is_unit, units - first, NO_UNIT).astype("int32")


def number_pieces(texts: list[str], tokenizer: PieceTokenizer, whole_words: bool) -> Iterator:
    """The ids and the units of each text, (P,) both; a unit is a word or a piece."""
    for start in range(0, len(texts), TEXTS_AT_ONCE):
        some = texts[start : start + TEXTS_AT_ONCE]
        for text, pieces in zip(some, tokenizer.encode(some)):
            if whole_words:
                yield pieces.ids, number_words(text, pieces)
            else:
                yield pieces.ids, np.arange(len(pieces.ids), dtype="int32")


def _join(
    texts: Iterable[str], tokenizer: PieceTokenizer, whole_words: bool
) -> tuple[np.ndarray, np.ndarray]:
    between = np.asarray(tokenizer.suffix, dtype="int32")
    all_ids, all_units, n_units = [np.empty(0, "int32")], [np.empty(0, "int32")], 0
    for ids, units in number_pieces(list(texts), tokenizer, whole_words):
        if len(ids):
            all_ids += [ids.astype("int32"), between]
            all_units += [units + n_units, np.full(len(between), NO_UNIT, dtype="int32")]
            n_units += int(units[-1]) + 1
    end = -len(between) or None  # a block ends with it anyway
    return np.concatenate(all_ids)[:end], np.concatenate(all_units)[:end]
