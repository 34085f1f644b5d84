r"""See whether a pipeline's memory grows while it annotates a long stream of texts.

    python benchmarks/benchmark_memory.py training/ewt/model-int8 --texts corpus/ewt/train.spacy \
        --output metrics/memory.json

The texts are made of one to four sentences each, drawn from --texts: hardly one comes twice.
Resident memory is read after every hundredth of the stream, and the last tenth held against the
second: in the first, engines compile their kernels. Needs spaCy and the pipeline, nothing else.
"""

import json
import os
import random
import shlex
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from statistics import mean
from time import perf_counter
from typing import Annotated

import spacy
import typer
from spacy.tokens import DocBin
from spacy.vocab import Vocab
from wasabi import msg

SENTENCES_A_TEXT = (1, 4)
N_SAMPLES = 100


def main(
    model: Annotated[str, typer.Argument(help="Pipeline: a folder or an installed package")],
    texts: Annotated[Path, typer.Option(help="DocBin with sentences")],
    n_texts: Annotated[int, typer.Option(min=N_SAMPLES)] = 20_000,
    seed: Annotated[int, typer.Option()] = 0,
    output: Annotated[Path, typer.Option()] = Path("metrics/memory.json"),
) -> None:
    """See whether a pipeline's memory grows while it annotates a long stream of texts."""
    sentences = read_sentences(texts)
    if not sentences:
        msg.fail(f"{texts} has no sentences.", exits=1)
    nlp = spacy.load(model)
    docs = nlp.pipe(islice(make_texts(sentences, seed), n_texts))
    start, n_words, mebibytes = perf_counter(), 0, []
    for number, doc in enumerate(docs, start=1):
        n_words += len(doc)
        if number * N_SAMPLES // n_texts > len(mebibytes):
            mebibytes.append(round(resident_bytes() / 2**20, 1))
    seconds = perf_counter() - start
    second, last = mean(mebibytes[10:20]), mean(mebibytes[-10:])
    report = {
        "command": shlex.join(["python", *sys.argv]),
        "model": model,
        "texts": n_texts,
        "words": n_words,
        "words_per_second": round(n_words / seconds, 1),
        "imported_torch": "torch" in sys.modules,
        "mebibytes": mebibytes,
        "second_tenth": round(second, 1),
        "last_tenth": round(last, 1),
        "growth_percent": round(100 * (last / second - 1), 2),
    }
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(report, indent=2) + "\n", encoding="utf8")
    msg.good(
        f"{n_words:,} words: {second:,.0f} MiB in the second tenth, {last:,.0f} in the last "
        f"({report['growth_percent']:+.2f} %). Written to {output}"
    )


def read_sentences(path: Path) -> list[str]:
    docs = DocBin().from_disk(path).get_docs(Vocab())
    return [
        sentence.text for doc in docs if doc.has_annotation("SENT_START") for sentence in doc.sents
    ]


def make_texts(sentences: list[str], seed: int) -> Iterator[str]:
    draw = random.Random(seed)
    while True:
        yield " ".join(draw.choices(sentences, k=draw.randint(*SENTENCES_A_TEXT)))


def resident_bytes() -> int:
    """Of this process, by Linux."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    typer.run(main)
