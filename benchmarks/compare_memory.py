"""Hold what `recommend` says of memory against what `benchmark` measures.

    python benchmarks/compare_memory.py

MiniLM-L6, and mpnet-base with random weights, which take as much memory as any: peaks of whole
processes, in training and inference, each in batches of three sizes. Peaks do not depend on what
else the machine does; the speeds that are measured with them do, and are not kept.
"""

import json
import tempfile
from pathlib import Path
from shutil import copy
from typing import Annotated, Any

import typer
from wasabi import msg

from spacy_pretrained.benchmarking.benchmark import describe_machine, make_cases
from spacy_pretrained.benchmarking.cases import INT8, TORCH, TRAINING, Case, Measurement
from spacy_pretrained.benchmarking.child import ask
from spacy_pretrained.benchmarking.targets import find_target
from spacy_pretrained.checkpoints.catalogue import CATALOGUE
from spacy_pretrained.choosing.memory import PIECES_PER_WORD, estimate_inference, estimate_training
from spacy_pretrained.choosing.sizes import find_sizes
from spacy_pretrained.sources.find import find_source

SMALL, BASE = "minilm-l6", "all-mpnet-base-v2"
WORDS_A_TEXT = 25
BATCHES = {SMALL: (500, 1500, 3000), BASE: (250, 750, 1500)}  # words


def main(
    output: Annotated[Path, typer.Option()] = Path("metrics/memory-estimates.json"),
) -> None:
    """Hold what `recommend` says of memory against what `benchmark` measures."""
    rows, notes = [], []
    with tempfile.TemporaryDirectory() as folder:
        for name, source in ((SMALL, SMALL), (BASE, save_random(BASE, Path(folder) / BASE))):
            copies = Path(folder) / "copies" / name
            for case in find_cases(str(source), copies, BATCHES[name], notes):
                msg.info(case.describe())
                rows.append(compare(name, Measurement(**ask("measure", case.to_json()))))
                print(rows[-1])
    for note in notes:
        msg.warn(note)
    output.parent.mkdir(parents=True, exist_ok=True)
    found = {"machine": describe_machine(), "rows": rows}
    output.write_text(json.dumps(found, indent=2) + "\n", encoding="utf8")
    msg.good(f"Written to {output}")


def find_cases(source: str, folder: Path, batches: tuple[int, ...], notes: list[str]) -> list[Case]:
    """Those of `benchmark`, but for pipelines on torch that only annotate: `recommend` says what a
    pipeline takes that is quantized."""
    folder.mkdir(parents=True)
    sizes = ((WORDS_A_TEXT,), batches)
    cases = make_cases(find_target(source), folder, True, *sizes, notes, report=msg.info)
    return [case for case in cases if case.task == TRAINING or case.engine != TORCH]


def save_random(name: str, folder: Path) -> Path:
    """An encoder of the catalogue with random weights, and the tokenizer of MiniLM."""
    from transformers import AutoConfig, AutoModel

    entry = CATALOGUE[name]
    config = AutoConfig.for_model(
        entry["family"],
        hidden_size=entry["width"],
        num_hidden_layers=entry["layers"],
        num_attention_heads=entry["heads"],
        intermediate_size=entry["intermediate"],
        vocab_size=entry["vocabulary"],
        max_position_embeddings=entry["positions"],
    )
    AutoModel.from_config(config).save_pretrained(folder)
    for file in ("tokenizer.json", "tokenizer_config.json"):
        copy(find_source(SMALL) / file, folder)
    return folder


def compare(name: str, one: Measurement) -> dict[str, Any]:
    estimated = estimate(name, one.task, one.precision, one.words_a_batch)
    return {
        "name": name,
        "task": one.task,
        "precision": one.precision,
        "words_a_batch": one.words_a_batch,
        "pieces_a_batch": one.pieces_a_batch,
        "import_bytes": one.import_bytes,
        "working_bytes": one.working_bytes,
        "peak_bytes": one.peak_bytes,
        "estimated_bytes": estimated,
        "ratio": round(estimated / one.peak_bytes, 2),
    }


def estimate(name: str, task: str, precision: str, words_a_batch: int) -> int:
    """The peak that `recommend` gives, in bytes."""
    sizes = find_sizes(CATALOGUE[name])
    if task == TRAINING:
        return estimate_training(sizes, round(words_a_batch * PIECES_PER_WORD)).peak
    return estimate_inference(sizes, int8=precision == INT8).peak


if __name__ == "__main__":
    typer.run(main)
