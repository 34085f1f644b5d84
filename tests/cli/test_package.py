"""`spacy pretrained package`: a wheel and how to install it, or one line."""

import shlex
from pathlib import Path

import spacy
from typer.testing import CliRunner

from spacy_pretrained.cli import pretrained_cli


def run(*args):
    return CliRunner().invoke(pretrained_cli, ["package", *map(str, args)])


def test_a_wheel_or_a_line(tmp_path):
    nlp = spacy.blank("de")
    nlp.add_pipe("sentencizer")
    nlp.to_disk(tmp_path / "model")
    output = tmp_path / "the wheels"
    result = run(tmp_path / "model", output, "--name", "parts", "--version", "2.0")
    assert result.exit_code == 0, result.output
    *command, wheel = shlex.split(result.output.splitlines()[-1].partition(": ")[2])
    assert command == ["python", "-m", "pip", "install"]
    assert Path(wheel) == output / "de_parts-2.0-py3-none-any.whl" and Path(wheel).is_file()
    result = run(tmp_path, output)
    assert result.exit_code == 1 and isinstance(result.exception, SystemExit)
    assert "Train one first" in " ".join(result.output.split())
    assert run(output).exit_code == 2
