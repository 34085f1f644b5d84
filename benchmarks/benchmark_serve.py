r"""Measure the server beside its pipeline alone: words a second, latency, memory.

    .venv/bin/python benchmarks/benchmark_serve.py training/sample/model-int8 \
        --texts corpus/sample/train.spacy --output metrics/serve.json

The texts are sentences of 15 words, or what sentences there are, again and again. Clients keep
their connections open, and ask again as soon as they have their answer; they run in this process,
on the same cores. `nlp.pipe` and `nlp(text)` are measured before, in a process of their own, with
records made of their Docs as well.
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
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from time import perf_counter, sleep
from typing import Annotated

import spacy
import typer
from spacy.tokens import DocBin
from wasabi import msg

HEAD = "POST /v1/annotate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
WORDS = 15
START = 300  # seconds that a server may take to start


def main(
    model: Annotated[str, typer.Argument(help="Pipeline: a folder or an installed package")],
    texts: Annotated[Path, typer.Option(help="DocBin with sentences")],
    clients: Annotated[int, typer.Option(min=1)] = 64,
    n_texts: Annotated[int, typer.Option(min=1, help="For each speed")] = 8_000,
    n_requests: Annotated[int, typer.Option(min=10, help="For memory")] = 20_000,
    port: Annotated[int, typer.Option()] = 8799,
    output: Annotated[Path, typer.Option()] = Path("metrics/serve.json"),
) -> None:
    """Measure the server beside its pipeline alone."""
    sentences, n_words = read_sentences(texts)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        alone = pool.apply(measure_alone, (model, sentences, n_texts))
    with serve(model, port) as process:
        latency = asyncio.run(ask(port, 1, bodies(sentences, 1, 300)))
        speeds = {
            n: n_texts * n_words / sum_of(port, clients, sentences, n, n_texts) for n in (1, 8)
        }
        mebibytes = []
        for part in (n_requests // 10, n_requests - n_requests // 10):
            asyncio.run(ask(port, clients, bodies(sentences, 1, part)))
            mebibytes.append(resident_mebibytes(process))
    report = {
        "command": shlex.join(["python", *sys.argv]),
        "words_a_text": round(n_words, 1),
        "pipe_words_per_second": round(alone["texts_per_second"] * n_words, 1),
        "words_per_second": {f"{n} a request": round(speed, 1) for n, speed in speeds.items()},
        "ratio": {
            f"{n} a request": round(speed / n_words / alone["texts_per_second"], 2)
            for n, speed in speeds.items()
        },
        "alone_ms": round(alone["ms"], 2),
        "latency_ms": round(1000 * median(latency[50:]), 2),
        "mebibytes": mebibytes,
        "growth": round(mebibytes[1] / mebibytes[0] - 1, 3),
    }
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(report, indent=2) + "\n", encoding="utf8")
    msg.table([(key, json.dumps(value)) for key, value in report.items()])


def read_sentences(path: Path) -> tuple[list[str], float]:
    """Sentences, and their mean number of words."""
    docs = list(DocBin().from_disk(path).get_docs(spacy.blank("xx").vocab))
    found = [sent for doc in docs if doc.has_annotation("SENT_START") for sent in doc.sents]
    if not found:
        msg.fail(f"{path} has no sentences.", exits=1)
    found = [sent for sent in found if len(sent) == WORDS] or found
    return [sent.text for sent in found], sum(map(len, found)) / len(found)


def measure_alone(model: str, sentences: list[str], n_texts: int) -> dict[str, float]:
    """`nlp.pipe` over all texts, the median of three, and `nlp(text)`, one after the other."""
    from spacy_pretrained.records import to_record

    nlp = spacy.load(model)
    rates, times = [], []
    for n in (n_texts // 10, n_texts, n_texts, n_texts):  # the first warms up
        begin = perf_counter()
        for doc in nlp.pipe(islice(cycle(sentences), n)):
            to_record(doc)
        rates.append(n / (perf_counter() - begin))
    for text in islice(cycle(sentences), 300):
        begin = perf_counter()
        to_record(nlp(text))
        times.append(perf_counter() - begin)
    return {"texts_per_second": median(rates[1:]), "ms": 1000 * median(times[50:])}


@contextmanager
def serve(model: str, port: int) -> Iterator[subprocess.Popen]:
    with tempfile.NamedTemporaryFile("w+") as log:
        command = [sys.executable, "-m", "spacy", "pretrained", "serve", model]
        process = subprocess.Popen([*command, "--port", str(port)], stderr=log)
        try:
            end = perf_counter() + START
            while "Serving at" not in Path(log.name).read_text():
                if process.poll() is not None or perf_counter() > end:
                    msg.fail("The server does not start.", Path(log.name).read_text(), exits=1)
                sleep(0.1)
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait()


def bodies(sentences: list[str], n: int, n_requests: int) -> Iterator[bytes]:
    texts = cycle(sentences)
    for _ in range(n_requests):
        yield json.dumps({"texts": list(islice(texts, n))}).encode()


def sum_of(port: int, clients: int, sentences: list[str], n: int, n_texts: int) -> float:
    """Seconds for all texts, n a request."""
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
            writer.write(f"{HEAD}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(head.decode())
            (length,) = [
                int(line.partition(b":")[2])
                for line in head.splitlines()
                if line.lower().startswith(b"content-length:")
            ]
            await reader.readexactly(length)
            seconds.append(perf_counter() - begin)
        writer.close()

    await asyncio.gather(*(client() for _ in range(clients)))
    return seconds


def resident_mebibytes(process: subprocess.Popen) -> float:
    """Of the worker: the grandchild of the supervisor."""
    worker = process.pid
    for _ in range(2):
        path = Path(f"/proc/{worker}/task/{worker}/children")
        worker = int(path.read_text().split()[0])
    (line,) = [
        line
        for line in Path(f"/proc/{worker}/status").read_text().splitlines()
        if line.startswith("VmRSS:")
    ]
    return round(int(line.split()[1]) / 1024, 1)


if __name__ == "__main__":
    typer.run(main)
