"""scripts/tree_picture.py: nothing in the picture of a tree overlaps or is cut."""

import importlib
import random
import re
from itertools import combinations
from pathlib import Path

import pytest
import spacy
from spacy.tokens import Doc

ROOT = Path(__file__).parents[2]
WORDS = ["I", "of", "Mmmm", "extraordinarily", "東京", "<b>"]
DEPS = ["det", "nsubj:pass", "obl:unmarked", "x"]


@pytest.fixture
def tree_picture(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    return importlib.import_module("tree_picture")


def projective(size: int, seed: int) -> list[int]:
    """Heads of a random tree without crossing arcs."""
    draw = random.Random(seed)
    heads = [0] * size

    def grow(start: int, end: int, head: int | None) -> None:
        if start < end:
            root = draw.randrange(start, end)
            heads[root] = root if head is None else head
            grow(start, root, root)
            grow(root + 1, end, root)

    grow(0, size, None)
    return heads


def sentence_of(heads: list[int], seed: int = 0, lang: str = "en"):
    draw = random.Random(seed)
    return Doc(
        spacy.blank(lang).vocab,
        words=draw.choices(WORDS, k=len(heads)),
        heads=heads,
        deps=["ROOT" if head == i else draw.choice(DEPS) for i, head in enumerate(heads)],
        pos=draw.choices(["NOUN", "ADP"], k=len(heads)),
    )[:]


def texts_of(tree_picture, svg: str) -> list[tuple[float, float, float, float]]:
    """(left, right, top, bottom) of all words, tags and labels."""
    boxes = []
    for kind, x, y, content in re.findall(r'<text class="(\w+)" x="(.*?)" y="(.*?)">(.*?)<', svg):
        size = tree_picture.WORD if kind == "word" else tree_picture.LABEL
        half = tree_picture.width_of(content.replace("&lt;", "<").replace("&gt;", ">"), size) / 2
        boxes.append((float(x) - half, float(x) + half, float(y) - size, float(y)))
    return boxes


def lines_of(svg: str) -> list[tuple[float, float, float, float]]:
    """(left, right, top, base) of all arcs."""
    arcs = re.findall(r'd="M([\d.]+),(\d+) V\d+ Q[\d.]+,(\d+) .*? V\d+"', svg)
    ends = re.findall(r"Q[\d.]+,\d+ ([\d.]+),\d+ V", svg)
    return [
        (*sorted((float(start), float(end))), float(top), float(base))
        for (start, base, top), end in zip(arcs, ends, strict=True)
    ]


def size_of(svg: str) -> tuple[float, float]:
    return tuple(map(float, re.search(r'width="(\d+)" height="(\d+)"', svg).groups()))


TREES = [(size, seed) for size in (1, 2, 5, 12, 60) for seed in range(4)]


@pytest.mark.parametrize(("size", "seed"), TREES)
@pytest.mark.parametrize("lang", ["en", "ar"])
def test_nothing_overlaps_or_is_cut(tree_picture, size, seed, lang):
    svg = tree_picture.draw_tree(sentence_of(projective(size, seed), seed, lang))
    texts, lines = texts_of(tree_picture, svg), lines_of(svg)
    assert len(texts) == 3 * size and len(lines) == size - 1
    width, height = size_of(svg)
    for left, right, top, bottom in texts:
        assert left >= 0 and right <= width + 1 and top >= 0 and bottom <= height
    for a, b in combinations(texts, 2):
        assert a[1] <= b[0] or b[1] <= a[0] or a[3] <= b[2] or b[3] <= a[2]
    uprights = [(x, top, base) for *xs, top, base in lines for x in xs]
    for left, right, top, bottom in texts:
        for x, start, end in uprights:
            assert not (left < x < right and start < bottom and top < end)
        for from_x, to_x, y, _ in lines:
            assert not (left < to_x and from_x < right and top < y < bottom)
    for (x, *_), (other, *_) in combinations(uprights, 2):
        assert abs(x - other) > 1, "arcs at a word stand beside each other"


@pytest.mark.parametrize(("size", "seed"), TREES)
def test_nothing_is_empty_above(tree_picture, size, seed):
    svg = tree_picture.draw_tree(sentence_of(projective(size, seed), seed))
    top = min(top for _, _, top, _ in texts_of(tree_picture, svg))
    assert top == tree_picture.MARGIN


def test_arrows_point_at_dependents(tree_picture):
    """cat sat: the arrow is at the cat's end of the arc."""
    sentence = sentence_of([1, 1])
    svg = tree_picture.draw_tree(sentence)
    words = [float(x) for x in re.findall(r'class="word" x="(.*?)"', svg)]
    heads = [float(x) for x in re.findall(r'd="M([\d.]+),\d+ l', svg)]
    assert heads == pytest.approx([words[1], words[0]]), "that of the root, and that of the arc"


def test_crossing_arcs(tree_picture):
    """The one from 2 to 0, and the one from 3 to 1."""
    (_, _, top, _), (_, _, other, _), _ = lines_of(
        tree_picture.draw_tree(sentence_of([2, 3, 2, 2]))
    )
    assert top != other


def test_a_sentence_within_a_doc(tree_picture):
    """Places are those in the sentence, not in the Doc."""
    doc = Doc(
        spacy.blank("en").vocab,
        words=["Stop", ".", "Cats", "sleep"],
        heads=[0, 0, 3, 3],
        deps=["ROOT", "punct", "nsubj", "ROOT"],
    )
    svg = tree_picture.draw_tree(list(doc.sents)[1])
    assert "Cats" in svg and "Stop" not in svg and len(lines_of(svg)) == 1


def test_right_to_left(tree_picture):
    heads = projective(6, 3)
    ltr = tree_picture.draw_tree(sentence_of(heads, 3))
    rtl = tree_picture.draw_tree(sentence_of(heads, 3, "ar"))
    xs = [[float(x) for x in re.findall(r'class="word" x="(.*?)"', svg)] for svg in (ltr, rtl)]
    assert xs[0] == sorted(xs[0]) and xs[1] == sorted(xs[1], reverse=True)
