"""benchmarks/language_tables.py: docs/languages.md says what was measured, and what was not."""

import importlib
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = Path("docs/languages.md")
EMPTY = "".join(f"<!-- {mark} -->\n<!-- end {mark} -->\n" for mark in ("transfer", "textcat"))


@pytest.fixture
def tables(monkeypatch, tmp_path):
    """The script, in a folder with a page that has the marks and nothing else."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    monkeypatch.chdir(tmp_path)
    for folder in (PAGE.parent, Path("metrics/transfer"), Path("metrics/textcat")):
        folder.mkdir(parents=True)
    PAGE.write_text(EMPTY)
    return importlib.import_module("language_tables")


def group(kind: str, lang: str, sentences: int, upos: float, draws: int) -> dict:
    spread = {"UPOS": 0.25, "LAS": 0.5} if draws > 1 else {}
    names = {"kind": kind, "lang": lang, "task": "treebank", "sentences": sentences}
    return names | {"draws": draws, "mean": {"UPOS": upos, "LAS": upos - 20}, "deviation": spread}


def rows() -> list[list[str]]:
    """The cells of the page's tables."""
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_transfer(tables):
    summary = [group("none", lang, 0, 80, 1) for lang in ("de", "es", "fr", "en")]
    summary += [group("few", lang, 200, upos, 3) for lang, upos in (("de", 90), ("fr", 91))]
    summary += [group("joint", "fr", 0, 92, 1)]
    entities = {"kind": "none", "lang": "hr", "task": "entities", "sentences": 0, "draws": 1}
    summary += [entities | {"mean": {"F1": 60.04}, "deviation": {}}]
    Path("metrics/transfer/scores.json").write_text(json.dumps({"summary": summary}))
    tables.main()
    found = {row[0]: row[1:] for row in rows()}
    assert found["French"] == ["80.0 / 60.0", "91.0 ± 0.2 / 71.0 ± 0.5", "92.0 / 72.0"]
    assert found["English"] == ["80.0 / 60.0", "–", "–"]
    # Of two languages out of three there is no mean.
    assert found["mean of German, Spanish, French"] == ["80.0 / 60.0", "–", "–"]
    assert found["Croatian"] == ["60.0"]
    assert ["", "none of the language", "200 sentences", "jointly with English"] in rows()


def test_textcat(tables):
    def scores(accuracy):
        return {way: {"accuracy": accuracy} for way in tables.WAYS}

    langs = ("en", "de", "es", "fr")
    many = {lang: scores(70.0 + number) for number, lang in enumerate(langs)}
    report = {"encoder": "some-encoder", "scores": {"multilingual": many, "English": {}}}
    report["scores"]["English"] = {lang: scores(50.0) for lang in langs}
    Path("metrics/textcat/languages.json").write_text(json.dumps(report))
    tables.main()
    assert "some-encoder / the English" in PAGE.read_text()
    assert [row[:2] for row in rows()[2:]] == [
        ["English", "70.0 / 50.0"],
        ["French", "73.0 / 50.0"],
        ["German", "71.0 / 50.0"],
        ["Spanish", "72.0 / 50.0"],
        ["mean of German, Spanish, French", "72.0 / 50.0"],
    ]


def test_nothing_measured(tables):
    tables.main()
    assert PAGE.read_text() == EMPTY


def test_marks_are_there():
    page = (ROOT / PAGE).read_text("utf8")
    assert all(mark in page for mark in EMPTY.splitlines())
