"""Save a copy of a trained pipeline whose encoder runs on OpenVINO, in INT8 or fp32.

    python scripts/quantize.py training/ewt/model-best training/ewt/model-int8 \\
        --texts corpus/ewt/train.spacy

The copy needs neither torch nor transformers. Only the encoder's block of the config differs.
"""

from pathlib import Path
from time import perf_counter
from typing import Annotated

import spacy
import typer
from spacy.tokens import Doc, DocBin
from wasabi import msg

from spacy_pretrained.corpus import cut
from spacy_pretrained.quantize import quantize_pipeline


def main(
    model: Annotated[Path, typer.Argument(help="Trained pipeline")],
    output: Annotated[Path, typer.Argument(help="Folder for the quantized pipeline")],
    texts: Annotated[Path, typer.Option(help=".spacy file to calibrate on, never the test set")],
    precision: Annotated[str, typer.Option(help="int8 or fp32")] = "int8",
    n_texts: Annotated[int, typer.Option(help="Texts to calibrate on")] = 300,
) -> None:
    nlp = spacy.load(model)
    docs = sample(nlp.vocab, texts, n_texts)
    msg.info(f"Quantizing {model} to {precision} on {len(docs)} texts")
    start = perf_counter()
    quantized = quantize_pipeline(nlp, docs, precision=precision)
    quantized.to_disk(output)
    old, new = (size(path) for path in (model, output))
    msg.good(f"Saved {output} after {perf_counter() - start:.0f} s: {old:.1f} MB, now {new:.1f} MB")


def sample(vocab, path: Path, n_texts: int) -> list[Doc]:
    """Texts spread over the file, long documents cut."""
    parts = [part for doc in DocBin().from_disk(path).get_docs(vocab) for part in cut(doc, 120)]
    return parts[:: max(1, len(parts) // n_texts)][:n_texts]


def size(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


if __name__ == "__main__":
    typer.run(main)
