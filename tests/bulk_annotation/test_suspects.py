"""suspects.py: which texts kill is found in few deaths, and no text is lost."""

import numpy as np
import pytest

from spacy_pretrained.bulk_annotation.items import Item
from spacy_pretrained.bulk_annotation.shards import Shard
from spacy_pretrained.bulk_annotation.suspects import MOST_DEATHS, Suspect


def play(n: int, killers: set[int], seed: int = 0, bad_luck: float = 0.0) -> tuple[Suspect, set]:
    """Let a shard be annotated by processes that these texts kill, and others something else now
    and then. RETURNS: the texts that have failed in the end, too."""
    rng = np.random.default_rng(seed)
    suspect = Suspect(Shard(7, [Item(number=100 + i) for i in range(n)], 1.0))
    suspect.die("killed")
    for _ in range(10 * n + 100):
        task = suspect.next_task()
        assert task.alone and task.number == 7
        texts = {item.number - 100 for item in task.items if not item.error}
        if texts & killers or (texts and rng.random() < bad_luck):
            suspect.die("killed")
        elif suspect.survive():
            assert [item.number for item in task.items] == list(range(100, 100 + n))
            return suspect, {item.number - 100 for item in task.items if item.error}
    pytest.fail("it never ends")


@pytest.mark.parametrize("n", [1, 2, 3, 10, 1000])
def test_one_text_among_many(n):
    for killer in {0, n // 3, n - 1}:
        suspect, failed = play(n, {killer})
        assert failed == {killer} and suspect.deaths <= MOST_DEATHS


def test_bad_luck_alone():
    """Somebody else kills a process once: nothing is halved, and nothing fails."""
    suspect = Suspect(Shard(0, [Item(number=i) for i in range(5)], 1.0))
    suspect.die("killed")
    task = suspect.next_task()
    assert not task.on_trial and len(task.items) == 5
    assert suspect.survive()


@pytest.mark.parametrize("seed", range(20))
def test_several_texts_and_bad_luck(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 200))
    killers = set(rng.choice(n, int(rng.integers(min(n, 4))), replace=False).tolist())
    suspect, failed = play(n, killers, seed, bad_luck=0.1 if seed % 2 else 0.0)
    assert killers <= failed
    if suspect.deaths <= MOST_DEATHS and seed % 2 == 0:
        assert failed == killers


def test_too_many_deaths_are_an_error_of_what_is_left():
    suspect, failed = play(1000, set(range(0, 1000, 10)))
    assert suspect.deaths == MOST_DEATHS + 1
    assert set(range(0, 1000, 10)) <= failed
    task = suspect.next_task()
    reasons = {item.error for item in task.items if item.error}
    assert any("may be innocent" in reason for reason in reasons)
    suspect, _ = play(10, {3})
    assert [item.error for item in suspect.next_task().items if item.error] == [
        "The process that annotated it ended each time: killed."
    ]
