"""docs/serve.md: its commands and its Python run as they stand, but for the port, and its options
are those of the command. Docker and nginx are not here to be asked."""

import json
import os
import re
import shlex
import subprocess
import sys
from contextlib import contextmanager

import pytest
from doc_blocks import ROOT, read_blocks
from serving_client import SECONDS, find_free_port, find_pipeline, needs_extra, wait_for
from typer.main import get_command

from spacy_pretrained.cli import pretrained_cli

PAGE = ROOT / "docs" / "serve.md"
HERE = "tests/serving/test_docs.py"
BLOCKS = [block for block in read_blocks(PAGE) if block.argument == HERE]
OTHERS = [block for block in read_blocks(PAGE) if block.argument != HERE]
SERVE = "-m spacy pretrained serve "
STARTS = [block for block in BLOCKS if SERVE in block.code and f"{SERVE}--reload" not in block.code]
ASKS = [block for block in BLOCKS if block not in STARTS]
linux = pytest.mark.skipif(sys.platform != "linux", reason="the page's commands are for Linux")
# The commands start servers.
pytestmark = [needs_extra, pytest.mark.slow]


@pytest.fixture
def folder(tmp_path):
    """Where the commands run: with a trained pipeline, and `python` as it is here."""
    (tmp_path / "training").mkdir()
    (tmp_path / "training" / "model-int8").symlink_to(find_pipeline("syntax_int8"))
    (tmp_path / "bin").mkdir()
    python = tmp_path / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    return tmp_path


def run(folder, port, code, **more):
    """A block of commands; not on port 8000, which may be taken."""
    code = code.replace("127.0.0.1:8000", f"127.0.0.1:{port}")
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-euc", code],
        cwd=folder,
        env=os.environ | {"PATH": path},
        check=True,
        timeout=SECONDS,
        **more,
    )


@contextmanager
def started(folder, block, port):
    """A server, by a block that ends with its command."""
    *before, command = block.code.replace("\\\n", " ").strip().splitlines()
    run(folder, port, "\n".join(before))
    words = shlex.split(command.replace("--host 0.0.0.0", "--host 127.0.0.1"))
    assert words[:5] == ["python", "-m", "spacy", "pretrained", "serve"]
    log = folder / "log"
    with log.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, *words[1:], "--port", str(port)], cwd=folder, stdout=file, stderr=file
        )
    try:
        wait_for(lambda: "Serving at" in log.read_text() or process.poll() is not None)
        assert process.poll() is None, log.read_text()
        yield log
    finally:
        process.terminate()
        assert process.wait(SECONDS) == 0


def find(text):
    (block,) = [block for block in BLOCKS if text in block.code]
    return block


@linux
def test_the_first_server_and_all_who_ask_it(folder, capsys):
    port = find_free_port()
    with started(folder, STARTS[0], port):
        curl = run(folder, port, find("/v1/annotate -H").code, capture_output=True, text=True)
        (expected,) = [json.loads(block.code) for block in OTHERS if block.language == "json"]
        found = json.loads(curl.stdout)
        for one, other in zip(found["docs"][0]["ents"], expected["docs"][0]["ents"], strict=True):
            assert one.pop("confidence") == pytest.approx(other.pop("confidence"), abs=0.01)
        assert found == expected
        python = find("def annotate(")
        code = python.code.replace("127.0.0.1:8000", f"127.0.0.1:{port}")
        exec(compile(code, str(PAGE), "exec"), {})
        assert capsys.readouterr().out == python.output


@linux
def test_the_server_with_a_key(folder):
    port = find_free_port()
    with started(folder, find("--api-key-file key"), port):
        answer = run(folder, port, find("Bearer $(cat key)").code, capture_output=True, text=True)
        assert json.loads(answer.stdout)["models"][0]["name"] == "en_pipeline"


@linux
def test_the_server_that_is_reloaded(folder):
    port = find_free_port()
    with started(folder, find("--pid-file serve.pid"), port) as log:
        run(folder, port, find("--reload serve.pid").code)
        wait_for(lambda: log.read_text().count("Serving at") == 2)


@linux
def test_the_server_of_several_pipelines(folder):
    with started(folder, find("--weights"), find_free_port()):
        pass


def test_each_block_is_in_one_of_these():
    assert len(STARTS) == 4 and len(ASKS) == 4
    commands = [block for block in OTHERS if block.language == "bash"]
    assert [block.code for block in commands] == ['pip install ".[serve]"\n']


def options_of(command: list[str]) -> set[str]:
    return {word.partition("=")[0] for word in command if word.startswith("--")}


def test_options_are_there():
    known = {
        name
        for parameter in get_command(pretrained_cli).commands["serve"].params
        for name in parameter.opts
        if name.startswith("--")
    }
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", PAGE.read_text("utf8")))
    of_others = {"--start-period", "--no-cache-dir", "--no-deps", "--create-home"}
    assert named - of_others <= known
    assert known - named <= {"--port", "--help"}


def test_defaults_are_those_of_the_command():
    parameters = get_command(pretrained_cli).commands["serve"].params
    defaults = {name: one.default for one in parameters for name in one.opts}
    rows = re.findall(r"^\| `(--[\w-]+)` \| ([\d,]+) \|", PAGE.read_text("utf8"), re.M)
    assert len(rows) == 5
    for name, default in rows:
        assert defaults[name] == int(default.replace(",", ""))


def test_the_image_is_small_and_not_root():
    (block,) = [block for block in OTHERS if block.language == "dockerfile"]
    lines = block.code.splitlines()
    assert len(lines) <= 15
    words = [line.split()[0] for line in lines]
    assert words.index("USER") < words.index("ENTRYPOINT") and "HEALTHCHECK" in words
