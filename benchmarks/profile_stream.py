r"""Measure who has the cores while texts stream through a pipeline, and who waits for what.

    .venv-serve/bin/python benchmarks/profile_stream.py en_ewt_minilm_int8 \
        --texts assets/sample/train.conllu --output metrics/stream.json

Linux counts for each thread the time that it ran, and the time that it was ready and no core was
free. What a thread of Python's neither runs nor is ready, nor waits for by a lock that is timed
here, it waits for the interpreter's lock (the GIL) or is asleep. The beginning ends with the first
Doc; the end begins when the encoder is done with the last one, and only task heads have work. All
figures are microseconds a word of the whole stream, so that the parts add up.
"""

import json
import os
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from threading import get_native_id
from time import perf_counter
from typing import Annotated, Any
from unittest.mock import patch

import spacy
import typer
from machine import describe_run
from sentences import read_sentences
from spacy.language import Language
from wasabi import msg

from spacy_pretrained.backends.openvino_session import Session
from spacy_pretrained.encoder.pipe import PretrainedEncoder

TASKS = Path("/proc/self/task")
MAIN, ENCODER, ENGINE, OTHERS = "main", "encoder", "engine", "others"
PHASES = ("beginning", "middle", "end")
WAITS = {  # what is timed → the threads that wait for it
    "for the encoder": MAIN,
    "for the engine": ENCODER,
    "for its turn": ENCODER,
}


@dataclass
class Moment:
    """The clock, and what each thread of the process had run and been ready until then."""

    time: float = field(default_factory=perf_counter)
    spent: dict[int, tuple[float, float]] = field(default_factory=lambda: read_threads())


@dataclass
class Trace:
    """What is seen of one stream."""

    moments: list[Moment]
    encoders: set[int]  # threads
    waited: Counter  # seconds, by the keys of WAITS
    encoding: float  # seconds that threads were in the encoder's `predict`
    words: int


def main(
    model: Annotated[str, typer.Argument(help="Quantized pipeline: a folder or a package")],
    texts: Annotated[Path, typer.Option(help="Sentences, as .spacy or CoNLL-U")],
    n_texts: Annotated[int, typer.Option(min=10)] = 20_000,
    rounds: Annotated[int, typer.Option(min=1, help="After one to warm up; medians")] = 5,
    smoke: Annotated[bool, typer.Option(help="500 texts, one round")] = False,
    output: Annotated[Path, typer.Option()] = Path("metrics/stream.json"),
) -> None:
    """Measure who has the cores while texts stream through a pipeline."""
    run = describe_run()
    before = set(read_threads())  # of BLAS, which numpy started
    nlp = spacy.load(model)
    sentences = [text for text, _ in read_sentences(texts)]
    n_texts, rounds = (500, 1) if smoke else (n_texts, rounds)
    traces = [trace(nlp, list(islice(cycle(sentences), n_texts))) for _ in range(rounds + 1)]
    found = [summarize(one, before) for one in traces[1:]]
    report = {
        **run,
        "smoke": smoke,
        "components": nlp.pipe_names,
        "words": traces[-1].words,
        "rounds": rounds,
        "unit": "microseconds a word",
        **middle(found),
    }
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(report, indent=2) + "\n", encoding="utf8")
    show(report)
    msg.good(f"Written to {output}")


def trace(nlp: Language, texts: list[str]) -> Trace:
    """Let texts stream through a pipeline."""
    encoder = next(pipe for _, pipe in nlp.pipeline if isinstance(pipe, PretrainedEncoder))
    found = Trace([], set(), Counter(), 0.0, 0)
    done = Moment(spent={})
    lock, predict = threading.Lock(), encoder.predict

    def watched_predict(docs):
        begin = perf_counter()
        predicted = predict(docs)
        nonlocal done
        with lock:
            done = Moment()
            found.encoders.add(get_native_id())
            found.encoding += done.time - begin
        return predicted

    with ExitStack() as stack:
        stack.enter_context(patch.object(encoder, "predict", watched_predict))
        put_timers(found.waited, lock, stack)
        found.moments.append(Moment())
        docs = nlp.pipe(texts)
        for number, doc in zip(range(len(texts)), docs):
            if not number:
                found.moments.append(Moment())
            found.words += len(doc)
        # The encoder's threads end, and are forgotten, when more Docs are asked for. In a short
        # stream they have nothing to do any more when the first Doc comes.
        found.moments += [max(done, found.moments[-1], key=lambda moment: moment.time), Moment()]
    return found


