"""Ctrl-C at any moment of a long command, a disk that is full, two processes on one output."""

import contextlib
import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import spacy
from saved_pipelines import SAVED
from soak_sizes import SEED, contents, in_child, load, say, times
from spacy.tokens import DocBin
from tiny_pipelines import make_reference
from typer.testing import CliRunner

from spacy_pretrained import save
from spacy_pretrained.cli import pretrained_cli

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of forks with threads
]
INTERRUPTS = times(50, least=1)
SECONDS = 2.0
DONE = "✔".encode()  # the last line of a command
MODEL = SAVED / "v0.1.0" / "syntax_torch" / "pipeline"
SENTENCE = (
    "1\tAda\tAda\tPROPN\tNNP\t_\t2\tnsubj\t_\t_\n2\tsees\tsee\tVERB\tVBZ\t_\t0\troot\t_\t_\n\n"
)


@pytest.fixture
def folder(tmp_path) -> Path:
    """What the commands read, and outputs that they write over."""
    vocab = spacy.blank("en").vocab
    DocBin(docs=[make_reference(vocab, [0, 1]) for _ in range(24)]).to_disk(tmp_path / "a.spacy")
    (tmp_path / "a.conllu").write_text(SENTENCE * 20_000)
    save(spacy.blank("de"), tmp_path / "int8")
    save(load("syntax_int8"), tmp_path / "ner")
    (tmp_path / "out.spacy").write_text("as before")
    (tmp_path / "out.json").write_text("as before")
    return tmp_path


COMMANDS = {
    "quantize": [str(MODEL), "int8", "--precision", "fp32", "--eval", "a.spacy"],
    "convert": ["a.conllu", "out.spacy"],
    "evaluate": [str(MODEL), "a.conllu"],
    "package": [str(MODEL), "wheels", "--corpus", "ewt"],
    "calibrate": ["ner", "a.spacy"],
    "check": ["a.spacy"],
}


@pytest.mark.parametrize("command", ["quantize", "convert", "evaluate"])
def test_interrupted(folder, command):
    source = random.Random(f"{SEED} {command}")
    before = contents(folder)
    slowest, n_stopped = 0.0, 0
    for _ in range(INTERRUPTS):
        # A shell has what it starts in the background ignore the signal.
        script = (
            "import signal, sys; from spacy_pretrained.cli import pretrained_cli; "
            "sys.argv[0] = 'spacy'; "
            "signal.signal(signal.SIGINT, signal.default_int_handler); "
            "print('ready', flush=True); pretrained_cli()"
        )
        process = subprocess.Popen(
            [sys.executable, "-c", script, command, *COMMANDS[command]],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert process.stdout.readline() == b"ready\n"
        time.sleep(0.5 + source.random() * 3)
        process.send_signal(signal.SIGINT)
        begin = time.monotonic()
        said, _ = process.communicate(timeout=60)
        if process.returncode == 0 or DONE in said:  # it had done its work before
            before = contents(folder)
            continue
        slowest = max(slowest, time.monotonic() - begin)
        n_stopped += 1
        # The latter while the interpreter ends; a shell says 130 then, too.
        assert process.returncode in (130, -signal.SIGINT), (process.returncode, said[-500:])
        assert contents(folder) == before
        assert not [path.name for path in folder.iterdir() if path.name.startswith(".")]
    print(f"{command}: interrupted {n_stopped} times, slowest end {slowest:.1f} s")
    assert slowest < SECONDS


def run(folder: Path, command: str) -> None:
    os.chdir(folder)
    result = CliRunner().invoke(pretrained_cli, [command, *COMMANDS[command]])
    assert result.exit_code == 1, (result.exit_code, result.output)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception


@pytest.mark.parametrize("command", ["quantize", "convert", "package", "calibrate"])
def test_a_disk_that_is_full(folder, command):
    """As far as a process can tell: no file may be longer than some bytes."""
    before = contents(folder)

    def work(limit: int) -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        run(folder, command)

    source = random.Random(f"{SEED} {command}")
    for limit in [0, *(source.randrange(2_000) for _ in range(INTERRUPTS))]:
        assert in_child(lambda limit=limit: work(limit)) == 0, limit
        left = {n: c for n, c in contents(folder).items() if not n.startswith("wheels/.")}
        assert left == before


@pytest.mark.parametrize("command", ["quantize", "convert", "package", "calibrate"])
def test_an_output_that_cannot_be_written(folder, command, monkeypatch):
    """A file stands where a folder should be, whoever runs it."""
    monkeypatch.chdir(folder)
    (folder / "file").write_text("precious")
    arguments = list(COMMANDS[command])
    if command == "calibrate":
        arguments += ["--output", "file/new"]
    else:
        arguments[1] = {"convert": "file/a.spacy"}.get(command, "file/new")
    before = contents(folder)
    result = CliRunner().invoke(pretrained_cli, [command, *arguments])
    assert result.exit_code == 1 and "file" in result.output, result.output
    assert isinstance(result.exception, SystemExit) and contents(folder) == before


def test_two_processes_on_one_output(tmp_path):
    one, other = load("syntax_int8"), spacy.blank("de")
    save(one, tmp_path / "model")
    n_saves = times(100, least=5)
    said = say(load("syntax_int8"))

    def work(nlp) -> None:
        for _ in range(n_saves):
            # The other one may have been in between.
            with contextlib.suppress(OSError, ValueError):
                save(nlp, tmp_path / "model")

    children = []
    for nlp in (one, other):
        child = os.fork()
        if not child:
            signal.alarm(300)
            try:
                work(nlp)
                os._exit(0)
            finally:
                os._exit(1)
        children.append(child)
    n_loaded = n_absent = 0
    while children:
        finished, status = os.waitpid(children[0], os.WNOHANG)
        if finished:
            assert status == 0
            children.pop(0)
        try:
            nlp = spacy.load(tmp_path / "model")
        except (OSError, ValueError, KeyError):
            # Between two renames there is none, or it goes while it is read.
            n_absent += 1
            continue
        n_loaded += 1
        assert nlp.lang == "de" or say(nlp) == said
    print(f"two processes, {n_saves} saves each: loaded {n_loaded} times, absent {n_absent}")
    nlp = spacy.load(tmp_path / "model")
    assert nlp.lang == "de" or say(nlp) == said
    save(one, tmp_path / "model")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
