"""README.md: its length, and its commands. tests/test_snippets.py runs its Python."""

import re
import shlex
import subprocess

import pytest
from doc_blocks import PAGES, README, ROOT, read_blocks
from weasel.cli.run import project_run
from weasel.util import load_project_config

LONGEST = 200  # lines


def test_it_is_short():
    assert len(README.read_text("utf8").splitlines()) <= LONGEST


def test_it_has_four_rows_a_table_of_results():
    (results,) = re.findall(r"<!-- results -->(.*?)<!-- end", README.read_text("utf8"), re.S)
    tables = re.findall(r"^\| --- .*\n((?:\|.*\n)+)", results, re.M)
    assert [len(rows.splitlines()) for rows in tables] == [4, 4]
    assert all("stock" in rows for rows in tables)


def read_commands(page):
    for block in read_blocks(page, "bash"):
        for line in block.code.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words:
                yield words


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_make_targets_are_there(page):
    lines = [words for words in read_commands(page) if "make" in words]
    targets = {word for words in lines for word in words[words.index("make") + 1 :]}
    for target in (target for target in targets if "=" not in target):
        subprocess.run(["make", "-n", target], cwd=ROOT, check=True, capture_output=True)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_project_commands_are_there(page):
    lines = [words for words in read_commands(page) if words[1:5] == ["-m", "spacy", *RUN]]
    known = load_project_config(ROOT)["vars"]
    for _, _, _, _, _, name, folder, *options in lines:
        overrides = {o[2:]: v for o, v in zip(options[::2], options[1::2], strict=True)}
        assert {option.removeprefix("vars.") for option in overrides} <= set(known)
        project_run(ROOT / folder, name, overrides=overrides, dry=True)


RUN = ["project", "run"]


def test_pages_have_such_commands():
    lines = [words for page in PAGES for words in read_commands(page)]
    assert ["make", "try"] in lines and ["make", "demo"] in lines
    assert any(words[3:5] == RUN for words in lines)
    assert any(words[3:5] == ["pretrained", "quantize"] for words in lines)
