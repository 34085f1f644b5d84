"""Hold what `recommend` says of memory against what `benchmark` measures.

    python benchmarks/compare_memory.py

MiniLM-L6, and mpnet-base with random weights, which take as much memory as any: peaks of whole
processes, in training and inference, each in batches of three sizes. Peaks do not depend on what
else the machine does; the speeds that are measured with them do, and are not kept.

Each row is written at once. Rows that the output has of this machine and these versions are not
measured again; delete it to begin anew.
"""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from shutil import copy
from typing import Annotated, Any

import typer
from wasabi import msg

from spacy_pretrained.benchmarking.benchmark import describe_machine, make_cases
from spacy_pretrained.benchmarking.cases import (
    FP32,
    INFERENCE,
    INT8,
    TORCH,
    TRAINING,
    Case,
    Measurement,
)
from spacy_pretrained.benchmarking.child import ask
from spacy_pretrained.benchmarking.targets import find_target
from spacy_pretrained.checkpoints.catalogue import CATALOGUE
from spacy_pretrained.choosing.memory import PIECES_PER_WORD, estimate_inference, estimate_training
from spacy_pretrained.choosing.sizes import find_sizes
from spacy_pretrained.sources.find import find_source

SMALL, BASE = "minilm-l6", "all-mpnet-base-v2"
WORDS_A_TEXT = 25
WAYS = ((TRAINING, FP32), (INFERENCE, FP32), (INFERENCE, INT8))
BATCHES = {SMALL: (500, 1500, 3000), BASE: (250, 750, 1500)}  # words


def main(
    output: Annotated[Path, typer.Option()] = Path("metrics/memory-estimates.json"),
) -> None:
    """Hold what `recommend` says of memory against what `benchmark` measures."""
    machine, notes = describe_machine(), []
    rows = read_known(output, machine)
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, sizes in BATCHES.items():
            if all((name, *way, words) in rows for way in WAYS for words in sizes):
                continue
            source = SMALL if name == SMALL else save_random(name, Path(folder) / name)
            copies = Path(folder) / "copies" / name
            for case in find_cases(str(source), copies, sizes, notes):
                if (key := key_of({"name": name} | case.to_json())) not in rows:
                    msg.info(case.describe())
                    rows[key] = compare(name, Measurement(**ask("measure", case.to_json())))
                    print(rows[key])
                    write(output, machine, rows)
    write(output, machine, rows)
    for note in notes:
        msg.warn(note)
    msg.good(f"{len(rows)} rows in {output}")


def read_known(output: Path, machine: dict[str, Any]) -> dict[tuple, dict[str, Any]]:
    """Rows that were measured on this machine before, with today's estimates."""
    found = json.loads(output.read_text("utf8")) if output.is_file() else {}
    if found.get("machine") != machine:
        return {}
    return {key_of(row): estimated(row) for row in found["rows"]}


def write(output: Path, machine: dict[str, Any], rows: dict[tuple, dict[str, Any]]) -> None:
    found = {"machine": machine, "rows": list(rows.values())}
    output.write_text(json.dumps(found, indent=2) + "\n", encoding="utf8")


def key_of(row: dict[str, Any]) -> tuple:
    return tuple(row[name] for name in ("name", "task", "precision", "words_a_batch"))


def find_cases(
    source: str, folder: Path, batches: tuple[int, ...], notes: list[str]
) -> Iterator[Case]:
    """Those of `benchmark`, but for pipelines on torch that only annotate: `recommend` says what a
    pipeline takes that is quantized."""
    folder.mkdir(parents=True)
    sizes = ((WORDS_A_TEXT,), batches)
    cases = make_cases(find_target(source), folder, True, *sizes, notes, report=msg.info)
    return (case for case in cases if case.task == TRAINING or case.engine != TORCH)


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
    row = {
        "name": name,
        "task": one.task,
        "precision": one.precision,
        "words_a_batch": one.words_a_batch,
        "pieces_a_batch": one.pieces_a_batch,
        "import_bytes": one.import_bytes,
        "working_bytes": one.working_bytes,
        "peak_bytes": one.peak_bytes,
    }
    return estimated(row)


def estimated(row: dict[str, Any]) -> dict[str, Any]:
    """A row with what `recommend` says."""
    estimate = estimate_peak(*key_of(row))
    return row | {"estimated_bytes": estimate, "ratio": round(estimate / row["peak_bytes"], 2)}


def estimate_peak(name: str, task: str, precision: str, words_a_batch: int) -> int:
    """The peak that `recommend` gives, in bytes."""
    sizes = find_sizes(CATALOGUE[name])
    if task == TRAINING:
        return estimate_training(sizes, round(words_a_batch * PIECES_PER_WORD)).peak
    return estimate_inference(sizes, int8=precision == INT8).peak


if __name__ == "__main__":
    typer.run(main)
