r"""Measure the server beside its pipeline alone: words a second, latency, memory, and what becomes
of requests while it loads a new generation.

    .venv-serve/bin/python benchmarks/benchmark_serve.py en_ewt_minilm_int8 \
        --texts assets/sample/train.conllu --output metrics/serve.json

The texts are sentences of 15 words, or what sentences there are, again and again; where memory is
measured, each has a word that no other has. Clients keep their connections open, and ask again as
soon as they have their answer; they run in this process, on the same cores. `nlp.pipe` and
`nlp(text)` are measured in a process of their own, before and after the server, with no records
made of their Docs: what the server does beside annotating counts against it.
"""

import asyncio
import json
import multiprocessing
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import count, cycle, islice
from pathlib import Path
from statistics import mean, median
from time import perf_counter, sleep
from typing import Annotated

import spacy
import typer
from machine import describe_machine
from sentences import read_sentences
from size_of_extra import megabytes_of
from wasabi import msg

HEAD = "POST /v1/annotate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
READY = "Serving at"
WORDS = 15
ALONE = 300  # texts or requests, one at a time; the first 50 warm up
START = 300  # seconds that a server may take to start
LEAST_RELOADED = 2_000  # requests across a reload


def main(
    model: Annotated[str, typer.Argument(help="Pipeline: a folder or an installed package")],
    texts: Annotated[Path, typer.Option(help="Sentences, as .spacy or CoNLL-U")],
    clients: Annotated[int, typer.Option(min=1)] = 64,
    n_texts: Annotated[int, typer.Option(min=1, help="For each speed")] = 8_000,
    n_requests: Annotated[int, typer.Option(min=10, help="For memory")] = 20_000,
    n_reloaded: Annotated[int, typer.Option(min=1, help="Across a reload")] = LEAST_RELOADED,
    port: Annotated[int, typer.Option()] = 8799,
    output: Annotated[Path, typer.Option()] = Path("metrics/serve.json"),
) -> None:
    """Measure the server beside its pipeline alone."""
    machine = describe_machine()
    sentences, n_words = choose_sentences(texts)
    before = measure_alone(model, sentences, n_texts)
    with serve(model, port) as server:
        latency = asyncio.run(ask(port, 1, bodies(sentences, 1, ALONE)))
        speeds = {
            n: n_texts * n_words / seconds_of(port, clients, sentences, n, n_texts) for n in (1, 8)
        }
        mebibytes = []
        numbers = count()
        for part in (n_requests // 10, n_requests - n_requests // 10):
            asyncio.run(ask(port, clients, bodies(sentences, 1, part, numbers)))
            mebibytes.append(resident_mebibytes(server.process))
        reloaded = asyncio.run(ask_while_it_reloads(server, clients, sentences, n_reloaded))
    after = measure_alone(model, sentences, n_texts)
    alone = {name: mean([before[name], after[name]]) for name in before}
    pipe = alone["texts_per_second"] * n_words
    report = {
        "command": shlex.join(["python", *sys.argv]),
        "machine": machine,
        "uvloop": find_spec("uvloop") is not None,
        "words_a_text": round(n_words, 1),
        "pipe_words_per_second": round(pipe),
        "words_per_second": {f"{n} a request": round(speed) for n, speed in speeds.items()},
        "ratio": {f"{n} a request": round(speed / pipe, 2) for n, speed in speeds.items()},
        "alone_ms": round(alone["ms"], 2),
        "latency_ms": round(1000 * median(latency[ALONE // 6 :]), 2),
        "mebibytes": mebibytes,
        "growth": round(mebibytes[1] / mebibytes[0] - 1, 3),
        "reload": reloaded,
        "megabytes_of_extra": megabytes_of("serve"),
    }
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(report, indent=2) + "\n", encoding="utf8")
    msg.table([(key, json.dumps(value)) for key, value in report.items()])


def choose_sentences(path: Path) -> tuple[list[str], float]:
    """Those of 15 words, if there are any, and their mean number of words."""
    found = read_sentences(path)
    found = [(text, n) for text, n in found if n == WORDS] or found
    return [text for text, _ in found], mean(n for _, n in found)


# The pipeline alone


def measure_alone(model: str, sentences: list[str], n_texts: int) -> dict[str, float]:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measure_alone, (model, sentences, n_texts))


def _measure_alone(model: str, sentences: list[str], n_texts: int) -> dict[str, float]:
    """`nlp.pipe` over all texts, the median of three, and `nlp(text)`, one after the other."""
    nlp = spacy.load(model)
    rates, times = [], []
    for n in (n_texts // 10, n_texts, n_texts, n_texts):  # the first warms up
        begin = perf_counter()
        for _ in nlp.pipe(islice(cycle(sentences), n)):
            pass
        rates.append(n / (perf_counter() - begin))
    for text in islice(cycle(sentences), ALONE):
        begin = perf_counter()
        nlp(text)
        times.append(perf_counter() - begin)
    return {"texts_per_second": median(rates[1:]), "ms": 1000 * median(times[ALONE // 6 :])}


# The server


@dataclass
class Server:
    process: subprocess.Popen
    log: Path
    port: int

    def n_ready(self) -> int:
        """How many generations have got ready."""
        return self.log.read_text().count(READY)


@contextmanager
def serve(model: str, port: int) -> Iterator[Server]:
    with tempfile.NamedTemporaryFile("w+") as log:
        command = [sys.executable, "-m", "spacy", "pretrained", "serve", model]
        process = subprocess.Popen([*command, "--port", str(port)], stderr=log)
        server = Server(process, Path(log.name), port)
        try:
            end = perf_counter() + START
            while not server.n_ready():
                if process.poll() is not None or perf_counter() > end:
                    msg.fail("The server does not start.", server.log.read_text(), exits=1)
                sleep(0.1)
            yield server
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait()


def children(process: int) -> list[int]:
    return list(map(int, Path(f"/proc/{process}/task/{process}/children").read_text().split()))


def resident_mebibytes(process: subprocess.Popen) -> float:
    """Of the worker: the grandchild of the supervisor."""
    (generation,) = children(process.pid)
    (worker,) = children(generation)
    (line,) = [
        line
        for line in Path(f"/proc/{worker}/status").read_text().splitlines()
        if line.startswith("VmRSS:")
    ]
    return round(int(line.split()[1]) / 1024, 1)


# Clients


def bodies(
    sentences: list[str], n: int, n_requests: int | None, numbers: Iterator[int] | None = None
) -> Iterator[bytes]:
    """Of requests of `n` texts.

    n_requests: None for endless ones.
    numbers: Makes a word for each text that no other has.
    """
    texts = cycle(sentences)
    if numbers is not None:
        texts = (f"{text} N{next(numbers)}" for text in texts)
    for _ in count() if n_requests is None else range(n_requests):
        yield json.dumps({"texts": list(islice(texts, n))}).encode()


def seconds_of(port: int, clients: int, sentences: list[str], n: int, n_texts: int) -> float:
    """For all texts, n a request."""
    begin = perf_counter()
    asyncio.run(ask(port, clients, bodies(sentences, n, n_texts // n)))
    return perf_counter() - begin


async def ask(port: int, clients: int, requests: Iterator[bytes]) -> list[float]:
    """The seconds that each request took, by clients that take them in turn."""
    seconds: list[float] = []

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for body in requests:
            begin = perf_counter()
            await exchange(reader, writer, body)
            seconds.append(perf_counter() - begin)
        writer.close()

    await asyncio.gather(*(client() for _ in range(clients)))
    return seconds


async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, body: bytes) -> bool:
    """RETURNS: Whether the connection stays open. RAISES: RuntimeError for any answer but 200."""
    writer.write(f"{HEAD}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    if not head.startswith(b"http/1.1 200"):
        raise RuntimeError(head.decode())
    (length,) = [
        int(line.partition(b":")[2])
        for line in head.splitlines()
        if line.startswith(b"content-length:")
    ]
    await reader.readexactly(length)
    return b"\r\nconnection: close" not in head


async def ask_while_it_reloads(
    server: Server, clients: int, sentences: list[str], n_requests: int
) -> dict[str, int]:
    """Half of the clients keep their connections open, the others open one for each request, from
    SIGHUP until the old generation is gone and all requests have been sent."""
    requests = bodies(sentences, 1, None)
    (old,) = children(server.process.pid)
    n_answered = n_unanswered = 0
    server.process.send_signal(signal.SIGHUP)

    def is_done() -> bool:
        n_asked = n_answered + n_unanswered
        return n_asked >= n_requests and old not in children(server.process.pid)

    async def client(keeps: bool) -> None:
        nonlocal n_answered, n_unanswered
        writer = None
        while not is_done():
            try:
                if writer is None:
                    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
                stays = await exchange(reader, writer, next(requests))
                n_answered += 1
            except (OSError, EOFError, RuntimeError):
                stays = False
                n_unanswered += 1
            if writer is not None and not (stays and keeps):
                writer.close()
                writer = None
        if writer is not None:
            writer.close()

    await asyncio.gather(*(client(number % 2 == 0) for number in range(clients)))
    return {"answered": n_answered, "unanswered": n_unanswered, "generations": server.n_ready()}


if __name__ == "__main__":
    typer.run(main)
