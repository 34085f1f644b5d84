"""Put what `make bench-annotate` and `make bench-serve` measured into docs/annotate.md,
docs/serve.md and docs/scale.md.

    python benchmarks/bulk_tables.py

Writes between the marks there. What was not measured is left as it is.
"""

from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

from results_table import fill, read, table

A_REQUEST = {"1 a request": "a text a request", "8 a request": "8 texts a request"}
VNNI = {"avx_vnni", "avx512_vnni"}
CONSTANTS = """\
TEXTS, WORDS, CORES = 1_000_000_000, 100, 16
WORDS_PER_SECOND = {words_per_second:,}  # a core
START = {start}  # seconds: imports, loading, compiling
RECORD = {{"jsonl": {jsonl}, "parquet": {parquet}}}  # bytes a word, all parts
SHARD = 1000  # texts
"""
CALCULATION = """
words = TEXTS * WORDS
for machines in (1, 10, 1000):
    seconds = words / (machines * CORES * WORDS_PER_SECOND)
    shard = SHARD * WORDS / WORDS_PER_SECOND  # a killed process loses up to three
    print(
        f"{machines:5} machines: {(seconds + START) / 3600:7.1f} hours,",
        f"start {START / (seconds + START):.1%}, a shard {shard:.0f} s,",
        f"jsonl {RECORD['jsonl'] * words / machines / seconds / 1e6:.0f} MB/s a machine",
    )
print({name: f"{size * words / 1e12:.1f} TB" for name, size in RECORD.items()})
"""


def main() -> None:
    if annotate := read("annotate.json"):
        fill(Path("docs/annotate.md"), "speed", [annotate_table(annotate)])
        if "parquet, all" in annotate["bytes_a_word"]:
            fill(Path("docs/scale.md"), "a billion texts", [a_billion_texts(annotate)])
    if serve := read("serve.json"):
        fill(Path("docs/serve.md"), "speed", [serve_table(serve)])


def annotate_table(report: dict[str, Any]) -> str:
    first, second = report["pipe_words_per_second"]
    rows = [
        ["words a second, start-up included", f"{report['words_per_second']:,}"],
        ["– by `nlp.pipe` in one process, before and after", f"{first:,} and {second:,}"],
        ["– ratio", f"{report['ratio']:.2f}"],
        ["seconds for a single text: the start-up", f"{report['seconds_for_one_text']}"],
        [
            "CPU time of records, all parts, over that of annotating",
            percent(report["records_of_annotating"]),
        ],
        ["peak memory of a process", f"{max(report['mebibytes_a_worker']):.0f} MiB"],
        ["– over that of `nlp.pipe`", f"{report['mebibytes_more']:+.0f} MiB"],
    ]
    n, words = report["texts"], report["words_a_text"]
    caption = (
        f"{n:,} sentences of {words:.0f} words, by the INT8 pipeline of `pipelines/` on "
        f"{machine_of(report)}, in an environment without PyTorch (`make bench-annotate`):"
    )
    return f"{caption}\n\n{table(['', ''], rows)}"


def serve_table(report: dict[str, Any]) -> str:
    speeds, ratios = report["words_per_second"], report["ratio"]
    rows = [
        [f"words a second, 64 clients, {title}", f"{speeds[name]:,}", f"{ratios[name]:.2f}"]
        for name, title in A_REQUEST.items()
    ]
    alone, latency = report["alone_ms"], report["latency_ms"]
    first, last = report["mebibytes"]
    reload = report["reload"]
    rows += [
        ["latency, one client", f"{latency:.1f} ms", f"{latency - alone:+.1f} ms"],
        [
            "memory after 2,000 requests, and after 20,000",
            f"{first:.0f} and {last:.0f} MiB",
            percent(report["growth"], "+"),
        ],
        [
            "requests while new versions are loaded",
            f"{reload['answered'] + reload['unanswered']:,}",
            f"{reload['unanswered']} unanswered",
        ],
    ]
    header = ["", "measured", "beside the pipeline alone"]
    caption = (
        f"Texts of {report['words_a_text']:.0f} words, by the INT8 pipeline of `pipelines/` on "
        f"{machine_of(report)}, which the clients share (`make bench-serve`):"
    )
    advice = (
        "Many texts in a request, or many requests at a time, share batches. A client that asks "
        "for one text at a time waits as long as `nlp(text)` and the request itself take."
    )
    return f"## How fast it is\n\n{caption}\n\n{table(header, rows)}\n\n{advice}"


def a_billion_texts(report: dict[str, Any]) -> str:
    sizes = report["bytes_a_word"]
    a_core = report["words_per_second"] // len(report["mebibytes_a_worker"])
    constants = CONSTANTS.format(
        words_per_second=a_core,
        start=report["seconds_for_one_text"],
        jsonl=sizes["jsonl, all"],
        parquet=sizes["parquet, all"],
    ).replace(f"{a_core:,}", f"{a_core:_}")
    code = constants + CALCULATION
    said, found = StringIO(), {}
    with redirect_stdout(said):
        exec(code, found)
    terabytes = {name: found["words"] * size / 1e12 for name, size in sizes.items()}
    minutes = found["seconds"] / 60  # of a thousand machines
    gigabytes = found["words"] * sizes["jsonl, all"] / found["seconds"] / 1e9
    processes, lost = 1000 * found["CORES"], 3 * found["shard"]
    prose = f"""\
What breaks first:

- **One machine: the disk.** All parts as jsonl take {terabytes["jsonl, all"]:.0f} TB. Write
  parquet ({terabytes["parquet, all"]:.1f} TB), or ask for less: `--what ents` takes
  {terabytes["jsonl, ents"]:.1f} TB as jsonl. A million files in a folder are slow to list:
  `--shard 10000`.
- **Ten machines: nothing.** A process that is killed costs its shards, {lost:.0f} s of work.
- **A thousand machines: what they share.** {processes:,} processes that load a pipeline of 100 MB
  from one place read {processes / 1e4:.1f} TB; storage takes {gigabytes:.0f} GB/s of jsonl. The
  work takes {minutes:.0f} minutes, so starting the machines may take as long. On Ray, one scheduler
  handles {processes:,} actors and a million blocks: raise the rows of a block, or run one job for
  each hundred machines."""
    intro = f"""\
This is a calculation, not a measurement. It takes what `make bench-annotate` measured on
{machine_of(report)}: the speed of a core, the start-up, and sizes of records, by the INT8 pipeline
of `pipelines/`. A CPU without VNNI runs INT8 no faster than fp32, [less than half as
fast](quantization.md): measure yours. Texts have 100 words, machines 16 cores."""
    printed = said.getvalue()
    return f"{intro}\n\n```python\n{code}```\n\n```text\n{printed}```\n\n{prose}"


def machine_of(report: dict[str, Any]) -> str:
    """What decides how fast INT8 is."""
    machine = report["machine"]
    flags = set(machine["cpu_flags"])
    kind = "with AMX" if "amx_int8" in flags else "with VNNI" if flags & VNNI else "without VNNI"
    return f"{machine['cores']} cores {kind}"


def percent(share: float, sign: str = "") -> str:
    return f"{share:{sign}.1%}"


if __name__ == "__main__":
    main()
