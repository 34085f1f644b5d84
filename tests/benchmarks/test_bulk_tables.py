"""benchmarks/bulk_tables.py: what the pages say is what was measured."""

import importlib
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ["docs/annotate.md", "docs/serve.md", "docs/scale.md"]


@pytest.fixture
def tables(monkeypatch, tmp_path):
    """The script, in a folder with copies of the documents and of metrics/."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    monkeypatch.chdir(tmp_path)
    Path("docs").mkdir()
    for page in PAGES:
        shutil.copy(ROOT / page, page)
    shutil.copytree(ROOT / "metrics", "metrics")
    return importlib.import_module("bulk_tables")


def test_the_documents_are_up_to_date(tables):
    """If not: python benchmarks/bulk_tables.py"""
    before = [Path(page).read_text("utf8") for page in PAGES]
    tables.main()
    assert [Path(page).read_text("utf8") for page in PAGES] == before


def test_each_page_has_its_figures(tables):
    if not all(Path("metrics", name).exists() for name in ("annotate.json", "serve.json")):
        pytest.skip("nobody has measured it: make bench-annotate bench-serve")
    tables.main()
    annotate, serve, scale = (Path(page).read_text("utf8") for page in PAGES)
    assert "| – ratio |" in annotate and "a text a request" in serve
    assert "1000 machines:" in scale and "What breaks first" in scale


def test_the_marks_are_there(tables):
    """Without them, the script would write to the end of a page."""
    for page, mark in zip(PAGES, ("speed", "speed", "a billion texts")):
        text = Path(page).read_text("utf8")
        assert text.count(f"<!-- {mark} -->") == text.count(f"<!-- end {mark} -->") == 1
