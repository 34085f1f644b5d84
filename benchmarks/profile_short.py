r"""Measure where the time of one short text goes: milliseconds of `nlp(text)`, by part.

    .venv-serve/bin/python benchmarks/profile_short.py en_ewt_minilm_int8 \
        --texts assets/sample/train.conllu --output metrics/short.json

Each sentence of --words words is annotated many times, warm, in turn without timers and with them.
Of each sentence the run counts that took the median time; its parts add up to its time, and what
is reported are means over the sentences. All is by the clock, so what the engine's threads do at
the same time counts once.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any
from unittest.mock import patch

import spacy
import typer
from machine import describe_run
from profile_parts import find_functions
from sentences import read_sentences
from spacy.language import Language
from wasabi import msg

from spacy_pretrained.backends.backbone import get_shim
from spacy_pretrained.backends.openvino_session import Session
from spacy_pretrained.encoder.pipe import PretrainedEncoder
from spacy_pretrained.heads import head_pipe
from spacy_pretrained.windows import token_plan

ENGINE = "the engine computes"
HANDED = "hand-over to the engine and back"
BLAS = "components: limits of BLAS threads, set and taken back"
CALLS = "components: their calls"
REST = "unexplained"
Parts = dict[str, float]  # seconds


class Clock:
    """Adds up the seconds of parts; what a part within a part takes is not the outer one's. As
    `profile_parts.Timer`, with less to do, for parts of microseconds."""

    def __init__(self):
        self.parts: Parts = defaultdict(float)
        self._inner: list[float] = []

    def run(self, name: str, function: Callable, *args, **kwargs) -> Any:
        self._inner.append(0.0)
        start = perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            spent = perf_counter() - start
            self.parts[name] += spent - self._inner.pop()
            if self._inner:
                self._inner[-1] += spent

    def timed(self, name: str, function: Callable) -> Callable:
        @wraps(function)
        def run(*args, **kwargs):
            return self.run(name, function, *args, **kwargs)

        return run

    def timed_steps(self, name: str, function: Callable) -> Callable:
        """Of a generator, the time in which it is asked for the next item."""

        @wraps(function)
        def run(*args, **kwargs):
            steps = iter(function(*args, **kwargs))
            while (item := self.run(name, next, steps, None)) is not None:
                yield item

        return run

    def timed_manager(self, name: str, function: Callable) -> Callable:
        """Of a context manager, the time in which it begins and ends."""

        @contextmanager
        def run(*args, **kwargs):
            manager = function(*args, **kwargs)
            self.run(name, manager.__enter__)
            try:
                yield
            finally:
                self.run(name, manager.__exit__, None, None, None)

        return run

    def take(self) -> Parts:
        """The parts so far; begins anew."""
        parts, self.parts = dict(self.parts), defaultdict(float)
        return parts


def main(
    model: Annotated[str, typer.Argument(help="Quantized pipeline: a folder or a package")],
    texts: Annotated[Path, typer.Option(help="Sentences, as .spacy or CoNLL-U")],
    words: Annotated[int, typer.Option(min=1, help="Words of a sentence")] = 15,
    rounds: Annotated[int, typer.Option(min=1, help="After two to warm up")] = 40,
    smoke: Annotated[bool, typer.Option(help="Two sentences, two rounds")] = False,
    output: Annotated[Path, typer.Option()] = Path("metrics/short.json"),
) -> None:
    """Measure where the time of one short text goes, by part."""
    run = describe_run()
    sentences = [text for text, n_words in read_sentences(texts) if n_words == words]
    if not sentences:
        msg.fail(f"{texts} has no sentence of {words} words.", exits=1)
    if smoke:
        sentences, rounds = sentences[:2], 2
    nlp = spacy.load(model)
    bare, timed = measure(nlp, sentences, rounds)
    parts = {name: round(1000 * seconds, 4) for name, seconds in timed.items()}
    total = sum(parts.values())
    report = {
        **run,
        "smoke": smoke,
        "components": nlp.pipe_names,
        "words": words,
        "sentences": len(sentences),
        "rounds": rounds,
        "milliseconds": round(1000 * bare, 3),
        "milliseconds_with_timers": round(total, 3),
        "explained": round(1 - parts[REST] / total, 4),
        "parts": parts,
    }
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(report, indent=2) + "\n", encoding="utf8")
    rows = [(name, f"{ms:.3f}", f"{ms / total:.1%}") for name, ms in parts.items()]
    rows.append(("all, with timers", f"{total:.3f}", f"explained: {report['explained']:.1%}"))
    rows.append(("all, without", f"{report['milliseconds']:.3f}", ""))
    msg.table(rows, header=("", "ms", ""), divider=True, aligns=("l", "r", "r"))
    msg.good(f"Written to {output}")


def measure(nlp: Language, sentences: list[str], rounds: int) -> tuple[float, Parts]:
    """Seconds of a sentence without timers, and of its parts with them."""
    bare: list[list[float]] = [[] for _ in sentences]
    timed: list[list[Parts]] = [[] for _ in sentences]
    for number in range(rounds + 2):
        runs = [measure_bare(nlp, text) for text in sentences]
        parts = measure_parts(nlp, sentences)
        if number >= 2:
            for i, (seconds, found) in enumerate(zip(runs, parts)):
                bare[i].append(seconds)
                timed[i].append(found)
    chosen = [sorted(runs, key=lambda parts: sum(parts.values()))[rounds // 2] for runs in timed]
    names = dict.fromkeys(name for parts in chosen for name in parts)
    names.pop(REST)
    means = {n: sum(p.get(n, 0.0) for p in chosen) / len(chosen) for n in [*names, REST]}
    return sum(sorted(runs)[rounds // 2] for runs in bare) / len(bare), means


def measure_bare(nlp: Language, text: str) -> float:
    begin = perf_counter()
    nlp(text)
    return perf_counter() - begin


def measure_parts(nlp: Language, sentences: list[str]) -> Iterator[Parts]:
    """The parts of each sentence, in the order in which they end."""
    clock, found = Clock(), []
    with ExitStack() as stack:
        requests = put_timers(nlp, clock, stack)
        for text in sentences:
            clock.run(REST, nlp, text)
            parts = clock.take()
            # A request knows how long the engine was at it.
            computed = min(sum(r.latency for r in requests) / 1000, parts.get(HANDED, 0.0))
            requests.clear()
            parts[HANDED] = parts.get(HANDED, 0.0) - computed
            parts[ENGINE] = computed
            found.append(parts)
    return found


def put_timers(nlp: Language, clock: Clock, stack: ExitStack) -> list:
    """RETURNS: The list that the engine's requests come into while the timers are there."""

    def put(owner: Any, attribute: str, name: str, wrap: Callable = clock.timed) -> None:
        timed = wrap(name, getattr(owner, attribute))
        stack.enter_context(patch.object(owner, attribute, timed))

    put(nlp, "make_doc", "make_doc, beside the tokenizer")
    put(nlp, "tokenizer", "tokenizer")
    put(head_pipe, "few_blas_threads", BLAS, clock.timed_manager)
    put(head_pipe.HeadPipe, "__call__", CALLS)
    engine = None
    for name, pipe in nlp.pipeline:
        if hasattr(pipe, "predict"):
            put(pipe, "predict", f"{name}: rest of predict")
            put(pipe, "set_annotations", f"{name}: set_annotations")
        if isinstance(pipe, PretrainedEncoder):
            put(token_plan, "_tokenize", f"{name}: wordpieces")
            engine = get_shim(pipe.model)
    for owner, attribute, name in find_functions(nlp):
        if owner is engine:
            put(owner, attribute, HANDED, clock.timed_steps)
        else:
            put(owner, attribute, name.replace("wordpieces, windows", "windows"))

    requests: list = []
    start = Session._start

    def start_and_note(session, batch):
        request = start(session, batch)
        requests.append(request)
        return request

    stack.enter_context(patch.object(Session, "_start", start_and_note))
    return requests


if __name__ == "__main__":
    typer.run(main)
