r"""Measure how long a user waits: for the first text in a cold process, and for one sentence.

    python benchmarks/benchmark_latency.py en_ewt_minilm_int8 \
        --python packages/ewt/venv-int8/bin/python --texts corpus/ewt/test.spacy

The cold start is all of a new process, from its start to its first annotated text: Python, the
imports, the weights, the engine. The files are in the system's memory by then, but for the first
round's. The sentences are those of 15 words in --texts, one at a time, warm.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter
from typing import Annotated

import typer
from benchmark import Subject, Worker, WorkerError
from machine import describe_run
from wasabi import msg

STAGES = ("import_seconds", "load_seconds", "first_text_seconds")


def main(
    model: Annotated[str, typer.Argument(help="Pipeline: a folder or an installed package")],
    texts: Annotated[Path, typer.Option(help="DocBin with sentences")],
    python: Annotated[Path, typer.Option(help="Python to run it with")] = Path(sys.executable),
    rounds: Annotated[int, typer.Option(min=1, help="Cold starts, and passes over sentences")] = 5,
    threads: Annotated[int, typer.Option(min=0, help="0 is all cores")] = 0,
    output: Annotated[Path, typer.Option()] = Path("metrics/latency.json"),
) -> None:
    """Measure how long a user waits for a cold start, and for one sentence."""
    threads = threads or len(os.sched_getaffinity(0))
    run = describe_run()
    subject = Subject(model, python, Path(model))
    options = ["--texts", str(texts), "--threads", str(threads)]
    try:
        cold = [measure_start(subject, options) for _ in range(rounds)]
        sentence, environment = measure_sentences(subject, options, rounds)
    except (OSError, WorkerError, subprocess.CalledProcessError) as error:
        msg.fail(str(error), exits=1)
    report = {
        **run,
        "threads": threads,
        "model": model,
        "environment": environment,
        "cold_start": {
            "rounds": cold,
            **{key: round(median(one[key] for one in cold), 3) for key in cold[0]},
        },
        "sentence": sentence,
    }
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(report, indent=2) + "\n", encoding="utf8")
    show(report["cold_start"], sentence)
    msg.good(f"Written to {output}")


def show(start: dict, sentence: dict) -> None:
    stages = ", ".join(f"{name.split('_')[0]} {start[name]:.2f}" for name in STAGES)
    msg.text(f"Cold start: {start['seconds']:.2f} s ({stages})")
    middle, most = sentence["median_milliseconds"], sentence["p90_milliseconds"]
    msg.text(
        f"One sentence of {sentence['words']} words: {middle:.2f} ms (median); nine of ten within "
        f"{most:.2f} ms"
    )


def measure_start(subject: Subject, options: list[str]) -> dict[str, float]:
    """Seconds from the start of a process, and of its stages."""
    start = perf_counter()
    with Worker(subject, options) as worker:
        stages = worker.ask("load")
        seconds = perf_counter() - start
    return {"seconds": seconds, **{name: stages[name] for name in STAGES}}


def measure_sentences(subject: Subject, options: list[str], rounds: int) -> tuple[dict, dict]:
    with Worker(subject, options) as worker:
        worker.ask("load")
        about = worker.ask("prepare_latency")
        found = [worker.ask("latency")["milliseconds"] for _ in range(rounds)]
        environment = worker.ask("describe")
    times = [time for one in found for time in one]
    about |= {
        "median_milliseconds": round(median(times), 3),
        "p90_milliseconds": round(quantiles(times, n=10)[-1], 3),
        "medians_of_rounds": [round(median(one), 3) for one in found],
    }
    return about, environment


if __name__ == "__main__":
    typer.run(main)
