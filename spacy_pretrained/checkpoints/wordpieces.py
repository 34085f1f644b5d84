"""Text to wordpieces with exact character offsets, by the Rust library `tokenizers`."""

import json
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from tokenizers import Tokenizer

from .errors import Errors


@dataclass(frozen=True)
class Pieces:
    """The P wordpieces of one text, without special pieces.

    A piece may be empty (start == end) or span several characters of the original text; several
    may span the same one (byte-level tokenizers cut an emoji into bytes).
    """

    ids: np.ndarray  # int64 (P,)
    starts: np.ndarray  # int64 (P,), first character
    ends: np.ndarray  # int64 (P,), one past the last character


@dataclass(frozen=True)
class PairFrame:
    """The special pieces around two texts, and the segments (`token_type_ids`) of all."""

    before: list[int]
    between: list[int]  # RoBERTa has two
    behind: list[int]
    segments: tuple[list[int], int, list[int], int, list[int]]  # before, of the first text ...

    @property
    def n_special(self) -> int:
        return len(self.before) + len(self.between) + len(self.behind)


@dataclass
class PieceTokenizer:
    """A tokenizer of the kinds WordPiece, byte-level BPE or Unigram.

    definition: The text of a `tokenizer.json`. Its padding and truncation are switched off, so
        that nothing is ever cut silently.
    """

    definition: str
    prefix: list[int] = field(init=False)  # special pieces before a window, such as [CLS]
    suffix: list[int] = field(init=False)  # and behind it, such as [SEP]

    def __post_init__(self):
        try:
            self._tokenizer = Tokenizer.from_str(self.definition)
        except Exception as error:  # the library raises bare Exception
            raise ValueError(Errors.TOKENIZER_BROKEN.format(error=error)) from error
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self.prefix, self.suffix = self._special_pieces()

    @property
    def n_special(self) -> int:
        """Special pieces in a window."""
        return len(self.prefix) + len(self.suffix)

    def encode(self, texts: list[str]) -> list[Pieces]:
        encodings = self._tokenizer.encode_batch(texts, add_special_tokens=False)
        return [_as_pieces(encoding.ids, encoding.offsets) for encoding in encodings]

    def encode_ids(self, texts: list[str]) -> list[np.ndarray]:
        """The ids (P,) of the pieces of each text, without offsets, which is faster."""
        encodings = self._tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        return [np.asarray(encoding.ids, dtype="int64") for encoding in encodings]

    @cached_property
    def unknown(self) -> int | None:
        """The id of the piece for what the tokenizer does not know, such as [UNK]; None if it has
        none."""
        model = self._tokenizer.model
        if hasattr(model, "unk_token"):
            piece = model.unk_token
            return None if piece is None else self._tokenizer.token_to_id(piece)
        return json.loads(self.definition)["model"].get("unk_id")

    @cached_property
    def pieces(self) -> dict[str, int]:
        """The vocabulary, kept: for who looks up single pieces."""
        return self.vocabulary()

    @property
    def lowers_case(self) -> bool:
        normalizer = self._tokenizer.normalizer
        return normalizer is not None and "a" in normalizer.normalize_str("A")

    def vocabulary(self) -> dict[str, int]:
        """All pieces, added ones included, with their ids."""
        return self._tokenizer.get_vocab(with_added_tokens=True)

    def _special_pieces(self) -> tuple[list[int], list[int]]:
        """What the tokenizer puts around a text, found by asking it."""
        encoding = self._tokenizer.encode("a", add_special_tokens=True)
        own = [i for i, special in enumerate(encoding.special_tokens_mask) if not special]
        if not own:
            return [], []
        return encoding.ids[: own[0]], encoding.ids[own[-1] + 1 :]

    def find_pair_frame(self) -> PairFrame:
        """What the tokenizer puts around two texts, found by asking it. ValueError if it puts
        nothing between them: then its model has seen no pairs."""
        encoding = self._tokenizer.encode("a", "a", add_special_tokens=True)
        ids, kinds, origin = encoding.ids, encoding.type_ids, encoding.sequence_ids
        (first, first_end), (second, second_end) = (_bounds(origin, text) for text in (0, 1))
        if second == first_end:
            raise ValueError(Errors.TOKENIZER_NO_PAIRS)
        parts = slice(first), slice(first_end, second), slice(second_end, None)
        before, between, behind = (kinds[part] for part in parts)
        segments = before, kinds[first], between, kinds[second], behind
        return PairFrame(*(ids[part] for part in parts), segments)

    def __reduce__(self):
        return PieceTokenizer, (self.definition,)


def join(parts: list[Pieces], shifts: list[int]) -> Pieces:
    """Join the pieces of consecutive parts of a text, with `shifts` characters before each."""
    if len(parts) == 1:
        return parts[0]
    return Pieces(
        ids=np.concatenate([part.ids for part in parts]),
        starts=np.concatenate([part.starts + s for part, s in zip(parts, shifts)]),
        ends=np.concatenate([part.ends + s for part, s in zip(parts, shifts)]),
    )


def _bounds(origin: list[int | None], text: int) -> tuple[int, int]:
    """The first piece of a text among those of two, and one past its last."""
    own = [i for i, number in enumerate(origin) if number == text]
    return own[0], own[-1] + 1


def _as_pieces(ids: list[int], offsets: list[tuple[int, int]]) -> Pieces:
    spans = np.asarray(offsets, dtype="int64").reshape(-1, 2)
    return Pieces(np.asarray(ids, dtype="int64"), spans[:, 0], spans[:, 1])
