"""A process that annotates for long, from many threads, while children are forked."""

import gc
import multiprocessing
import os
import random
import threading
import time
from pathlib import Path

import pytest
from hard_texts import HARD_TEXTS
from soak_sizes import SEED, SOAK, TEXT, annotation, in_child, load, say, times
from spacy.language import Language

pytestmark = [
    pytest.mark.soak,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of forks with threads
]
THREADS = 16
SECONDS = 300 * SOAK
TEXTS = times(50_000, least=12_000)
STREAM = 1_000  # texts in a stream; memory is read after each
WARM_UP = 5  # streams until an engine has met all sizes of rows, and the vocabulary all words
FORKS = times(50)
GROWTH = 0.03
BAD = "BAD"
WORDS = [*TEXT.split(), "Robots", "sleep", "on", "issue", "hearing", "!", "doesn't", "7,"]


@Language.component("soak_fails_on_bad_texts")
def fail_on_bad_texts(doc):
    if BAD in doc.text:
        raise ValueError(BAD)
    return doc


def make_text(source: random.Random, longest: int = 60) -> str:
    return " ".join(source.choices(WORDS, k=source.randint(0, longest)))


@pytest.mark.parametrize("place", ["first", "last"])
def test_threads_with_errors_among_the_texts(place):
    nlp = load("syntax_int8")
    good = [text for text in HARD_TEXTS if text] + [f"Ada sees river {i}." for i in range(20)]
    expected = [say(nlp, text) for text in good]
    nlp.add_pipe("soak_fails_on_bad_texts", **{place: True})
    nlp.set_error_handler(lambda name, pipe, docs, error: None)
    end, faults, n_texts = time.monotonic() + SECONDS / 2, [], [0] * THREADS

    def work(number: int) -> None:
        source = random.Random(SEED + number)
        try:
            while time.monotonic() < end:
                texts = [text for one in good for text in [one] + [BAD] * (source.random() < 0.1)]
                found = list(nlp.pipe(texts, batch_size=source.choice((1, 4, 64))))
                if [annotation(doc) for doc in found] != expected:
                    faults.append(f"thread {number}: other annotation, or {len(found)} Docs")
                n_texts[number] += len(texts)
        except BaseException as error:
            faults.append(repr(error))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults, faults[:3]
    print(f"{place}: {THREADS} threads, {SECONDS / 2:.0f} s, {sum(n_texts):,} texts, 0 faults")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads /proc")
def test_memory_does_not_grow():
    # In a process of its own: what other tests leave is let go at any time.
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        before, after = pool.apply(measure_memory)
    print(f"{TEXTS:,} texts: {before / 1e6:.1f} MB, then {after / 1e6:.1f} MB")
    assert after <= before * (1 + GROWTH)


def measure_memory() -> tuple[int, int]:
    """The most bytes that were in use after one of the first streams, and after one of the last."""
    nlp, source = load("syntax_int8"), random.Random(SEED)

    def annotate() -> int:
        for _ in nlp.pipe(make_text(source) for _ in range(STREAM)):
            pass
        gc.collect()
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    sizes = [annotate() for _ in range(TEXTS // STREAM)]
    return max(sizes[:WARM_UP]), max(sizes[-WARM_UP:])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_forks_while_threads_annotate():
    nlp = load("syntax_int8")
    expected, is_done, faults = say(nlp), threading.Event(), []

    def annotate() -> None:
        while not is_done.is_set():
            if say(nlp) != expected:
                faults.append("another annotation")

    def check() -> None:
        assert say(nlp) == expected
        assert [annotation(doc) for doc in nlp.pipe(["", "Ada sees the old river in Zürich."])][
            1
        ] == (expected)

    threads = [threading.Thread(target=annotate) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        results = [in_child(check, timeout=60) for _ in range(FORKS)]
    finally:
        is_done.set()
        for thread in threads:
            thread.join()
    print(f"{FORKS} forks while 4 threads annotate: {results.count(0)} annotate the same")
    assert not faults and set(results) == {0}
