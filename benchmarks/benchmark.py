r"""Compare pipelines by speed, memory and load time, interleaved in one run, median of rounds.

    python benchmarks/benchmark.py --stock --model ours=training/ewt/model-best \
        --texts corpus/ewt/test.spacy --train corpus/ewt/train.spacy

Each pipeline is served by a process of its own, and only one of them is busy at a time. A round
measures each once, and ratios are taken within rounds, so that a machine that slows down or is
shared does not favour one. Beside a pipeline with a backbone that alone is measured, twice: on the
windows that the pipeline makes of the texts, and, its ceiling, on the same pieces packed into full
windows, without padding and special pieces, with the same engine and threads.
"""

import json
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Annotated

import typer
from benchmark_stock import ensure_stock
from machine import describe_run
from wasabi import msg

WORKER = Path(__file__).with_name("benchmark_worker.py")
WINDOWS, CEILING = "{} (its windows)", "{} (ceiling)"
# Components that have a backbone of their own.
BACKBONES = ("pretrained_encoder", "zero_shot_textcat", "few_shot_textcat")


class WorkerError(Exception):
    """A worker reported an error, or died."""


@dataclass(frozen=True)
class Subject:
    """What is measured: a pipeline, or the bare backbone of one."""

    name: str
    python: Path
    path: Path
    kind: str = "pipeline"
    exclude: tuple[str, ...] = ()  # components that are not loaded

    @property
    def backbone(self) -> Path:
        """Where it is if there is one: several components may have one, the first counts."""
        paths = [self.path / name / "backbone" for name in BACKBONES]
        return next((path for path in paths if path.exists()), paths[0])

    @property
    def trains(self) -> bool:
        return not (self.backbone / "model.xml").exists()

    def windows(self) -> "Subject":
        return replace(self, name=WINDOWS.format(self.name), kind="windows")

    def ceiling(self) -> "Subject":
        kind = "bare-torch" if self.trains else "bare-openvino"
        return replace(
            self, name=CEILING.format(self.name), path=self.backbone, kind=kind, exclude=()
        )


class Worker:
    """The process that serves a subject."""

    def __init__(self, subject: Subject, options: list[str]):
        self.subject = subject
        self.log = tempfile.TemporaryFile("w+")  # noqa: SIM115
        excluded = [f"--exclude={component}" for component in subject.exclude]
        self.process = subprocess.Popen(
            [subject.python, WORKER, subject.kind, subject.path, *excluded, *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )

    def ask(self, command: str) -> dict:
        self.send(command)
        return self.receive(command)

    def send(self, command: str) -> None:
        with suppress(BrokenPipeError):  # `receive` finds that out
            print(command, file=self.process.stdin, flush=True)

    def receive(self, command: str) -> dict:
        answer = json.loads(self.process.stdout.readline() or '{"error": "it died"}')
        if "error" in answer:
            self.log.seek(0)
            print(self.log.read()[-3000:], file=sys.stderr)
            what = f"{self.subject.kind} {self.subject.path} with {self.subject.python}"
            raise WorkerError(f"{command} failed for {what}: {answer['error']}")
        return answer

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_) -> None:
        self.process.kill()
        self.process.wait()
        for file in (self.process.stdin, self.process.stdout, self.log):
            file.close()


def main(
    texts: Annotated[Path, typer.Option(help="DocBin, or plain text in paragraphs")],
    model: Annotated[list[str], typer.Option(help="NAME=FOLDER of a pipeline; repeatable")] = [],  # noqa: B006
    python: Annotated[list[str], typer.Option(help="NAME=PYTHON to run that model with")] = [],  # noqa: B006
    exclude: Annotated[
        list[str], typer.Option(help="NAME=COMPONENT to leave out; repeatable")
    ] = [],  # noqa: B006
    stock: Annotated[bool, typer.Option(help="Add spacy-transformers, made where needed")] = False,
    baseline: Annotated[str, typer.Option(help="Name; by default stock or the first model")] = "",
    train: Annotated[Path | None, typer.Option(help="DocBin; without it nothing trains")] = None,
    rounds: Annotated[int, typer.Option(min=1)] = 5,
    batches: Annotated[int, typer.Option(min=1, help="Training batches a round")] = 5,
    threads: Annotated[int, typer.Option(min=0, help="Of each process; 0 is all cores")] = 0,
    output: Annotated[Path, typer.Option()] = Path("metrics/benchmark.json"),
) -> None:
    """Compare pipelines by speed, memory and load time, interleaved in one run."""
    threads = threads or len(os.sched_getaffinity(0))
    options = ["--texts", str(texts), "--batches", str(batches), "--threads", str(threads)]
    options += ["--train", str(train)] if train else []
    run = describe_run()
    try:
        for path in filter(None, [texts, train]):
            if not path.is_file():
                raise FileNotFoundError(f"There is no file {path}.")
        subjects = read_subjects(model, python, exclude)
        if stock:
            subjects.insert(0, Subject("stock", *ensure_stock(train)))
        names = [subject.name for subject in subjects]
        baseline = baseline or "".join(names[:1])
        if baseline not in names:
            raise ValueError(f"Baseline {baseline!r} is none of {names}: give --stock or --model.")
        if len(set(names)) < len(names):
            raise ValueError(f"Two pipelines have one name: {names}.")

        # One for each backbone: a pipeline may be measured again without some of its components.
        backbones = {s.backbone: s for s in reversed(subjects) if s.backbone.exists()}
        owners = list(reversed(backbones.values()))
        alone = [s.windows() for s in owners] + [s.ceiling() for s in owners]
        results = {s.name: describe_subject(s) for s in [*subjects, *alone]}
        measure_loading(subjects, options, rounds, results)
        measure_speed("infer", [*subjects, *alone], options, rounds, results)
        if train:
            learners = [subject for subject in subjects if subject.trains]
            measure_speed("train", learners, options, rounds, results)
    except (OSError, ValueError, WorkerError, subprocess.CalledProcessError) as error:
        msg.fail(str(error), exits=1)

    add_ratios(results, baseline)
    report = {
        **run,
        "threads": threads,
        "rounds": rounds,
        "baseline": baseline,
        "results": results,
    }
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(report, indent=2) + "\n")
    print_table(results)
    msg.good(f"Written to {output}")


