"""Windows: nothing lost, nothing twice, never too long, cut where sentences start."""

import numpy as np
from random_windows import random_cuts

from spacy_pretrained.windows.split import Windows, concatenate, split

NO_CUTS = [np.zeros(0, "int64"), np.zeros(0, "int64")]


def cases():
    rng = np.random.default_rng(0)
    for _ in range(300):
        n_pieces = int(rng.choice([0, 1, 2, 5, 31, 32, 33, 200, 1000]))
        window = int(rng.choice([1, 2, 7, 32]))
        stride = int(rng.integers(1, window + 1))
        yield n_pieces, random_cuts(rng, n_pieces), window, stride


def lengths(windows: Windows) -> list[int]:
    return (windows.end - windows.start).tolist()


def test_cores_partition_the_pieces_and_windows_hold_them():
    for n_pieces, cuts, window, stride in cases():
        windows = split(n_pieces, cuts, window, stride)
        covered = [np.arange(s, e) for s, e in zip(windows.core_start, windows.core_end)]
        assert np.array_equal(np.concatenate([*covered, []]), np.arange(n_pieces))
        assert (windows.core_end > windows.core_start).all()
        assert (windows.core_end - windows.core_start <= stride).all()
        assert (windows.end - windows.start <= window).all()
        assert (windows.start <= windows.core_start).all() and (windows.start >= 0).all()
        assert (windows.core_end <= windows.end).all() and (windows.end <= n_pieces).all()


def test_windows_without_stride_show_what_they_answer_for():
    for n_pieces, cuts, window, _ in cases():
        windows = split(n_pieces, cuts, window, window)
        assert np.array_equal(windows.start, windows.core_start)
        assert np.array_equal(windows.end, windows.core_end)


def test_stride_leaves_the_same_context_on_both_sides():
    windows = split(1000, NO_CUTS, 40, 30)
    inner = slice(1, -1)
    left = (windows.core_start - windows.start)[inner]
    right = (windows.end - windows.core_end)[inner]
    assert np.array_equal(left, right) and (left >= 5).all()
    assert windows.start[0] == 0 and windows.end[-1] == 1000


def test_context_is_of_the_same_sentence_and_only_where_that_is_cut():
    for n_pieces, (sentences, tokens), window, stride in cases():
        windows = split(n_pieces, [sentences, tokens], window, stride)
        bounds = np.unique([0, *sentences, n_pieces])
        sentence = np.searchsorted(bounds, windows.core_start, "right")
        low, high = bounds[sentence - 1], bounds[sentence]
        assert (windows.start >= low).all() and (windows.end <= high).all()
        is_whole = high - low <= stride
        assert ((windows.start == low) & (windows.end == high))[is_whole].all()


def test_a_stride_just_below_the_window_shows_short_sentences_once():
    cuts = [np.arange(0, 1000, 10), np.arange(1000)]
    assert sum(lengths(split(1000, cuts, 126, 125))) == 1000


def test_a_window_begins_at_every_sentence():
    for n_pieces, (sentences, tokens), window, stride in cases():
        windows = split(n_pieces, [sentences, tokens], window, stride)
        assert np.isin(sentences, windows.core_start).all()


def test_short_sentences_have_a_window_each():
    windows = split(30, [np.array([0, 4, 9]), np.arange(30)], 25, 25)
    assert windows.core_start.tolist() == [0, 4, 9]
    assert windows.core_end.tolist() == [4, 9, 30]


def test_windows_of_a_long_sentence_are_of_like_length():
    tokens = np.arange(300)
    assert lengths(split(130, [tokens[:1], tokens], 128, 128)) == [65, 65]
    assert lengths(split(128, [tokens[:1], tokens], 128, 128)) == [128]
    assert lengths(split(300, [tokens[:1], tokens], 128, 128)) == [100, 100, 100]


def test_a_long_sentence_is_cut_at_token_starts():
    windows = split(100, [np.array([0, 90]), np.arange(0, 100, 4)], 41, 41)
    assert windows.start.tolist() == [0, 28, 60, 90]  # the token starts nearest to 30 and 59


def test_cuts_within_tokens_are_made_only_where_there_is_no_other():
    for n_pieces, (sentences, tokens), window, stride in cases():
        windows = split(n_pieces, [sentences, tokens], window, stride)
        for low, cut in zip(windows.core_start, windows.core_start[1:]):
            in_reach = tokens[(tokens > low) & (tokens <= low + stride)]
            assert cut in sentences or cut in tokens or not len(in_reach)


def test_a_token_longer_than_a_window_is_cut_within():
    tokens = np.array([0, 3, 103])  # the second has 100 pieces
    windows = split(106, [tokens[:1], tokens], 10, 10)
    assert max(lengths(windows)) <= 10 and sum(lengths(windows)) == 106


def test_no_pieces_no_windows():
    assert len(split(0, NO_CUTS, 10, 10)) == 0


def test_concatenated_windows_are_those_of_each_doc_shifted():
    windows = [split(n, NO_CUTS, 3, 3) for n in (5, 0, 4)]
    both = concatenate(windows, np.array([0, 5, 5, 9]))
    assert both.start.tolist() == [0, 3, 5, 8]
    assert both.core_end.tolist() == [3, 5, 8, 9]


def test_a_million_pieces_take_no_time_to_speak_of():
    cuts = [np.arange(0, 10**6, 30), np.arange(10**6)]
    assert len(split(10**6, cuts, 126, 126)) == 33_334
    assert len(split(10**6, [cuts[0][:1], cuts[1]], 126, 126)) < 8_000
