"""What a corpus leaves whole though it has symbols inside: words that begin or end with a certain
part (`non-human`, `anti-war`), and numbers of a certain form (`646-2600`, `01-Feb-02`)."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator

from .characters import LETTER, any_string, core, is_symbol
from .chunks import Chunks, token_ends
from .votes import Votes

Core = tuple[str, bool, int]  # text without symbols around it, whether it is one token, how often


def learn_wholes(
    chunks: Chunks, min_count: int, min_share: float, is_split: Callable[[str], bool]
) -> list[str]:
    """Patterns of what is one token.

    is_split: Whether the tokenizer would split a text, so that it has to be told.
    """
    cores = list(_cores(chunks))
    needed = {text for text, *_ in cores if is_split(text)}
    return [
        *_learn_words(cores, needed, Votes(min_count, min_share)),
        *_learn_forms(cores, needed, min_count, min_share),
    ]


def _cores(chunks: Chunks) -> Iterator[Core]:
    for (text, tokens), n in chunks.items():
        first, last = core(text)
        if any(map(is_symbol, text[first:last])):
            is_whole = not any(first < end < last for end in token_ends(tokens))
            yield text[first:last], is_whole, n


def _learn_words(cores: list[Core], needed: set[str], votes: Votes) -> Iterator[str]:
    """Words of two parts, one of which decides."""
    asked = set()
    for text, is_whole, n in cores:
        parts = re.fullmatch(rf"({LETTER}+)([\W_])({LETTER}+)", text)
        if parts:
            first, symbol, last = parts.groups()
            for question in ((symbol, "first", first.lower()), (symbol, "last", last.lower())):
                votes.add(question, is_whole, n)
                asked |= {question} if text in needed else set()
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for (symbol, place, part), is_whole in votes.decide().items():
        if is_whole and (symbol, place, part) in asked:
            found[symbol, place].add(part)
    for (symbol, place), parts in sorted(found.items()):
        known = f"(?i:{any_string(parts)})"
        first, last = (known, f"{LETTER}+") if place == "first" else (f"{LETTER}+", known)
        yield f"{first}{re.escape(symbol)}{last}"


def _learn_forms(
    cores: list[Core], needed: set[str], min_count: int, min_share: float
) -> Iterator[str]:
    """Forms of numbers, with any number of digits or, where that does not decide, with so many."""
    rough, exact = Votes(min_count, min_share), Votes(min_count, min_share)
    asked = set()
    for text, is_whole, n in cores:
        if any(map(str.isdigit, text)):
            form = _form(text)
            rough.add(_any_digits(form), is_whole, n)
            exact.add(form, is_whole, n)
            asked |= {form, _any_digits(form)} if text in needed else set()
    whole = {form for form, is_whole in rough.decide().items() if is_whole}
    whole |= {
        form
        for form, is_whole in exact.decide().items()
        if is_whole and _any_digits(form) not in whole
    }
    yield from sorted(whole & asked)


def _form(text: str) -> str:
    """A pattern: each digit, and groups of letters."""
    pieces = re.findall(rf"\d|{LETTER}+|.", text)
    return "".join(
        r"\d" if piece.isdigit() else f"{LETTER}+" if piece.isalpha() else re.escape(piece)
        for piece in pieces
    )


def _any_digits(form: str) -> str:
    return re.sub(r"(\\d)+", r"\\d+", form.replace(LETTER, "L")).replace("L", LETTER)
