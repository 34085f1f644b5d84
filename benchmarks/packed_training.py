"""What packed rows gain in training on torch: the same batches of Docs are learnt from with one
window a row and with several, in turns.

    python benchmarks/packed_training.py corpus/ewt --output metrics/packed-training.json
"""

import json
import random
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Annotated
from unittest.mock import patch

import typer
from benchmark_epochs import update
from machine import describe_run
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from spacy.training.initialize import init_nlp
from wasabi import msg

from spacy_pretrained import complete_config
from spacy_pretrained.backends.torch_backend import PACKED_ROWS, TorchShim
from spacy_pretrained.windows.batches import WINDOW_A_ROW

SHAPES = {"one window a row": WINDOW_A_ROW, "packed": PACKED_ROWS}
WORDS = 1000  # a step, as in the configs
DROPOUT = 0.1


def main(
    corpus: Annotated[Path, typer.Argument(help="Folder with train.spacy and dev.spacy")],
    output: Annotated[Path, typer.Option(help="JSON")] = Path("metrics/packed-training.json"),
    encoder: Annotated[str, typer.Option(help="Encoder to fine-tune")] = "minilm-l6",
    rounds: Annotated[int, typer.Option(min=1, help="Each has two steps of each kind")] = 20,
    mixed_precision: Annotated[bool, typer.Option(help="In bfloat16")] = False,
) -> None:
    """Time steps of training with and without packed rows."""
    report = describe_run()
    nlp = make_pipeline(corpus, encoder, mixed_precision=mixed_precision)
    optimizer = nlp.create_optimizer()
    batches = read_batches(nlp, corpus / "train.spacy")
    seconds: dict[str, list[float]] = {name: [] for name in SHAPES}
    for number in range(rounds + 1):
        steps = list(islice(batches, 2))
        for name, shape in SHAPES.items():
            with patch.object(TorchShim, "row_shape", shape):
                start = perf_counter()
                for docs in steps:
                    update(nlp, [Example(doc.copy(), doc) for doc in docs], optimizer, DROPOUT)
                if number:  # the first warms up
                    seconds[name].append(perf_counter() - start)
        if number:
            msg.text(f"round {number}: {', '.join(f'{s[-1]:.2f} s' for s in seconds.values())}")
    one, packed = seconds.values()
    report |= {
        "encoder": encoder,
        "mixed_precision": mixed_precision,
        "seconds": {name: [round(s, 3) for s in some] for name, some in seconds.items()},
        "ratio": round(median(a / b for a, b in zip(one, packed)), 3),
    }
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(report, indent=2) + "\n", encoding="utf8")
    msg.good(f"Packed rows: {report['ratio']} times the steps. Written to {output}")


def make_pipeline(corpus: Path, encoder: str, *, mixed_precision: bool) -> Language:
    files = {part: corpus / f"{part}.spacy" for part in ("train", "dev")}
    config = complete_config("pipeline", **files, encoder=encoder).config
    config["components"]["pretrained_encoder"]["model"]["mixed_precision"] = mixed_precision
    return init_nlp(config)


def read_batches(nlp: Language, path: Path) -> Iterator[list[Doc]]:
    """Shuffled Docs of so many words, without end."""
    docs = list(DocBin().from_disk(path).get_docs(nlp.vocab))
    while True:
        random.Random(0).shuffle(docs)
        batch: list[Doc] = []
        n_words = 0
        for doc in docs:
            batch.append(doc)
            n_words += len(doc)
            if n_words >= WORDS:
                yield batch
                batch, n_words = [], 0


if __name__ == "__main__":
    typer.run(main)
