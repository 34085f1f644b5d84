"""A tokenizer with fewer pieces: those of a large, multilingual vocabulary that some texts need.

In multilingual-e5-small, four fifths of the weights are embeddings of 250,000 pieces; texts of one
language use a tenth of them.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from spacy.util import minibatch

from .errors import Errors
from .wordpieces import PieceTokenizer

BATCH = 1000
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
    tokenizer: PieceTokenizer, texts: Iterable[str], also: Iterable[int] = ()
) -> FewerPieces:
    """Keep the pieces that the texts are cut into, special and added ones, and whatever it takes
    to cut any other text: single characters, and pieces with a character that is in no kept piece
    alone. So the given texts are cut as before, others at worst finer, and what was known stays
    known.

    also: Ids of more pieces to keep, such as padding.
    RAISES: ValueError if the tokenizer is not of the kind Unigram, or the texts have no pieces.
    """
    definition = json.loads(tokenizer.definition)
    model = definition["model"]
    if model.get("type") != "Unigram":
        raise ValueError(Errors.KEEP_PIECES_KIND.format(kind=model.get("type")))
    seen = [
        np.unique(np.concatenate(tokenizer.encode_ids(batch))) for batch in minibatch(texts, BATCH)
    ]
    if not any(map(len, seen)):
        raise ValueError(Errors.KEEP_PIECES_NOTHING)
    added = [token["id"] for token in definition.get("added_tokens", [])]
    frame = [*tokenizer.prefix, *tokenizer.suffix]
    needed = _needed_for_any_text([piece for piece, _ in model["vocab"]])
    unknown = [] if model.get("unk_id") is None else [model["unk_id"]]
    kept = np.unique([*chain.from_iterable(seen), *added, *frame, *needed, *unknown, *also])
    fewer = FewerPieces("", kept.astype("int64"), len(tokenizer.vocabulary()))
    return FewerPieces(_renumbered(definition, fewer), fewer.kept, fewer.n_before)


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
