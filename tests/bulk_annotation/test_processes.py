"""A job in several processes, by the command: killed at any time, each text comes out once, in
order. Nothing here has torch."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import spacy
from hard_texts import HARD_TEXTS

from spacy_pretrained.records import to_record

N_TEXTS, SHARD = 240, 10
SECONDS = 120  # for what takes a few
TEXTS = [f"Ada sees river {i}. SLEEP!" if i % 20 == 0 else f"Text {i}" for i in range(N_TEXTS)]

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals")


@pytest.fixture
def start(tmp_path, pipeline, code, no_torch):
    """Starts the command on tmp_path/texts.txt, in a group of processes of its own."""
    (tmp_path / "texts.txt").write_text("".join(f"{text}\n" for text in TEXTS))
    begun = []

    def start(*args: str, texts="texts.txt", out="out", pipeline=pipeline, **kwargs):
        command = [sys.executable, "-m", "spacy", "pretrained", "annotate", pipeline, texts, out]
        options = ["--code", code, "--shard", str(SHARD), "--workers", "2", "--what", "tokens"]
        process = subprocess.Popen(
            [*command, *options, *args],
            cwd=tmp_path,
            env=os.environ | no_torch,
            start_new_session=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **kwargs,
        )
        begun.append(process)
        return process

    yield start
    for process in begun:
        process.stdout.close()
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def finish(process) -> str:
    """RETURNS: what it said."""
    said, _ = process.communicate(timeout=SECONDS)
    return " ".join(said.split())


def parts(folder: Path) -> list[Path]:
    return sorted(folder.glob("part-??????.jsonl"))


def texts_of(folder: Path) -> list[str]:
    return [json.loads(line)["text"] for path in parts(folder) for line in path.open()]


def children(pid: int) -> list[int]:
    """Of Linux, those that annotate."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
            command = (path.parent / "cmdline").read_bytes()
        except (OSError, IndexError):
            continue
        if parent == pid and b"spawn_main" in command:
            found.append(int(path.parent.name))
    return found


