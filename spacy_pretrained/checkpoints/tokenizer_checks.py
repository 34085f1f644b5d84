"""Whether a tokenizer can be the one that its model was pretrained with."""

import json
import string
from collections.abc import Iterable, Iterator

import numpy as np

from .errors import Errors
from .wordpieces import PieceTokenizer

SAMPLE = 100  # Docs that a tokenizer is tried on
MAX_UNKNOWN = 0.3  # of the characters
N_EXAMPLES = 5
# Of several scripts: a tokenizer that knows none of them was made of no vocabulary.
CHARACTERS = " ".join([*string.ascii_letters, *string.digits, *"àñğაαяאبกका的日の한"])


def refuse_ignorant(tokenizer: PieceTokenizer, source: str) -> None:
    """Refuse a tokenizer that knows no character at all: transformers makes up such a one where a
    folder's vocabulary is not of the kind that its model has."""
    share, _ = find_unknown(tokenizer, [CHARACTERS])
    if share == 1:
        n_pieces = len(tokenizer.vocabulary())
        raise ValueError(Errors.TOKENIZER_IGNORANT.format(source=source, n_pieces=n_pieces))


def refuse_unknown(tokenizer: PieceTokenizer, texts: Iterable[str], source: str) -> None:
    """Refuse a tokenizer to which more than MAX_UNKNOWN of a sample of the training texts is
    unknown; the error shows some words."""
    texts = list(texts)
    share, words = find_unknown(tokenizer, texts)
    if share > MAX_UNKNOWN:
        examples = ", ".join(f"'{word}'" for word in list(dict.fromkeys(words))[:N_EXAMPLES])
        found = {"source": source, "share": share, "examples": examples, "bound": MAX_UNKNOWN}
        raise ValueError(Errors.TOKENIZER_UNKNOWN.format(**found, n_texts=len(texts)))


def find_unknown(tokenizer: PieceTokenizer, texts: list[str]) -> tuple[float, Iterator[str]]:
    """The share of the characters, white space aside, that are in an unknown piece or in none, and
    the words that have such characters, as split at white space."""
    unknown = tokenizer.unknown
    n_all, masks = 0, []
    for text, pieces in zip(texts, tokenizer.encode(texts)):
        is_known = np.zeros(len(text), dtype=bool)
        for number, start, end in zip(pieces.ids, pieces.starts, pieces.ends):
            is_known[start:end] |= number != unknown
        is_space = np.fromiter(map(str.isspace, text), dtype=bool, count=len(text))
        n_all += int((~is_space).sum())
        masks.append(~is_known & ~is_space)
    n_unknown = sum(int(mask.sum()) for mask in masks)
    return n_unknown / max(1, n_all), _words_with(texts, masks)


def _words_with(texts: list[str], masks: list[np.ndarray]) -> Iterator[str]:
    for text, mask in zip(texts, masks):
        start = 0
        for word in text.split():
            start = text.index(word, start)
            if mask[start : start + len(word)].any():
                yield word
            start += len(word)


def describe_conflicts(tokenizer: PieceTokenizer, settings: dict, source: str) -> list[str]:
    """Warnings, where tokenizer.json does other than a folder's tokenizer_config.json says: as to
    lower case, and special pieces. What counts is tokenizer.json.

    settings: What tokenizer_config.json holds.
    """
    warnings = []
    lowers = settings.get("do_lower_case")
    if isinstance(lowers, bool) and lowers != tokenizer.lowers_case:
        does = "turns" if tokenizer.lowers_case else "does not turn"
        said = json.dumps(lowers)
        warnings.append(Errors.TOKENIZER_CASE.format(source=source, does=does, said=said))
    vocabulary = tokenizer.vocabulary()
    named = {name: _piece(settings.get(name)) for name in ("cls_token", "sep_token", "unk_token")}
    named = {name: piece for name, piece in named.items() if piece}
    around = {*tokenizer.prefix, *tokenizer.suffix}
    missing = [f"{name} = '{piece}'" for name, piece in named.items() if piece not in vocabulary]
    frame = {n: piece for n, piece in named.items() if n != "unk_token" and piece in vocabulary}
    if missing:
        pieces = ", ".join(missing)
        warnings.append(Errors.TOKENIZER_PIECES.format(source=source, pieces=pieces))
    elif frame and not around & {vocabulary[piece] for piece in frame.values()}:
        pieces = ", ".join(f"{name} = '{piece}'" for name, piece in frame.items())
        warnings.append(Errors.TOKENIZER_FRAME.format(source=source, pieces=pieces))
    return warnings


def _piece(setting: str | dict | None) -> str | None:
    """A special piece as tokenizer_config.json names it: by its text, or an object with that."""
    return setting.get("content") if isinstance(setting, dict) else setting
