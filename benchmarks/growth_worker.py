r"""Measure one figure for benchmark_growth.py, in a process of its own: JSON on standard output.

    python benchmarks/growth_worker.py speed en_ewt_minilm_int8 --texts assets/sample/train.conllu

It runs in the environment of what it measures (on Linux) and imports only what that needs. PyTorch
is hidden: spaCy imports it wherever it is, which would count as memory of a pipeline without it.
"""

import argparse
import json
import os
import re
import sys
from itertools import cycle, islice
from pathlib import Path
from time import perf_counter, process_time

# By these, engine and BLAS know how many threads to use.
THREADS = tuple(
    f"{owner}_THREADS" for owner in ("SPACY_PRETRAINED", "OMP_NUM", "OPENBLAS_NUM", "MKL_NUM")
)


def measure_speed(arguments: argparse.Namespace) -> dict:
    """Words a second of `nlp.pipe` in one process or several. The clock starts when the first
    batches are out and stops while others are under way: at both ends all cores have work."""
    nlp, sentences, load_seconds = load(arguments)
    n_words = sum(n for _, n in sentences) / len(sentences)
    n_texts = max(8 * arguments.processes, round(arguments.words / n_words))
    batch = min(nlp.batch_size, n_texts // (4 * arguments.processes))
    skipped = arguments.processes * batch
    texts = islice(cycle(text for text, _ in sentences), n_texts)
    begin = perf_counter()
    docs = iter(nlp.pipe(texts, n_process=arguments.processes, batch_size=batch))
    next(docs)
    first_seconds = perf_counter() - begin
    exhaust(islice(docs, skipped - 1))
    begin, cpu = perf_counter(), process_time()
    words = sum(map(len, islice(docs, n_texts - 2 * skipped)))
    seconds, cpu = perf_counter() - begin, process_time() - cpu
    memory = proportional_mebibytes()
    exhaust(docs)  # which ends the processes
    return {
        "words": words,
        "words_per_second": words / seconds,
        "load_seconds": load_seconds,
        "first_seconds": first_seconds,
        # Of this process alone. Of several it is the one that collects the Docs of the others.
        "cpu_microseconds_a_word": 1e6 * cpu / words,
        "mebibytes": memory,
    }


def measure_document(arguments: argparse.Namespace) -> dict:
    """Seconds and peak memory of one Doc of so many characters."""
    nlp, sentences, _ = load(arguments)
    if arguments.characters > nlp.max_length:
        return {"refused": f"nlp.max_length is {nlp.max_length:,}"}
    text = make_text([text for text, _ in sentences], arguments.characters)
    nlp("A first text.")
    before = read_mebibytes("VmRSS")
    begin = perf_counter()
    words = len(nlp(text))
    first_seconds = perf_counter() - begin  # an engine may compile for new shapes
    peak = read_mebibytes("VmHWM")
    begin = perf_counter()
    nlp(text)
    return {
        "words": words,
        "first_seconds": first_seconds,
        "seconds": perf_counter() - begin,
        "mebibytes_before": before,
        "peak_mebibytes": peak,
    }


def measure_stream(arguments: argparse.Namespace) -> dict:
    """Words a second and resident memory while a corpus streams through, a sentence a text. Ends
    with the last of the sizes, or when the seconds are over."""
    nlp, sentences, _ = load(arguments)
    texts = [text for text, _ in sentences]
    sizes = cycle([len(text.encode()) + 1 for text in texts])  # with the end of its line
    exhaust(nlp.pipe(texts))  # engines compile
    wanted = [float(size) for size in arguments.megabytes.split(",")]
    points: list[dict] = []
    n_bytes = words = 0
    begin = perf_counter()
    docs = nlp.pipe(cycle(texts))
    for doc, size in zip(docs, sizes):
        n_bytes += size
        words += len(doc)
        seconds = perf_counter() - begin
        if n_bytes >= 1e6 * wanted[len(points)]:
            points.append(
                {
                    "megabytes": wanted[len(points)],
                    "words": words,
                    "seconds": seconds,
                    "mebibytes": read_mebibytes("VmRSS"),
                    "strings": len(nlp.vocab.strings),
                }
            )
        if len(points) == len(wanted) or seconds >= arguments.seconds:
            break
    is_cut = len(points) < len(wanted)
    return {
        "points": points,
        "seconds": seconds,
        "cut_at_megabytes": n_bytes / 1e6 if is_cut else None,
        "peak_mebibytes": read_mebibytes("VmHWM"),
    }


def load(arguments: argparse.Namespace) -> tuple:
    """The pipeline, the sentences with their numbers of words, and the seconds of importing and
    loading."""
    begin = perf_counter()
    import spacy

    nlp = spacy.load(arguments.pipeline)
    seconds = perf_counter() - begin
    from sentences import read_sentences

    return nlp, read_sentences(Path(arguments.texts)), seconds


def make_text(sentences: list[str], n_characters: int) -> str:
    """A text of exactly so many characters; the last word may be cut."""
    repeated = cycle(sentences)
    parts, length = [], 0
    while length <= n_characters:
        parts.append(next(repeated))
        length += len(parts[-1]) + 1
    return " ".join(parts)[:n_characters]


def exhaust(items) -> None:
    for _ in items:
        pass


def read_mebibytes(name: str) -> float:
    """Of this process: "VmRSS" is its resident memory, "VmHWM" the most of it so far."""
    status = Path("/proc/self/status").read_text()
    return round(int(re.search(rf"{name}:\s+(\d+) kB", status)[1]) / 1024, 1)


def proportional_mebibytes() -> float:
    """Memory of this process and its children; what several share is counted once in all."""
    tasks = Path("/proc/self/task").iterdir()
    children = [pid for task in tasks for pid in (task / "children").read_text().split()]
    kilobytes = 0
    for pid in ["self", *children]:
        rollup = Path("/proc", pid, "smaps_rollup").read_text()
        kilobytes += int(re.search(r"Pss:\s+(\d+) kB", rollup)[1])
    return round(kilobytes / 1024, 1)


KINDS = {"speed": measure_speed, "document": measure_document, "stream": measure_stream}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=list(KINDS))
    parser.add_argument("pipeline", help="a folder or an installed package")
    parser.add_argument("--texts", required=True, help="sentences, as .spacy or CoNLL-U")
    parser.add_argument("--cores", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--words", type=int, default=200_000, help="of `speed`")
    parser.add_argument("--characters", type=int, default=1000, help="of `document`")
    parser.add_argument("--megabytes", default="1", help="of `stream`: sizes to measure at")
    parser.add_argument("--seconds", type=float, default=60, help="of `stream`: at most")
    arguments = parser.parse_args()

    # Before anything heavy is imported.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: arguments.cores])
    for variable in THREADS:
        os.environ[variable] = str(max(1, arguments.cores // arguments.processes))
    sys.modules["torch"] = None
    # Whatever a library prints goes to stderr: stdout is for the answer.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    from benchmark_worker import describe

    answer = KINDS[arguments.kind](arguments)
    versions = describe()["versions"]
    versions.pop("torch", None)  # it is hidden
    print(json.dumps(answer | {"versions": versions}), file=answers, flush=True)


if __name__ == "__main__":
    main()
