"""Annotate a paragraph with an installed pipeline, on the screen and as an HTML page.

    packages/sample/venv-int8/bin/python scripts/demo.py en_sample_minilm_int8 \\
        --page training/sample/demo.html

Needs spaCy and the pipeline, nothing else. The paragraph is in no corpus of this project.
"""

import argparse
import html
import json
import textwrap
from pathlib import Path

import spacy
from spacy import displacy
from spacy.tokens import Doc, Span, Token
from wasabi import msg

TEXT = (
    "Marta Lindqvist moved from Stockholm to Lisbon in 2019. "
    "She writes novels about the sea, and her second book won the Harbour Prize last year. "
    "A small publisher called Northwind Press will print it in English next spring. "
    "Would you like to read the first chapter?"
)
SCORES = {
    "pos_acc": "UPOS",
    "tag_acc": "XPOS",
    "lemma_acc": "lemmas",
    "dep_uas": "UAS",
    "dep_las": "LAS",
    "ents_f": "entities F",
}
COLORS = {"PER": "#ffd6a5", "ORG": "#bde0fe", "LOC": "#caffbf", "MISC": "#e0c3fc"}
ARCS = {"compact": True, "distance": 90, "word_spacing": 30, "bg": "transparent"}

PAGE = """\
<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{name}</title>
<style>
body {{ font: 16px/1.6 system-ui, sans-serif; color: #222; max-width: 72rem; margin: 2rem auto;
  padding: 0 1rem }}
h1 {{ font-size: 1.5rem; margin-bottom: 0 }}
h2 {{ font-size: 1.1rem; margin: 2.5rem 0 .75rem }}
p.about {{ margin-top: 0; color: #666 }}
.arcs {{ overflow-x: auto; border: 1px solid #e5e5e5; border-radius: 8px; margin-bottom: 1rem;
  padding: .5rem }}
table {{ border-collapse: collapse }}
th, td {{ text-align: left; padding: .15rem 1.2rem .15rem 0; border-bottom: 1px solid #eee }}
th {{ color: #666; font-weight: 600 }}
</style>
<h1>{name}</h1>
<p class="about">{description}</p>
<h2>Entities</h2>
{entities}
<h2>Trees</h2>
{trees}
<h2>Tokens</h2>
{tokens}
<h2>Scores on the development set</h2>
{scores}
{figures}
</html>
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("pipeline", help="Name of an installed pipeline, or a folder")
    parser.add_argument("--page", type=Path, help="HTML file to write")
    parser.add_argument("--text", default=TEXT, help="What to annotate")
    parser.add_argument(
        "--compare", type=Path, nargs="*", default=[], help="Figures that scripts/smoke.py wrote"
    )
    options = parser.parse_args()
    nlp = spacy.load(options.pipeline)
    doc = nlp(options.text)
    name = f"{nlp.meta['lang']}_{nlp.meta['name']} {nlp.meta['version']}"
    msg.divider(name)
    print(textwrap.fill(doc.text, 90))
    tokens, entities, scores = token_rows(doc), entity_rows(doc), score_rows(nlp.meta)
    msg.table(tokens[1:], header=tokens[0], divider=True)
    for sentence in doc.sents:
        print("\n".join(draw(sentence.root)), end="\n\n")
    msg.table(entities[1:], header=entities[0], divider=True)
    msg.table(scores[1:], header=scores[0], divider=True, aligns=("l", "r"))
    if figures := figure_rows(options.compare):
        msg.table(figures[1:], header=figures[0], divider=True, aligns=("l", "r", "r", "r", "r"))
    if options.page:
        options.page.parent.mkdir(parents=True, exist_ok=True)
        text = page(name, nlp.meta["description"], doc, scores, figures)
        options.page.write_text(text, encoding="utf8")
        msg.good(f"A page with pictures: {options.page.resolve()}")


def token_rows(doc: Doc) -> list[tuple[str, ...]]:
    rows = [("token", "lemma", "UPOS", "XPOS", "head", "relation")]
    for token in doc:
        head = "" if token.head == token else token.head.text
        rows.append((token.text, token.lemma_, token.pos_, token.tag_, head, token.dep_))
    return rows


def entity_rows(doc: Doc) -> list[tuple[str, ...]]:
    rows = [("entity", "label", "confidence")]
    for ent in doc.ents:
        confidence = ent._.confidence if Span.has_extension("confidence") else None
        rows.append((ent.text, ent.label_, "-" if confidence is None else f"{confidence:.2f}"))
    return rows


def score_rows(meta: dict) -> list[tuple[str, ...]]:
    """What `spacy train` kept of its last evaluation of the pipeline."""
    found = meta.get("performance", {})
    rows = [("score", "%")]
    for key, title in SCORES.items():
        if found.get(key) is not None:
            rows.append((title, f"{100 * found[key]:.1f}"))
    return rows


def figure_rows(paths: list[Path]) -> list[tuple[str, ...]]:
    """Packages side by side, each as it was measured in its own environment."""
    rows = [("package", "wheel, MB", "environment, MB", "words/s", "load, s")]
    for figures in (json.loads(path.read_text("utf8")) for path in paths):
        rows.append(
            (
                figures["package"],
                f"{figures['wheel_mb']:.1f}",
                f"{figures['environment_mb']:,}",
                f"{figures['words_per_second']:,.0f}",
                f"{figures['load_seconds']:.1f}",
            )
        )
    return rows if paths else []


def draw(token: Token, lead: str = "", branch: str = "") -> list[str]:
    """A tree with a word a line, the words in their order below their head."""
    lines = [f"{lead}{branch}{token.text}  ({token.dep_})"]
    lead += {"": "", "├─ ": "│  ", "└─ ": "   "}[branch]
    children = list(token.children)
    for child in children:
        lines += draw(child, lead, "└─ " if child is children[-1] else "├─ ")
    return lines


def page(
    name: str,
    description: str,
    doc: Doc,
    scores: list[tuple[str, ...]],
    figures: list[tuple[str, ...]],
) -> str:
    arcs = [
        displacy.render(sentence.as_doc(), style="dep", options=ARCS, jupyter=False)
        for sentence in doc.sents
    ]
    return PAGE.format(
        name=html.escape(name),
        description=html.escape(description),
        entities=displacy.render(doc, style="ent", options={"colors": COLORS}, jupyter=False)
        + table(entity_rows(doc)),
        tokens=table(token_rows(doc)),
        trees="\n".join(f'<div class="arcs">{picture}</div>' for picture in arcs),
        scores=table(scores),
        figures=f"<h2>Packages</h2>\n{table(figures)}" if figures else "",
    )


def table(rows: list[tuple[str, ...]]) -> str:
    def line(cells: tuple[str, ...], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    return f"<table>{line(rows[0], 'th')}{''.join(line(row, 'td') for row in rows[1:])}</table>"


if __name__ == "__main__":
    main()
