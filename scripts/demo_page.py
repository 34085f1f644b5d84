"""The HTML page of scripts/demo.py: one file, without scripts, that asks no host for anything."""

import html
from collections.abc import Iterable

from spacy.tokens import Doc, Span
from tree_picture import LABEL, WORD, draw_tree

COLORS = {"PER": "#ffd6a5", "ORG": "#bde0fe", "LOC": "#caffbf", "MISC": "#e0c3fc"}
OTHER = "#e5e5e5"

Rows = list[tuple[str, ...]]  # the first is the header

PAGE = """\
<!DOCTYPE html>
<html lang="{lang}" dir="{direction}">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{name}</title>
<style>
{style}
</style>
<h1>{name}</h1>
<p class="about">{description}</p>
{sections}
</html>
"""
STYLE = """\
html { color-scheme: light; background: #fff }
body { font: 16px/1.5 system-ui, sans-serif; color: #222; max-width: 72rem; margin: 1.5rem auto;
  padding: 0 1rem }
h1 { font-size: 1.5rem; margin: 0; overflow-wrap: anywhere }
h2 { font-size: 1.1rem; margin: 1.5rem 0 .5rem }
.about { margin: 0; color: #666 }
.text { line-height: 2; margin: 0; white-space: pre-line; overflow-wrap: anywhere }
mark { padding: .2em .4em; border-radius: .35em; color: inherit;
  -webkit-box-decoration-break: clone; box-decoration-break: clone }
mark span { font-size: .7em; white-space: nowrap; margin-inline-start: .4em }
/* What is wider than the screen scrolls by itself; a shadow at its edge says so. */
.wide { overflow-x: auto; width: fit-content; max-width: 100%; box-sizing: border-box;
  border: 1px solid #e5e5e5; border-radius: 8px; margin-bottom: .75rem; background:
  linear-gradient(to right, #fff 40%, #fff0) 0 0, linear-gradient(to left, #fff 40%, #fff0) 100% 0,
  linear-gradient(to right, #0003, #0000) 0 0, linear-gradient(to left, #0003, #0000) 100% 0;
  background-repeat: no-repeat; background-size: 40px 100%, 40px 100%, 12px 100%, 12px 100%;
  background-attachment: local, local, scroll, scroll }
.tree { display: block; font-family: system-ui, sans-serif }
.tree text { text-anchor: middle; fill: #222; direction: ltr }
.tree .word { font-size: WORDpx }
.tree .tag { font-size: LABELpx; fill: #666 }
.tree .label { font-size: LABELpx; fill: #1d4f91; stroke: #fff; stroke-width: 3px;
  paint-order: stroke }
.arc path { fill: none; stroke: #888; stroke-width: 1.25px }
.head path { fill: #888 }
.columns { columns: 26rem; column-gap: .75rem }
.columns .wide { break-inside: avoid; width: auto }
table { border-collapse: collapse; font-size: 13px; line-height: 1.35; margin: .25rem .5rem }
th, td { text-align: start; padding: .1rem .7rem .1rem 0; border-bottom: 1px solid #eee;
  white-space: nowrap }
.figures :is(th, td):not(:first-child) { text-align: end }
th { color: #666; font-weight: 600 }
tr:last-child td { border-bottom: 0 }
tr > :last-child { padding-inline-end: 0 }
@media (max-width: 30rem) {
  h1 { font-size: 1.25rem }
  table { font-size: 11px; margin: .25rem }
  th, td { padding-inline-end: .45rem }
}""".replace("WORD", str(WORD)).replace("LABEL", str(LABEL))


def make_page(
    name: str, description: str, doc: Doc, tokens: list[Rows], tables: dict[str, Rows]
) -> str:
    """tokens: a table for each sentence. tables: those that follow, by their titles."""
    trees = [draw_tree(sentence) for sentence in doc.sents] if doc.has_annotation("DEP") else []
    sections = {
        "Entities": f'<p class="text">{entities(doc)}</p>',
        "Trees": "\n".join(map(wide, trees)),
        "Tokens": f'<div class="columns">{"".join(wide(table(rows)) for rows in tokens)}</div>',
        **{title: wide(table(rows, "figures")) for title, rows in tables.items()},
    }
    return PAGE.format(
        lang=html.escape(doc.lang_),
        direction=doc.vocab.writing_system.get("direction", "ltr"),
        name=html.escape(name),
        description=html.escape(description),
        style=STYLE,
        sections="\n".join(
            f"<h2>{html.escape(title)}</h2>\n{content}"
            for title, content in sections.items()
            if content
        ),
    )


def entities(doc: Doc) -> str:
    """The text, with its entities marked."""
    parts, end = [], 0
    for entity in doc.ents:
        parts += [html.escape(doc.text[end : entity.start_char]), marked(entity)]
        end = entity.end_char
    return "".join(parts) + html.escape(doc.text[end:])


def marked(entity: Span) -> str:
    color = COLORS.get(entity.label_, OTHER)
    probability = confidence(entity)
    number = "" if probability is None else f" {probability:.2f}"
    return (
        f'<mark style="background:{color}">{html.escape(entity.text)}'
        f"<span><b>{html.escape(entity.label_)}</b>{number}</span></mark>"
    )


def confidence(entity: Span) -> float | None:
    return entity._.confidence if Span.has_extension("confidence") else None


def wide(content: str) -> str:
    """Keys scroll it, too."""
    return f'<div class="wide" tabindex="0">{content}</div>'


def table(rows: Rows, kind: str = "words") -> str:
    def line(cells: Iterable[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    body = "".join(line(row, "td") for row in rows[1:])
    return f'<table class="{kind}">{line(rows[0], "th")}{body}</table>'
