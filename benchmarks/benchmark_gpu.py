"""What a GPU is worth: training and annotating on it, beside each other and beside the CPU.

    python benchmarks/benchmark_gpu.py --output metrics/gpu.json
    python benchmarks/benchmark_gpu.py --device cpu --smoke --output gpu.json

Encoders as large as MiniLM-L6 and mpnet-base, each in fp32 and in bfloat16, each with its task
heads on the CPU and, by CuPy, on the GPU. Each case is a process of its own (see gpu_case.py), and
after each the output is written anew: what is measured stays, whatever happens later. It needs no
network, and takes less than ten minutes; cases for which there is no time are left out, and named.

The exit code is 1 if a case failed, or if a loss did not fall.
"""

import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, replace
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import torch
import typer
from gpu_case import Case
from gpu_encoders import ENCODERS, make_encoder
from machine import describe_machine
from wasabi import msg

ROOT = Path(__file__).parents[1]
PACKAGES = (
    "spacy-pretrained spacy thinc numpy torch cupy-cuda12x cupy-cuda13x transformers tokenizers"
)
# What a case is to measure; of a smoke test little, on encoders of one layer.
FULL = {
    "steps": 200,
    "words_a_step": 300,
    "words_a_batch": 1500,
    "characters": 2_000_000,
    "words_alike": 4000,
    "warm_up_texts": 64,
    "seconds": 5.0,
}
# A CPU that does not compute in bfloat16 manages 50 words a second in it.
SMOKE = {
    "steps": 30,
    "words_a_step": 50,
    "words_a_batch": 100,
    "characters": 6_000,
    "words_alike": 300,
    "warm_up_texts": 8,
    "seconds": 0.5,
}
MOST_SECONDS = 150  # for a case: one that hangs leaves time for others
LINES = 12  # of what a case said that failed


def main(
    device: Annotated[str, typer.Option(help="cuda or cpu: where the encoder runs")] = "cuda",
    smoke: Annotated[bool, typer.Option(help="Little of everything: does it run?")] = False,
    limit: Annotated[int, typer.Option(help="Seconds in all", min=1)] = 540,
    output: Annotated[Path, typer.Option()] = Path("metrics/gpu.json"),
) -> None:
    """What a GPU is worth: training and annotating on it."""
    start = perf_counter()
    check_device(device, smoke)
    report: dict[str, Any] = {
        "command": shlex.join(["python", *sys.argv]),
        "smoke": smoke,
        "machine": describe_machine(),
        "versions": read_versions(),
        "cases": [],
    }
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for case in make_cases(Path(folder), device, smoke):
            left = limit - (perf_counter() - start)
            found = run_case(case, Path(folder), min(left, MOST_SECONDS))
            report["cases"].append(found)
            report["seconds"] = round(perf_counter() - start)
            output.write_text(json.dumps(report, indent=2) + "\n", "utf8")
            tell(found)
    if faults := find_faults(report["cases"]):
        print(*faults, sep="\n")
        msg.fail("Not all is well: see above", exits=1)
    msg.good(f"Written to {output}, after {report['seconds']} seconds")


def check_device(device: str, smoke: bool) -> None:
    if device == "cpu" and not smoke:
        msg.fail("On a CPU only the script is tried: --device cpu --smoke", exits=2)
    if device == "cuda" and not torch.cuda.is_available():
        msg.fail("torch finds no GPU. To try the script: --device cpu --smoke", exits=2)
    if device not in ("cuda", "cpu"):
        msg.fail(f"Unknown device '{device}'. Use cuda or cpu.", exits=2)


def make_cases(folder: Path, device: str, smoke: bool) -> Iterator[Case]:
    """What says most comes first: there may be no time for the last."""
    heads = ["cpu"]
    if device == "cuda" and find_spec("cupy") is not None:
        heads.append("gpu")
    elif device == "cuda":
        msg.warn("There is no CuPy here: all task heads run on the CPU.")
    for name in ENCODERS:
        source = make_encoder(name, folder / name, layers=1 if smoke else None)
        for precision, where in product(("fp32", "bf16"), heads):
            settings = SMOKE if smoke else FULL
            yield Case(name, str(source), device, where, precision, **settings)


def run_case(case: Case, folder: Path, seconds: float) -> dict[str, Any]:
    """What a case measured; or why it did not, as "error" or "left_out"."""
    known = asdict(replace(case, source=""))
    if seconds <= 0:
        return known | {"left_out": "no time was left"}
    output = folder / "found.json"
    output.unlink(missing_ok=True)
    command = [
        sys.executable,
        ROOT / "benchmarks" / "gpu_case.py",
        json.dumps(asdict(case)),
        output,
    ]
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=seconds, env=environment
        )
    except subprocess.TimeoutExpired:
        key = "error" if seconds == MOST_SECONDS else "left_out"  # it hangs, or began too late
        return known | {key: f"stopped after {seconds:.0f} seconds"}
    if done.returncode or not output.is_file():
        said = "\n".join(done.stderr.strip().splitlines()[-LINES:])
        return known | {"error": f"exit code {done.returncode}\n{said}"}
    return json.loads(output.read_text("utf8")) | {"source": ""}


def find_faults(cases: list[dict[str, Any]]) -> list[str]:
    """What is wrong with the cases, one sentence each."""
    faults = []
    for found in cases:
        title = name_case(found)
        if "error" in found:
            faults.append(f"{title}: {found['error']}")
        elif "loss" in found and not found["loss"]["falls"]:
            first, last, steps = (found["loss"][name] for name in ("first", "last", "steps"))
            faults.append(f"{title}: the loss went from {first:.3g} to {last:.3g} in {steps} steps")
    return faults


def name_case(found: dict[str, Any]) -> str:
    return f"{found['encoder']}, {found['precision']}, heads on the {found['heads'].upper()}"


def tell(found: dict[str, Any]) -> None:
    if reason := found.get("error") or found.get("left_out"):
        print(f"{name_case(found)}: {reason}")  # perhaps of many lines
        return
    training, inference = (found[name]["words_per_second"] for name in ("training", "inference"))
    msg.info(f"{name_case(found)}: {training:,} words/s in training, {inference:,} annotated")


def read_versions() -> dict[str, str]:
    """Of the packages that are there."""
    found = {}
    for package in PACKAGES.split():
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


if __name__ == "__main__":
    typer.run(main)
