"""docs/choosing.md says what the catalogue and `recommend` say today."""

import shlex
import sys
from pathlib import Path

import pytest
from doc_blocks import ROOT, read_blocks

SCRIPTS = str(Path(__file__).parents[2] / "scripts")
PAGE = ROOT / "docs" / "choosing.md"


@pytest.fixture(scope="module")
def script():
    sys.path.insert(0, SCRIPTS)
    try:
        import choosing_tables
    finally:
        sys.path.remove(SCRIPTS)
    return choosing_tables


def test_the_page_is_as_the_script_writes_it(script):
    text = PAGE.read_text("utf8")
    assert script.fill(text) == text, "run: python scripts/choosing_tables.py"


def test_everything_that_is_made_is_on_the_page(script):
    names = {match[2] for match in script.MADE.finditer(PAGE.read_text("utf8"))}
    assert names == {*script.TABLES, *script.CASES, "summarization", "translation"}


def test_each_answer_stands_below_its_command(script):
    """The options of the command are those of the case."""
    text = PAGE.read_text("utf8")
    for name, options in script.CASES.items():
        before = text[: text.index(f"<!-- made: {name} -->")]
        command = shlex.split(before.rsplit("```bash\n", 1)[1].split("\n```")[0])
        assert command[:5] == ["python", "-m", "spacy", "pretrained", "recommend"]
        given = dict(zip(command[5::2], command[6::2]))
        assert given == {f"--{key}": str(value) for key, value in options.items()}


def test_the_commands_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    from typer.testing import CliRunner

    from spacy_pretrained.cli import pretrained_cli

    lines = [line for block in read_blocks(PAGE, "bash") for line in block.code.splitlines()]
    assert len(lines) >= 8
    for line in lines:
        result = CliRunner().invoke(pretrained_cli, shlex.split(line)[4:])
        assert result.exit_code == 0, line