def read_subjects(models: list[str], pythons: list[str], exclude: list[str] = ()) -> list[Subject]:
    environments = dict(_pair("--python", value) for value in pythons)
    left_out = [_pair("--exclude", value) for value in exclude]
    subjects = []
    for name, path in (_pair("--model", value) for value in models):
        interpreter = Path(environments.pop(name, sys.executable))
        if not (Path(path) / "meta.json").exists():
            raise FileNotFoundError(f"{path} is no folder of a spaCy pipeline (--model {name}).")
        if not os.access(interpreter, os.X_OK):
            raise FileNotFoundError(f"{interpreter} is no Python to run (--python {name}).")
        excluded = tuple(component for owner, component in left_out if owner == name)
        subjects.append(Subject(name, interpreter, Path(path), exclude=excluded))
    if environments:
        raise ValueError(f"--python names what no --model does: {', '.join(environments)}.")
    return subjects


def describe_subject(subject: Subject) -> dict:
    excluded = {"exclude": list(subject.exclude)} if subject.exclude else {}
    return {"path": os.path.relpath(subject.path)} | excluded


def _pair(option: str, value: str) -> tuple[str, str]:
    name, equals, path = value.partition("=")
    if not (name and equals and path):
        raise ValueError(f"{option} wants NAME=PATH, not {value!r}.")
    return name, path


def measure_loading(subjects, options, rounds, results) -> None:
    """From nothing to the first annotated text, each time in a new process."""
    for number in range(1, rounds + 1):
        msg.text(f"load, round {number} of {rounds}")
        for subject in subjects:
            result = results[subject.name]
            with Worker(subject, options) as worker:
                result.setdefault("load", []).append(worker.ask("load"))
                result["environment"] = worker.ask("describe")
    for subject in subjects:
        seconds = [answer["seconds"] for answer in results[subject.name]["load"]]
        results[subject.name]["load_seconds"] = median(seconds)


def measure_speed(part: str, subjects, options, rounds, results) -> None:
    """Infer or train: seconds and words of each round, and the peak memory after the last."""
    with ExitStack() as stack:
        workers = [stack.enter_context(Worker(subject, options)) for subject in subjects]
        parts = [results[subject.name].setdefault(part, {}) for subject in subjects]
        for worker in workers:  # nothing is timed yet: all at once
            worker.send("load")
        for worker in workers:
            worker.receive("load")
        for worker, found in zip(workers, parts):
            found |= {"seconds": [], "words": [], **worker.ask(f"prepare_{part}")}
            worker.ask(part)  # warms up
        for number in range(1, rounds + 1):
            for worker, found in zip(workers, parts):
                for key, value in worker.ask(part).items():
                    found[key].append(value)
            seconds = [f"{s.name} {found['seconds'][-1]:.1f}" for s, found in zip(subjects, parts)]
            msg.text(f"{part}, round {number} of {rounds}, seconds: {', '.join(seconds)}")
        for worker, found in zip(workers, parts):
            found["peak_mebibytes"] = worker.ask("describe")["peak_mebibytes"]


def add_ratios(results: dict, baseline: str) -> None:
    for part in ("infer", "train"):
        parts = {name: result[part] for name, result in results.items() if part in result}
        for found in parts.values():
            # One count for all: bare backbones know pieces only, tokenizers may differ.
            words = parts.get(baseline, found)["words"]
            found["speeds"] = [n / seconds for n, seconds in zip(words, found["seconds"])]
            found["words_per_second"] = median(found["speeds"])
            found["microseconds_a_word"] = 1e6 / found["words_per_second"]
        for name, found in parts.items():
            others = {
                "ratio": baseline,
                "of_windows": WINDOWS.format(name),
                "of_ceiling": CEILING.format(name),
            }
            for key, other in others.items():
                if other in parts:
                    pairs = zip(found["speeds"], parts[other]["speeds"])
                    found[key] = median(speed / reference for speed, reference in pairs)


def print_table(results: dict) -> None:
    keys = {"words_per_second": ",.0f", "ratio": ".2f", "peak_mebibytes": ","}
    shares = {"of_windows": ".0%", "of_ceiling": ".0%"}
    columns = [("infer", key) for key in [*keys, *shares]] + [("train", key) for key in keys]
    keys |= shares
    rows = []
    for name, result in results.items():
        cells = [(result.get(part, {}).get(key), keys[key]) for part, key in columns]
        cells.append((result.get("load_seconds"), ".1f"))
        rows.append((name, *("–" if value is None else format(value, f) for value, f in cells)))
    titles = ("infer", "ratio", "MiB", "of windows", "of ceiling")
    titles += ("train", "ratio", "MiB", "load s")
    header = ("words/s", *titles)
    msg.table(rows, header=header, divider=True, aligns=("l", *"r" * len(titles)))


if __name__ == "__main__":
    typer.run(main)
