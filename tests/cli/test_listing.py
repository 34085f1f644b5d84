"""`pretrained --help`: the order of work, and whole sentences."""

import re

import pytest
from spacy.cli._util import app
from typer.main import get_command
from typer.testing import CliRunner

from spacy_pretrained.cli import pretrained_cli
from spacy_pretrained.cli.listing import COMMANDS

GROUP = get_command(pretrained_cli)


def help_of(*command: str) -> str:
    """As `python -m spacy` shows it, on a narrow screen."""
    arguments = ["pretrained", *command, "--help"]
    return CliRunner().invoke(app, arguments, env={"COLUMNS": "60"}).output


def test_commands_are_in_the_order_of_work():
    assert set(COMMANDS) == set(GROUP.commands)
    said = help_of()
    places = [said.index(f"\n  {name} ") for name in COMMANDS]
    assert places == sorted(places)


@pytest.mark.parametrize("command", [(), ("convert",)])
def test_summaries_are_whole_sentences(command):
    said = " ".join(help_of(*command).split())
    assert "..." not in said.replace("[ARGS]...", "")
    group = GROUP.commands[command[0]] if command else GROUP
    for name, one in group.commands.items():
        sentence = " ".join(one.help.split("\n\n")[0].split())
        assert f"{name} {sentence}" in said


@pytest.mark.parametrize("command", COMMANDS)
def test_defaults_stand_without_odd_brackets(command):
    assert not re.search(r"\[default: \(|\[[a-z]+-l6\]|\[of ", help_of(command))
