"""Texts wait for one thread, and it takes them in batches: properties of the order and of the
limits, with a thread that does what the test says."""

import asyncio
import threading
import time

import pytest

from spacy_pretrained.serving import batching
from spacy_pretrained.serving.annotate import Annotated, Failed
from spacy_pretrained.serving.batching import (
    FEW_TEXTS,
    MAX_CHARACTERS,
    MAX_TEXTS,
    Annotator,
    Full,
    Job,
    Key,
)
from spacy_pretrained.serving.metrics import Board
from spacy_pretrained.serving.pipelines import Served

A, B = Served("a", None, ""), Served("b", None, "")
GONE = Failed("gone", "")


class Slow:
    """Annotates when it is allowed to; keeps the batches that it was given, and whether those that
    followed another one were full."""

    def __init__(self):
        self.batches = []
        self.were_full = []
        self.n_streams = 0
        self.may_go_on = threading.Semaphore(0)

    def __call__(self, served, labels, batch, more):
        self.n_streams += 1
        while batch:
            texts = [one.asked[0] for one in batch]
            self.batches.append((served.name, labels, texts))
            assert self.may_go_on.acquire(timeout=30)
            yield batch, [Annotated({"text": text}, 1) for text in texts]
            full = more(True) or more(True)  # before each component, as it is asked for
            batch = full or more(False)
            self.were_full.append(bool(full))


def run(scene, most_waiting=1000):
    """A coroutine of an annotator, and of what it runs."""

    async def begin():
        slow, crashes = Slow(), []
        board = Board([("a", "1"), ("b", "1")], 1)
        annotator = Annotator(slow, most_waiting, board.row(0), crashes.append)
        annotator.start()
        try:
            await asyncio.wait_for(scene(annotator, slow), 60)
        finally:
            slow.may_go_on.release(1000)
            annotator.close()
        assert not crashes
        return board.render()

    return asyncio.run(begin())


def job(texts, served=A, labels=None, failed=None):
    return Job(Key(served, labels), [(text, ()) for text in texts], failed or {})


async def busy(annotator, slow):
    """Let the thread have a batch: what comes now waits."""
    first = job(["first"])
    annotator.submit(first)
    while not slow.batches:
        await asyncio.sleep(0.001)
    return first


def texts_of(job):
    return [one.record["text"] for one in job.outcomes]


def test_an_idle_thread_begins_at_once():
    async def scene(annotator, slow):
        slow.may_go_on.release()
        begin = time.perf_counter()
        only = job(["x"])
        annotator.submit(only)
        await only.waited_for.wait()
        assert time.perf_counter() - begin < 1
        assert texts_of(only) == ["x"]

    run(scene)


def test_what_arrives_meanwhile_is_the_next_batch():
    async def scene(annotator, slow):
        first = await busy(annotator, slow)
        jobs = [job([f"{i}", f"{i}+"]) for i in range(5)]
        for one in jobs:
            annotator.submit(one)
        slow.may_go_on.release(2)
        for one in (first, *jobs):
            await one.waited_for.wait()
        assert slow.batches[1][2] == [text for i in range(5) for text in (f"{i}", f"{i}+")]
        assert [texts_of(one) for one in jobs] == [[f"{i}", f"{i}+"] for i in range(5)]

    figures = run(scene)
    assert 'batch_texts_bucket{model="a",version="1",le="1"} 1' in figures
    assert 'batch_texts_bucket{model="a",version="1",le="16"} 2' in figures
    assert 'words_total{model="a",version="1"} 11' in figures
    assert 'waiting_texts{model="a",version="1"} 0' in figures


