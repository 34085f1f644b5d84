"""Hold converted copies against the stock pipeline they were made of: scores, and what is alike.

    .venv-trf/bin/python benchmarks/compare_stock.py training/stock/transformer \\
        --copy fp32=training/stock/transformer-fp32-kept \\
        --copy int8=training/stock/transformer-int8-kept \\
        --dev corpus/ewt/dev.spacy --output metrics/stock/alike-transformer.json

Runs in the environment of the stock package. All pipelines annotate the gold tokens of --dev.
"""

import json
import shlex
import sys
from pathlib import Path
from typing import Annotated

import numpy as np
import spacy
import typer
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from wasabi import msg

from spacy_pretrained.corpora.corpus import read_examples
from spacy_pretrained.scoring.agreement import measure_agreement
from spacy_pretrained.scoring.score_counts import score_examples

SCORES = ("tag_acc", "dep_uas", "dep_las", "sents_f", "ents_f")
# What has to be the same for a token to be alike, of each measure.
ALIKE = {"tags": ["TAG"], "heads": ["HEAD"], "labels": ["DEP"], "entities": ["ENT_IOB", "ENT_TYPE"]}


def main(
    original: Annotated[Path, typer.Argument(help="The stock pipeline")],
    dev: Annotated[Path, typer.Option(help="Gold annotation: .spacy")],
    output: Annotated[Path, typer.Option(help="JSON file for the figures")],
    copy: Annotated[list[str], typer.Option(help="NAME=FOLDER of a copy; repeatable")] = [],  # noqa: B006
) -> None:
    """Score a stock pipeline and its copies, and count what they annotate alike."""
    nlp = spacy.load(original)
    docs = annotate(nlp, dev)
    report = {
        "command": shlex.join(["python", *sys.argv]),
        "dev": str(dev),
        "documents": len(docs),
        "tokens": sum(map(len, docs)),
        "scores": score(nlp, docs, dev),
        "copies": {},
    }
    for name, folder in (value.split("=", 1) for value in copy):
        other = spacy.load(folder)
        copies = annotate(other, dev)
        report["copies"][name] = {
            "scores": score(other, copies, dev),
            "alike": count_alike(docs, copies),
            "agreement": {
                key: round(value, 4) for key, value in measure_agreement(nlp, docs, copies).items()
            },
        }
        msg.info(f"{name}: {report['copies'][name]}")
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(report, indent=2) + "\n", encoding="utf8")
    msg.good(f"Written to {output}")


def annotate(nlp: Language, path: Path) -> list[Doc]:
    return list(nlp.pipe(example.predicted for example in read_examples(path, nlp)))


def score(nlp: Language, docs: list[Doc], path: Path) -> dict[str, float]:
    """In percent, by spaCy's names."""
    references = (example.reference for example in read_examples(path, nlp))
    scores = score_examples(nlp, [Example(one, two) for one, two in zip(docs, references)])
    return {name: round(100 * scores[name], 4) for name in SCORES}


def count_alike(docs: list[Doc], copies: list[Doc]) -> dict[str, float]:
    """The share of tokens, in percent, that two pipelines annotate alike."""
    alike = {}
    for name, attributes in ALIKE.items():
        same = [
            np.all([one.to_array(a) == two.to_array(a) for a in attributes], axis=0)
            for one, two in zip(docs, copies)
        ]
        alike[name] = round(100 * float(np.concatenate(same).mean()), 4)
    return alike


if __name__ == "__main__":
    typer.run(main)
