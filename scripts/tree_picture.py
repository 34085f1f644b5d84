"""Draw the tree of a sentence as SVG: its words in a row, arcs from heads to dependents above.

Columns are as wide as words and labels need, arcs at one word stand side by side, and everything
from the Doc is escaped. displaCy has one width for all words, draws labels over each other and over
arcs, leaves a third of its picture empty, and does not escape tags and relations.
"""

import html
import unicodedata
from dataclasses import dataclass

from spacy.tokens import Span

# All in pixels.
WORD, LABEL = 14, 11  # sizes of the fonts
GAP = 14  # between words
LEVEL = 20  # from an arc to the next one above
SIDE = 5  # between arcs at a word
PAD = 5  # beside the label of an arc
LIFT = 4  # of labels above their lines
MARGIN = 8
BELOW = 40  # for words and tags
CORNER, ARROW = 5, 4

# Widths of letters, in parts of the size of the font. They are those of a wide font, DejaVu Sans.
NARROW, BROAD = "fijlrtI.,:;'|!()[]-/ ", "mwMW@%&"
LETTERS = {"narrow": 0.4, "broad": 0.98, "capital": 0.73, "other": 0.63, "full": 1.2}


@dataclass
class Arc:
    """left, right: its words, by their place in the sentence. x_left, x_right: its ends, as offsets
    from the middles of these words."""

    left: int
    right: int
    points_right: bool
    label: str
    level: int = 0
    x_left: float = 0.0
    x_right: float = 0.0


def draw_tree(sentence: Span) -> str:
    """RETURNS: An <svg>, as large as it takes; from right to left where the language is."""
    arcs = find_arcs(sentence)
    set_levels(arcs)
    set_ends(arcs)
    words = [token.text.strip() or "␣" for token in sentence]
    tags = [token.pos_ for token in sentence]
    xs = place_words(words, tags, arcs)
    root = sentence.root.i - sentence.start
    root_level = 1 + max((arc.level for arc in arcs), default=0)
    base = MARGIN + LABEL - LIFT + LEVEL * root_level
    half_root = width_of(sentence.root.dep_, LABEL) / 2
    root_label = xs[root] + PAD + half_root
    last = xs[-1] + max(width_of(words[-1], WORD), width_of(tags[-1], LABEL)) / 2
    width = MARGIN + max(last, root_label + half_root)
    is_rtl = sentence.doc.vocab.writing_system.get("direction") == "rtl"

    def x(place: float) -> str:
        return f"{width - place if is_rtl else place:.1f}"

    def y(level: int) -> int:
        return base - LEVEL * level

    lines = [f'<path d="M{x(xs[root])},{y(root_level)} V{base}"/>']
    heads = [arrow(x(xs[root]), base)]
    labels = [text(x(root_label), y(root_level) + LIFT, "label", sentence.root.dep_)]
    for arc in arcs:
        start, end = xs[arc.left] + arc.x_left, xs[arc.right] + arc.x_right
        top = y(arc.level)
        lines.append(
            f'<path d="M{x(start)},{base} V{top + CORNER}'
            f" Q{x(start)},{top} {x(start + CORNER)},{top} H{x(end - CORNER)}"
            f' Q{x(end)},{top} {x(end)},{top + CORNER} V{base}"/>'
        )
        heads.append(arrow(x(end if arc.points_right else start), base))
        labels.append(text(x((start + end) / 2), top - LIFT, "label", arc.label))
    for place, word, tag in zip(xs, words, tags, strict=True):
        labels.append(text(x(place), base + WORD + 4, "word", word))
        labels.append(text(x(place), base + WORD + 20, "tag", tag))
    return (
        f'<svg class="tree" width="{width:.0f}" height="{base + BELOW}" role="img"'
        f' aria-label="{html.escape(sentence.text)}">'
        f'<g class="arc">{"".join(lines)}</g><g class="head">{"".join(heads)}</g>'
        f"{''.join(labels)}</svg>"
    )


def find_arcs(sentence: Span) -> list[Arc]:
    arcs = []
    for token in sentence:
        if token.head != token:
            left, right = sorted((token.head.i - sentence.start, token.i - sentence.start))
            arcs.append(Arc(left, right, token.head.i < token.i, token.dep_))
    return arcs


def set_levels(arcs: list[Arc]) -> None:
    """An arc lies above all shorter ones between its words."""
    levels = [0] * max((arc.right for arc in arcs), default=0)
    for arc in sorted(arcs, key=lambda arc: arc.right - arc.left):
        arc.level = 1 + max(levels[arc.left : arc.right])
        levels[arc.left : arc.right] = [arc.level] * (arc.right - arc.left)


def set_ends(arcs: list[Arc]) -> None:
    """An arc ends in the middle of its dependent, and starts beside the middle of its head: the
    longer, the nearer, so that it does not cross a shorter one."""
    to_left: dict[int, int] = {}
    to_right: dict[int, int] = {}
    for arc in sorted(arcs, key=lambda arc: arc.right - arc.left, reverse=True):
        if arc.points_right:
            to_right[arc.left] = to_right.get(arc.left, 0) + 1
            arc.x_left = SIDE * to_right[arc.left]
        else:
            to_left[arc.right] = to_left.get(arc.right, 0) + 1
            arc.x_right = -SIDE * to_left[arc.right]


def place_words(words: list[str], tags: list[str], arcs: list[Arc]) -> list[float]:
    """The middle of each word, as far to the left as words, tags, arcs and labels allow."""
    halves = [
        max(width_of(word, WORD), width_of(tag, LABEL)) / 2
        for word, tag in zip(words, tags, strict=True)
    ]
    before, after = halves[:], halves[:]
    for arc in arcs:
        after[arc.left] = max(after[arc.left], arc.x_left)
        before[arc.right] = max(before[arc.right], -arc.x_right)
    xs: list[float] = []
    for place, half in enumerate(before):
        x = MARGIN + half if not xs else xs[-1] + after[place - 1] + GAP + half
        for arc in arcs:
            if arc.right == place:
                room = width_of(arc.label, LABEL) + 2 * PAD
                x = max(x, xs[arc.left] + arc.x_left + room - arc.x_right)
        xs.append(x)
    return xs


def width_of(text: str, size: int) -> float:
    """About as wide as a browser draws it, rather more than less."""
    return size * sum(
        LETTERS[kind_of(letter)] for letter in text if not unicodedata.combining(letter)
    )


def kind_of(letter: str) -> str:
    if unicodedata.east_asian_width(letter) in "WF":
        return "full"
    if letter in NARROW:
        return "narrow"
    if letter in BROAD:
        return "broad"
    return "capital" if letter.isupper() else "other"


def arrow(x: str, y: int) -> str:
    return f'<path d="M{x},{y} l{-ARROW},{-2 * ARROW} h{2 * ARROW} z"/>'


def text(x: str, y: int, kind: str, content: str) -> str:
    return f'<text class="{kind}" x="{x}" y="{y}">{html.escape(content)}</text>'
