"""Annotate a paragraph with an installed pipeline, on the screen and as an HTML page.

    packages/sample/venv-int8/bin/python scripts/demo.py en_sample_minilm_int8 \\
        --page training/sample/demo.html

Needs spaCy and the pipeline, nothing else. The paragraph is in no corpus of this project.
"""

import argparse
import json
import textwrap
from pathlib import Path

import spacy
from demo_page import Rows, confidence, make_page
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
MEASURES = ["UPOS", "XPOS", "UFeats", "Lemmas", "UAS", "LAS", "Sentences"]
ENTITIES = "Entities (gold tokens)"
ON_DEV, ON_TEST = "Scores on the development set", "Scores on the test set, raw text"
PACKAGES = "Packages"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("pipeline", help="Name of an installed pipeline, or a folder")
    parser.add_argument("--page", type=Path, help="HTML file to write")
    parser.add_argument("--text", default=TEXT, help="What to annotate")
    parser.add_argument(
        "--compare", type=Path, nargs="*", default=[], help="Figures that scripts/smoke.py wrote"
    )
    parser.add_argument(
        "--scores",
        type=named_scores,
        nargs="*",
        default=[],
        metavar="NAME=FILE",
        help="Scores that `spacy pretrained evaluate --json` wrote, for a table side by side",
    )
    options = parser.parse_args()
    nlp = spacy.load(options.pipeline)
    doc = nlp(options.text)
    name = f"{nlp.meta['lang']}_{nlp.meta['name']} {nlp.meta['version']}"
    tokens = [token_rows(sentence) for sentence in sentences(doc)]
    tables = {PACKAGES: figure_rows(options.compare)} if options.compare else {}
    if options.scores:
        tables[ON_TEST] = test_rows(dict(options.scores))
    else:
        tables[ON_DEV] = dev_rows(nlp.meta)
    msg.divider(name)
    print(textwrap.fill(doc.text, 90))
    show([tokens[0][0], *(row for rows in tokens for row in rows[1:])])
    if doc.has_annotation("DEP"):
        for sentence in doc.sents:
            print("\n".join(draw(sentence.root)), end="\n\n")
    show(entity_rows(doc))
    for title, rows in tables.items():
        print(title)
        show(rows, is_figures=True)
    if options.page:
        options.page.parent.mkdir(parents=True, exist_ok=True)
        text = make_page(name, nlp.meta["description"], doc, tokens, tables)
        options.page.write_text(text, encoding="utf8")
        msg.good(f"A page with pictures: {options.page.resolve()}")


def named_scores(text: str) -> tuple[str, dict]:
    """NAME=FILE, and what is in the file."""
    name, _, path = text.partition("=")
    try:
        results = json.loads(Path(path).read_text("utf8"))
        known = {"treebanks", "entities"} <= results.keys()
    except (OSError, ValueError, AttributeError):  # no file, no JSON, or no object
        known = False
    if not known:
        raise argparse.ArgumentTypeError(
            f"'{text}' has to be NAME=FILE, of a file that `spacy pretrained evaluate --json` wrote"
        )
    return name, results


def show(rows: Rows, *, is_figures: bool = False) -> None:
    aligns = ("l", *("r" if is_figures else "l" for _ in rows[0][1:]))
    msg.table(rows[1:], header=rows[0], divider=True, aligns=aligns)


def sentences(doc: Doc) -> list[Span]:
    """The whole Doc where the pipeline does not split it."""
    return list(doc.sents) if doc.has_annotation("SENT_START") else [doc[:]]


def token_rows(sentence: Span) -> Rows:
    rows = [("token", "lemma", "UPOS", "XPOS", "head", "relation")]
    for token in sentence:
        head = "" if token.head == token else token.head.text
        rows.append((token.text, token.lemma_, token.pos_, token.tag_, head, token.dep_))
    return rows


def entity_rows(doc: Doc) -> Rows:
    rows = [("entity", "label", "confidence")]
    for ent in doc.ents:
        number = confidence(ent)
        rows.append((ent.text, ent.label_, "-" if number is None else f"{number:.2f}"))
    return rows


def dev_rows(meta: dict) -> Rows:
    """What `spacy train` kept of its last evaluation of the pipeline."""
    found = meta.get("performance", {})
    rows = [("score", "%")]
    for key, title in SCORES.items():
        if found.get(key) is not None:
            rows.append((title, f"{100 * found[key]:.1f}"))
    return rows


def test_rows(results: dict[str, dict]) -> Rows:
    """Pipelines side by side, and by how much the second of two differs.

    results: what `spacy pretrained evaluate --json` wrote of each, by the name of its column.
    """
    columns = [scores_of(found) for found in results.values()]
    has_difference = len(columns) == 2
    rows = [("F1, %", *results, *(["difference"] if has_difference else []))]
    for name in [*MEASURES, ENTITIES]:
        found = [column.get(name) for column in columns]
        if all(score is None for score in found):
            continue
        cells = ["-" if score is None else f"{score:.2f}" for score in found]
        if has_difference:
            cells.append("-" if None in found else f"{found[1] - found[0]:+.2f}")
        rows.append((name, *cells))
    return rows


def scores_of(results: dict) -> dict[str, float | None]:
    """Those of the first treebank and of the first file with entities. What the pipeline does not
    predict is None."""
    scores: dict[str, float | None] = {}
    for treebank in results["treebanks"][:1]:
        measures = treebank["protocols"]["raw_text"]["conll18"]
        scores |= {name: (measures[name] or {}).get("f1") for name in MEASURES}
    for entities in results["entities"][:1]:
        scores[ENTITIES] = entities["all"]["f1"]
    return scores


def figure_rows(paths: list[Path]) -> Rows:
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
    return rows


def draw(token: Token, lead: str = "", branch: str = "") -> list[str]:
    """A tree with a word a line, the words in their order below their head."""
    lines = [f"{lead}{branch}{token.text}  ({token.dep_})"]
    lead += {"": "", "├─ ": "│  ", "└─ ": "   "}[branch]
    children = list(token.children)
    for child in children:
        lines += draw(child, lead, "└─ " if child is children[-1] else "├─ ")
    return lines


if __name__ == "__main__":
    main()
