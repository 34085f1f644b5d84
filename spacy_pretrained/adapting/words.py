"""Which wordpieces make up a word, by their offsets alone: that is the same for all tokenizers."""

import unicodedata

import numpy as np

from ..checkpoints.wordpieces import Pieces

# Scripts that have no spaces between words: there a piece counts as a word. Thai to Khmer, Kana,
# and Chinese characters.
WITHOUT_SPACES = (
    (0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF),
    (0x2E80, 0x312F), (0x31A0, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF),
)  # fmt: skip


def number_words(text: str, pieces: Pieces) -> np.ndarray:
    """The number of the word that each piece belongs to, int32 (P,), from 0.

    A piece goes on with the word before it if it begins where that ends, or within it, between two
    letters or digits. Punctuation is no part of a word.

    >>> # "un ##believ ##able !" of "unbelievable!"
    >>> number_words("unbelievable!", pieces)
    array([0, 0, 0, 1], dtype=int32)
    """
    begins = np.ones(len(pieces.ids), dtype=bool)
    for i in range(1, len(begins)):
        begins[i] = not _goes_on(text, int(pieces.ends[i - 1]), int(pieces.starts[i]))
    return (np.cumsum(begins) - 1).astype("int32")


def _goes_on(text: str, end: int, start: int) -> bool:
    if start < end:  # both are of one character
        return True
    return start == end and 0 < start < len(text) and _joins(text[start - 1], text[start])


def _joins(left: str, right: str) -> bool:
    return _is_of_word(left) and _is_of_word(right)


def _is_of_word(character: str) -> bool:
    number = ord(character)
    if any(first <= number <= last for first, last in WITHOUT_SPACES):
        return False
    return character.isalnum() or unicodedata.combining(character) != 0
