"""bioes.py: states are spans and back; the decoded sequence is always valid and never beaten,
against every sequence there is and against Viterbi's algorithm over the whole Doc."""

import doctest
import itertools
import time

import numpy as np
import pytest

from spacy_pretrained.ner import bioes
from spacy_pretrained.ner.bioes import (
    BEGIN,
    END,
    INSIDE,
    REACH,
    SINGLE,
    Spans,
    decode,
    n_states,
    probabilities,
    rule_out,
    state,
    to_spans,
    to_states,
)


def random_spans(rng: np.random.Generator, n_tokens: int, n_labels: int) -> list[tuple]:
    """Spans without overlap, many of them side by side."""
    spans, at = [], 0
    while at < n_tokens:
        at += int(rng.integers(3))
        end = at + int(rng.integers(1, 6))
        if end <= n_tokens:
            spans.append((at, end, int(rng.integers(n_labels))))
        at = end
    return spans


def as_spans(rows: list[tuple]) -> Spans:
    return Spans(*np.asarray(rows, dtype="int64").reshape(-1, 3).T)


def as_rows(spans: Spans) -> list[tuple]:
    return list(zip(spans.starts.tolist(), spans.ends.tolist(), spans.labels.tolist()))


def fits(before: int | None, after: int | None) -> bool:
    """Whether a state may follow another; None is the end of a Doc."""
    opened = before is not None and before != 0 and (before - 1) % 4 in (BEGIN, INSIDE)
    goes_on = after is not None and after != 0 and (after - 1) % 4 in (INSIDE, END)
    if opened and goes_on:
        return (before - 1) // 4 == (after - 1) // 4
    return not opened and not goes_on


def is_valid(states: list[int]) -> bool:
    return all(fits(*pair) for pair in itertools.pairwise([None, *states, None]))


def bounds_of(first: np.ndarray) -> list[tuple[int, int]]:
    return list(itertools.pairwise([*np.flatnonzero(first).tolist(), len(first)]))


def are_valid(states: np.ndarray, first: np.ndarray) -> bool:
    return all(is_valid(states[low:high].tolist()) for low, high in bounds_of(first))


def total(scores: np.ndarray, states) -> float:
    return float(scores[np.arange(len(scores)), states].sum(dtype="float64"))


def viterbi(scores: np.ndarray) -> np.ndarray:
    """The best valid sequence of one Doc, over a table of which state may follow which."""
    N, K = scores.shape
    table = np.array([[0.0 if fits(a, b) else -np.inf for b in range(K)] for a in range(K)])
    edge = np.array([0.0 if fits(None, b) else -np.inf for b in range(K)])
    last = np.array([0.0 if fits(a, None) else -np.inf for a in range(K)])
    sums, back = edge + scores[0], np.zeros((N, K), dtype=int)
    for t in range(1, N):
        ways = sums[:, None] + table
        back[t] = ways.argmax(axis=0)
        sums = ways.max(axis=0) + scores[t]
    states = [int((sums + last).argmax())]
    for t in range(N - 1, 0, -1):
        states.append(int(back[t, states[-1]]))
    return np.array(states[::-1])


def first_of(lengths: list[int]) -> np.ndarray:
    first = np.zeros(sum(lengths), dtype=bool)
    first[np.cumsum([0, *lengths])[[i for i, n in enumerate(lengths) if n]]] = True
    return first


def draw(rng: np.random.Generator, kind: str, N: int, n_labels: int) -> np.ndarray:
    K = n_states(n_labels)
    if kind == "real":
        return rng.normal(size=(N, K))
    if kind == "float32":
        return rng.normal(size=(N, K)).astype("float32")
    if kind == "integers":  # many ties
        return rng.integers(-2, 3, size=(N, K)).astype("float32")
    if kind == "equal":
        return np.zeros((N, K), dtype="float32")
    if kind == "inside":  # entities without ends: what is wrong at one place changes others
        scores = rng.normal(size=(N, K))
        scores[:, state(INSIDE, np.arange(n_labels))] += 3
        return scores
    if kind == "masked":  # as blocked tokens and white space are
        scores = rng.normal(size=(N, K))
        scores[:, 0] -= 1
        scores[rng.random(N) < 0.2, 1:] = -np.inf
        scores[:, 1:][rng.random((N, K - 1)) < 0.2] = -np.inf
        return scores
    raise ValueError(kind)


KINDS = ["real", "float32", "integers", "equal", "inside", "masked"]


# States and spans


def test_states_of_each_label():
    assert [state(kind, 0) for kind in (BEGIN, INSIDE, END, SINGLE)] == [1, 2, 3, 4]
    assert [state(kind, 2) for kind in (BEGIN, INSIDE, END, SINGLE)] == [9, 10, 11, 12]
    assert [n_states(n) for n in range(4)] == [1, 5, 9, 13]
    spans = as_spans([(0, 1, 0), (1, 3, 1), (4, 8, 0)])
    assert to_states(spans, 9).tolist() == [4, 5, 7, 0, 1, 2, 2, 3, 0]


