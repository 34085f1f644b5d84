"""Compare ways to quantize a pipeline's encoder: how far its vectors move, how far its scores drop.

    python benchmarks/compare_recipes.py training/ewt/model-best --texts corpus/ewt/train.spacy \\
        --eval corpus/ewt/dev.spacy --output metrics/ewt/recipes.json

The recipes are those that `spacy pretrained quantize` may try, and two that it does not. The error
is the distance of the backbone's vectors from those in fp32, relative to their length, over texts
of --eval: where the values of INT8 are computed exactly, in INT8 as this CPU computes it, and as
one without VNNI does, which oneDNN is told to take this one for. Drops are those of the scores of
the pipeline as its users run it, in points.
"""

import json
import os
import platform
import shlex
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import spacy
import typer
from wasabi import msg

from spacy_pretrained.backends.openvino_backend import saturates
from spacy_pretrained.corpora.corpus import build_corpus
from spacy_pretrained.quantization.calibration_texts import sample_texts
from spacy_pretrained.quantization.gate import Gate
from spacy_pretrained.quantization.openvino_copy import copy_to_openvino
from spacy_pretrained.quantization.quantizable import find_backbones
from spacy_pretrained.quantization.quantizer import read_docs, record_batches
from spacy_pretrained.quantization.recipes import candidates, distance, quantize_static, run
from spacy_pretrained.quantization.torch_export import to_openvino
from spacy_pretrained.runtime.no_telemetry import import_openvino
from spacy_pretrained.windows.batches import WindowBatch

WITHOUT_VNNI = {"ONEDNN_MAX_CPU_ISA": "AVX2"}
N_TEXTS = 300
N_COMPARED = 60
MAX_DROP = 0.3  # that of `spacy pretrained quantize`; nothing is refused here


def main(
    model: Annotated[str, typer.Argument(help="Trained pipeline, on torch")],
    texts: Annotated[Path, typer.Option(help="To calibrate on: .spacy, .txt or .jsonl")],
    gold: Annotated[Path, typer.Option("--eval", help="Gold annotation: .spacy")],
    output: Annotated[Path, typer.Option()] = Path("metrics/recipes.json"),
    limit: Annotated[int, typer.Option(help="Documents of --eval; 0 is all")] = 0,
) -> None:
    nlp = spacy.load(model)
    examples = list(build_corpus(gold, limit=limit)(nlp))
    (backbone,) = find_backbones(nlp)
    calibration = read_docs(nlp, sample_texts(texts, nlp.vocab, N_TEXTS, seed=0))
    batches = record_batches(nlp, backbone, calibration)
    compared = record_batches(nlp, backbone, [e.reference for e in examples[:N_COMPARED]])
    original = to_openvino(backbone.shim)
    expected = run(original, compared)
    gate = Gate(nlp, examples, max_drop=MAX_DROP, report=msg.info)
    rows = []
    for recipe, quantized in make_all(original, batches):
        errors = {
            "exact": distance(run(quantized, compared), expected),
            "this_cpu": distance(run(quantized, compared, exact=False), expected),
            "without_vnni": error_without_vnni(quantized, compared, expected),
        }
        copy = copy_to_openvino(nlp, [backbone], [quantized])
        drops = gate.try_out(copy, recipe).drops
        rows.append(
            {
                "recipe": recipe,
                "errors": {name: error and round(error, 4) for name, error in errors.items()},
                "drops": {drop.score: round(drop.drop, 4) for drop in drops},
            }
        )
    report = {
        "command": shlex.join(["python", *sys.argv]),
        "cpu": cpu_name(),
        "saturates": saturates(),
        "documents": len(examples),
        "scores": {drop.score: round(drop.before, 4) for drop in drops},
        "recipes": rows,
    }
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(report, indent=2) + "\n", encoding="utf8")
    show(rows)


def make_all(model: Any, batches: list[WindowBatch]) -> Iterator[tuple[str, Any]]:
    yield from candidates(model, batches, "int8", msg.info)
    yield "static INT8, SmoothQuant 0.5", quantize_static(model, batches, 0.5)
    seven = quantize_static(model, batches, 0.7, seven_bits=True)
    yield "static INT8 with weights of 7 bits, SmoothQuant 0.7", seven


def error_without_vnni(
    model: Any, batches: list[WindowBatch], expected: list[np.ndarray]
) -> float | None:
    """None where the engine does not let itself be told what CPU it is on, or cannot run the model
    then."""
    openvino = import_openvino()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.xml"
        openvino.save_model(model, path, compress_to_fp16=False)
        # Another process, since an engine looks at its CPU once.
        with ProcessPoolExecutor(1, get_context("spawn"), pretend) as pool:
            vectors = pool.submit(run_saved, path, batches).result()
    return None if vectors is None else distance(vectors, expected)


def pretend() -> None:
    os.environ.update(WITHOUT_VNNI)


def run_saved(path: Path, batches: list[WindowBatch]) -> list[np.ndarray] | None:
    openvino = import_openvino()
    if not saturates():
        return None
    try:
        return run(openvino.Core().read_model(path), batches, exact=False)
    except RuntimeError:  # OpenVINO and oneDNN do not agree on what the CPU has
        return None


def cpu_name() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    names = (line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def show(rows: list[dict]) -> None:
    names = [*rows[0]["errors"], *rows[0]["drops"]]
    cells = [
        (
            row["recipe"],
            *("–" if error is None else f"{error:.3f}" for error in row["errors"].values()),
            *(f"{drop:.2f}" for drop in row["drops"].values()),
        )
        for row in rows
    ]
    msg.table(cells, header=("", *names), divider=True, aligns=("l", *"r" * len(names)))


if __name__ == "__main__":
    typer.run(main)