def wait_for(condition, process) -> bool:
    """RETURNS: whether it came before the process's end."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        if condition():
            return True
        if process.poll() is not None:
            return bool(condition())
        time.sleep(0.02)
    pytest.fail("it takes too long")


@pytest.mark.slow
def test_two_processes_and_a_text_that_kills(start, tmp_path):
    """Every process that annotates it ends; it is found, and all others are annotated."""
    texts = [*TEXTS[:23], "KILL", *TEXTS[23:40]]
    (tmp_path / "killing.txt").write_text("".join(f"{text}\n" for text in texts))
    process = start(texts="killing.txt")
    said = finish(process)
    assert process.returncode == 1, said
    assert texts_of(tmp_path / "out") == TEXTS[:40]
    assert "40 texts" in said and "skipped: 0, failed: 1" in said
    (error,) = (json.loads(line) for line in (tmp_path / "out" / "errors.jsonl").open())
    assert error["number"] == 23 and "killed by signal 9 (SIGKILL)" in error["reason"]


@pytest.mark.slow
def test_a_quantized_pipeline(start, tmp_path, int8_pipeline):
    """The records are those of `nlp.pipe` in a process with torch."""
    texts = [text for text in HARD_TEXTS if text.strip() and len(text.splitlines()) == 1]
    (tmp_path / "hard.txt").write_text("".join(f"{text}\n" for text in texts), encoding="utf8")
    process = start("--what", "deps,ents", texts="hard.txt", pipeline=str(int8_pipeline))
    said = finish(process)
    assert process.returncode == 0, said
    nlp = spacy.load(int8_pipeline)
    expected = [to_record(doc, ["deps", "ents"]) for doc in nlp.pipe(texts)]
    lines = [line for path in parts(tmp_path / "out") for line in path.open(encoding="utf8")]
    found = [json.loads(line) for line in lines]
    for record in [*found, *expected]:  # which batches a text was in changes their last digits
        for one in [*record["tokens"], *record["ents"]]:
            one.pop("confidence")
    assert found == expected


@pytest.mark.slow
def test_ctrl_c(start, tmp_path):
    process = start()
    wait_for(lambda: parts(tmp_path / "out"), process)
    processes = children(process.pid)
    begun = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    said = finish(process)
    assert time.monotonic() - begun < 2
    assert process.returncode == 130 and "Stopped. The same command resumes" in said
    assert "Traceback" not in said
    assert not any(Path(f"/proc/{pid}").exists() for pid in processes)
    n_parts = len(parts(tmp_path / "out"))
    assert 0 < n_parts < N_TEXTS / SHARD
    process = start()
    said = finish(process)
    assert process.returncode == 0 and texts_of(tmp_path / "out") == TEXTS
    assert "of them were there" in said


@pytest.mark.slow
def test_ctrl_c_is_heard_by_the_command_alone(start, tmp_path):
    """Any process that heard of it could print a traceback before it is ended."""
    process = start()
    wait_for(lambda: parts(tmp_path / "out"), process)
    processes = children(process.pid)
    assert len(processes) == 2
    assert not any(hears(pid, signal.SIGINT) for pid in processes)
    assert hears(process.pid, signal.SIGINT)


def hears(pid: int, number: int) -> bool:
    """Whether a signal is neither blocked nor ignored."""
    status = Path(f"/proc/{pid}/status").read_text()
    masks = [int(status.split(f"{name}:")[1].split()[0], 16) for name in ("SigBlk", "SigIgn")]
    return not any(mask >> (number - 1) & 1 for mask in masks)


@pytest.mark.slow
@pytest.mark.parametrize("when", ["loading", "annotating"])
def test_workers_end_with_their_parent(start, tmp_path, when):
    process = start()
    if when == "loading":
        wait_for(lambda: len(children(process.pid)) == 2, process)
    else:
        wait_for(lambda: parts(tmp_path / "out"), process)
    processes = children(process.pid)
    assert processes
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    end = time.monotonic() + 10
    while any(is_running(pid) for pid in processes):
        assert time.monotonic() < end
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.mark.slow
def test_killed_at_any_time(start, tmp_path):
    """The command or one of its processes, twenty times, by chance and seed; and what is there in
    the end is what it would have been."""
    rng = np.random.default_rng(0)
    kills = n_runs = 0
    process = None
    while kills < 20:
        if process is None or process.poll() is not None:
            if process is not None and process.returncode == 0:
                # Done too early: some parts are lost, and it goes on.
                for path in rng.choice(parts(tmp_path / "out"), 12, replace=False):
                    Path(str(path)).unlink()
            process, n_runs = start(), n_runs + 1
        time.sleep(float(rng.uniform(0.2, 2.5)))
        victims = [process.pid] if rng.random() < 0.4 else children(process.pid)
        if victims and process.poll() is None:
            try:
                os.kill(int(rng.choice(victims)), signal.SIGKILL)
                kills += 1
            except ProcessLookupError:
                pass
    if process.poll() is None:
        finish(process)
    process = start()
    said = finish(process)
    assert process.returncode == 0, said
    assert n_runs > 1 and texts_of(tmp_path / "out") == TEXTS
    assert "failed: 0" in said
    assert (tmp_path / "out" / "errors.jsonl").read_text() == ""


@pytest.mark.slow
@pytest.mark.parametrize("resume", ["--resume", "--no-resume"])
def test_standard_input(start, tmp_path, resume):
    with (tmp_path / "texts.txt").open() as texts:
        process = start("--stdin", "txt", resume, texts="-", stdin=texts)
        said = finish(process)
    assert process.returncode == 0, said
    assert texts_of(tmp_path / "out") == TEXTS
    copy = tmp_path / "out" / "stdin.txt"
    assert copy.exists() == (resume == "--resume")
    if copy.exists():
        for path, status in ((os.devnull, 0), ("texts.txt", 0), (__file__, 1)):
            parts(tmp_path / "out")[3].unlink()
            with (tmp_path / path).open() as texts:
                process = start("--stdin", "txt", texts="-", stdin=texts)
                said = finish(process)
            assert process.returncode == status, said
            assert (texts_of(tmp_path / "out") == TEXTS) == (status == 0)


@pytest.mark.slow
def test_a_pipe_that_streams(start, tmp_path):
    process = start("--stdin", "txt", "--no-resume", texts="-", stdin=subprocess.PIPE)
    said, _ = process.communicate("".join(f"{text}\n" for text in TEXTS), timeout=SECONDS)
    assert process.returncode == 0, said
    assert texts_of(tmp_path / "out") == TEXTS


@pytest.mark.slow
def test_a_pipeline_that_cannot_be_loaded(start, tmp_path, pipeline):
    process = start("--code", str(tmp_path / "texts.txt"))
    said = finish(process)
    assert process.returncode == 1 and "The pipeline cannot be loaded" in said
    assert "Traceback" not in said


@pytest.mark.slow
def test_memory_does_not_grow_with_the_input(start, tmp_path):
    """That of the command itself: it holds shards, not files."""

    def peak(n: int) -> int:
        path = tmp_path / f"{n}.txt"
        path.write_text("".join(f"Text {i} {'x' * 1000}\n" for i in range(n)))
        process = start(texts=path.name, out=f"out{n}")
        most = 0
        while process.poll() is None:
            try:
                status = Path(f"/proc/{process.pid}/status").read_text()
            except OSError:
                break
            if "VmHWM" in status:
                most = int(status.split("VmHWM:")[1].split()[0])
            time.sleep(0.05)
        said = finish(process)
        assert process.returncode == 0, said
        return most  # KB

    assert peak(10_000) < peak(1_000) + 2_000
