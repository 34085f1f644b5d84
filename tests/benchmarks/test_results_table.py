"""benchmarks/results_table.py: README.md gets four rows a table, docs/models.md all of them, and no
figure comes from anywhere but metrics/."""

import importlib
import json
import re
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ["README.md", "docs/models.md", "docs/text-classification.md", "docs/existing-apps.md"]


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
    readme, models, *_ = read_pages()
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


def test_long_documents_are_shown_once_all_encoders_have_all_seeds(tables):
    one = {"dev": [[1, 70.0], [2, 80.0]], "test": 75.0}
    report = {
        "settings": {"epochs": {"a": 2, "b": 2}, "documents": {"train": 120, "test": 60}},
        "runs": {"a": {"0": one, "1": one | {"test": 85.0}}, "b": {"0": one}},
    }
    path = Path("metrics/long-documents.json")
    path.write_text(json.dumps(report))
    assert tables.long_documents_section() == ""
    report["runs"]["b"]["1"] = one
    path.write_text(json.dumps(report))
    section = tables.long_documents_section()
    assert "| a | 2 | 80.0 | 75.0 to 85.0 | 80.0 |" in section
    assert "What each change did" not in section
    assert "on 60 test documents after a training on 120; 2 seeds" in section


def test_a_change_is_a_gain_only_where_all_seeds_are_better(tables, monkeypatch):
    changes = (("a change", "new", "old"), ("another", "unknown", "old"))
    monkeypatch.setattr(tables, "LONG_CHANGES", changes)
    for new, old, verdict in (
        ([91.0, 92.0], [90.0, 90.5], "91.5 instead of 90.2, a gain."),
        ([91.0, 92.0], [90.0, 91.0], "91.5 instead of 90.5, no gain: the seeds' ranges overlap."),
        ([80.0, 81.0], [90.0, 91.0], "80.5 instead of 90.5, a loss."),
    ):
        _, text = tables.compare_changes({"new": new, "old": old})
        assert text == f"- A change (new; without it: old): {verdict}"


def test_changes_are_of_runs_that_there_are(tables):
    runs = importlib.import_module("long_documents").RUNS
    assert {name for _, *pair in tables.LONG_CHANGES for name in pair} == set(runs)