def test_batches_are_limited():
    async def scene(annotator, slow):
        await busy(annotator, slow)
        long = "x" * (MAX_CHARACTERS // 2)
        jobs = [job(["s"] * (MAX_TEXTS * 2)), job([long] * 3), job(["y" * 2 * MAX_CHARACTERS])]
        for one in jobs:
            annotator.submit(one)
        slow.may_go_on.release(100)
        for one in jobs:
            await one.waited_for.wait()
        sizes = [(len(texts), sum(map(len, texts))) for _, _, texts in slow.batches[1:]]
        assert max(n for n, _ in sizes) == MAX_TEXTS
        assert all(size <= MAX_CHARACTERS or n == 1 for n, size in sizes)
        assert sum(n for n, _ in sizes) == MAX_TEXTS * 2 + 4

    run(scene)


@pytest.mark.parametrize(
    "waiting, sizes",
    [
        (FEW_TEXTS, [FEW_TEXTS]),
        (FEW_TEXTS + 1, [FEW_TEXTS, 1]),
        (MAX_TEXTS, [MAX_TEXTS // 2, FEW_TEXTS, MAX_TEXTS // 2 - FEW_TEXTS]),
        (MAX_TEXTS * 2, [MAX_TEXTS, MAX_TEXTS // 2, FEW_TEXTS, MAX_TEXTS // 2 - FEW_TEXTS]),
    ],
)
def test_a_batch_takes_half_of_what_waits(waiting, sizes):
    """So the engine and the components behind it have something to do at once."""

    async def scene(annotator, slow):
        await busy(annotator, slow)
        many = job([f"{i}" for i in range(waiting)])
        annotator.submit(many)
        slow.may_go_on.release(100)
        await many.waited_for.wait()
        assert [len(texts) for _, _, texts in slow.batches[1:]] == sizes
        assert texts_of(many) == [f"{i}" for i in range(waiting)]

    run(scene)


HALF = "x" * (MAX_CHARACTERS // 2)


@pytest.mark.parametrize(
    "texts, is_full",
    [
        (["x"] * MAX_TEXTS * 2, True),
        (["x"] * FEW_TEXTS, True),
        (["x"] * (FEW_TEXTS - 1), False),
        ([HALF, HALF], True),
        ([HALF, HALF[1:]], False),
        ([HALF, HALF[1:], "yy"], True),  # there is no room for the last one
        ([HALF + HALF], True),
        ([HALF], False),
    ],
)
def test_a_batch_is_full_by_texts_or_by_characters(texts, is_full):
    async def scene(annotator, slow):
        await busy(annotator, slow)
        many = job(texts)
        annotator.submit(many)
        slow.may_go_on.release(100)
        await many.waited_for.wait()
        assert texts_of(many) == texts
        assert slow.were_full[0] == is_full

    run(scene)


def test_dropped_texts_do_not_fill_a_batch():
    async def scene(annotator, slow):
        await busy(annotator, slow)
        kept, dropped, last = job(["x"]), job([HALF] * MAX_TEXTS), job(["y"])
        for one in (kept, dropped, last):
            annotator.submit(one)
        annotator.drop(dropped, GONE)
        slow.may_go_on.release(100)
        await last.waited_for.wait()
        assert slow.batches[1:] == [("a", None, ["x", "y"])] and not slow.were_full[0]

    run(scene)


def test_pipelines_and_labels_never_share_a_batch_and_nobody_starves():
    async def scene(annotator, slow):
        await busy(annotator, slow)
        keys = [(A, None), (B, None), (A, ("x", "y")), (A, ("y", "x")), (A, None)]
        jobs = [job([f"{i}"], served, labels) for i, (served, labels) in enumerate(keys)]
        for one in jobs:
            annotator.submit(one)
        slow.may_go_on.release(100)
        for one in jobs:
            await one.waited_for.wait()
        assert slow.batches[1:] == [
            ("a", None, ["0", "4"]),
            ("b", None, ["1"]),
            ("a", ("x", "y"), ["2"]),
            ("a", ("y", "x"), ["3"]),
        ]
        assert slow.n_streams == 4, "the first two are of one key"

    run(scene)


def test_batches_of_a_stream_are_limited(monkeypatch):
    """Then the strings that its texts brought are let go."""
    monkeypatch.setattr(batching, "MAX_BATCHES", 3)
    monkeypatch.setattr(batching, "FEW_TEXTS", MAX_TEXTS)

    async def scene(annotator, slow):
        first = await busy(annotator, slow)
        texts = [f"{i}" for i in range(MAX_TEXTS * 6)]
        many = job(texts)
        annotator.submit(many)
        slow.may_go_on.release(100)
        await many.waited_for.wait()
        assert first.is_done and texts_of(many) == texts
        assert len(slow.batches) == 7 and slow.n_streams == 3

    run(scene)


def test_who_is_too_many_changes_nothing():
    async def scene(annotator, slow):
        await busy(annotator, slow)
        waiting = job(["x"] * 3)
        annotator.submit(waiting)
        with pytest.raises(Full):
            annotator.submit(job(["y"] * 2))
        last = job(["z"])
        annotator.submit(last)
        slow.may_go_on.release(100)
        await waiting.waited_for.wait()
        await last.waited_for.wait()
        assert slow.batches[1][2] == ["x"] * 3 + ["z"]

    run(scene, most_waiting=4)


def test_dropped_texts_are_not_annotated_and_make_room():
    async def scene(annotator, slow):
        await busy(annotator, slow)
        dropped, kept = job(["x"] * 4), job(["y"])
        annotator.submit(dropped)
        annotator.drop(dropped, GONE)
        assert dropped.is_done and dropped.outcomes == [GONE] * 4
        annotator.drop(dropped, GONE)
        annotator.submit(kept)
        annotator.submit(job(["z"] * 3))
        slow.may_go_on.release(100)
        await kept.waited_for.wait()
        assert slow.batches[1][2] == ["y", "z", "z", "z"]

    run(scene, most_waiting=4)


def test_what_has_begun_is_finished_though_the_rest_is_dropped():
    async def scene(annotator, slow):
        both = job(["x" * MAX_CHARACTERS, "y"])
        annotator.submit(both)
        while not slow.batches:
            await asyncio.sleep(0.001)
        annotator.drop(both, GONE)
        assert not both.is_done
        slow.may_go_on.release()
        await both.waited_for.wait()
        assert isinstance(both.outcomes[0], Annotated) and both.outcomes[1] is GONE
        assert len(slow.batches) == 1

    run(scene)


def test_texts_that_failed_before_do_not_wait():
    async def scene(annotator, slow):
        slow.may_go_on.release(100)
        mixed, failed = job(["x", "y"], failed={0: GONE}), job(["z"], failed={0: GONE})
        assert failed.is_done
        annotator.submit(mixed)
        annotator.submit(failed)
        await mixed.waited_for.wait()
        assert mixed.outcomes[0] is GONE and mixed.outcomes[1].record["text"] == "y"
        assert [texts for _, _, texts in slow.batches] == [["y"]]

    run(scene)


def test_a_thread_that_cannot_go_on_says_so():
    async def scene():
        crashes = asyncio.Queue()
        loop = asyncio.get_running_loop()

        def annotate(served, labels, batch, more):
            raise MemoryError

        annotator = Annotator(
            annotate,
            10,
            Board([("a", "1")], 1).row(0),
            lambda error: loop.call_soon_threadsafe(crashes.put_nowait, error),
        )
        annotator.start()
        annotator.submit(job(["x"]))
        assert isinstance(await asyncio.wait_for(crashes.get(), 30), MemoryError)

    asyncio.run(scene())
