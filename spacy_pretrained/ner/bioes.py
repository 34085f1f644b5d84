"""Entities as one state a token (B, I, E, S of a label, or O), and the best valid sequence of them.

State 0 is O; label k has the states 1 + 4k (begin), 2 + 4k (inside), 3 + 4k (end) and 4 + 4k
(single), so that a new label appends four columns to the scores and moves none.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from thinc.types import Floats1d, Floats2d, Ints1d

from .errors import Errors

OUTSIDE = 0
BEGIN, INSIDE, END, SINGLE = range(4)
# Tokens on each side of a transition that is not valid to decode anew, at first.
REACH = 4
# Tokens, padding included, whose scores are decoded side by side.
MAX_CELLS = 1 << 18


@dataclass(frozen=True)
class Spans:
    """S spans without overlap, in order: tokens [start, end), and numbers of labels; all (S,)."""

    starts: Ints1d
    ends: Ints1d
    labels: Ints1d


def n_states(n_labels: int) -> int:
    return 1 + 4 * n_labels


def state_names(labels: Iterable[str]) -> list[str]:
    """
    >>> state_names(["PER"])
    ['O', 'B-PER', 'I-PER', 'E-PER', 'S-PER']
    """
    return ["O", *(f"{kind}-{label}" for label in labels for kind in "BIES")]


def state(kind: int, label: Ints1d) -> Ints1d:
    return 1 + 4 * label + kind


def to_states(spans: Spans, n_tokens: int) -> Ints1d:
    """The states (N,) of tokens with these spans. The inverse of `to_spans`."""
    states = np.zeros(n_tokens, dtype="int64")
    lengths = spans.ends - spans.starts
    offsets = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    tokens = np.repeat(spans.starts, lengths) + offsets
    states[tokens] = state(INSIDE, np.repeat(spans.labels, lengths))
    states[spans.starts] = state(BEGIN, spans.labels)
    states[spans.ends - 1] = state(END, spans.labels)
    single = lengths == 1
    states[spans.starts[single]] = state(SINGLE, spans.labels[single])
    return states


def to_spans(states: Ints1d) -> Spans:
    """The spans of a valid sequence of states (N,)."""
    kinds = np.where(states == OUTSIDE, -1, (states - 1) % 4)
    starts = np.flatnonzero((kinds == BEGIN) | (kinds == SINGLE))
    ends = np.flatnonzero((kinds == END) | (kinds == SINGLE)) + 1
    return Spans(starts, ends, (states[starts] - 1) // 4)


def rule_out(scores: Floats2d, *, no_end: np.ndarray, outside: np.ndarray) -> None:
    """Set scores (N, K) of what cannot be to -inf: spans that begin or end with one of the tokens
    `no_end` (N,), and any of the tokens `outside` (N,)."""
    if no_end.any():
        labels = np.arange((scores.shape[1] - 1) // 4)
        ends = np.concatenate([state(kind, labels) for kind in (BEGIN, END, SINGLE)])
        scores[np.ix_(no_end, ends)] = -np.inf
    scores[outside, OUTSIDE + 1 :] = -np.inf


def probabilities(scores: Floats2d, states: Ints1d, spans: Spans) -> Floats1d:
    """How probable each span is (S,), float64: the product of the probabilities of its tokens'
    states (N,) by their scores (N, K)."""
    highest = scores.max(axis=1)
    totals = np.log(np.exp(scores - highest[:, None]).sum(axis=1)) + highest
    chosen = np.take_along_axis(scores, states[:, None], axis=1)[:, 0] - totals
    sums = np.concatenate([[0.0], np.cumsum(chosen, dtype="float64")])
    return np.exp(sums[spans.ends] - sums[spans.starts])


def decode(scores: Floats2d, first: np.ndarray) -> Ints1d:
    """The best valid sequence of states (N,) by the sum of its scores (N, K), exactly.

    scores: Of each state of each token, -inf where it is out of the question; that of O is finite.
    first: Whether a token begins a Doc (N,); no entity reaches over that.

    Raises ValueError if a score is NaN or +inf: sums of these say nothing.

    Where the best state of each token makes a valid sequence, that is the best one. Around the few
    places where it does not, stretches of tokens are decoded by Viterbi's algorithm, and their
    ends are left open: what is found is the best for the stretch whatever stands beside it. So
    once it fits to what stands there, no other sequence can have a higher sum; if it does not, the
    stretch grows. Work is linear in the number of tokens.

    >>> decode(np.asarray([[0.0, 1, 0, 0, 0], [0, 0, 0, 2, 0]]), np.asarray([True, False]))
    array([1, 3])
    """
    if not np.isfinite(scores.max(initial=0.0)):
        raise ValueError(Errors.SCORES_NOT_FINITE.format(of="states", where=""))
    states = scores.argmax(axis=1)
    doubtful = np.zeros(len(states), dtype=bool)
    reach = REACH
    while len(gaps := _invalid_gaps(states, first)):
        doubtful |= _around(gaps, reach, len(states))
        reach *= 2
        lows, highs = _stretches(doubtful, first)
        for rows in _of_like_length(highs - lows):
            _decode_stretches(scores, states, lows[rows], highs[rows], first)
    return states


def _invalid_gaps(states: Ints1d, first: np.ndarray) -> Ints1d:
    """The gaps that no valid sequence has: gap g is before token g, the last one behind them all.

    An entity that is open behind one token has to go on in the next, and none may go on that is
    not open.
    """
    kinds, labels = (states - 1) % 4, 1 + (states - 1) // 4
    named = states != OUTSIDE
    open_behind = np.where(named & ((kinds == BEGIN) | (kinds == INSIDE)), labels, 0)
    goes_on = np.where(named & ((kinds == INSIDE) | (kinds == END)), labels, 0)
    before = np.concatenate([[0], open_behind])
    after = np.concatenate([goes_on, [0]])
    edge = np.concatenate([first, [True]])
    return np.flatnonzero(np.where(edge, (before != 0) | (after != 0), before != after))


def _around(gaps: Ints1d, reach: int, n_tokens: int) -> np.ndarray:
    """Whether a token (N,) is one of so many on either side of one of the gaps."""
    steps = np.zeros(n_tokens + 1, dtype="int64")
    np.add.at(steps, np.maximum(gaps - reach, 0), 1)
    np.add.at(steps, np.minimum(gaps + reach, n_tokens), -1)
    return np.cumsum(steps[:-1]) > 0


def _stretches(doubtful: np.ndarray, first: np.ndarray) -> tuple[Ints1d, Ints1d]:
    """The runs [low, high) of doubtful tokens, cut where Docs begin."""
    before = np.concatenate([[False], doubtful[:-1]])
    behind = np.concatenate([doubtful[1:], [False]])
    last = np.concatenate([first[1:], [True]])
    lows = np.flatnonzero(doubtful & (~before | first))
    highs = np.flatnonzero(doubtful & (~behind | last)) + 1
    return lows, highs


def _of_like_length(lengths: Ints1d) -> Iterator[Ints1d]:
    """Numbers of stretches to decode side by side, the longest first."""
    order = np.argsort(-lengths, kind="stable")
    while len(order):
        count = max(1, MAX_CELLS // int(lengths[order[0]]))
        yield order[:count]
        order = order[count:]


def _decode_stretches(
    scores: Floats2d, states: Ints1d, lows: Ints1d, highs: Ints1d, first: np.ndarray
) -> None:
    """Set the states of R stretches, longest first, to their best valid sequences.

    At the ends of a Doc no entity is open; elsewhere any may be. Viterbi's algorithm needs to know
    of the past only whether an entity is open, and of which label: K labels make K + 1 cases.
    """
    lengths = highs - lows
    starts_doc = first[lows]
    ends_doc = np.concatenate([first[1:], [True]])[highs - 1]
    n_labels = (scores.shape[1] - 1) // 4
    # The best sum so far where no entity is open (R,), and where one is, for each label (R, K).
    closed = np.zeros(len(lows))
    opened = np.where(starts_doc[:, None], -np.inf, np.zeros((1, n_labels)))
    closing = np.zeros((lengths[0], len(lows)), dtype="int64")  # the state that closes best
    extends = np.zeros((lengths[0], len(lows), n_labels), dtype=bool)  # I is better than B

    active = _counts_longer(lengths)
    for t, count in enumerate(active):
        now = scores[lows[:count] + t]
        parts = now[:, 1:].reshape(count, n_labels, 4)
        begun = closed[:count, None] + parts[:, :, BEGIN]
        gone_on = opened[:count] + parts[:, :, INSIDE]
        ended = opened[:count] + parts[:, :, END]
        single = closed[:count, None] + parts[:, :, SINGLE]
        outside = closed[:count, None] + now[:, :1]
        ways = np.concatenate([outside, ended, single], axis=1)
        best = ways.argmax(axis=1)
        closing[t, :count] = np.where(
            best == 0,
            OUTSIDE,
            np.where(best <= n_labels, state(END, best - 1), state(SINGLE, best - 1 - n_labels)),
        )
        extends[t, :count] = gone_on > begun
        closed[:count] = np.take_along_axis(ways, best[:, None], axis=1)[:, 0]
        opened[:count] = np.maximum(gone_on, begun)

    # Backwards: the label that is open behind a token, or -1.
    best_open = opened.argmax(axis=1)
    rows = np.arange(len(lows))
    is_open = ~ends_doc & (opened[rows, best_open] > closed)
    label = np.where(is_open, best_open, -1)
    for t, count in reversed(list(enumerate(active))):
        here = label[:count]
        goes_on = extends[t, rows[:count], here]
        inner = np.where(goes_on, state(INSIDE, here), state(BEGIN, here))
        chosen = np.where(here >= 0, inner, closing[t, :count])
        states[lows[:count] + t] = chosen
        kind, of = (chosen - 1) % 4, (chosen - 1) // 4
        comes_in = (chosen != OUTSIDE) & ((kind == INSIDE) | (kind == END))
        label[:count] = np.where(comes_in, of, -1)


def _counts_longer(lengths: Ints1d) -> list[int]:
    """For each t, how many of the lengths, which fall, are greater than t."""
    return np.searchsorted(-lengths, -np.arange(lengths[0]), side="left").tolist()
