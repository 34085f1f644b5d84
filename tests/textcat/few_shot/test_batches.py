"""few_shot_batches.py: labels are seen equally often, in pairs, and the same by the same seed."""

from collections import Counter

import numpy as np
import pytest

from spacy_pretrained.textcat.few_shot.batches import draw_batches


def make_known(*sizes: int) -> np.ndarray:
    """So many examples of each label, which exclude each other."""
    labels = np.repeat(np.arange(len(sizes)), sizes)
    return np.where(np.eye(len(sizes), dtype=int)[labels], 1, -1)


def draw(known: np.ndarray, n_batches: int = 50, batch_size: int = 8, seed: int = 0):
    return list(draw_batches(known, n_batches, batch_size, seed))


def test_rare_labels_are_seen_as_often_as_frequent_ones():
    known = make_known(40, 3, 2)
    seen = Counter(known[row].argmax() for rows in draw(known) for row in rows)
    assert seen == {0: 100, 1: 100, 2: 100}


def test_all_examples_are_seen_equally_often():
    seen = Counter(row for rows in draw(make_known(10, 10), n_batches=10) for row in rows)
    assert set(seen) == set(range(20)) and max(seen.values()) - min(seen.values()) <= 2


@pytest.mark.parametrize("n_labels", [2, 3, 5, 30])
def test_batches_have_pairs_and_keep_their_size(n_labels):
    known = make_known(*[6] * n_labels)
    for rows in draw(known):
        counts = Counter(known[rows].argmax(axis=1).tolist())
        assert len(rows) <= 8 and len(set(rows.tolist())) == len(rows)
        assert min(counts.values()) >= 2


def test_all_labels_take_turns_though_a_batch_has_room_for_few():
    known = make_known(*[2] * 30)
    seen = {row for rows in draw(known, n_batches=8) for row in rows.tolist()}
    assert seen == set(range(60))


def test_small_batches_have_different_labels():
    known = make_known(4, 4, 4)
    for rows in draw(known, batch_size=3):
        assert len(rows) == 2 and (known[rows].argmax(axis=1) == known[rows[0]].argmax()).sum() == 1
    assert all(len(rows) == 1 for rows in draw(known, batch_size=1))


def test_one_example_of_a_label_is_enough():
    assert all(len(rows) for rows in draw(make_known(1, 1)))
    assert {row for rows in draw(make_known(1, 5)) for row in rows.tolist()} == set(range(6))


def test_several_labels_of_an_example_and_none():
    known = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1], [0, -1]])
    batches = draw(known)
    assert {row for rows in batches for row in rows.tolist()} == set(range(5))
    assert all(len(set(rows.tolist())) == len(rows) for rows in batches)


def test_the_seed_says_which():
    def as_lists(seed):
        return [rows.tolist() for rows in draw(make_known(9, 9), seed=seed)]

    assert as_lists(1) == as_lists(1) != as_lists(2)
