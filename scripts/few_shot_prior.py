"""Choose how near the few-shot head stays to the names of labels, on training texts alone.

    python scripts/few_shot_prior.py corpus/textcat metrics/textcat/few-shot-prior.json

Of the training texts of four sets some are held out, and texts to learn from are drawn from the
others, as scripts/few_shot.py draws them. The encoder is frozen. Written down is the accuracy on
the texts held out, for each value of `CAUTION` in few_shot/head.py, and of the labels' descriptions
alone. Chosen is the least value with which no draw of any set is more than a point below these. The
other three sets of scripts/few_shot.py and all test sets play no part in the choice.
"""

import json
import random
from pathlib import Path
from statistics import mean
from typing import Annotated, Any

import numpy as np
import typer
from few_shot import FROZEN, draw, make_pipeline
from spacy.tokens import Doc
from textcat_labels import TextcatLabels, read_labels
from thinc.types import Floats2d, Ints1d, Ints2d
from wasabi import msg
from zero_shot import read_docs

from spacy_pretrained.textcat.few_shot.head import Head, find_precision, fit_head
from spacy_pretrained.textcat.few_shot.model import get_head

SETS = ("ag_news", "banking77", "hwu64", "polarity")
SIZES = (1, 2, 8, 16)
CAUTIONS = (0.0, 5.0, 10.0, 20.0, 40.0, 80.0)


def main(
    corpus: Annotated[Path, typer.Argument(help="Folder of scripts/convert_textcat.py")],
    output: Annotated[Path, typer.Argument(help="JSON")],
    labels: Annotated[Path, typer.Option(help="Folder with NAME.yml")] = Path("assets/textcat"),
    n_texts: Annotated[int, typer.Option(help="Training texts to hold out")] = 1000,
    n_seeds: Annotated[int, typer.Option(help="Draws of texts to learn from")] = 5,
    only: Annotated[list[str], typer.Option(help="Sets; by default all four")] = [*SETS],  # noqa: B006
) -> None:
    """Choose how near the few-shot head stays to the names of labels, on training texts alone."""
    results = json.loads(output.read_text("utf8")) if output.exists() else {}
    output.parent.mkdir(parents=True, exist_ok=True)
    for name in only:
        docs = read_docs(corpus / name / "train.spacy")
        random.Random(0).shuffle(docs)
        known = read_labels(labels / f"{name}.yml")
        results[name] = measure(known, docs[n_texts:], docs[:n_texts], n_seeds)
        output.write_text(json.dumps(results, indent=2) + "\n", encoding="utf8")
        print_gains(known.title, results[name])
    msg.good(f"Written to {output}")


def measure(
    known: TextcatLabels, train: list[Doc], held_out: list[Doc], n_seeds: int
) -> dict[str, Any]:
    """Accuracies in percent: of descriptions alone; by CAUTION and size the mean over the draws and
    the least."""
    model = make_pipeline(known, FROZEN).get_pipe("few_shot_textcat").model
    prior = get_head(model)

    def encode(docs: list[Doc]) -> Floats2d:
        return model.get_ref("vectors").predict([doc.text for doc in docs])

    vectors, gold = encode(held_out), read_gold(held_out, known)
    found: dict[str, Any] = {"none": find_accuracy(prior, vectors, gold)}
    accuracies = {caution: {size: [] for size in SIZES} for caution in CAUTIONS}
    for size in SIZES:
        for seed in range(n_seeds):
            drawn = draw(train, size, seed)
            examples, cats = encode(drawn), find_known(read_gold(drawn, known), len(known.names))
            for caution, by_size in accuracies.items():
                precision = find_precision(len(drawn), caution)
                head = fit_head(examples, cats, prior, precision, multi_label=False)
                by_size[size].append(find_accuracy(head, vectors, gold))
    for caution, by_size in accuracies.items():
        found[str(caution)] = {
            str(size): {"accuracy": round(mean(a), 2), "least": min(a)}
            for size, a in by_size.items()
        }
    return found


def read_gold(docs: list[Doc], known: TextcatLabels) -> Ints1d:
    return np.array([known.names.index(max(doc.cats, key=doc.cats.get)) for doc in docs])


def find_known(gold: Ints1d, n_labels: int) -> Ints2d:
    """As `textcat.gold.read_cats` gives it: 1 for the label of a text, -1 for all others."""
    return np.where(np.eye(n_labels, dtype=int)[gold] == 1, 1, -1)


def find_accuracy(head: Head, vectors: Floats2d, gold: Ints1d) -> float:
    found = (vectors @ head.W.T + head.b).argmax(axis=1)
    return round(100 * float((found == gold).mean()), 2)


def print_gains(title: str, found: dict[str, Any]) -> None:
    """Points above descriptions alone: of the mean, and in brackets of the worst draw."""
    rows = []
    none = found["none"]
    for caution in map(str, CAUTIONS):
        points = found[caution].values()
        gains = [f"{p['accuracy'] - none:+.1f} ({p['least'] - none:+.1f})" for p in points]
        rows.append((caution, *gains))
    msg.text(f"{title}: {none} without examples; points above that by texts a label")
    msg.table(rows, header=("CAUTION", *map(str, SIZES)), aligns=["r"] * (1 + len(SIZES)))


if __name__ == "__main__":
    typer.run(main)
