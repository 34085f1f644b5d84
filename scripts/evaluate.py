"""Score a pipeline on a CoNLL-U file by the measures of the CoNLL 2018 shared task and spaCy's own.

    python scripts/evaluate.py training/ewt/model-best assets/ewt/test.conllu \\
        --output metrics/ewt/test.json

Three protocols: gold tokens and gold sentences; gold tokens, sentences predicted; raw text. The
shared task counts punctuation and ignores subtypes of relations, spaCy's scorer does the opposite.
A measure that the pipeline does not predict is null.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import Annotated

import spacy
import typer
from spacy.language import Language
from spacy.scorer import Scorer
from spacy.tokens import Doc
from spacy.training import Example
from wasabi import msg

import spacy_pretrained
from spacy_pretrained.conll18 import Annotation, annotation_of, read_gold, score
from spacy_pretrained.conllu import read_conllu

# Which annotation of a Doc a measure needs.
NEEDS = {
    "Sentences": "SENT_START",
    "UPOS": "POS",
    "XPOS": "TAG",
    "UFeats": "MORPH",
    "Lemmas": "LEMMA",
    "UAS": "DEP",
    "LAS": "DEP",
}
# spaCy's scores for the table, of all that are written to the file.
SPACY_SCORES = ["tag_acc", "pos_acc", "morph_acc", "lemma_acc", "sents_f", "dep_uas", "dep_las"]


def main(
    model: Annotated[str, typer.Argument(help="A pipeline: folder or installed package")],
    data: Annotated[Path, typer.Argument(help="Gold annotation, a .conllu file")],
    output: Annotated[Path | None, typer.Option(help="JSON file for all scores")] = None,
    gpu_id: Annotated[int, typer.Option(help="GPU for spaCy, -1 for the CPU")] = -1,
) -> None:
    if gpu_id >= 0:
        spacy.require_gpu(gpu_id)
    nlp = spacy.load(model)
    gold = read_gold(data)
    gold_docs = list(read_conllu(data, nlp.vocab))
    results = {
        "model": model,
        "pipeline": nlp.pipe_names,
        "file": str(data),
        "documents": len(gold_docs),
        "sentences": len(gold.sentences),
        "words": len(gold.words),
        "gpu_id": gold_id_or_none(gpu_id),
        "spacy": spacy.__version__,
        "spacy_pretrained": spacy_pretrained.__version__,
        "protocols": {},
    }
