"""The page's pictures of a record, drawn by displaCy: entities in the text, and trees.

displaCy escapes texts, but neither labels nor tags nor relations, which may be anything that a
pipeline was trained on. They are escaped before it gets them.
"""

import html
from typing import Any

from spacy import displacy

from ..records import Record

# Trees in a picture: the page is to try a pipeline, and a tree may be wider than ten screens.
MOST_TREES = 20
TREE = {"distance": 130, "word_spacing": 32, "arrow_spacing": 12, "arrow_width": 8}
TREE |= {"arrow_stroke": 1.5, "bg": "transparent", "color": "currentColor", "font": "inherit"}

# What displaCy has no colour for: labels of CoNLL-2003 and of Universal NER.
SPANS = {"colors": {"PER": "#aa9cfc", "MISC": "#c887fb"}}


def draw(record: Record) -> dict[str, Any]:
    """Markup of a record.

    RETURNS: {"ents": HTML, "spans": {key: HTML}, "trees": [SVG, one a sentence], "left_out": trees
        that are not drawn}; of what there is.
    """
    text, pictures = record["text"], {}
    if record.get("ents"):
        pictures["ents"] = _draw_spans(text, record["ents"])
    if record.get("spans"):
        keys = dict.fromkeys(span["key"] for span in record["spans"])
        pictures["spans"] = {
            key: _draw_spans(text, [s for s in record["spans"] if s["key"] == key]) for key in keys
        }
    tokens = record.get("tokens", [])
    if any(token.get("dep") for token in tokens):
        sentences = list(_split(record))
        pictures["trees"] = [_draw_tree(text, part) for part in sentences[:MOST_TREES]]
        pictures["left_out"] = max(0, len(sentences) - MOST_TREES)
    return pictures


def _draw_spans(text: str, spans: list[Record]) -> str:
    """Those that overlap an earlier one are left out: displaCy would repeat the text."""
    shown, end = [], 0
    for span in sorted(spans, key=lambda span: (span["start"], -span["end"])):
        if span["start"] >= end:
            shown.append(
                {"start": span["start"], "end": span["end"], "label": html.escape(span["label"])}
            )
            end = span["end"]
    given = {"text": text, "ents": shown, "title": None}
    return displacy.render(given, style="ent", manual=True, jupyter=False, options=SPANS)


def _split(record: Record) -> list[list[tuple[int, Record]]]:
    """The tokens of each sentence, with their numbers; all of them where there are none."""
    tokens = list(enumerate(record["tokens"]))
    if not record.get("sents"):
        return [tokens]
    ends = iter(sentence["end"] for sentence in record["sents"])
    parts: list[list[tuple[int, Record]]] = [[]]
    end = next(ends)
    for number, token in tokens:
        if token["start"] >= end and parts[-1]:
            parts.append([])
            end = next(ends, len(record["text"]))
        parts[-1].append((number, token))
    return parts


def _draw_tree(text: str, tokens: list[tuple[int, Record]]) -> str:
    first = tokens[0][0]
    words = [
        {
            "text": text[token["start"] : token["end"]],
            "tag": html.escape(token["pos"] or token["tag"]),
        }
        for _, token in tokens
    ]
    arcs = [
        {
            "start": min(number, token["head"]) - first,
            "end": max(number, token["head"]) - first,
            "label": html.escape(token["dep"]),
            "dir": "left" if number < token["head"] else "right",
        }
        for number, token in tokens
        if token["head"] != number
    ]
    given = {"words": words, "arcs": arcs}
    return displacy.render(given, style="dep", manual=True, jupyter=False, options=TREE)
