"""scripts/demo.py: the tree, the tables and the page."""

import importlib
from pathlib import Path

import pytest
import spacy
from spacy.tokens import Doc

ROOT = Path(__file__).parents[2]


@pytest.fixture
def demo(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    return importlib.import_module("demo")


@pytest.fixture
def doc():
    nlp = spacy.blank("en")
    words = ["The", "cat", "<sat>", "on", "mats", "."]
    deps = ["det", "nsubj", "ROOT", "case", "obl", "punct"]
    return Doc(
        nlp.vocab,
        words=words,
        heads=[1, 2, 2, 4, 2, 2],
        deps=deps,
        pos=["DET", "NOUN", "VERB", "ADP", "NOUN", "PUNCT"],
        ents=["O", "B-ORG", "O", "O", "O", "O"],
    )


def test_tree(demo, doc):
    assert "\n".join(demo.draw(doc[2])) == (
        "<sat>  (ROOT)\n"
        "├─ cat  (nsubj)\n"
        "│  └─ The  (det)\n"
        "├─ mats  (obl)\n"
        "│  └─ on  (case)\n"
        "└─ .  (punct)"
    )


def test_page(demo, doc):
    text = demo.page("en_x", "about & more", doc, [("score", "%"), ("LAS", "80.0")], [])
    assert text.count("<svg") == 1 and "displacy" in text and "ORG" in text
    assert "about &amp; more" in text and "&lt;sat&gt;" in text and "<sat>" not in text
    assert "80.0" in text


def test_scores(demo):
    rows = demo.score_rows({"performance": {"dep_las": 0.805, "ents_f": None}})
    assert rows == [("score", "%"), ("LAS", "80.5")]
    assert demo.score_rows({}) == [("score", "%")]


def test_the_paragraph_is_in_no_corpus(demo):
    for path in (ROOT / "assets" / "sample").glob("*.conllu"):
        text = path.read_text(encoding="utf8")
        assert not any(sentence.strip() in text for sentence in demo.TEXT.split(". "))


def test_packages_side_by_side(demo, doc, tmp_path):
    path = tmp_path / "smoke.json"
    path.write_text(
        '{"package": "en_x", "wheel_mb": 25.0, "environment_mb": 1500, "words_per_second": 9999.5,'
        ' "load_seconds": 1.25}'
    )
    rows = demo.figure_rows([path])
    assert rows[1] == ("en_x", "25.0", "1,500", "10,000", "1.2")
    assert "<h2>Packages</h2>" in demo.page("en_x", "", doc, [("score", "%")], rows)
    assert demo.figure_rows([]) == []
