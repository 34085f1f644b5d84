"""BLAS gets its threads back, whoever took them, and in whatever order they are done."""

import os
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc
from threadpoolctl import threadpool_info, threadpool_limits
from tiny_pipelines import CNN, make_examples

from spacy_pretrained.heads.head_pipe import SHORT
from spacy_pretrained.runtime.blas_threads import _libraries, few_blas_threads


def blas_threads() -> list[int]:
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


def begin_in_another_thread() -> Callable[[], None]:
    """Another thread is inside `few_blas_threads` until what is returned is called."""
    inside, leave = threading.Event(), threading.Event()

    def work() -> None:
        with few_blas_threads():
            inside.set()
            leave.wait(30)

    def end() -> None:
        leave.set()
        thread.join()

    thread = threading.Thread(target=work)
    thread.start()
    assert inside.wait(30)
    return end


@pytest.fixture(autouse=True)
def three_threads_that_are_many(monkeypatch):
    monkeypatch.setattr("spacy_pretrained.runtime.blas_threads._few", lambda: 1)
    _libraries.cache_clear()  # other tests of this process may have loaded another BLAS since
    if not blas_threads():
        blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]["name"]
        assert "openblas" not in blas, "threadpoolctl does not find it"  # 3.5 finds NumPy's own
        pytest.skip("numpy's BLAS is none that can be limited")
    with threadpool_limits(3, user_api="blas"):
        if 3 not in blas_threads():
            pytest.skip("BLAS does not take three threads")
        yield


def test_fewer_inside_and_as_before_behind():
    before = blas_threads()
    with few_blas_threads():
        assert set(blas_threads()) == {1}
        with few_blas_threads():
            assert set(blas_threads()) == {1}
    assert blas_threads() == before


def test_any_thread_is_obeyed_whoever_was_the_first():
    before = blas_threads()
    with few_blas_threads():
        pass
    end = begin_in_another_thread()
    assert set(blas_threads()) == {1}
    end()
    assert blas_threads() == before


def test_stays_while_a_thread_is_inside():
    before = blas_threads()
    end = begin_in_another_thread()
    with few_blas_threads():
        pass
    assert set(blas_threads()) == {1}
    end()
    assert blas_threads() == before


def test_the_caller_still_sets_its_own():
    with few_blas_threads():
        pass
    with threadpool_limits(2, user_api="blas"):
        assert set(blas_threads()) == {2}


def test_never_more_than_before(monkeypatch):
    monkeypatch.setattr("spacy_pretrained.runtime.blas_threads._few", lambda: 4)
    before = blas_threads()
    with few_blas_threads():
        assert blas_threads() == before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of forks with threads
def test_a_child_of_a_thread_inside_has_them_back():
    before = blas_threads()
    leave = begin_in_another_thread()
    child = os.fork()
    if not child:
        os._exit(int(blas_threads() != before))
    leave()
    assert os.waitpid(child, 0)[1] == 0


def test_an_error_gives_them_back():
    before = blas_threads()
    with pytest.raises(OSError), few_blas_threads():
        raise OSError
    assert blas_threads() == before


def test_threads_that_overlap_give_them_back():
    before = blas_threads()
    with few_blas_threads():
        leave = begin_in_another_thread()
    leave()
    assert blas_threads() == before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of forks with threads
def test_a_child_is_not_shut_out():
    from spacy_pretrained.runtime import blas_threads as module

    with module._lock:  # as of another thread
        child = os.fork()
        if not child:
            with few_blas_threads():
                os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of forks with threads
def test_no_thread_sets_a_limit_while_the_process_forks(monkeypatch):
    """Within threadpoolctl it may hold a lock, which the child would wait for without end."""
    from spacy_pretrained.runtime import blas_threads as module

    at_it, begun = [], threading.Event()

    def set_slowly(library, number):
        at_it.append(number)
        begun.set()
        time.sleep(0.1)
        at_it.pop()

    def work():
        with few_blas_threads():
            pass

    monkeypatch.setattr(module, "_set_threads", set_slowly)
    thread = threading.Thread(target=work)
    thread.start()
    assert begun.wait(30)
    child = os.fork()
    if not child:
        os._exit(len(at_it))
    thread.join()
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.parametrize("n_tokens, expected", [(SHORT, {1}), (SHORT + 1, {3})])
def test_a_short_doc_has_few(n_tokens, expected):
    met = []
    nlp = spacy.blank("xx")
    tagger = nlp.add_pipe("pretrained_tagger", config={"model": {"tok2vec": CNN}})
    nlp.initialize(lambda: make_examples(nlp))
    annotate = tagger.set_annotations
    tagger.set_annotations = lambda docs, found: met.append(blas_threads()) or annotate(docs, found)
    tagger(Doc(nlp.vocab, words=["word"] * n_tokens))
    assert set(met[0]) == expected