def test_states_and_spans_are_inverse():
    rng = np.random.default_rng(0)
    for _ in range(300):
        N, n_labels = int(rng.integers(30)), int(rng.integers(1, 5))
        spans = random_spans(rng, N, n_labels)
        states = to_states(as_spans(spans), N)
        assert states.shape == (N,) and is_valid(states.tolist())
        assert as_rows(to_spans(states)) == spans


def test_every_valid_sequence_comes_back():
    for states in itertools.product(range(n_states(2)), repeat=4):
        if is_valid(list(states)):
            assert to_states(to_spans(np.array(states)), 4).tolist() == list(states)


def test_no_spans():
    assert to_states(as_spans([]), 3).tolist() == [0, 0, 0]
    assert to_states(as_spans([]), 0).shape == (0,)
    assert as_rows(to_spans(np.zeros(3, dtype="int64"))) == []
    assert as_rows(to_spans(np.zeros(0, dtype="int64"))) == []


# Decoding


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_labels, longest", [(1, 5), (2, 4)])
def test_no_sequence_is_better(kind, n_labels, longest):
    """Of all there are. Several Docs stand in one array."""
    rng = np.random.default_rng(n_labels)
    K = n_states(n_labels)
    every = {n: np.array([*itertools.product(range(K), repeat=n)]) for n in range(1, longest + 1)}
    valid = {n: rows[[is_valid(row) for row in rows.tolist()]] for n, rows in every.items()}
    for _ in range(30):
        lengths = rng.integers(longest + 1, size=3).tolist()
        scores, first = draw(rng, kind, sum(lengths), n_labels), first_of(lengths)
        states = decode(scores, first)
        assert are_valid(states, first)
        for low, high in bounds_of(first) if len(first) else ():
            part = scores[low:high]
            sums = part[np.arange(high - low), valid[high - low]].sum(axis=1, dtype="float64")
            assert total(part, states[low:high]) == pytest.approx(sums.max(), abs=1e-5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_labels", [1, 3])
def test_as_good_as_viterbi_over_all_of_a_doc(kind, n_labels):
    rng = np.random.default_rng(n_labels)
    for _ in range(5):
        scores = draw(rng, kind, 400, n_labels)
        first = rng.random(400) < rng.choice([0.0, 0.02, 0.5])
        first[0] = True
        states = decode(scores, first)
        assert are_valid(states, first)
        for low, high in bounds_of(first):
            best = total(scores[low:high], viterbi(scores[low:high]))
            assert total(scores[low:high], states[low:high]) == pytest.approx(best, abs=1e-4)


def test_entities_longer_than_any_reach():
    """One end is missing of an entity of so many tokens: it is found at the other end."""
    for length in (REACH, 2 * REACH, 2 * REACH + 1, 100, 1000):
        N = length + 20
        gold = to_states(as_spans([(10, 10 + length, 1)]), N)
        for missing in (10, 10 + length - 1, 10 + length // 2):
            scores = np.zeros((N, n_states(2)))
            scores[np.arange(N), gold] = 2
            scores[missing, gold[missing]] = -1  # O is better there, if one looks at it alone
            states = decode(scores, first_of([N]))
            assert states.tolist() == viterbi(scores).tolist() == gold.tolist()


def test_an_entity_that_is_given_up_far_away():
    """Nothing but a hint at its beginning: the whole of a long one turns into O."""
    N = 500
    scores = np.zeros((N, 5))
    scores[:, 0] = -0.01
    scores[:, 1:] = -100
    scores[3, 1] = 5  # begins,
    scores[4:, 2] = 0  # goes on a little better than O, and never ends
    states = decode(scores, first_of([N]))
    assert not states.any() and not viterbi(scores).any()


def test_the_reach_doubles(monkeypatch):
    """So that what is wrong far away takes a few rounds only."""
    rounds = []
    original = bioes._stretches
    monkeypatch.setattr(bioes, "_stretches", lambda *args: rounds.append(1) or original(*args))
    test_an_entity_that_is_given_up_far_away()
    assert 2 < len(rounds) < 10


def test_valid_by_itself_is_left_alone():
    rng = np.random.default_rng(1)
    for _ in range(50):
        N = int(rng.integers(1, 60))
        gold = to_states(as_spans(random_spans(rng, N, 3)), N)
        scores = rng.normal(size=(N, n_states(3)))
        scores[np.arange(N), gold] += 10
        before = scores.copy()
        assert decode(scores, first_of([N])).tolist() == gold.tolist()
        np.testing.assert_array_equal(scores, before)


def test_random_scores_never_make_an_invalid_sequence():
    for seed in range(40):
        rng = np.random.default_rng(seed)
        N, n_labels = int(rng.integers(1, 100)), int(rng.integers(1, 6))
        first = rng.random(N) < 0.1
        first[0] = True
        for kind in KINDS:
            assert are_valid(decode(draw(rng, kind, N, n_labels), first), first)


def test_no_entity_reaches_over_two_docs():
    scores = np.zeros((4, 5))
    scores[[0, 1, 2, 3], [1, 2, 2, 3]] = 5
    assert decode(scores, first_of([4])).tolist() == [1, 2, 2, 3]
    assert (
        decode(scores, first_of([2, 2])).tolist() == viterbi(scores[:2]).tolist() * 2 == [1, 3] * 2
    )
    assert decode(scores, first_of([1] * 4)).tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("kind", ["real", "float32", "inside", "masked"])
def test_docs_alone_and_in_a_batch(kind):
    rng = np.random.default_rng(2)
    lengths = [1, 0, 7, 30, 2, 0, 90, 1, 1]
    scores = draw(rng, kind, sum(lengths), 2)
    together = decode(scores, first_of(lengths))
    ends = np.cumsum(lengths)
    alone = [
        decode(scores[end - n : end], first_of([n] if n else [])) for n, end in zip(lengths, ends)
    ]
    assert together.tolist() == np.concatenate(alone).tolist()


def test_stretches_are_decoded_in_parts(monkeypatch):
    rng = np.random.default_rng(3)
    scores, first = draw(rng, "inside", 500, 2), first_of([100, 3, 197, 200])
    expected = decode(scores, first)
    for cells in (1, 30, 250):
        monkeypatch.setattr(bioes, "MAX_CELLS", cells)
        assert decode(scores, first).tolist() == expected.tolist()


def test_single_and_double_precision():
    """Scores that float32 holds exactly are decoded alike, however long the sums are."""
    rng = np.random.default_rng(4)
    scores = draw(rng, "inside", 3000, 2).astype("float32")
    first = first_of([3000])
    assert decode(scores, first).tolist() == decode(scores.astype("float64"), first).tolist()


def test_nothing_to_decode():
    for dtype in ("float32", "float64"):
        assert decode(np.zeros((0, 5), dtype=dtype), np.zeros(0, dtype=bool)).shape == (0,)
    assert decode(np.zeros((3, 1)), first_of([3])).tolist() == [0, 0, 0]  # no label


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("row, column", [(0, 0), (7, 2), (19, 8)])
def test_scores_have_to_be_finite(value, row, column):
    """But for those of what is out of the question."""
    scores, first = np.random.default_rng(5).normal(size=(20, 9)), first_of([12, 8])
    scores[:, 7] = -np.inf
    assert are_valid(decode(scores, first), first)
    scores[row, column] = value
    with pytest.raises(ValueError, match=r"scores of states are NaN or infinite.*diverged"):
        decode(scores, first)


def test_what_is_ruled_out():
    rng = np.random.default_rng(7)
    for n_labels in (1, 3):
        scores, first = draw(rng, "inside", 300, n_labels), first_of([100, 200])
        no_end, outside = rng.random(300) < 0.3, rng.random(300) < 0.1
        before = scores.copy()
        rule_out(scores, no_end=no_end, outside=outside)
        np.testing.assert_array_equal(scores[~no_end & ~outside], before[~no_end & ~outside])
        spans = to_spans(decode(scores, first))
        assert len(spans.starts) and not no_end[spans.starts].any()
        assert not no_end[spans.ends - 1].any()
        inside = to_states(spans, 300) != 0
        assert not inside[outside].any() and inside[no_end].any()


def test_probabilities_are_products():
    rng = np.random.default_rng(8)
    scores = draw(rng, "masked", 50, 2).astype("float32")
    states = decode(scores, first_of([50]))
    spans = to_spans(states)
    p = np.exp(scores.astype("float64"))
    p /= p.sum(axis=1, keepdims=True)
    chosen = p[np.arange(50), states]
    expected = [chosen[i:j].prod() for i, j in zip(spans.starts, spans.ends)]
    np.testing.assert_allclose(probabilities(scores, states, spans), expected, rtol=1e-4)
    assert len(expected) > 5
    assert probabilities(scores, states, as_spans([])).shape == (0,)
    nothing = np.zeros((0, 9)), np.zeros(0, dtype="int64"), as_spans([])
    assert probabilities(*nothing).shape == (0,)


def test_work_is_linear(monkeypatch):
    """Of tokens that Viterbi's algorithm looks at, and of the time it all takes."""
    rng = np.random.default_rng(6)
    looked_at = []
    original = bioes._decode_stretches

    def count(scores, states, lows, highs, first):
        looked_at.append(int((highs - lows).sum()))
        return original(scores, states, lows, highs, first)

    monkeypatch.setattr(bioes, "_decode_stretches", count)
    gold = to_states(as_spans(random_spans(rng, 40_000, 2)), 40_000)
    scores = rng.normal(size=(40_000, n_states(2)))
    scores[np.arange(40_000), gold] += 3
    work, seconds = [], []
    for N in (10_000, 40_000):
        first = np.arange(N) % 1000 == 0
        looked_at.clear()
        runs = []
        for _ in range(3):
            start = time.perf_counter()
            decode(scores[:N], first)
            runs.append(time.perf_counter() - start)
        work.append(sum(looked_at) / 3)
        seconds.append(min(runs))
    assert 0 < work[0] < 10_000 * 2
    assert work[1] < 4.5 * work[0]
    assert seconds[1] < 8 * seconds[0]


def test_docstrings_examples():
    assert doctest.testmod(bioes) == (0, 2)
