"""scripts/quiet_pip.py: a line a step, and pip's own words only where it fails."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PIP_SAYS = """\
Collecting spacy<3.9,>=3.8.7 (from en_x==0.1.0)
  Downloading spacy-3.8.18.whl (33.9 MB)
Collecting numpy
Requirement already satisfied: pip in /venv
Installing collected packages: numpy, spacy
Successfully installed numpy-2.4.6 spacy-3.8.18
"""


@pytest.fixture
def quiet_pip(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    return importlib.import_module("quiet_pip")


def saying(text: str, code: int = 0) -> list[str]:
    return [sys.executable, "-c", f"import sys; print({text!r}, end=''); sys.exit({code})"]


def test_a_line_a_step(quiet_pip, capsys):
    assert quiet_pip.run_pip("spaCy", saying(PIP_SAYS))
    line = capsys.readouterr().out
    assert line.startswith("spaCy: 2 packages, ") and line.count("\n") == 1
    assert "\r" not in line and "Downloading" not in line


def test_nothing_new(quiet_pip, capsys):
    assert quiet_pip.run_pip("spaCy", saying("Requirement already satisfied: spacy in /venv\n"))
    assert capsys.readouterr().out.startswith("spaCy: nothing new, ")


def test_progress_in_a_terminal(quiet_pip, monkeypatch, capsys):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    quiet_pip.run_pip("spaCy", saying(PIP_SAYS))
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    lines = [line.strip() for line in out.split("\r")]
    assert lines[:4] == [
        "",
        "spaCy ...",
        "spaCy: 1 package so far, spacy<3.9,>=3.8.7",
        "spaCy: 2 packages so far, numpy",
    ]
    assert lines[4] == "spaCy: unpacking 2 packages"


def test_a_failure_shows_all(quiet_pip, capsys):
    assert not quiet_pip.run_pip("spaCy", saying(PIP_SAYS + "ERROR: disk full\n", 1))
    out = capsys.readouterr().out
    assert out == f"spaCy: pip failed. It said:\n{PIP_SAYS}ERROR: disk full\n"


def test_pip_does_not_see_what_is_on_the_path(quiet_pip, monkeypatch, capsys):
    """It would take it for installed."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    code = "import os; print('Successfully installed', *['x'] * ('PYTHONPATH' not in os.environ))"
    assert quiet_pip.run_pip("spaCy", [sys.executable, "-c", code])
    assert "1 package," in capsys.readouterr().out


def test_as_make_runs_it():
    """With pip itself, and no package of that name anywhere."""
    command = [sys.executable, "scripts/quiet_pip.py", "A step", "install", "--no-index", "no-such"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert done.stdout.startswith("A step: pip failed.")
    assert "No matching distribution found for no-such" in done.stdout
