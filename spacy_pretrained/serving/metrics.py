"""Figures of a server, in the text format of Prometheus.

They are an array in memory that all workers of a generation share, a row a worker: whoever is asked
answers for all. A worker writes only its own row, in one thread at a time a column, so nothing is
locked. What is counted is known from the start, and none of it comes from a request.
"""

import mmap
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate

import numpy as np

STATUSES = (200, 400, 401, 404, 405, 408, 413, 415, 422, 499, 500, 503)
BATCHES = (1, 2, 4, 8, 16, 32, 64)
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
# The model of a request that has none: other paths, and bad requests.
NO_MODEL = ""
PREFIX = "spacy_pretrained_"

Model = tuple[str, str]  # name and version


class Board:
    """The figures of all workers.

    models: Of all pipelines that are served.
    """

    def __init__(self, models: Sequence[Model], workers: int):
        self.models = [(NO_MODEL, ""), *models]
        shape = workers, len(self.models), Row.WIDTH
        # Anonymous, and so shared with whoever is forked.
        memory = mmap.mmap(-1, 8 * int(np.prod(shape)))
        self._values = np.frombuffer(memory, dtype="float64").reshape(shape)

    def row(self, worker: int) -> "Row":
        """The part that a worker writes. What it has counted before it died stays; nothing waits in
        one that begins."""
        row = Row(self._values[worker], [name for name, _ in self.models])
        for name, _ in self.models:
            row.set_waiting(name, 0)
        return row

    def render(self) -> str:
        """RETURNS: As Prometheus reads it, version 0.0.4 of the format."""
        return "".join(f"{line}\n" for line in self._lines())

    def _lines(self) -> Iterator[str]:
        totals = self._values.sum(axis=0)
        models = [
            (f'model="{_escape(name)}",version="{_escape(version)}"', row)
            for (name, version), row in zip(self.models, totals)
        ]
        yield from _head("requests_total", "counter", "Requests that were answered, by status.")
        for labels, row in models:
            for status, n in zip((*STATUSES, "other"), row[Row.REQUESTS]):
                if n:
                    yield f'{PREFIX}requests_total{{{labels},status="{status}"}} {n:.0f}'
        yield from _head("request_seconds", "histogram", "From a request to the end of its answer.")
        for labels, row in models:
            yield from _histogram("request_seconds", labels, SECONDS, row[Row.LATENCY])
        yield from _head("batch_texts", "histogram", "Texts that were annotated at a time.")
        for labels, row in models[1:]:
            yield from _histogram("batch_texts", labels, BATCHES, row[Row.BATCHES])
        yield from _head("words_total", "counter", "Tokens that were annotated.")
        for labels, row in models[1:]:
            yield f"{PREFIX}words_total{{{labels}}} {row[Row.WORDS]:.0f}"
        yield from _head("waiting_texts", "gauge", "Texts that wait for a batch to begin.")
        for labels, row in models[1:]:
            yield f"{PREFIX}waiting_texts{{{labels}}} {row[Row.WAITING]:.0f}"


class Row:
    """What one worker counts, (models, WIDTH): a histogram is its counts by bucket, one for what is
    above all, and the sum."""

    REQUESTS = slice(0, len(STATUSES) + 1)
    LATENCY = slice(REQUESTS.stop, REQUESTS.stop + len(SECONDS) + 2)
    BATCHES = slice(LATENCY.stop, LATENCY.stop + len(BATCHES) + 2)
    WORDS = BATCHES.stop
    WAITING = WORDS + 1
    WIDTH = WAITING + 1

    def __init__(self, values: np.ndarray, names: list[str]):
        self._rows = {name: values[i] for i, name in enumerate(names)}

    def count_request(self, model: str, status: int, seconds: float) -> None:
        place = STATUSES.index(status) if status in STATUSES else len(STATUSES)
        row = self._rows[model]
        row[Row.REQUESTS][place] += 1
        _count(row[Row.LATENCY], SECONDS, seconds)

    def count_batch(self, model: str, n_texts: int, n_words: int) -> None:
        row = self._rows[model]
        _count(row[Row.BATCHES], BATCHES, n_texts)
        row[Row.WORDS] += n_words

    def set_waiting(self, model: str, n_texts: int) -> None:
        self._rows[model][Row.WAITING] = n_texts


def _count(histogram: np.ndarray, bounds: Sequence[float], value: float) -> None:
    histogram[bisect_left(bounds, value)] += 1
    histogram[-1] += value


def _head(name: str, kind: str, text: str) -> Iterator[str]:
    yield f"# HELP {PREFIX}{name} {text}"
    yield f"# TYPE {PREFIX}{name} {kind}"


def _histogram(
    name: str, labels: str, bounds: Sequence[float], values: np.ndarray
) -> Iterator[str]:
    *counts, total = values.tolist()
    for bound, n in zip((*bounds, "+Inf"), accumulate(counts)):
        yield f'{PREFIX}{name}_bucket{{{labels},le="{bound}"}} {n:.0f}'
    yield f"{PREFIX}{name}_sum{{{labels}}} {total:.6f}"
    yield f"{PREFIX}{name}_count{{{labels}}} {sum(counts):.0f}"


def _escape(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
