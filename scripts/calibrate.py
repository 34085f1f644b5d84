"""Make a pipeline's entity confidences mean how often it is right, on development data.

    python scripts/calibrate.py training/ewt/model-best corpus/ewt/dev.spacy

Writes two numbers into the component, and prints how sure it was, and how often right, before and
after.
"""

from itertools import pairwise
from pathlib import Path
from typing import Annotated

import numpy as np
import spacy
import typer
from spacy.tokens import DocBin
from spacy.training import Example
from wasabi import msg

from spacy_pretrained.annotation.bare import bare_copy
from spacy_pretrained.ner import calibration
from spacy_pretrained.ner.pipe import PretrainedNer

EDGES = (0.0, 0.5, 0.7, 0.9, 0.97, 1.0)


def main(
    model: Annotated[Path, typer.Argument(help="Folder of a pipeline")],
    data: Annotated[
        Path, typer.Argument(help="Gold entities that it was not trained on: .spacy", exists=True)
    ],
    output: Annotated[Path | None, typer.Option(help="By default in place")] = None,
    component: Annotated[str, typer.Option(help="The entity recognizer")] = "pretrained_ner",
) -> None:
    """Make a pipeline's entity confidences mean how often it is right, on development data."""
    nlp = spacy.load(model)
    ner = nlp.get_pipe(component) if component in nlp.pipe_names else None
    if not isinstance(ner, PretrainedNer):
        msg.fail(f"{model} has no pretrained_ner '{component}', but {nlp.pipe_names}.", exits=1)
    docs = DocBin().from_disk(data).get_docs(nlp.vocab)
    gold = [doc for doc in docs if doc.has_annotation("ENT_IOB")]
    examples = [Example(bare_copy(doc), doc) for doc in gold]
    try:
        slope, offset = ner.calibrate(nlp, examples)
    except ValueError as error:
        msg.fail(str(error), exits=1)
    # The Docs were annotated without calibration.
    before, is_right = map(np.asarray, zip(*(o for e in examples for o in ner.outcomes(e))))
    after = calibration.apply(before, slope, offset)
    msg.text(f"{len(before):,} predicted entities in {data}")
    header = ("confidence", "entities", "mean", "right")
    for name, sure in (("before", before), ("after", after)):
        msg.divider(f"{name}: expected calibration error {100 * error_of(sure, is_right):.1f} %")
        msg.table(rows(sure, is_right), header=header, divider=True, aligns=("l", "r", "r", "r"))
    nlp.to_disk(output or model)
    msg.good(f"Written to {output or model}")


def rows(sure: np.ndarray, is_right: np.ndarray) -> list[tuple[str, ...]]:
    found = []
    for low, high in pairwise(EDGES):
        chosen = (sure >= low) & ((sure < high) | (high == 1))
        if chosen.any():
            means = (f"{100 * values[chosen].mean():.1f} %" for values in (sure, is_right))
            found.append((f"{low:g} to {high:g}", f"{chosen.sum():,}", *means))
    return found


def error_of(sure: np.ndarray, is_right: np.ndarray, n_bins: int = 10) -> float:
    """How far, on average, the confidence of a tenth of the entities is from their accuracy (C. Guo
    et al., On Calibration of Modern Neural Networks, 2017; with bins of equal size)."""
    order = np.argsort(sure)
    bins = np.array_split(order, n_bins)
    gaps = [len(b) * abs(sure[b].mean() - is_right[b].mean()) for b in bins if len(b)]
    return sum(gaps) / len(sure)


if __name__ == "__main__":
    typer.run(main)
