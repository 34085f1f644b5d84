"""Classes of characters, and regular expressions of them."""

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import groupby
from unicodedata import category

from spacy.lang.char_classes import ALPHA_LOWER, ALPHA_UPPER

# A character belongs to the first class that fits.
CLASSES = {
    "upper": f"[{ALPHA_UPPER}]",
    "lower": f"[{ALPHA_LOWER}]",
    "digit": r"\d",
    "other": r"[\W_]",
}
LETTER = r"[^\W\d_]"


@lru_cache(maxsize=10_000)
def class_of(character: str) -> str:
    """One of CLASSES; "" for a letter of a script that they do not have."""
    return next((n for n, pattern in CLASSES.items() if re.fullmatch(pattern, character)), "")


@lru_cache(maxsize=10_000)
def is_symbol(character: str) -> bool:
    """Punctuation and symbols. Marks, such as vowel signs, are parts of words."""
    return category(character)[0] in "PS"


def core(text: str) -> tuple[int, int]:
    """Start and end of the text without the symbols around it; two equal numbers if there are
    only symbols."""
    places = [i for i, character in enumerate(text) if not is_symbol(character)]
    return (places[0], places[-1] + 1) if places else (len(text), len(text))


def any_character(characters: Iterable[str]) -> str:
    return "[" + "".join(map(re.escape, sorted(characters))) + "]"


def any_string(strings: Iterable[str]) -> str:
    """An alternation, the longest first."""
    ordered = sorted(strings, key=lambda string: (-len(string), string))
    if max(map(len, ordered)) == 1:
        return any_character(ordered)
    return "(?:" + "|".join(map(re.escape, ordered)) + ")"


def any_after(strings: Iterable[str], left: str) -> str:
    """An alternation of strings behind the character `left`, a pattern.

    The strings stand first in the pattern, so that `re` need not look behind each character.
    """
    by_length = groupby(sorted(strings, key=lambda s: (-len(s), s)), key=len)
    pieces = (f"{any_string(group)}(?<={left}{'.' * n})" for n, group in by_length)
    return f"(?:{'|'.join(pieces)})"
