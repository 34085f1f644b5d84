"""A quantized pipeline in threads, in processes and in a server that forks: the same annotations,
no deadlock, compiled once a process."""

import json
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import spacy
from hard_texts import HARD_TEXTS
from tiny_pipelines import annotations

from spacy_pretrained.backends.backbone import get_shim
from spacy_pretrained.backends.openvino_backend import OpenVinoShim

WORKER = Path(__file__).with_name("serving_worker.py")
SECONDS = 300  # for what takes 10
# Not the empty one: spaCy's textcat gives it other scores alone than in a batch.
TEXTS = [*filter(None, HARD_TEXTS), *["Ada sees the old river. Robots never sleep in Zürich!"] * 4]


@pytest.fixture
def nlp(int8_pipeline):
    """Loaded anew: nothing is compiled yet."""
    return spacy.load(int8_pipeline)


@pytest.fixture(scope="module")
def expected(int8_pipeline) -> list:
    """As JSON gives them back."""
    found = [annotations(doc) for doc in spacy.load(int8_pipeline).pipe(TEXTS)]
    return json.loads(json.dumps(found))


def assert_same(found: list, expected: list) -> None:
    """Labels alike; scores to the last digits, for batches add up in another order."""
    assert len(found) == len(expected)
    for one, two in zip(found, expected):
        assert len(one) == len(two)
        for a, b in zip(one, two):
            for x, y in zip(a, b, strict=True):
                assert x == (pytest.approx(y, abs=1e-3) if isinstance(y, float) else y)


@pytest.fixture
def compiled(monkeypatch) -> list:
    """A list that grows, by its number of streams, with every model that is compiled."""
    times, compile_model = [], OpenVinoShim._compile
    monkeypatch.setattr(
        OpenVinoShim,
        "_compile",
        lambda shim, n_streams: times.append(n_streams) or compile_model(shim, n_streams),
    )
    return times


@pytest.mark.slow
def test_each_way_to_run_is_compiled_once_on_first_use(nlp, compiled, tmp_path):
    get_shim(nlp.get_pipe("pretrained_encoder").model).threads = 2
    nlp.to_disk(tmp_path)
    assert not compiled
    for _ in range(2):
        nlp("One sentence.")
    assert compiled == [1]
    for _ in range(2):
        list(nlp.pipe(TEXTS))
        nlp("One sentence.")
    assert compiled == [1, 2]


@pytest.mark.slow
def test_eight_threads_on_one_pipeline(nlp, expected, compiled):
    start = threading.Barrier(8)

    def annotate(number: int) -> list:
        start.wait(SECONDS)
        alone = number % 2
        docs = (nlp(text) for text in TEXTS) if alone else nlp.pipe(TEXTS, batch_size=number + 1)
        return json.loads(json.dumps([annotations(doc) for doc in docs]))

    with ThreadPoolExecutor(8) as pool:
        runs = [pool.submit(annotate, number) for number in range(8)]
        for run in runs:
            assert_same(run.result(SECONDS), expected)
    assert len(compiled) == len(set(compiled)) <= 2


def run_worker(folder: Path, scene: str, pipeline: Path, *more: str) -> list:
    """All the runs of a scene. A deadlock ends in a timeout, and takes all children along."""
    (folder / "texts.json").write_text(json.dumps(TEXTS))
    command = [sys.executable, str(WORKER), scene, str(pipeline), "texts.json", "found.json", *more]
    with (folder / "log").open("w+") as log:
        process = subprocess.Popen(
            command, cwd=folder, stdout=log, stderr=log, start_new_session=True
        )
        try:
            code = process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            code = process.wait()
        log.seek(0)
        assert code == 0, f"{code}: {log.read()}"
    return json.loads((folder / "found.json").read_text())


@pytest.mark.slow
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_two_processes(int8_pipeline, expected, tmp_path, method):
    runs = run_worker(tmp_path, "processes", int8_pipeline, method)
    assert len(runs) == (3 if method == "fork" else 2)
    for run in runs:
        assert_same(run, expected)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_server_that_forks(int8_pipeline, expected, tmp_path):
    runs = run_worker(tmp_path, "prefork", int8_pipeline)
    assert len(runs) == 2 * (1 + 3) + 7 * 4
    for run in runs:
        assert_same(run, expected)
