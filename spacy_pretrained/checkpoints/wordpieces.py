"""Text to wordpieces with exact character offsets, by the Rust library `tokenizers`."""

import json
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from tokenizers import Encoding, Tokenizer
from tokenizers.models import Unigram, WordLevel, WordPiece

from .errors import Errors

# Special pieces that models are pretrained with, beside those that tokenizers put around a text.
SPECIAL = {
    *("[CLS]", "[SEP]", "[PAD]", "[UNK]", "[MASK]"),
    *("<cls>", "<sep>", "<pad>", "<unk>", "<mask>"),
    *("<s>", "</s>", "<bos>", "<eos>", "<eod>", "<eop>", "<|endoftext|>", "<|padding|>"),
}
NOWHERE = "\uffff\ufffe\uffff"  # no characters of Unicode; stands in no text
# Pieces that a text may have: so many for each character, and some. Byte-level tokenizers need 4,
# and normalizers turn one Arabic ligature into 18 letters.
MOST_PIECES, SOME_PIECES = 100, 1000


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
        self._check_unknown()
        self.prefix, self.suffix = self._special_pieces()
        self._read_special_pieces_as_text()

    @property
    def n_special(self) -> int:
        """Special pieces in a window."""
        return len(self.prefix) + len(self.suffix)

    def encode(self, texts: list[str]) -> list[Pieces]:
        encodings = self._tokenizer.encode_batch(texts, add_special_tokens=False)
        encodings = self._without_special_pieces(texts, encodings)
        _check_numbers(texts, encodings)
        return [_as_pieces(encoding.ids, encoding.offsets) for encoding in encodings]

    def encode_with_special(self, texts: list[str]) -> list[Pieces]:
        """As `encode`, but where the text says "[SEP]", it is that special piece: as stock
        pipelines were trained."""
        encodings = self._as_defined.encode_batch(texts, add_special_tokens=False)
        _check_numbers(texts, encodings)
        return [_as_pieces(encoding.ids, encoding.offsets) for encoding in encodings]

    def encode_ids(self, texts: list[str]) -> list[np.ndarray]:
        """The ids (P,) of the pieces of each text, without offsets, which is faster."""
        encodings = self._tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        encodings = self._without_special_pieces(texts, encodings)
        _check_numbers(texts, encodings)
        return [np.asarray(encoding.ids, dtype="int64") for encoding in encodings]

    @cached_property
    def _as_defined(self) -> Tokenizer:
        tokenizer = Tokenizer.from_str(self.definition)
        tokenizer.no_padding()
        tokenizer.no_truncation()
        return tokenizer

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
    def n_pieces(self) -> int:
        """One more than the highest number of a piece, if there are no gaps."""
        added = self._tokenizer.get_added_tokens_decoder()
        return max([self._tokenizer.get_vocab_size(with_added_tokens=False) - 1, *added]) + 1

    @property
    def lowers_case(self) -> bool:
        normalizer = self._tokenizer.normalizer
        return normalizer is not None and "a" in normalizer.normalize_str("A")

    def vocabulary(self) -> dict[str, int]:
        """All pieces, added ones included, with their ids."""
        return self._tokenizer.get_vocab(with_added_tokens=True)

    def _check_unknown(self) -> None:
        """ValueError if there is no piece for what the tokenizer does not know, and a text would
        need it. Byte-level tokenizers know everything."""
        model = self._tokenizer.model
        if not isinstance(model, WordPiece | WordLevel):
            return
        if self._tokenizer.token_to_id(model.unk_token) is None:
            error = f"its vocabulary lacks the piece for unknown words, '{model.unk_token}'"
            raise ValueError(Errors.TOKENIZER_BROKEN.format(error=error))

    def _read_special_pieces_as_text(self) -> None:
        """Take special pieces that stand in a text, such as "[SEP]", as what they are there: text.
        Only those that the model was pretrained with: others were added to stand in texts."""
        around = {self._tokenizer.id_to_token(number) for number in (*self.prefix, *self.suffix)}
        own = SPECIAL | around
        added = self._tokenizer.get_added_tokens_decoder().values()
        if any(piece.special and piece.content not in own for piece in added):
            definition = json.loads(self._tokenizer.to_str())
            for piece in definition["added_tokens"]:
                piece["special"] = piece["content"] in own
            self._tokenizer = Tokenizer.from_str(json.dumps(definition))
        self._tokenizer.encode_special_tokens = True
        vocabulary = {piece: self._tokenizer.token_to_id(piece) for piece in own}
        is_unigram = isinstance(self._tokenizer.model, Unigram)
        # A unigram model finds them in a text as it finds any piece.
        self._found = {
            number: piece
            for piece, number in vocabulary.items()
            if is_unigram and number is not None and number != self.unknown
        }

    def _without_special_pieces(
        self, texts: list[str], encodings: list[Encoding]
    ) -> list[Encoding]:
        """The same encodings, but for texts in which a unigram model has found special pieces."""
        if not self._found:
            return encodings
        return [
            encoding
            if self._found.keys().isdisjoint(encoding.ids)
            else self._plain.encode(text, add_special_tokens=False)
            for text, encoding in zip(texts, encodings)
        ]

    @cached_property
    def _plain(self) -> Tokenizer:
        """The same unigram tokenizer, with names of the special pieces that no text has. Made for
        the first text that needs it: the vocabulary may be large."""
        definition = json.loads(self._tokenizer.to_str())
        vocabulary = definition["model"]["vocab"]
        renamed = set()
        for number, piece in self._found.items():
            if number < len(vocabulary):
                renamed.add(piece)
                vocabulary[number][0] = NOWHERE + piece
        added = definition["added_tokens"]
        definition["added_tokens"] = [one for one in added if one["content"] not in renamed]
        definition["post_processor"] = None
        tokenizer = Tokenizer.from_str(json.dumps(definition))
        tokenizer.encode_special_tokens = True
        return tokenizer

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
    before = np.repeat(np.array(shifts, dtype="int64"), [len(part.ids) for part in parts])
    ids, starts, ends = (
        np.concatenate([np.zeros(0, "int64"), *(getattr(part, name) for part in parts)])
        for name in ("ids", "starts", "ends")
    )
    return Pieces(ids, starts + before, ends + before)


def _check_numbers(texts: list[str], encodings: list[Encoding]) -> None:
    """ValueError if a text was blown up by a normalizer: its pieces would fill the memory."""
    for text, encoding in zip(texts, encodings):
        if len(encoding) > MOST_PIECES * len(text) + SOME_PIECES:
            counts = {"n_pieces": len(encoding), "n_characters": len(text)}
            raise ValueError(Errors.TOKENIZER_BLOWS_UP.format(**counts, text=text[:50]))


def _bounds(origin: list[int | None], text: int) -> tuple[int, int]:
    """The first piece of a text among those of two, and one past its last."""
    own = [i for i, number in enumerate(origin) if number == text]
    return own[0], own[-1] + 1


def _as_pieces(ids: list[int], offsets: list[tuple[int, int]]) -> Pieces:
    spans = np.asarray(offsets, dtype="int64").reshape(-1, 2)
    return Pieces(np.asarray(ids, dtype="int64"), spans[:, 0], spans[:, 1])
