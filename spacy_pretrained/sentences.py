"""Sentences as arrays: where they start, and batches of those of like length."""

import itertools
from collections.abc import Iterator

import numpy as np
from thinc.types import Floats1d, Ints1d, Ints2d

# Scores of arcs in one batch of sentences: 4 MB of float32.
MAX_ARCS = 2**20
MAX_WORDS = 4096


def bound(starts: np.ndarray, scores: Floats1d, longest: int) -> np.ndarray:
    """Split sentences of more than `longest` tokens: from its left end on, a sentence that is too
    long is split before the token with the best score for a start among the next `longest`.

    starts: bool (N,), the first token of each sentence. scores: (N,), how likely each token
    starts one. RETURNS: bool (N,), with the added starts.
    """
    starts = starts.copy()
    bounds = [*np.flatnonzero(starts), len(starts)]
    for low, high in itertools.pairwise(bounds):
        while high - low > longest:
            low += 1 + int(np.argmax(scores[low + 1 : low + longest + 1]))
            starts[low] = True
    return starts


def batch_sentences(starts: np.ndarray, words: np.ndarray) -> Iterator[Ints2d]:
    """Index arrays (S, L) of sentences of like length, -1 after a shorter one's end.

    starts: bool (N,), first tokens of sentences. words: bool (N,), the tokens to batch; white
    space is left out.
    """
    rows = np.flatnonzero(words)
    sentence = np.cumsum(starts)[rows]
    firsts = np.flatnonzero(np.diff(sentence, prepend=-1))
    lengths = np.diff(firsts, append=len(rows))
    order = np.argsort(lengths, kind="stable")
    position = 0
    while position < len(order):
        # A batch may be half as long again as its shortest sentence: the rest is padding.
        limit = lengths[order[position]] * 3 // 2 + 1
        end = position + int(np.searchsorted(lengths[order[position:]], limit, "right"))
        longest = int(lengths[order[end - 1]])
        at_once = max(1, min(MAX_ARCS // longest**2, MAX_WORDS // longest))
        chosen = order[position : min(end, position + at_once)]
        column = np.arange(int(lengths[chosen[-1]]))
        index = rows[np.minimum(firsts[chosen][:, None] + column, len(rows) - 1)]
        index[column >= lengths[chosen][:, None]] = -1
        yield index
        position += len(chosen)


def heads_of_spaces(starts: np.ndarray, words: np.ndarray) -> Ints1d:
    """A head (N,) for each white-space token: the token before it in its sentence, or else the
    first word behind it there, or else itself. -1 for words."""
    numbers = np.arange(len(starts))
    sentence = np.cumsum(starts)
    next_word = np.minimum.accumulate(np.where(words, numbers, len(numbers))[::-1])[::-1]
    has_next = next_word < len(numbers)
    has_next[has_next] &= sentence[next_word[has_next]] == sentence[has_next]
    heads = np.where(has_next, next_word, np.flatnonzero(starts)[sentence - 1])
    # Behind the sentence's first word the token before is as good as any, and near.
    has_word = _seen_word(starts, words)
    heads = np.where(has_word, numbers - 1, heads)
    heads[words] = -1
    return heads


def _seen_word(starts: np.ndarray, words: np.ndarray) -> np.ndarray:
    """Whether a word of the same sentence stands before each token."""
    before = np.cumsum(words) - words
    return before > np.maximum.accumulate(np.where(starts, before, 0))
