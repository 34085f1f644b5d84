"""progress.py: whoever waits for `fit` in a terminal or a notebook sees how far it is; others see
nothing."""

import io
import sys
from types import ModuleType

import pytest
import spacy
from spacy.training import Example

from spacy_pretrained.textcat.few_shot.progress import is_watched

NAME = "few_shot_textcat"
TEXTS = {"She sold sea shells.": "the sea", "A lazy dog jumps.": "dogs"}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(scope="module")
def nlp(tiny_bert):
    nlp = spacy.blank("xx")
    nlp.add_pipe(NAME, config={"labels": ["the sea", "dogs"]})
    nlp.config["initialize"]["components"][NAME] = {"source": tiny_bert}
    nlp.initialize()
    return nlp


def fit(nlp, monkeypatch, stderr: io.StringIO, **settings) -> str:
    """What stands on stderr after `fit`."""
    examples = [
        Example.from_dict(nlp.make_doc(text), {"cats": {label: 1.0}})
        for text, label in TEXTS.items()
    ]
    monkeypatch.setattr(sys, "stderr", stderr)
    result = nlp.get_pipe(NAME).fit(examples, n_steps=3, batch_size=2, **settings)
    assert result.n_steps == 3
    return stderr.getvalue()


def pretend_ipython(monkeypatch, shell: str) -> None:
    module = ModuleType("IPython")
    module.get_ipython = type(shell, (), {})
    monkeypatch.setitem(sys.modules, "IPython", module)


def test_in_a_terminal_there_is_a_line_that_goes_away(nlp, monkeypatch):
    shown = fit(nlp, monkeypatch, Terminal())
    assert NAME in shown and "\n" not in shown
    assert shown.endswith("\r") and not shown.split("\r")[-2].strip()


def test_elsewhere_and_if_asked_for_there_is_none(nlp, monkeypatch):
    assert fit(nlp, monkeypatch, io.StringIO()) == ""
    assert fit(nlp, monkeypatch, Terminal(), progress=False) == ""
    steps = []
    assert fit(nlp, monkeypatch, Terminal(), report=steps.append) == ""
    assert [(step.number, step.n_steps) for step in steps] == [(1, 3), (2, 3), (3, 3)]


def test_progress_and_a_report_go_together(nlp, monkeypatch):
    steps = []
    assert NAME in fit(nlp, monkeypatch, io.StringIO(), progress=True, report=steps.append)
    assert len(steps) == 3


@pytest.mark.parametrize(
    "shell, watched", [("ZMQInteractiveShell", True), ("TerminalInteractiveShell", False)]
)
def test_a_notebook_is_watched_a_redirected_terminal_is_not(monkeypatch, shell, watched):
    pretend_ipython(monkeypatch, shell)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert is_watched() == watched
    monkeypatch.setattr(sys, "stderr", None)  # as under pythonw
    assert is_watched() == watched
