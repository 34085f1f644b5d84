"""Special cases: texts that a corpus splits in one way most of the time, and the rules in
another."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterable

from .chunks import Chunks, token_ends
from .votes import Votes

MAX_PARTS = 5  # of a special case: pieces on whose borders rules and corpus agree


def learn_special_cases(
    chunks: Chunks, tokenize: Callable[[str], Iterable[str]], max_special_cases: int
) -> dict[str, tuple[str, ...]]:
    """Texts and their tokens, those first that make most tokens right.

    tokenize: What the rules make of a chunk.
    """
    ruled = {chunk: token_ends(tokenize(chunk.text)) for chunk in chunks}
    mistakes: Counter[str] = Counter()
    for chunk, n in chunks.items():
        gold, found = token_ends(chunk.tokens), ruled[chunk]
        if gold != found:
            agreed = [0, *sorted({*gold} & {*found})]
            for start, end in itertools.pairwise(agreed):
                if any(start < place < end for place in {*gold} ^ {*found}):
                    mistakes[chunk.text[start:end]] += n
    # More often than in all other ways together.
    votes = Votes(1, 0.5)
    for chunk, n in chunks.items():
        gold = token_ends(chunk.tokens)
        agreed = [0, *sorted({*gold} & {*ruled[chunk]})]
        for i, start in enumerate(agreed):
            for end in agreed[i + 1 : i + 1 + MAX_PARTS]:
                text = chunk.text[start:end]
                if text in mistakes:
                    ends = [start, *(place for place in gold if start < place <= end)]
                    tokens = tuple(chunk.text[a:b] for a, b in itertools.pairwise(ends))
                    votes.add(text, tokens, n)
    decided = {
        text: tokens for text, tokens in votes.decide().items() if tokens != tuple(tokenize(text))
    }
    best = sorted(decided, key=lambda text: (-mistakes[text], text))[:max_special_cases]
    return {text: decided[text] for text in best}
