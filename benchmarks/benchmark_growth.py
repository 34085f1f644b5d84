r"""Measure how the time and the memory of a pipeline grow: with cores, processes and texts.

    .venv-serve/bin/python benchmarks/benchmark_growth.py en_ewt_minilm_int8 \
        --texts assets/sample/train.conllu --output metrics/growth.json

The texts are the sentences of --texts, again and again: a text each in streams, one behind the
other in the long Docs. Each figure comes from a process of its own (growth_worker.py). Words a
second are medians of rounds, in which all settings of all pipelines take turns. The streams come
last, and share the time that is left of --minutes. Needs Linux.
"""

import json
import os
import shlex
import subprocess
import sys
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Annotated

import typer
from machine import describe_run
from wasabi import msg

WORKER = Path(__file__).with_name("growth_worker.py")
CORES, PROCESSES = (1, 2), (2, 4)  # one process is measured on each number of cores
LEAST_SHARE = 0.1  # of the minutes, for each stream


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    words: int  # in a measurement of speed
    rounds: int
    characters: tuple[int, ...]
    megabytes: tuple[float, ...]


FULL = Size(200_000, 3, (1000, 10_000, 100_000, 1_000_000), (1, 2, 5, 10, 20, 50, 100))
SMOKE = Size(1000, 1, (1000, 2000), (0.01, 0.02))


@dataclass(frozen=True)
class Subject:
    """A pipeline, with the Python of its environment."""

    name: str
    pipeline: str
    python: Path


class WorkerError(Exception):
    """A measurement failed."""


def main(
    pipeline: Annotated[str, typer.Argument(help="A folder or an installed package")],
    texts: Annotated[Path, typer.Option(help="Sentences, as .spacy or CoNLL-U")],
    cnn: Annotated[str, typer.Option(help="A stock pipeline to measure beside it")] = "",
    cnn_python: Annotated[Path, typer.Option(help="The Python of that")] = Path(sys.executable),
    minutes: Annotated[float, typer.Option(min=0.1, help="For all; streams are cut")] = 28,
    smoke: Annotated[bool, typer.Option(help="Small sizes: to see whether it runs")] = False,
    output: Annotated[Path, typer.Option()] = Path("metrics/growth.json"),
) -> None:
    """Measure how the time and the memory of a pipeline grow."""
    begin, run = perf_counter(), describe_run()
    size = SMOKE if smoke else FULL
    subjects = [Subject("ours", pipeline, Path(sys.executable))]
    subjects += [Subject("cnn", cnn, cnn_python)] if cnn else []
    found: dict[str, dict] = {s.name: {"pipeline": s.pipeline} for s in subjects}
    try:
        for subject, rows in measure_speeds(subjects, texts, size).items():
            found[subject]["speed"] = rows
        for subject in subjects:
            found[subject.name]["documents"] = measure_documents(subject, texts, size)
        for number, subject in enumerate(subjects):
            left = 60 * minutes - (perf_counter() - begin)
            seconds = max(left / (len(subjects) - number), LEAST_SHARE * 60 * minutes)
            found[subject.name]["stream"] = measure_stream(subject, texts, size, seconds)
    except (OSError, WorkerError) as error:
        msg.fail(str(error), exits=1)
    report = {
        **run,
        "smoke": smoke,
        "rounds": size.rounds,
        "minutes": round((perf_counter() - begin) / 60, 1),
        "pipelines": found,
    }
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(report, indent=2) + "\n", encoding="utf8")
    msg.good(f"Measured in {report['minutes']} minutes. Written to {output}")


def measure_speeds(subjects: list[Subject], texts: Path, size: Size) -> dict[str, list[dict]]:
    """By pipelines, the words a second of each setting."""
    rounds: dict[tuple, list[dict]] = {}
    for number, subject, (cores, processes) in product(
        range(1, size.rounds + 1), subjects, list_settings(len(os.sched_getaffinity(0)))
    ):
        answer = ask(subject, "speed", texts, cores=cores, processes=processes, words=size.words)
        rounds.setdefault((subject.name, cores, processes), []).append(answer)
        say(subject, f"round {number}, {cores} cores, {processes} processes", answer)
    found: dict[str, list[dict]] = {}
    for (name, cores, processes), answers in rounds.items():
        numbers = {
            key: round(median(answer[key] for answer in answers), 2)
            for key, value in answers[0].items()
            if isinstance(value, int | float)
        }
        speeds = [round(answer["words_per_second"]) for answer in answers]
        setting = {"cores": cores, "processes": processes, "rounds": speeds}
        found.setdefault(name, []).append(setting | numbers | {"versions": answers[0]["versions"]})
    return found


def list_settings(n_cores: int) -> list[tuple[int, int]]:
    """Numbers of cores and of processes.

    >>> list_settings(2)
    [(1, 1), (2, 1), (2, 2), (2, 4)]
    """
    cores = [n for n in CORES if n <= n_cores]
    return [*((n, 1) for n in cores), *((cores[-1], n) for n in PROCESSES)]


def measure_documents(subject: Subject, texts: Path, size: Size) -> list[dict]:
    """Seconds and memory of one Doc, by its characters. One that is refused, or whose process dies
    for lack of memory, says so."""
    rows = []
    for characters in size.characters:
        try:
            answer = ask(subject, "document", texts, characters=characters)
        except WorkerError as error:
            msg.warn(str(error))
            answer = {"refused": "its process failed"}
        say(subject, f"a Doc of {characters:,} characters", answer)
        rows.append({"characters": characters} | answer)
    return rows


def measure_stream(subject: Subject, texts: Path, size: Size, seconds: float) -> dict:
    megabytes = ",".join(map(str, size.megabytes))
    answer = ask(subject, "stream", texts, megabytes=megabytes, seconds=seconds)
    if (cut := answer["cut_at_megabytes"]) is not None:
        msg.warn(f"{subject.name}: the stream was cut at {cut:.1f} MB, after {seconds:.0f} s")
    return answer | {"limit_seconds": round(seconds), "megabytes": list(size.megabytes)}


def ask(subject: Subject, kind: str, texts: Path, **options: object) -> dict:
    command = [str(subject.python), str(WORKER), kind, subject.pipeline, "--texts", str(texts)]
    command += [f"--{name}={value}" for name, value in options.items()]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        print(done.stderr[-3000:], file=sys.stderr)
        raise WorkerError(f"It ended with {done.returncode}: {shlex.join(command)}")
    return json.loads(done.stdout)


def say(subject: Subject, what: str, answer: dict) -> None:
    keys = ("words_per_second", "seconds", "refused", "mebibytes", "peak_mebibytes")
    shown = {key: answer[key] for key in keys if key in answer}
    values = [v if isinstance(v, str) else f"{v:,.1f}" for v in shown.values()]
    msg.text(f"{subject.name}: {what}: {', '.join(map(' '.join, zip(shown, values)))}")


if __name__ == "__main__":
    typer.run(main)