def put_timers(waited: Counter, lock: threading.Lock, stack: ExitStack) -> None:
    main, result = threading.current_thread(), Future.result

    def add(name: str, begin: float) -> None:
        with lock:
            waited[name] += perf_counter() - begin

    def watched_result(future, timeout=None):
        begin = perf_counter()
        try:
            return result(future, timeout)
        finally:
            if threading.current_thread() is main:
                add("for the encoder", begin)

    def watched(name: str, function: Callable) -> Callable:
        @contextmanager
        def run(*args):
            begin = perf_counter()
            with function(*args) as value:
                add(name, begin)
                yield value

        return run

    stack.enter_context(patch.object(Future, "result", watched_result))
    for attribute, name in (("_finished", "for the engine"), ("_own_turn", "for its turn")):
        function = watched(name, getattr(Session, attribute))
        stack.enter_context(patch.object(Session, attribute, function))


def summarize(found: Trace, before: set[int]) -> dict[str, Any]:
    """Microseconds a word.

    before: Threads that were there before the pipeline.
    """
    n_cores, unit = len(os.sched_getaffinity(0)), 1e6 / found.words
    kinds = {id_: ENGINE for moment in found.moments for id_ in moment.spent}
    kinds |= dict.fromkeys(before, OTHERS) | dict.fromkeys(found.encoders, ENCODER)
    kinds[threading.main_thread().native_id] = MAIN
    phases = {}
    for name, first, last in zip(PHASES, found.moments, found.moments[1:]):
        ran, ready = Counter(dict.fromkeys((MAIN, ENCODER, ENGINE, OTHERS), 0.0)), Counter()
        for id_, (run_until, ready_until) in last.spent.items():
            run_before, ready_before = first.spent.get(id_, (0.0, 0.0))
            ran[kinds[id_]] += unit * (run_until - run_before)
            ready[kinds[id_]] += unit * (ready_until - ready_before)
        wall = unit * (last.time - first.time)
        phases[name] = {
            "wall": wall,
            "cores": n_cores * wall,
            "ran": dict(ran),
            "idle": n_cores * wall - sum(ran.values()),
            "ready": {kind: ready[kind] for kind in ran},
        }
    whole = sum_up(list(phases.values()))
    times = {MAIN: whole["wall"], ENCODER: unit * found.encoding}
    waits = {kind: {} for kind in times}
    for name, kind in WAITS.items():
        waits[kind][name] = unit * found.waited[name]
    for kind, of_kind in waits.items():
        of_kind["for a core"] = whole["ready"][kind]
        rest = times[kind] - whole["ran"][kind] - sum(of_kind.values())
        # A thread that is woken waits for a core within what is timed, too: then it counts twice.
        of_kind["for the GIL, or asleep"] = max(0.0, rest)
    return {"phases": phases | {"all": whole}, "times": times, "waits": waits}


def sum_up(parts: list[Any]) -> Any:
    if isinstance(parts[0], dict):
        return {key: sum_up([part[key] for part in parts]) for key in parts[0]}
    return sum(parts)


def middle(parts: list[Any]) -> Any:
    """The median of each figure of the rounds."""
    if isinstance(parts[0], dict):
        return {key: middle([part[key] for part in parts]) for key in parts[0]}
    return round(median(parts), 2)


def read_threads() -> dict[int, tuple[float, float]]:
    """Seconds that each thread of this process ran, and was ready to run and had no core."""
    found = {}
    for task in TASKS.iterdir():
        try:
            ran, ready, _ = (task / "schedstat").read_text().split()
        except OSError:  # it has just ended
            continue
        found[int(task.name)] = int(ran) / 1e9, int(ready) / 1e9
    return found


def show(report: dict) -> None:
    names = [*PHASES, "all"]
    phases = [report["phases"][name] for name in names]
    rows = [("wall", *(f"{p['wall']:.1f}" for p in phases))]
    rows.append(("cores' time", *(f"{p['cores']:.1f}" for p in phases)))
    for kind in phases[0]["ran"]:
        rows.append((f"– {kind} ran", *(f"{p['ran'][kind]:.1f}" for p in phases)))
    rows.append(("– no thread ran", *(f"{p['idle']:.1f}" for p in phases)))
    msg.table(rows, header=("µs a word", *names), divider=True, aligns=("l", *"rrrr"))
    for kind, waits in report["waits"].items():
        shown = ", ".join(f"{name} {value:.1f}" for name, value in waits.items())
        total, ran = report["times"][kind], report["phases"]["all"]["ran"][kind]
        msg.text(f"{kind}: {total:.1f} µs a word, of which it ran {ran:.1f}, and waited {shown}")


if __name__ == "__main__":
    typer.run(main)
