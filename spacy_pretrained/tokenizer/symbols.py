"""Where a corpus splits off symbols: before a word, after it, and inside of it.

A symbol is a punctuation mark or the like, or a run of them that is one token (`!!!`, `...`). What
decides is the class of the characters beside it. "and/or" and "24/7", say, are two questions: a
slash between lowercase letters, a slash between digits.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from .characters import CLASSES, any_after, any_character, any_string, class_of, core, is_symbol
from .chunks import Chunk, Chunks, token_ends
from .votes import Votes

Pieces = list[str]  # patterns, of which the first that matches counts


@dataclass
class Affixes:
    """Patterns to put before those of the language, and what none of these may match."""

    prefixes: Pieces = field(default_factory=list)
    suffixes: Pieces = field(default_factory=list)
    infixes: Pieces = field(default_factory=list)
    no_prefix: Pieces = field(default_factory=list)
    no_suffix: Pieces = field(default_factory=list)
    no_infix: Pieces = field(default_factory=list)


def learn_affixes(chunks: Chunks, addresses: Chunks, min_count: int, min_share: float) -> Affixes:
    """Learn from counts.

    addresses: Chunks with URLs and the like. Only their last symbols tell anything.
    """
    followers = learn_runs(chunks, Votes(min_count, min_share))
    before, after, inside = (Votes(min_count, min_share) for _ in range(3))
    for chunk, n in chunks.items():
        _ask(chunk, n, followers, before, after, inside)
    for (text, tokens), n in addresses.items():
        if len(text) > 1 and is_symbol(text[-1]) and (left := class_of(text[-2])):
            after.add((text[-1], left), tokens[-1] == text[-1], n)
    affixes = Affixes()
    _add_prefixes(affixes, before.decide())
    _add_suffixes(affixes, after.decide())
    _add_infixes(affixes, inside.decide())
    _add_units(affixes, _learn_units(chunks, Votes(min_count, min_share)))
    _add_runs(affixes, followers)
    return affixes


def learn_runs(chunks: Chunks, votes: Votes) -> dict[str, set[str]]:
    """The symbols that go on in the same token after each symbol."""
    for (text, tokens), n in chunks.items():
        ends = set(token_ends(tokens))
        for i in range(1, len(text)):
            if is_symbol(text[i - 1]) and is_symbol(text[i]):
                votes.add((text[i - 1], text[i]), i not in ends, n)
    followers: dict[str, set[str]] = {}
    for (left, right), is_joined in votes.decide().items():
        if is_joined:
            followers.setdefault(left, set()).add(right)
    return followers


def find_symbols(text: str, followers: dict[str, set[str]]) -> Iterator[tuple[int, int]]:
    """Start and end of each symbol or run."""
    start = 0
    while start < len(text):
        end = start + 1
        if is_symbol(text[start]):
            while end < len(text) and text[end] in followers.get(text[end - 1], ()):
                end += 1
            yield start, end
        start = end


def _ask(
    chunk: Chunk,
    n: int,
    followers: dict[str, set[str]],
    before: Votes,
    after: Votes,
    inside: Votes,
) -> None:
    """Add what a chunk says of each of its symbols: whether one before or after the word is split
    off, and for those inside of it whether a token ends on its left and on its right."""
    text = chunk.text
    ends = set(token_ends(chunk.tokens))
    first, last = core(text)
    for start, end in find_symbols(text, followers):
        symbol = text[start:end]
        left = class_of(text[start - 1]) if start else ""
        right = class_of(text[end]) if end < len(text) else ""
        if end <= first and right:
            before.add((symbol, right), end in ends, n)
        elif start >= last and left:
            after.add((symbol, left), start in ends, n)
        elif first < start and end < last and left and right:
            inside.add((symbol, left, right), (start in ends, end in ends), n)


def _group(decided: dict, answer: object) -> Iterable[tuple[tuple[str, ...], set[str]]]:
    """The symbols with this answer, for each of the contexts."""
    groups: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for (symbol, *context), found in decided.items():
        if found == answer:
            groups[tuple(context)].add(symbol)
    return sorted(groups.items())


def _add_prefixes(affixes: Affixes, decided: dict) -> None:
    for (right,), symbols in _group(decided, True):
        if right != "other":
            affixes.prefixes.append(f"{any_string(symbols)}(?={CLASSES[right]})")
    for (right,), symbols in _group(decided, False):
        if right != "other":
            affixes.no_prefix.append(f"{any_string(symbols)}{CLASSES[right]}")


def _add_suffixes(affixes: Affixes, decided: dict) -> None:
    for (left,), symbols in _group(decided, True):
        if left != "other":
            affixes.suffixes.append(any_after(symbols, CLASSES[left]))
    for (left,), symbols in _group(decided, False):
        if left != "other":
            affixes.no_suffix.append(any_after(symbols, CLASSES[left]) + "$")


def _add_infixes(affixes: Affixes, decided: dict) -> None:
    def contexts(answer: tuple[bool, bool]) -> Iterator[tuple[str, str, set[str]]]:
        for (left, right), symbols in _group(decided, answer):
            yield CLASSES[left], CLASSES[right], symbols

    for left, right, symbols in contexts((True, True)):
        affixes.infixes.append(f"{any_after(symbols, left)}(?={right})")
    for left, right, symbols in contexts((True, False)):
        affixes.infixes.append(f"(?={any_string(symbols)}{right})(?<={left})")
    for left, right, symbols in contexts((False, True)):
        # What a lookbehind looks for has to be of one length.
        behind = "|".join(f"(?<={left}{re.escape(symbol)})" for symbol in sorted(symbols))
        affixes.infixes.append(f"(?={right})(?:{behind})")
    for left, right, symbols in contexts((False, False)):
        # Phone numbers are whole and ranges are not: `wholes.py` knows them by their form.
        if not left == right == CLASSES["digit"]:
            affixes.no_infix.append(f"{any_after(symbols, left)}{right}")


def _learn_units(chunks: Chunks, votes: Votes) -> set[str]:
    """Letters, in lower case, that are split off after digits: "5km" → "5", "km"."""
    for (text, tokens), n in chunks.items():
        first, last = core(text)
        start = _letters_after_digit(text, first, last)
        if start:
            votes.add(text[start:last].lower(), start in token_ends(tokens), n)
    return {unit for unit, is_split in votes.decide().items() if is_split}


def _letters_after_digit(text: str, first: int, last: int) -> int:
    """Where the letters at the end of a word begin, if a digit is before them; else 0."""
    start = last
    while start > first and text[start - 1].isalpha():
        start -= 1
    return start if first < start < last and text[start - 1].isdigit() else 0


def _add_units(affixes: Affixes, units: set[str]) -> None:
    if units:
        affixes.suffixes.insert(0, rf"(?<=\d)(?i:{any_string(units)})")


def _add_runs(affixes: Affixes, followers: dict[str, set[str]]) -> None:
    if not followers:
        return
    leaders: dict[frozenset[str], set[str]] = defaultdict(set)
    for symbol, next_symbols in followers.items():
        leaders[frozenset(next_symbols)].add(symbol)
    pairs = [
        (any_character(symbols), any_character(next_symbols))
        for next_symbols, symbols in sorted(leaders.items(), key=lambda pair: sorted(pair[1]))
    ]
    goes_on = "|".join(f"{right}(?<={left}.)" for left, right in pairs)
    run = f"{any_character(followers)}(?:{goes_on})+"
    for pieces in (affixes.prefixes, affixes.suffixes, affixes.infixes):
        pieces.insert(0, run)
    affixes.no_suffix.append(goes_on)  # none begins inside of a run
