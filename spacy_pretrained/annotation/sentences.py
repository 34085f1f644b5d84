"""Sentences as arrays: where they start, and batches of sentences of about equal length."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from thinc.types import Floats1d, Ints1d, Ints2d

# Scores of arcs in one batch of sentences: 4 MB of float32.
MAX_ARCS = 2**20
MAX_WORDS = 4096


@dataclass(frozen=True)
class SentenceBatch:
    """S sentences of about equal length, at most L words; W words in all, without white space.

    The head of a word is one of three numbers: a row, of all tokens, where a root is its own head;
    a word of this batch, -1 for the root; a column of scores, as `mst.decode` gives it: 0 for the
    root, j + 1 for word j of the sentence.
    """

    rows: Ints1d  # (W,), where each word stands among all tokens
    words: Ints2d  # (S, L), the words numbered through, -1 behind the end of a shorter sentence

    @cached_property
    def is_word(self) -> np.ndarray:
        """Which places are not padding, bool (S, L)."""
        return self.words >= 0

    @cached_property
    def lengths(self) -> Ints1d:
        return self.is_word.sum(axis=1)

    @property
    def is_head(self) -> np.ndarray:
        """Which scores are valid heads, bool (S, L, L+1): not padding, and not the word itself.
        Padding has the root as its head, so that every row has one."""
        longest = self.words.shape[1]
        is_head = np.pad(self.is_word, ((0, 0), (1, 0)), constant_values=True)
        return is_head[:, None, :] & ~np.eye(longest, longest + 1, k=1, dtype=bool)

    def to_rows(self, heads: Ints1d) -> Ints1d:
        """Heads (W,) as words of this batch → as rows of all tokens."""
        return np.where(heads < 0, self.rows, self.rows[heads])

    def from_rows(self, heads: Ints1d) -> Ints1d:
        """The inverse of `to_rows`. A row that is not in the batch gives some word."""
        order = np.argsort(self.rows)
        found = np.searchsorted(self.rows, heads, sorter=order)
        return np.where(heads == self.rows, -1, order[np.minimum(found, len(order) - 1)])

    def to_columns(self, heads: Ints1d) -> Ints1d:
        """Heads (W,) as words of this batch → as columns of scores."""
        return np.where(heads < 0, 0, heads - self._firsts + 1)

    def from_columns(self, columns: Ints1d) -> Ints1d:
        """The inverse of `to_columns`."""
        return np.where(columns == 0, -1, self._firsts + columns - 1)

    @cached_property
    def _firsts(self) -> Ints1d:
        """The first word of each word's sentence (W,)."""
        return np.repeat(self.words[:, 0], self.lengths)


def first_tokens(lengths: Ints1d) -> np.ndarray:
    """The first token of each Doc, bool (N,), of Docs of these lengths laid end to end."""
    lengths = np.asarray(lengths, dtype="int64")
    firsts = np.zeros(lengths.sum(), dtype=bool)
    firsts[(np.cumsum(lengths) - lengths)[lengths > 0]] = True
    return firsts


def find_open(known: Ints1d, firsts: np.ndarray, words: np.ndarray) -> np.ndarray:
    """The tokens that may or may not start a sentence, bool (N,): words of which nothing is known.
    A word without a word before it is left out, because no sentence could end there.

    known: 1, -1 or 0 for unknown (N,). firsts: bool (N,), the first token of each Doc.
    """
    return words & (known == 0) & ~firsts & _has_word_before((known > 0) | firsts, words)


def bound(starts: np.ndarray, scores: Floats1d, longest: int) -> np.ndarray:
    """Split sentences of more than `longest` tokens: from its left end on, a sentence that is too
    long is split before the token with the best score for a start among the next `longest`, the
    last of them where scores are equal.

    starts: bool (N,), the first token of each sentence. scores: (N,), how likely each token
    starts one. RETURNS: bool (N,), with the added starts.
    """
    starts = starts.copy()
    bounds = [*np.flatnonzero(starts), len(starts)]
    for low, high in itertools.pairwise(bounds):
        while high - low > longest:
            low += longest - int(np.argmax(scores[low + longest : low : -1]))
            starts[low] = True
    return starts


def batch_sentences(starts: np.ndarray, words: np.ndarray) -> Iterator[SentenceBatch]:
    """Batches of sentences of about equal length; each word is in exactly one.

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
        # The longest sentence of a batch may be half as long again as the shortest, which is
        # padded.
        limit = lengths[order[position]] * 3 // 2 + 1
        end = position + int(np.searchsorted(lengths[order[position:]], limit, "right"))
        longest = int(lengths[order[end - 1]])
        at_once = max(1, min(MAX_ARCS // longest**2, MAX_WORDS // longest))
        chosen = order[position : min(end, position + at_once)]
        column = np.arange(int(lengths[chosen[-1]]))
        is_word = column < lengths[chosen][:, None]
        numbers = np.full(is_word.shape, -1)
        numbers[is_word] = np.arange(is_word.sum())
        yield SentenceBatch(rows[(firsts[chosen][:, None] + column)[is_word]], numbers)
        position += len(chosen)


def heads_of_spaces(starts: np.ndarray, words: np.ndarray) -> Ints1d:
    """A head (N,) for each white-space token: the token before it in its sentence, or else the
    first word behind it there, or else the sentence's first token. -1 for words."""
    if words.all():
        return np.full(len(words), -1)
    numbers = np.arange(len(starts))
    sentence = np.cumsum(starts)
    next_word = find_next_word(words)
    has_next = next_word < len(numbers)
    has_next[has_next] &= sentence[next_word[has_next]] == sentence[has_next]
    heads = np.where(has_next, next_word, np.flatnonzero(starts)[sentence - 1])
    # After the sentence's first word, the token before is as good a head as any, and near.
    heads = np.where(_has_word_before(starts, words), numbers - 1, heads)
    heads[words] = -1
    return heads


def find_next_word(words: np.ndarray) -> Ints1d:
    """The first word from each token on, itself if it is one, (N,); N where none is left."""
    numbers = np.where(words, np.arange(len(words)), len(words))
    return np.minimum.accumulate(numbers[::-1])[::-1]


def passed_over(one: Ints1d, other: Ints1d, n: int) -> np.ndarray:
    """Whether the gap before each of `n` tokens lies between the ends of an arc or span, bool (n,);
    the ends are tokens, and come in any order."""
    change = np.zeros(n + 1, dtype="int64")
    np.add.at(change, np.minimum(one, other) + 1, 1)
    np.add.at(change, np.maximum(one, other) + 1, -1)
    return np.cumsum(change)[:-1] > 0


def _has_word_before(starts: np.ndarray, words: np.ndarray) -> np.ndarray:
    """Whether a word of the same sentence stands before each token."""
    before = np.cumsum(words) - words
    return before > np.maximum.accumulate(np.where(starts, before, 0))
