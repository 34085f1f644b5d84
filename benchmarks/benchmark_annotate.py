r"""Measure `annotate` beside `nlp.pipe` in one process: words a second, memory, what records cost.

    .venv-serve/bin/python benchmarks/benchmark_annotate.py en_ewt_minilm_int8 \
        --texts assets/sample/train.conllu --output metrics/annotate.json

The texts are sentences, again and again. `nlp.pipe` takes a part of them before the command and
the same part after it, in processes of their own, with all cores, and without the seconds in which
it starts. The command runs as a user starts it: all of its seconds count. Sizes of records are
those of each sentence once: what comes twice is compressed away. Needs Linux, for memory.
"""

import json
import multiprocessing
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import cycle, islice
from pathlib import Path
from statistics import mean, median
from time import perf_counter, process_time, sleep
from typing import Annotated

import typer
from machine import describe_machine
from sentences import read_sentences
from wasabi import msg

PIECE = 2_000  # texts whose Docs are held at once, to see what their records cost
PARTS = ("tokens,deps,sents,ents,spans,cats", "ents")  # of which sizes are measured


def main(
    model: Annotated[str, typer.Argument(help="Pipeline: a folder or an installed package")],
    texts: Annotated[Path, typer.Option(help="Sentences, as .spacy or CoNLL-U")],
    n_texts: Annotated[int, typer.Option(min=1)] = 100_000,
    workers: Annotated[int, typer.Option(min=0, help="0: the command's own default")] = 0,
    output: Annotated[Path, typer.Option()] = Path("metrics/annotate.json"),
) -> None:
    """Measure `annotate` beside `nlp.pipe` in one process."""
    machine = describe_machine()
    sentences = [text for text, _ in read_sentences(texts)]
    n_alone = -(-n_texts // 5)
    with tempfile.TemporaryDirectory() as folder:
        start = [
            annotate(model, sentences[:1], Path(folder, f"start{i}"), workers) for i in range(2)
        ]
        before = measure_alone(model, sentences, n_alone)
        done = annotate(model, islice(cycle(sentences), n_texts), Path(folder, "all"), workers)
        after = measure_alone(model, sentences, n_alone)
        sizes = measure_sizes(model, sentences, Path(folder), before["words"] / n_alone)
    words = n_texts * before["words"] / n_alone
    speed = words / done["seconds"]
    alone = mean(one["words_per_second"] for one in (before, after))
    memory = max(one["mebibytes"] for one in (before, after))
    report = {
        "command": shlex.join(["python", *sys.argv]),
        "machine": machine,
        "texts": n_texts,
        "words_a_text": round(words / n_texts, 1),
        "pipe_words_per_second": [round(one["words_per_second"]) for one in (before, after)],
        "words_per_second": round(speed),
        "ratio": round(speed / alone, 3),
        "seconds": round(done["seconds"], 1),
        "seconds_for_one_text": round(min(one["seconds"] for one in start), 1),
        "records_of_annotating": round(mean(one["records"] for one in (before, after)), 3),
        "pipe_mebibytes": memory,
        "mebibytes_a_worker": done["mebibytes"],
        "mebibytes_more": round(max(done["mebibytes"]) - memory, 1),
        "bytes_a_word": sizes,
    }
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(report, indent=2) + "\n", encoding="utf8")
    msg.table([(key, json.dumps(value)) for key, value in report.items()])


def measure_alone(model: str, sentences: list[str], n_texts: int) -> dict[str, float]:
    """`nlp.pipe` in a process of its own: words, words a second, peak memory, and the CPU time of
    records over that of annotating."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measure_alone, (model, sentences, n_texts))


def _measure_alone(model: str, sentences: list[str], n_texts: int) -> dict[str, float]:
    import spacy

    from spacy_pretrained.records import to_record

    nlp = spacy.load(model)
    for _ in nlp.pipe(islice(cycle(sentences), PIECE)):  # engines compile
        pass
    begin = perf_counter()
    words = sum(map(len, nlp.pipe(islice(cycle(sentences), n_texts))))
    speed = words / (perf_counter() - begin)
    peak = peak_mebibytes("self")
    shares = []
    for _ in range(3):
        begin = process_time()
        docs = list(nlp.pipe(islice(cycle(sentences), PIECE)))
        annotated = process_time()
        for doc in docs:
            to_record(doc)
        shares.append((process_time() - annotated) / (annotated - begin))
    return {
        "words": words,
        "words_per_second": speed,
        "mebibytes": peak,
        "records": median(shares),
    }


def annotate(
    model: str, texts: Iterator[str] | list[str], folder: Path, workers: int, *options: str
) -> dict:
    """The command: its seconds, and the peak memory of each of its processes that annotate."""
    folder.mkdir()
    with (folder / "texts.jsonl").open("w", encoding="utf8") as file:
        file.writelines(json.dumps({"text": text}) + "\n" for text in texts)
    command = [sys.executable, "-m", "spacy", "pretrained", "annotate", model]
    command += [str(folder / "texts.jsonl"), str(folder / "out"), "--workers", str(workers)]
    begin = perf_counter()
    process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True)
    peaks: dict[int, float] = {}
    while process.poll() is None:
        for worker in children(process.pid):
            peaks[worker] = peak_mebibytes(worker) or peaks.get(worker, 0.0)
        sleep(0.1)
    seconds = perf_counter() - begin
    if process.returncode:
        msg.fail("The command failed.", process.stdout.read(), exits=1)
    # Python's own keeper of resources is a child, too.
    return {"seconds": seconds, "mebibytes": sorted(peak for peak in peaks.values() if peak > 50)}


def measure_sizes(
    model: str, sentences: list[str], folder: Path, words_a_text: float
) -> dict[str, float]:
    """Bytes a word of what is written, each sentence once, by format and parts."""
    once = list(dict.fromkeys(sentences))
    formats = ["jsonl", "parquet"] if find_spec("pyarrow") else ["jsonl"]
    found = {}
    for form in formats:
        for parts in PARTS:
            name = f"{form}, {'all' if parts is PARTS[0] else parts}"
            annotate(model, once, folder / name, 1, "--format", form, "--what", parts)
            size = sum(path.stat().st_size for path in (folder / name / "out").glob("part-*"))
            found[name] = round(size / (len(once) * words_a_text), 1)
    return found


def children(process: int) -> list[int]:
    try:
        return list(map(int, Path(f"/proc/{process}/task/{process}/children").read_text().split()))
    except OSError:
        return []


def peak_mebibytes(process: int | str) -> float:
    """Resident at its most; 0 when it has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0.0
    found = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
    return round(int(found[0]) / 1024, 1) if found else 0.0


if __name__ == "__main__":
    typer.run(main)
