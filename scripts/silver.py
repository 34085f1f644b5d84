"""Annotate texts with a pipeline, as silver data to train a smaller one on beside gold data.

    python scripts/silver.py training/teacher/model-best corpus/silver/news.spacy \
        --texts texts.txt --exclude pretrained_lemmatizer

What a large encoder has learnt goes over to a small one by way of its annotation (self-training
with a teacher; for parsers: M. Anderson and C. Gómez-Rodríguez, Distilling Neural Networks for
Greener and Faster Dependency Parsing, 2020). Training takes a folder of such files and gold ones.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import spacy
import typer
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from wasabi import msg

from spacy_pretrained.annotation.bare import bare_copy
from spacy_pretrained.errors import count_of
from spacy_pretrained.quantization.calibration_texts import sample_texts

# All that a component may learn from, and no vectors or confidences.
ATTRIBUTES = [
    *("ORTH", "SPACY", "TAG", "POS", "MORPH", "LEMMA"),
    *("SENT_START", "HEAD", "DEP", "ENT_IOB", "ENT_TYPE"),
]
DOCS_AT_ONCE = 128


def main(
    model: Annotated[str, typer.Argument(help="Pipeline: a folder or an installed package")],
    output: Annotated[Path, typer.Argument(help="File to write: .spacy")],
    texts: Annotated[Path, typer.Option(help="Texts: .spacy, .txt (a text a line) or .jsonl")],
    n_texts: Annotated[int, typer.Option(min=1, help="Texts to draw")] = 10_000,
    exclude: Annotated[
        list[str], typer.Option(help="Component whose annotation is not wanted; repeatable")
    ] = [],  # noqa: B006
    seed: Annotated[int, typer.Option(help="Of what is drawn")] = 0,
) -> None:
    """Annotate texts with a pipeline, as data to train another on."""
    if output.suffix != ".spacy":
        msg.fail(f"{output} is to be a .spacy file: `spacy train` reads no other.", exits=1)
    nlp = spacy.load(model, exclude=exclude)
    try:
        drawn = sample_texts(texts, nlp.vocab, n_texts, seed)
    except ValueError as error:
        msg.fail(str(error), exits=1)
    silver = DocBin(attrs=ATTRIBUTES)
    n_tokens = 0
    for doc in annotate(nlp, drawn):
        doc.cats = {}  # they are probabilities, which nothing learns from
        silver.add(doc)
        n_tokens += len(doc)
    output.parent.mkdir(parents=True, exist_ok=True)
    silver.to_disk(output)
    msg.good(f"{output}: {count_of(len(silver), 'text')}, {count_of(n_tokens, 'token')}")


def annotate(nlp: Language, texts: Iterable[str | Doc]) -> Iterator[Doc]:
    """The texts with the pipeline's annotation and no other; tokens that are there are kept."""
    inputs = (t if isinstance(t, str) else bare_copy(t) for t in texts)
    return nlp.pipe(inputs, batch_size=DOCS_AT_ONCE)


if __name__ == "__main__":
    typer.run(main)
