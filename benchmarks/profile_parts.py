r"""Measure where the time of a quantized pipeline goes: microseconds a word, by part.

    python benchmarks/profile_parts.py training/ewt/model-int8 --texts corpus/ewt/test.spacy

The parts run one after the other here, and are timed by the clock and in CPU time of all threads.
`nlp.pipe` lets the engine run while the heads do; how long that takes is measured beside them.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Annotated, Any
from unittest.mock import patch

import spacy
import typer
from benchmark_worker import count_words, read_texts
from machine import describe_run
from spacy.language import Language
from wasabi import msg

from spacy_pretrained.backends.backbone import get_shim
from spacy_pretrained.encoder import token_encoder as encoder
from spacy_pretrained.encoder.pipe import PretrainedEncoder
from spacy_pretrained.lemmatizer.pipe import PretrainedLemmatizer
from spacy_pretrained.ner import pipe as ner
from spacy_pretrained.parser import pipe as parser
from spacy_pretrained.runtime.blas_threads import few_blas_threads
from spacy_pretrained.runtime.doc_stream import batch_docs
from spacy_pretrained.windows.token_plan import WindowPlan

Spent = tuple[float, float]  # seconds by the clock, and of CPU time


class Timer:
    """Adds up the time of parts; what a part within a part takes is not the outer one's."""

    def __init__(self):
        self.seconds: dict[str, Spent] = defaultdict(lambda: (0.0, 0.0))
        self._inner: list[Spent] = []

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        self._inner.append((0.0, 0.0))
        start = perf_counter(), process_time()
        try:
            yield
        finally:
            spent = perf_counter() - start[0], process_time() - start[1]
            inner = self._inner.pop()
            self.seconds[name] = _add(self.seconds[name], _subtract(spent, inner))
            if self._inner:
                self._inner[-1] = _add(self._inner[-1], spent)

    def timed(self, name: str, function: Callable) -> Callable:
        @wraps(function)
        def run(*args, **kwargs):
            with self.part(name):
                return function(*args, **kwargs)

        return run

    def timed_steps(self, name: str, function: Callable) -> Callable:
        """Of a generator, the time in which it is asked for the next item."""

        @wraps(function)
        def run(*args, **kwargs):
            steps = iter(function(*args, **kwargs))
            while True:
                with self.part(name):
                    item = next(steps, None)
                if item is None:
                    return
                yield item

        return run


def main(
    model: Annotated[str, typer.Argument(help="Quantized pipeline: a folder or a package")],
    texts: Annotated[Path, typer.Option(help="DocBin, or plain text in paragraphs")],
    exclude: Annotated[list[str], typer.Option(help="Component to leave out; repeatable")] = [],  # noqa: B006
    rounds: Annotated[int, typer.Option(min=1, help="After one to warm up; medians")] = 5,
    output: Annotated[Path, typer.Option()] = Path("metrics/profile.json"),
) -> None:
    """Measure where the time of a quantized pipeline goes, by part."""
    run = describe_run()
    nlp = spacy.load(model, exclude=exclude)
    documents = read_texts(texts)
    n_words = count_words(nlp.tokenizer.pipe(documents))
    measured = []
    for number in range(rounds + 1):
        msg.text(f"Round {number} of {rounds}" if number else "Warming up")
        measured.append((profile(nlp, documents), time_stream(nlp, documents)))
    in_turn, streams = zip(*measured[1:])
    parts = {name: _middle([one[name] for one in in_turn], n_words) for name in in_turn[0]}
    report = {
        **run,
        "components": nlp.pipe_names,
        "words": n_words,
        "rounds": rounds,
        "unit": "microseconds a word",
        "parts": parts,
        "in_turn": _middle([_sum(one.values()) for one in in_turn], n_words),
        "stream": _middle(streams, n_words),
    }
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(report, indent=2) + "\n", encoding="utf8")
    totals = {"all, in turn": report["in_turn"], "nlp.pipe": report["stream"]}
    rows = [(name, f"{p['clock']:.1f}", f"{p['cpu']:.1f}") for name, p in (parts | totals).items()]
    msg.table(rows, header=("µs a word", "clock", "CPU"), divider=True, aligns=("l", "r", "r"))
    msg.good(f"Written to {output}")


def profile(nlp: Language, texts: list[str]) -> dict[str, Spent]:
    """The time of each part, one after the other, in batches as a stream has them."""
    timer = Timer()
    with ExitStack() as stack:
        stack.enter_context(few_blas_threads())
        for owner, attribute, name in find_functions(nlp):
            wrap = timer.timed_steps if attribute == "predict" else timer.timed
            function = wrap(name, getattr(owner, attribute))
            stack.enter_context(patch.object(owner, attribute, function))
        with timer.part("spaCy's tokenizer"):
            docs = [nlp.make_doc(text) for text in texts]
        for batch in batch_docs(docs, nlp.batch_size):
            for name, pipe in nlp.pipeline:
                with timer.part(f"{name}: rest"):
                    predicted = pipe.predict(batch)
                with timer.part(f"{name}: annotation"):
                    pipe.set_annotations(batch, predicted)
    return dict(timer.seconds)


def find_functions(nlp: Language) -> Iterator[tuple[Any, str, str]]:
    """Where parts begin: what holds a function, its name there, and the part's. The engine's
    `predict` is a generator; what Thinc's layers do is in `_func`."""
    pipe = next(pipe for _, pipe in nlp.components if isinstance(pipe, PretrainedEncoder))
    yield encoder, "read_arrays", f"{pipe.name}: reading Docs"
    yield encoder, "_make_plan", f"{pipe.name}: wordpieces, windows"
    yield get_shim(pipe.model), "predict", f"{pipe.name}: engine"
    yield WindowPlan, "pool", f"{pipe.name}: pooling"
    yield encoder, "orth_features", f"{pipe.name}: orth"
    for name, component in nlp.pipeline:
        if isinstance(component, parser.BiaffineParser):
            yield component, "_find_sentences", f"{name}: sentences"
            for layer in ("arcs", "labels"):
                yield component.model.get_ref(layer), "_func", f"{name}: {layer}"
            yield parser, "decode", f"{name}: trees"
        elif isinstance(component, ner.PretrainedNer):
            yield component.model, "_func", f"{name}: scores"
            yield ner, "decode", f"{name}: decoding"
        elif isinstance(component, PretrainedLemmatizer):
            yield component.table, "find", f"{name}: table"
            yield component, "_score_words", f"{name}: words that are not in it"


def time_stream(nlp: Language, texts: list[str]) -> Spent:
    start = perf_counter(), process_time()
    for _ in nlp.pipe(texts):
        pass
    return perf_counter() - start[0], process_time() - start[1]


def _add(one: Spent, other: Spent) -> Spent:
    return one[0] + other[0], one[1] + other[1]


def _subtract(one: Spent, other: Spent) -> Spent:
    return one[0] - other[0], one[1] - other[1]


def _sum(times) -> Spent:
    clock, cpu = zip(*times)
    return sum(clock), sum(cpu)


def _middle(times: list[Spent], n_words: int) -> dict[str, float]:
    clock, cpu = ([round(1e6 * t / n_words, 2) for t in column] for column in zip(*times))
    return {"clock": round(median(clock), 2), "cpu": round(median(cpu), 2)}


if __name__ == "__main__":
    typer.run(main)
