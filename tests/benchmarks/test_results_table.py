"""benchmarks/results_table.py: README.md gets four rows a table, docs/models.md all of them, and no
figure comes from anywhere but metrics/."""

import importlib
import re
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ["README.md", "docs/models.md", "docs/text-classification.md"]


@pytest.fixture
def tables(monkeypatch, tmp_path):
    """The script, in a folder with copies of the documents and of metrics/."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    monkeypatch.chdir(tmp_path)
    Path("docs").mkdir()
    for page in PAGES:
        shutil.copy(ROOT / page, page)
    shutil.copytree(ROOT / "metrics", "metrics")
    return importlib.import_module("results_table")


def read_pages():
    return [Path(page).read_text("utf8") for page in PAGES]


def count_rows(text):
    return [len(rows.splitlines()) for rows in re.findall(r"^\| --- .*\n((?:\|.*\n)*)", text, re.M)]


def test_the_documents_are_up_to_date(tables):
    """If not: python benchmarks/results_table.py"""
    before = read_pages()
    tables.main()
    assert read_pages() == before


def test_rows_of_the_readme_and_of_all_results(tables):
    tables.main()
    readme, models, _ = read_pages()
    assert count_rows(readme.split("<!-- results -->")[1]) == [4, 4]
    accuracy, speed = count_rows(models.split("<!-- results -->")[1].split("<!-- end")[0])
    assert accuracy > 4 and speed > 4


def test_what_was_not_measured_is_left_out(tables):
    Path("metrics/ewt-mpnet/test-int8.json").unlink()
    Path("metrics/benchmark.json").unlink()
    tables.main()
    readme = Path("README.md").read_text("utf8")
    assert count_rows(readme.split("<!-- results -->")[1]) == [3]
    assert "mpnet" not in readme.split("<!-- results -->")[1].split("<!-- end")[0]
