"""Wordpieces of tokens that are tokenized each by itself, as spacy-curated-transformers does."""

import unicodedata
from collections.abc import Iterable, Iterator
from itertools import chain

import numpy as np
from spacy.attrs import ORTH
from spacy.tokens import Doc

from ..checkpoints.wordpieces import PieceTokenizer
from .doc_arrays import DocArrays
from .stock_windows import ByteBpe, WordPiece, Words

NOTHING = np.zeros(0, dtype="int64")
CONTINUED = "##"  # what WordPiece has before a piece within a word
ASCII_PUNCTUATION = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")


def encode_tokens(
    tokenizer: PieceTokenizer, words: Words, docs: list[Doc], arrays: DocArrays
) -> tuple[np.ndarray, np.ndarray]:
    """The ids of the pieces of all tokens, laid end to end, and how many each of the N tokens has
    (N,). White space has none. Each word is tokenized once, however often it occurs."""
    orth = np.concatenate([np.zeros(0, "uint64"), *(doc.to_array(ORTH).ravel() for doc in docs)])
    spaces = [_find_spaces(words, a) for a in arrays.by_doc()]
    spaces = np.concatenate([np.zeros(0, "bool"), *spaces])
    visible = ~arrays.whitespace
    keys, firsts, numbers = np.unique(orth[visible], return_index=True, return_inverse=True)
    # Docs may have vocabs of their own: each word is asked for where it stands.
    owners = np.searchsorted(arrays.bounds, np.flatnonzero(visible)[firsts], "right") - 1
    with_space, numbers = np.unique(2 * numbers + spaces[visible], return_inverse=True)
    texts = [docs[d].vocab.strings[key] for key, d in zip(keys.tolist(), owners.tolist())]
    texts = [" " * (number % 2) + texts[number // 2] for number in with_space.tolist()]
    pieces = list(_encode(tokenizer, words, texts))
    lengths = np.zeros(len(orth), dtype="int64")
    lengths[visible] = np.array([len(p) for p in pieces], dtype="int64")[numbers]
    return np.concatenate([NOTHING, *(pieces[i] for i in numbers.tolist())]), lengths


def _find_spaces(words: Words, arrays: DocArrays) -> np.ndarray:
    """Which tokens are tokenized with a space before them (N,)."""
    before = np.zeros(len(arrays.starts), dtype=bool)
    if not isinstance(words, ByteBpe):
        return before
    counted = np.arange(len(before))
    if words.space == "word":
        counted = np.flatnonzero(~arrays.whitespace)
    before[counted[1:]] = arrays.spaced[counted[:-1]]
    return before


def _encode(tokenizer: PieceTokenizer, words: Words, texts: list[str]) -> Iterable[np.ndarray]:
    if isinstance(words, WordPiece):
        return _encode_wordpiece(tokenizer, words, texts)
    return tokenizer.encode_ids(texts)


def _encode_wordpiece(
    tokenizer: PieceTokenizer, words: WordPiece, texts: list[str]
) -> Iterator[np.ndarray]:
    parts = [list(_split(_normalize(text, words), words)) for text in texts]
    flat = list(chain.from_iterable(parts))
    encoded = iter(zip(flat, tokenizer.encode_ids(flat)))
    for split in parts:
        found = [_with_known_start(tokenizer, *next(encoded)) for _ in split]
        yield np.concatenate([NOTHING, *found])


def _normalize(text: str, words: WordPiece) -> str:
    if words.lowercase:
        text = text.lower()
    if words.strip_accents:
        text = unicodedata.normalize("NFD", text)
        text = "".join(char for char in text if unicodedata.category(char) != "Mn")
    return text


def _split(text: str, words: WordPiece) -> Iterator[str]:
    """
    >>> list(_split("AWO-Mitarbeiter", WordPiece()))
    ['AWO', '-', 'Mitarbeiter']
    """
    if not words.split_punctuation:
        yield text
        return
    start = 0
    for place, char in enumerate(text):
        if char in ASCII_PUNCTUATION or unicodedata.category(char).startswith("P"):
            if place > start:
                yield text[start:place]
            yield char
            start = place + 1
    if start < len(text):
        yield text[start:]


def _with_known_start(tokenizer: PieceTokenizer, word: str, ids: np.ndarray) -> np.ndarray:
    """The longest pieces that fit, from the left; the unknown piece for the rest, where none does.
    The library `tokenizers`, which gave the ids, calls all of such a word unknown, and may have
    cut it at white space."""
    is_usual = not word.startswith(CONTINUED) and word.split() == [word]
    if is_usual and tokenizer.unknown not in ids:
        return ids
    vocabulary, found, start = tokenizer.pieces, [], 0
    while start < len(word):
        for end in range(len(word), start, -1):
            piece = word[start:end]
            # At its start, a word that looks like the middle of one does not fit.
            key = f"{CONTINUED}{piece}" if start else piece
            if key in vocabulary and (start or not piece.startswith(CONTINUED)):
                found.append(vocabulary[key])
                start = end
                break
        else:
            return np.array([*found, tokenizer.unknown], dtype="int64")
    return np.array(found, dtype="int64")
