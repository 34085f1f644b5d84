"""A pipeline whose component does what a text asks for, and jobs in this process, which need no
other."""

import json
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue

import pytest
import spacy

from spacy_pretrained.bulk_annotation import run, worker
from spacy_pretrained.bulk_annotation.options import Options
from spacy_pretrained.bulk_annotation.shards import Shard

ROOT = Path(__file__).parents[2]

# What a user gives as --code.
CODE = """
import os
import signal
import time
from spacy.language import Language

@Language.component("obedient")
def obedient(doc):
    if "RAISE" in doc.text:
        raise KeyError("as it was told")
    if "KILL" in doc.text:
        os.kill(os.getpid(), signal.SIGKILL)
    if "SLEEP" in doc.text:
        time.sleep(0.2)
    return doc
"""

# Where this is found first, Python starts without torch and its kin, as do processes it spawns.
NO_TORCH = """
import sys

class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"torch", "transformers", "nncf", "safetensors"}:
            raise ModuleNotFoundError(f"No module named {name!r} (blocked)", name=name)

sys.meta_path.insert(0, Block())
"""


@pytest.fixture(scope="session")
def code(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("code") / "obedient.py"
    path.write_text(CODE)
    exec(compile(CODE, path, "exec"), {})
    return str(path)


@pytest.fixture(scope="session")
def pipeline(tmp_path_factory, code) -> str:
    """Entities, sentences and the obedient component. Tests do not write to its folder."""
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "PER", "pattern": "Ada"}])
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("obedient")
    folder = tmp_path_factory.mktemp("pipeline") / "obedient"
    nlp.to_disk(folder)
    return str(folder)


@pytest.fixture(scope="session")
def no_torch(tmp_path_factory) -> dict[str, str]:
    """The environment of processes that have no torch."""
    folder = tmp_path_factory.mktemp("no_torch")
    (folder / "sitecustomize.py").write_text(NO_TORCH)
    return {"PYTHONPATH": f"{folder}:{ROOT}"}


class PoolHere:
    """Does what a pool does, in this process."""

    def __init__(self, n_workers: int, settings: worker.Settings):
        settings = pickle.loads(pickle.dumps(settings))
        self._said: list = []
        annotator = worker._load(settings)
        self._tasks: SimpleQueue = SimpleQueue()
        self._worker = worker.Worker(self, settings, annotator, self._tasks)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def send(self, message):
        self._said.append(message)

    def run(self, shards: Iterator[Shard]):
        waiting = {shard.number: shard for shard in shards}
        for number, shard in waiting.items():
            self._tasks.put(worker.Task(number, shard.items))
        while not self._tasks.empty():
            self._worker.run_stream(self._tasks.get())
        for message in self._said:
            if isinstance(message, worker.Stopped):
                raise ValueError(message.reason)
            yield waiting[message.number], message


@pytest.fixture
def annotate(monkeypatch, pipeline, code, tmp_path) -> Callable:
    """Runs a job in this process, out of a file or several, into tmp_path/out."""
    monkeypatch.setattr(run, "Pool", PoolHere)

    def annotate(*inputs, out="out", pipeline=pipeline, resume=True, **options) -> run.Progress:
        options = Options(**{"code": code, **options})
        paths = [str(path) for path in inputs]
        return run.annotate_files(pipeline, paths, tmp_path / out, options, resume=resume)

    return annotate


@pytest.fixture
def write(tmp_path) -> Callable:
    """Writes a file of texts, or of rows."""

    def write(name: str, rows: list) -> Path:
        lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
        (tmp_path / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf8")
        return tmp_path / name

    return write


@pytest.fixture
def read(tmp_path) -> Callable:
    """Reads all rows of the parts, in order, or of the errors."""

    def read(pattern: str = "part-??????.jsonl", out: str = "out") -> list[dict]:
        lines = [
            line
            for path in sorted((tmp_path / out).glob(pattern))
            for line in path.read_text(encoding="utf8").splitlines()
        ]
        return [json.loads(line) for line in lines]

    return read
