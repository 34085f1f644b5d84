"""displaCy's pictures of records: what is in them is text, whatever it looks like."""

import re
from html.parser import HTMLParser

import pytest
from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from spacy_pretrained.records import to_record
from spacy_pretrained.serving.pictures import MOST_TREES, draw

EVIL = "<img src=x onerror=alert(1)>"


class Seen(HTMLParser):
    def __init__(self, markup: str):
        super().__init__()
        self.tags, self.attributes, self.text = set(), set(), ""
        self.feed(markup)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data):
        self.text += data


@pytest.fixture
def evil() -> Doc:
    """Everything that a pipeline can write is markup."""
    doc = Doc(
        Vocab(),
        words=[EVIL, "&lt;b&gt;", '"quoted"', "</svg>"],
        tags=[EVIL] * 4,
        heads=[1, 1, 1, 2],
        deps=[EVIL, "ROOT", "</text><script>", EVIL],
        ents=[f"B-{EVIL}", "O", "O", "O"],
    )
    doc.spans[EVIL] = [Span(doc, 1, 3, EVIL), Span(doc, 0, 2, EVIL)]
    return doc


def all_markup(pictures: dict) -> list[str]:
    return [pictures["ents"], *pictures["spans"].values(), *pictures["trees"]]


def test_everything_is_escaped(evil):
    pictures = draw(to_record(evil))
    for markup in all_markup(pictures):
        seen = Seen(markup)
        assert seen.tags <= {"div", "mark", "span", "br", "svg", "g", "path", "text", "tspan"} | {
            "textpath"
        }
        assert not any(name.startswith("on") for name in seen.attributes)
        assert "src" not in seen.attributes
    assert EVIL in Seen(pictures["ents"]).text
    tree = Seen(pictures["trees"][0]).text
    assert tree.count(EVIL) == 1 + 4 + 2  # a word, tags, relations
    assert "&lt;b&gt;" in tree


def test_a_tree_a_sentence_with_its_own_arcs():
    doc = Doc(
        Vocab(),
        words=["Ada", "sleeps", ".", "Robots", "never", "do"],
        heads=[1, 1, 1, 5, 5, 5],
        deps=["nsubj", "ROOT", "punct", "nsubj", "advmod", "ROOT"],
        sent_starts=[True, False, False, True, False, False],
    )
    first, second = draw(to_record(doc))["trees"]
    assert first.count("displacy-word") == second.count("displacy-word") == 3
    assert [re.findall(r">\s*(\w+)</textPath>", tree) for tree in (first, second)] == [
        ["nsubj", "punct"],
        ["nsubj", "advmod"],
    ]


def test_trees_that_are_not_drawn_are_counted():
    n = MOST_TREES + 3
    doc = Doc(Vocab(), words=["x"] * n, heads=range(n), deps=["ROOT"] * n, sent_starts=[True] * n)
    pictures = draw(to_record(doc))
    assert len(pictures["trees"]) == MOST_TREES and pictures["left_out"] == 3


def test_parts_that_are_not_there():
    doc = Doc(Vocab(), words=["x"])
    assert draw(to_record(doc)) == {}
    assert draw(to_record(doc, ["cats"])) == {}
