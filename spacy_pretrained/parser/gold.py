"""What examples have a parser learn: sentence starts, heads and labels, as arrays."""

from dataclasses import dataclass

import numpy as np
from spacy.training import Example
from thinc.types import Ints1d

from ..annotation.gold import (
    NO_GOLD,
    is_space,
    number_labels,
    read_heads,
    read_sentence_starts,
    sentence_starts,
)
from ..annotation.sentences import bound, find_next_word, find_open, first_tokens
from .errors import Errors


@dataclass(frozen=True)
class ParserGold:
    """The annotation of the N tokens of all examples of a batch, numbered through."""

    words: np.ndarray  # bool (N,), all but white space
    starts: np.ndarray  # bool (N,), first tokens of sentences, of none longer than is parsed
    start_targets: Ints1d  # (N,), 1 for a sentence start, -1 for none, 0 for nothing to learn
    heads: Ints1d  # (N,), itself for a root, NO_GOLD for nothing to learn
    labels: Ints1d  # (N,), number of the label, NO_GOLD for nothing to learn


def read_parser_gold(
    examples: list[Example], labels: list[str], max_sentence: int, name: str
) -> ParserGold:
    """Read what the examples say. Missing annotation is left out, as are sentence starts that are
    set in the predicted Doc already, arcs to and from white space, and those that leave what is
    left of a sentence of more than `max_sentence` tokens.

    name: The component's, for error messages.
    RAISES: ValueError for a label that is not among the labels, a head in another sentence, or
        heads that form a cycle.
    """
    docs = [example.predicted for example in examples]
    lengths = np.asarray([len(doc) for doc in docs], dtype="int64")
    firsts = first_tokens(lengths)
    offsets = np.repeat(np.cumsum(lengths) - lengths, lengths)
    words = ~is_space(*docs)
    known = np.concatenate([read_sentence_starts(example) for example in examples])
    known = _starts_at_words(known, words)
    open_ = find_open(np.zeros_like(known), firsts, words)
    given = np.concatenate([sentence_starts(doc) for doc in docs]) != 0
    starts = firsts | (open_ & (known > 0))

    heads = np.concatenate([read_heads(example) for example in examples])
    heads = np.where(heads == NO_GOLD, NO_GOLD, heads + offsets)
    heads[~words | ~words[heads]] = NO_GOLD
    _check_sentences(examples, heads, starts, offsets)
    _check_cycles(examples, heads, offsets)
    starts = bound(starts, starts.astype("float32"), max_sentence)
    sentence = np.cumsum(starts)
    return ParserGold(
        words=words,
        starts=starts,
        start_targets=np.where(open_ & ~given, known, 0),
        heads=np.where(sentence[heads] == sentence, heads, NO_GOLD),
        labels=number_labels(examples, "dep", labels, name),
    )


def _starts_at_words(known: Ints1d, words: np.ndarray) -> Ints1d:
    """Move a sentence start from white space to the word behind it: no other is ever found."""
    known = known.copy()
    targets = find_next_word(words)[(known > 0) & ~words]
    known[targets[targets < len(words)]] = 1
    return known


def _check_sentences(
    examples: list[Example], heads: Ints1d, starts: np.ndarray, offsets: Ints1d
) -> None:
    sentence = np.cumsum(starts)
    crossing = np.flatnonzero((heads != NO_GOLD) & (sentence[heads] != sentence))
    if not len(crossing):
        return
    row = int(crossing[0])
    tokens = [token for example in examples for token in example.predicted]
    i, head = (r - int(offsets[row]) for r in (row, int(heads[row])))
    raise ValueError(
        Errors.HEAD_CROSSES.format(
            i=i,
            token=tokens[row].text,
            head=head,
            other=tokens[int(heads[row])].text,
            text=repr(tokens[row].doc[max(0, min(i, head) - 3) : max(i, head) + 4].text),
        )
    )


def _check_cycles(examples: list[Example], heads: Ints1d, offsets: Ints1d) -> None:
    in_cycle = np.flatnonzero(find_cycles(heads))
    if not len(in_cycle):
        return
    row = int(in_cycle[0])
    tokens = [token for example in examples for token in example.predicted]
    i, token = row - int(offsets[row]), tokens[row]
    text = repr(token.doc[max(0, i - 3) : i + 4].text)
    raise ValueError(Errors.HEAD_CYCLE.format(i=i, token=token.text, text=text))


def find_cycles(heads: Ints1d) -> np.ndarray:
    """Whether each token's heads lead into a cycle, bool (N,); those of a tree lead to a root.

    heads: (N,), itself for a root, -1 where the head is missing.

    >>> find_cycles(np.array([1, 0, 2, 2]))
    array([ True,  True, False, False])
    """
    above = np.where(heads == NO_GOLD, np.arange(len(heads)), heads)
    is_end = above == np.arange(len(heads))
    for _ in range(len(heads).bit_length()):  # each round doubles the steps upwards
        above = above[above]
    return ~is_end[above]
