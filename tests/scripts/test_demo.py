"""scripts/demo.py: the tree, the tables and the page."""

import argparse
import importlib
import re
from html.parser import HTMLParser
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


class Page(HTMLParser):
    """What a browser would make of a page: its tags, its attributes and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.text += data


@pytest.fixture
def make_page(demo):
    def make(doc, tables=None, name="en_x", description="about & more"):
        tokens = [demo.token_rows(sentence) for sentence in demo.sentences(doc)]
        return demo.make_page(name, description, doc, tokens, tables or {})

    return make


def test_page(make_page, doc):
    text = make_page(doc, {"Scores": [("score", "%"), ("LAS", "80.0")]})
    assert "about &amp; more" in text and "&lt;sat&gt;" in text and "<sat>" not in text
    page = Page(text)
    assert page.tags.count("svg") == 1 and page.tags.count("mark") == 1
    titles = re.findall("<h2>(.*?)</h2>", text)
    assert titles == ["Entities", "Trees", "Tokens", "Scores"]
    assert "80.0" in page.text


def test_page_asks_no_host(make_page, doc):
    text = make_page(doc, {"Scores": [("score", "%"), ("LAS", "80.0")]})
    assert "://" not in text and "url(" not in text and "@import" not in text
    assert "default-src 'none'" in text
    page = Page(text)
    assert not {"script", "link", "img", "iframe", "a", "object"} & set(page.tags)
    assert not {"src", "href", "xlink:href"} & {name for name, _ in page.attributes}


def test_nothing_of_the_pipeline_is_markup(make_page):
    """Words, tags, relations, labels: displaCy escapes words only."""
    evil = "<i>&\"'x"
    vocab = spacy.blank("en").vocab
    doc = Doc(
        vocab,
        words=[evil, "is"],
        heads=[1, 1],
        deps=[evil, evil],
        pos=["NOUN", "VERB"],
        tags=[evil, evil],
        lemmas=[evil, evil],
        ents=[f"B-{evil}", "O"],
    )
    text = make_page(doc, {evil: [(evil, evil), (evil, evil)]}, evil, evil)
    page = Page(text)
    assert "i" not in page.tags and "\"'" not in text
    assert ("aria-label", f"{evil} is") in page.attributes
    in_title, in_heading, in_about, in_entities, in_tree, in_tokens, in_table = 1, 1, 1, 2, 3, 7, 5
    places = in_title + in_heading + in_about + in_entities + in_tree + in_tokens + in_table
    assert page.text.count(evil) == places


def test_page_without_trees_and_sentences(make_page):
    doc = Doc(spacy.blank("en").vocab, words=["The", "cat"], ents=["O", "B-ORG"])
    text = make_page(doc)
    assert re.findall("<h2>(.*?)</h2>", text) == ["Entities", "Tokens"]
    assert Page(text).tags.count("table") == 1


def test_entities_keep_the_text(demo, make_page):
    words, spaces = ["Ada", "and", "\n", "Bob"], [True, False, False, False]
    doc = Doc(
        spacy.blank("en").vocab, words=words, spaces=spaces, ents=["B-PER", "O", "O", "B-<X>"]
    )
    text = make_page(doc)
    marked = re.search('<p class="text">(.*?)</p>', text, re.DOTALL)[1]
    assert re.sub("<span>.*?</span>|<.*?>", "", marked) == doc.text
    assert "<b>PER</b>" in marked and "<b>&lt;X&gt;</b>" in marked


def test_dev_scores(demo):
    rows = demo.dev_rows({"performance": {"dep_las": 0.805, "ents_f": None}})
    assert rows == [("score", "%"), ("LAS", "80.5")]
    assert demo.dev_rows({}) == [("score", "%")]


def test_scores_side_by_side(demo):
    """Of files that `evaluate --json` wrote: two that are in the repository."""
    folder = ROOT / "metrics" / "ewt"
    results = dict(
        [
            demo.named_scores(f"torch={folder / 'test.json'}"),
            demo.named_scores(f"INT8={folder / 'test-int8.json'}"),
        ]
    )
    header, *rows = demo.test_rows(results)
    assert header == ("F1, %", "torch", "INT8", "difference")
    assert [row[0] for row in rows[:2]] == ["UPOS", "XPOS"]
    for name, torch, int8, difference in rows:
        if "-" not in (torch, int8):
            assert float(int8) - float(torch) == pytest.approx(float(difference), abs=0.011), name
    measures = results["INT8"]["treebanks"][0]["protocols"]["raw_text"]["conll18"]
    assert {row[0]: row[2] for row in rows}["LAS"] == f"{measures['LAS']['f1']:.2f}"


def test_scores_of_one_and_of_what_lacks_some(demo):
    a = {"treebanks": [], "entities": [{"all": {"f1": 82.5}}]}
    b = {"treebanks": [], "entities": []}
    assert demo.test_rows({"A": a}) == [("F1, %", "A"), ("Entities (gold tokens)", "82.50")]
    rows = demo.test_rows({"A": a, "B": b})
    assert rows[1] == ("Entities (gold tokens)", "82.50", "-", "-")


@pytest.mark.parametrize("content", [None, "no JSON", "[]", '{"package": "en_x"}'])
def test_files_without_scores(demo, tmp_path, content):
    path = tmp_path / "scores.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(argparse.ArgumentTypeError, match=r"NAME=FILE.*evaluate --json"):
        demo.named_scores(f"torch={path}")


def test_the_paragraph_is_in_no_corpus(demo):
    for path in (ROOT / "assets" / "sample").glob("*.conllu"):
        text = path.read_text(encoding="utf8")
        assert not any(sentence.strip() in text for sentence in demo.TEXT.split(". "))


def test_packages_side_by_side(demo, tmp_path):
    path = tmp_path / "smoke.json"
    path.write_text(
        '{"package": "en_x", "wheel_mb": 25.0, "environment_mb": 1500, "words_per_second": 9999.5,'
        ' "load_seconds": 1.25}'
    )
    rows = demo.figure_rows([path])
    assert rows[1] == ("en_x", "25.0", "1,500", "10,000", "1.2")
