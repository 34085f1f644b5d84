"""A tokenizer with fewer pieces: those of a large, multilingual vocabulary that some texts need.

In multilingual-e5-small, four fifths of the weights are embeddings of 250,000 pieces; texts of one
language use a tenth of them.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .errors import Errors
from .wordpieces import PieceTokenizer

BYTE = re.compile(r"<0x[0-9A-F]{2}>")  # what a tokenizer with byte fallback makes of the unknown


@dataclass(frozen=True)
class FewerPieces:
    """definition: The text of the new `tokenizer.json`.
    kept: int64 (K,), the old ids, ascending; their places are the new ids.
    n_before: Pieces of the old one.
    """

    definition: str
    kept: np.ndarray
    n_before: int

    def renumber(self, piece: int) -> int:
        """The new id of a piece that was kept."""
        return int(np.searchsorted(self.kept, piece))


def keep_pieces(
    tokenizer: PieceTokenizer, read: Iterable[int], also: Iterable[int] = ()
) -> FewerPieces:
    """Keep the pieces that were read, special and added ones, and whatever it takes to split any
    other text: single characters, and pieces with a character that is in no kept piece alone. So
    texts of which all pieces were read are split as before, others at worst into more pieces, and
    what was known stays known.

    read: Ids of the pieces of some texts.
    also: Ids of more pieces to keep, such as padding.
    RAISES: ValueError if the tokenizer is not of the kind Unigram, or nothing was read.
    """
    check_kind(tokenizer)
    read = list(read)
    if not read:
        raise ValueError(Errors.KEEP_PIECES_NOTHING)
    definition = json.loads(tokenizer.definition)
    model = definition["model"]
    added = [token["id"] for token in definition.get("added_tokens", [])]
    frame = [*tokenizer.prefix, *tokenizer.suffix]
    needed = _needed_for_any_text([piece for piece, _ in model["vocab"]])
    unknown = [] if model.get("unk_id") is None else [model["unk_id"]]
    kept = np.unique([*read, *added, *frame, *needed, *unknown, *also])
    fewer = FewerPieces("", kept.astype("int64"), len(tokenizer.vocabulary()))
    return FewerPieces(_renumbered(definition, fewer), fewer.kept, fewer.n_before)


def check_kind(tokenizer: PieceTokenizer) -> None:
    """RAISES: ValueError if pieces of the tokenizer cannot be left out."""
    kind = json.loads(tokenizer.definition)["model"].get("type")
    if kind != "Unigram":
        raise ValueError(Errors.KEEP_PIECES_KIND.format(kind=kind))


def _needed_for_any_text(pieces: list[str]) -> list[int]:
    single = {piece for piece in pieces if len(piece) == 1}
    return [
        number
        for number, piece in enumerate(pieces)
        if len(piece) == 1 or not single.issuperset(piece) or BYTE.fullmatch(piece)
    ]


def _renumbered(definition: dict[str, Any], fewer: FewerPieces) -> str:
    model = definition["model"]
    in_vocab = fewer.kept[fewer.kept < len(model["vocab"])].tolist()
    model["vocab"] = [model["vocab"][i] for i in in_vocab]
    if model.get("unk_id") is not None:
        model["unk_id"] = fewer.renumber(model["unk_id"])
    for token in definition.get("added_tokens", []):
        token["id"] = fewer.renumber(token["id"])
    _renumber_frame(definition.get("post_processor"), fewer)
    definition["padding"] = definition["truncation"] = None  # a window has its own
    return json.dumps(definition, ensure_ascii=False)


def _renumber_frame(block: Any, fewer: FewerPieces) -> None:
    """The ids in a post-processor, at whatever depth: lists of them under "ids", and pairs of a
    piece and its id under "cls" and "sep"."""
    if isinstance(block, list):
        for part in block:
            _renumber_frame(part, fewer)
    elif isinstance(block, dict):
        for name, value in block.items():
            if name == "ids":
                block[name] = [fewer.renumber(piece) for piece in value]
            elif name in ("cls", "sep"):
                block[name] = [value[0], fewer.renumber(value[1])]
            else:
                _renumber_frame(value, fewer)
