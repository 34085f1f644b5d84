"""A corpus and the rules of a language to a tokenizer of spaCy's."""

import re
from collections.abc import Callable
from typing import Any

from spacy.language import Language
from spacy.symbols import ORTH
from spacy.tokenizer import Tokenizer

from .chunks import Chunks
from .special_cases import learn_special_cases
from .symbols import learn_affixes
from .wholes import learn_wholes

Match = Callable[[str], Any]


def learn_tokenizer(
    nlp: Language, chunks: Chunks, min_count: int, min_share: float, max_special_cases: int
) -> Tokenizer:
    """Put what a corpus says before the rules of the language (`nlp.Defaults`).

    See `treebank.build_treebank_tokenizer` for the settings.
    """
    rules = nlp.Defaults
    words, addresses = _split_addresses(chunks, rules.url_match)
    affixes = learn_affixes(words, addresses, min_count, min_share)
    prefixes = [*affixes.prefixes, *(rules.prefixes or ())]
    suffixes = [f"(?:{p})$" for p in (*affixes.suffixes, *(rules.suffixes or ()))]
    infixes = [*affixes.infixes, *(rules.infixes or ())]
    tokenizer = Tokenizer(
        nlp.vocab,
        rules=rules.tokenizer_exceptions,
        prefix_search=_compile(affixes.no_prefix, prefixes, "search", "^"),
        suffix_search=_compile(affixes.no_suffix, suffixes, "search"),
        infix_finditer=_compile(affixes.no_infix, infixes, "finditer"),
        token_match=rules.token_match,
        url_match=rules.url_match,
    )
    wholes = learn_wholes(words, min_count, min_share, lambda text: len(tokenizer(text)) > 1)
    tokenizer.token_match = _any_match(rules.token_match, wholes)

    def tokenize(text: str) -> list[str]:
        return [token.text for token in tokenizer(text)]

    learnt = learn_special_cases(chunks, tokenize, max_special_cases)
    for text, tokens in learnt.items():
        tokenizer.add_special_case(text, [{ORTH: token} for token in tokens])
    return tokenizer


def _split_addresses(chunks: Chunks, url_match: Match | None) -> tuple[Chunks, Chunks]:
    """Chunks without and with addresses, whose symbols follow rules of their own."""

    def is_address(token: str) -> bool:
        return "://" in token or "@" in token[1:] or bool(url_match and url_match(token))

    found = {chunk for chunk in chunks if any(map(is_address, chunk.tokens))}
    words = Chunks({chunk: n for chunk, n in chunks.items() if chunk not in found})
    return words, Chunks({chunk: chunks[chunk] for chunk in found})


def _compile(forbidden: list[str], pieces: list[str], method: str, start: str = "") -> Match | None:
    """The first of the pieces that matches, where nothing does that is forbidden."""
    # All that is forbidden begins with a symbol: most places pass by the first test.
    test = rf"(?!(?=[\W_])(?:{'|'.join(forbidden)}))" if forbidden else ""
    pattern = f"{start}{test}(?:{'|'.join(pieces)})"
    return getattr(re.compile(pattern), method) if pieces else None


def _any_match(match: Match | None, wholes: list[str]) -> Match | None:
    """What a language leaves whole, and what a corpus does."""
    if not wholes:
        return match
    # Most words have no symbol inside, and fail the first test.
    pattern = rf"(?=\w+[\W_])(?:{'|'.join(wholes)})$"
    if match is not None:
        old = match.__self__  # type: ignore[attr-defined]
        # spaCy saves patterns without their flags, and flags stand only at the start of one.
        flags = "i" if old.flags & re.IGNORECASE else ""
        body = re.sub(r"^\(\?[a-zA-Z]+\)", "", old.pattern)
        pattern = f"(?{flags}:{body})|{pattern}"
    return re.compile(pattern).match
