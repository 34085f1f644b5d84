"""What stands between spaces, and where a corpus splits it."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from spacy.tokens import Doc


class Chunk(NamedTuple):
    """Text without white space, and its tokens: ("(its)", ("(", "it", "s", ")"))."""

    text: str
    tokens: tuple[str, ...]


Chunks = Counter[Chunk]


def count_chunks(docs: Iterable[Doc]) -> Chunks:
    """How often each chunk occurs. Docs with unknown spaces have none.

    A chunk with a space inside a token, such as "10 000", is left out: spaCy's tokenizer cuts at
    spaces first.
    """
    return Counter(
        Chunk(text, tuple(tokens))
        for doc in docs
        if not doc.has_unknown_spaces
        for tokens in _split_at_spaces(doc)
        if not any(map(str.isspace, text := "".join(tokens)))
    )


def _split_at_spaces(doc: Doc) -> Iterator[list[str]]:
    tokens: list[str] = []
    for token in doc:
        is_space = token.text.isspace()
        if not is_space:
            tokens.append(token.text)
        if tokens and (is_space or token.whitespace_):
            yield tokens
            tokens = []
    if tokens:
        yield tokens


def token_ends(tokens: Iterable[str]) -> list[int]:
    """Where tokens end, in characters: ("do", "n't") → [2, 5]."""
    ends, end = [], 0
    for token in tokens:
        end += len(token)
        ends.append(end)
    return ends
