"""A worker as its parent sees it: what it says, what ends it, and what does not."""

import multiprocessing
import os
import pickle
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from queue import SimpleQueue
from unittest.mock import Mock

import pytest
import spacy

from spacy_pretrained.bulk_annotation import worker
from spacy_pretrained.bulk_annotation.items import Item
from spacy_pretrained.bulk_annotation.options import Options
from spacy_pretrained.bulk_annotation.outputs import JsonLines
from spacy_pretrained.bulk_annotation.worker import Done, Ready, Settings, Stopped, Task, Worker

SECONDS = 120  # for what takes a few
TEXTS = ("Ada sees.", "Bob")

# Formats that fail, in a module that other processes import, too.
FAILING = """
from spacy_pretrained.bulk_annotation.outputs import JsonLines

class Fatal(BaseException):
    pass

class Raises(JsonLines):
    def write(self, path, encoded):
        raise RuntimeError("as nobody foresaw")

class Ends(JsonLines):
    def write(self, path, encoded):
        raise Fatal("as nobody foresaw")
"""


@pytest.fixture
def settings(pipeline, code, tmp_path) -> Settings:
    return Settings(pipeline, tmp_path, Options(code=code), JsonLines(("ents",)), threads=1)


@pytest.fixture
def failing(tmp_path, monkeypatch):
    (tmp_path / "failing_outputs.py").write_text(FAILING)
    monkeypatch.syspath_prepend(tmp_path)
    yield import_module("failing_outputs")
    del sys.modules["failing_outputs"]


@pytest.fixture
def start() -> Iterator[Callable]:
    """Starts a worker as a pool does: with settings, it gives the process and a connection."""
    begun = []

    def start(settings: Settings):
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        args = theirs, settings.threads, pickle.dumps(settings)
        process = context.Process(target=worker.run_worker, args=args, daemon=True)
        process.start()
        theirs.close()
        begun.append((process, ours))
        return process, ours

    yield start
    for process, connection in begun:
        process.kill()
        process.join()
        connection.close()


def make_task(number: int, *texts: str) -> Task:
    return Task(number, [Item(number=10 * number + i, text=text) for i, text in enumerate(texts)])


def receive(connection):
    assert connection.poll(SECONDS), "it says nothing"
    return connection.recv()


def read_part(folder: Path, number: int) -> str:
    return (folder / f"part-{number:06}.jsonl").read_text("utf8")


@pytest.mark.slow
def test_it_does_what_it_is_sent_and_ends_with_its_parent(start, settings, tmp_path):
    process, connection = start(settings)
    assert receive(connection) == Ready()
    connection.send(make_task(0, *TEXTS))
    assert receive(connection) == Done(0, texts=2, words=4)
    connection.send(make_task(1))
    assert receive(connection) == Done(1)
    connection.send(make_task(2, "RAISE", "Ada"))
    assert receive(connection) == Done(2, texts=1, words=1, failed=1)
    connection.send(replace(make_task(3, "Bob"), on_trial=True))
    assert receive(connection) == Done(3, texts=1, words=1)
    assert [len(read_part(tmp_path, number).splitlines()) for number in range(3)] == [2, 0, 1]
    assert len(list(tmp_path.glob("part-??????.jsonl"))) == 3  # what is on trial is not written
    connection.close()  # as the end of the parent does
    process.join(SECONDS)
    assert process.exitcode == 1


@pytest.mark.slow
def test_a_pipeline_that_cannot_be_loaded(start, settings, tmp_path):
    process, connection = start(replace(settings, pipeline=str(tmp_path / "nowhere")))
    said = receive(connection)
    assert isinstance(said, Stopped)
    assert "The pipeline cannot be loaded" in said.reason and "nowhere" in said.reason
    process.join(SECONDS)
    assert process.exitcode == 0


@pytest.mark.slow
def test_what_goes_wrong_in_writing_is_said(start, settings, failing):
    _, connection = start(replace(settings, output=failing.Raises(("ents",))))
    assert receive(connection) == Ready()
    connection.send(make_task(0, "Ada"))
    said = receive(connection)
    assert isinstance(said, Stopped)
    assert "A part cannot be written to" in said.reason and "as nobody foresaw" in said.reason


@pytest.mark.slow
def test_what_ends_the_thread_that_writes_ends_the_process(start, settings, failing):
    """So that its parent sees it, and does not wait for ever for a part."""
    process, connection = start(replace(settings, output=failing.Ends(("ents",))))
    assert receive(connection) == Ready()
    connection.send(make_task(0, "Ada"))
    with pytest.raises(EOFError):
        receive(connection)
    process.join(SECONDS)
    assert process.exitcode == 1


@pytest.mark.parametrize(
    ("sent", "said"), [(None, ""), (b"x", "UnpicklingError")], ids=["parent", "broken"]
)
def test_what_ends_the_thread_that_receives_ends_the_process(sent, said, monkeypatch, capsys):
    """The end of the parent without a word, and what cannot be read with an error."""
    monkeypatch.setattr(os, "_exit", sys.exit)
    parent, connection = multiprocessing.Pipe()
    with parent, connection, pytest.raises(SystemExit, match="1"):
        parent.send_bytes(sent) if sent else parent.close()
        worker._receive(connection, SimpleQueue())
    error = capsys.readouterr().err
    assert said in error and bool(error) == bool(said)


@pytest.mark.slow
def test_what_it_says_to_a_parent_that_has_ended_ends_it_without_a_word(capfd):
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    ours.close()
    process = context.Process(target=worker._send, args=(theirs, Ready()))
    process.start()
    process.join(SECONDS)
    theirs.close()
    assert process.exitcode == 1
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("texts", [TEXTS, ()], ids=["texts", "none"])
def test_an_error_that_nothing_foresees_comes_out_of_the_stream(settings, texts):
    """Such as one in telling what was done, in the thread that writes."""

    class Connection:
        def send(self, message):
            raise RuntimeError("as nobody foresaw")

    one = Worker(Connection(), settings, worker._load(settings), SimpleQueue())
    with pytest.raises(RuntimeError, match="as nobody foresaw"):
        one.run_stream(make_task(0, *texts))


def test_the_tokenizer_keeps_words(settings):
    """A memory zone alone would let all of them go."""
    annotator = worker._load(settings)
    one = Worker(Mock(), settings, annotator, SimpleQueue())
    one.run_stream(make_task(0, "Zyxwvutsr sleeps."))
    assert "Zyxwvutsr" in annotator.nlp.vocab


def test_a_gpu_is_asked_for_before_the_pipeline_is_loaded(settings, monkeypatch):
    called, load = [], spacy.load
    monkeypatch.setattr(spacy, "require_gpu", lambda number: called.append(f"GPU {number}"))
    monkeypatch.setattr(spacy, "load", lambda *a, **kw: called.append("load") or load(*a, **kw))
    worker._load(replace(settings, options=replace(settings.options, gpu_id=1)))
    assert called == ["GPU 1", "load"]
    worker._load(settings)
    assert called[2:] == ["load"]
