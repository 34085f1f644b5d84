"""Put what `make bench-growth`, `make bench-short` and `make bench-stream` measured into
docs/speed.md, and draw its pictures.

    python benchmarks/speed_tables.py

Writes between the marks there. What was not measured is left as it is.
"""

from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import plot_growth
from bulk_tables import machine_of
from plot_growth import stretch_speeds
from results_table import fill, read, table

PAGE = Path("docs/speed.md")
TITLES = {"ours": "INT8 pipeline", "cnn": "stock CNN"}
STOCK = "stock"  # in metrics/benchmark.json
THREADS = {
    "main": "main thread: spaCy's tokenizer, task heads",
    "encoder": "threads of the encoder: wordpieces, windows, pooling",
    "engine": "threads of the engine",
    "others": "threads of BLAS",
}
CONSTANTS = """\
ONE, TWO = {one:_}, {two:_}  # words/s of one process, with one and with two cores
FORKED = {forked:_}  # words/s of two processes, of one core each, by nlp.pipe(n_process=2)
COLLECT = {collect:.2f}  # µs a word of the process that collects their Docs
PROCESS, MORE = {process:_}, {more:_}  # MiB of one process, and of each one more of n_process
"""
CALCULATION = """
serial = min(1, max(0, 2 * ONE / TWO - 1))
print(f"one core at a time works on {serial:.0%}")
for cores in (2, 16, 64):
    threads = ONE / (serial + (1 - serial) / cores)
    forked = min(cores * FORKED / 2, 1e6 / COLLECT)
    print(f"{cores} cores, words/s:")
    print(f"  one process             {threads:10,.0f} {PROCESS / 1024:6.1f} GiB")
    for n, speed in ((cores // 2, TWO), (cores, ONE)):
        name = f"{n} of {cores // n} core{'s' if n < cores else ''} each"
        print(f"  {name:21}   {n * speed:10,.0f} {n * PROCESS / 1024:6.1f} GiB")
    memory = (PROCESS + cores * MORE) / 1024
    print(f"  n_process={cores:<2}            {forked:10,.0f} {memory:6.1f} GiB")
"""


def main() -> None:
    growth, short, stream = (read(f"{name}.json") for name in ("growth", "short", "stream"))
    if growth and not growth["smoke"]:
        pipelines = {TITLES[name]: found for name, found in growth["pipelines"].items()}
        plot_growth.draw(pipelines, PAGE.parent)
        fill(PAGE, "cores", [cores_section(growth, pipelines)])
        fill(PAGE, "documents", [documents_section(pipelines)])
        fill(PAGE, "corpus", [corpus_section(pipelines)])
        if on_paper := on_paper_section(growth):
            fill(PAGE, "on paper", [on_paper])
    if short and not short["smoke"]:
        fill(PAGE, "short", [short_section(short)])
    if stream and not stream["smoke"]:
        fill(PAGE, "stream", [stream_section(stream)])


def cores_section(growth: dict[str, Any], pipelines: dict[str, dict]) -> str:
    rows = []
    for number, first in enumerate(next(iter(pipelines.values()))["speed"]):
        cells = [plot_growth.describe(first)]
        for found in pipelines.values():
            row = found["speed"][number]
            cells += [f"{row['words_per_second']:,.0f}", f"{row['mebibytes']:,.0f}"]
        rows.append(cells)
    titles = [t for name in pipelines for t in (f"{name}, words/s", "memory, MiB")]
    caption = (
        f"Median of {growth['rounds']} rounds in turn on {machine_of(growth)} "
        f"({growth['machine']['cpu']}), all components, start-up not counted. Several processes "
        "are those of `nlp.pipe(n_process=…)`, which share the cores; their memory is counted "
        "together, and what they share once."
    )
    picture = f"![Words a second by cores and processes]({plot_growth.CORES})"
    return "\n\n".join(filter(None, [caption, table(["", *titles], rows), transformer(), picture]))


def transformer() -> str:
    """A line on the stock transformer, which `make bench` measures."""
    results = read("benchmark.json").get("results", {})
    ours = results.get("int8-with-lemmatizer") or results.get("int8")
    if STOCK not in results or ours is None:
        return ""
    speeds = [f"{one['infer']['words_per_second']:,.0f}" for one in (results[STOCK], ours)]
    ratio = ours["infer"]["ratio"]
    return (
        f"The stock transformer is from another run, `make bench`: {speeds[0]} words/s where the "
        f"INT8 pipeline had {speeds[1]}, {ratio:.1f} times as many."
    )


def documents_section(pipelines: dict[str, dict]) -> str:
    rows = []
    for name, found in pipelines.items():
        for row in found["documents"]:
            cells = [name, f"{row['characters']:,}"]
            if "refused" in row:
                cells += [f"refused: {row['refused']}", "", "", ""]
            else:
                more = row["peak_mebibytes"] - row["mebibytes_before"]
                cells += [
                    f"{row['seconds']:.2f} s",
                    f"{1e6 * row['seconds'] / row['words']:,.0f} µs",
                    f"{row['peak_mebibytes']:,.0f} MiB",
                    f"{1024 * more / row['words']:,.1f} KiB",
                ]
            rows.append(cells)
    titles = ["", "characters", "time, warm", "a word", "peak memory", "more than before, a word"]
    picture = f"![Time and memory of one Doc by its characters]({plot_growth.DOCUMENTS})"
    return table(titles, rows) + "\n\n" + picture


def corpus_section(pipelines: dict[str, dict]) -> str:
    rows, cuts = [], []
    for name, found in pipelines.items():
        stream = found["stream"]
        for point, (_, speed) in zip(stream["points"], stretch_speeds(stream["points"])):
            cells = [f"{point['megabytes']:g} MB", f"{point['words']:,}", f"{speed:,.0f}"]
            rows.append([name, *cells, f"{point['mebibytes']:,.0f} MiB"])
        if (cut := stream["cut_at_megabytes"]) is not None:
            missed = ", ".join(f"{size:g}" for size in stream["megabytes"][len(stream["points"]) :])
            cuts.append(
                f"The time ended the stream of the {name} at {cut:.1f} MB, after "
                f"{stream['seconds'] / 60:.1f} minutes: {missed} MB were not reached."
            )
    titles = ["", "text so far", "words", "words/s since the size before", "resident memory"]
    picture = f"![Words a second and memory by MB of text]({plot_growth.STREAM})"
    return "\n\n".join([table(titles, rows), *cuts, picture])


def on_paper_section(growth: dict[str, Any]) -> str:
    """Empty where it was not measured on two cores."""
    rows = {(r["cores"], r["processes"]): r for r in growth["pipelines"]["ours"]["speed"]}
    if not {(1, 1), (2, 1), (2, 2), (2, 4)} <= rows.keys():
        return ""
    one, two, forked, four = (rows[key] for key in ((1, 1), (2, 1), (2, 2), (2, 4)))
    more = (four["mebibytes"] - forked["mebibytes"]) / 2
    constants = CONSTANTS.format(
        one=round(one["words_per_second"]),
        two=round(two["words_per_second"]),
        forked=round(forked["words_per_second"]),
        collect=max(0.01, forked["cpu_microseconds_a_word"]),
        process=round(one["mebibytes"]),
        more=max(0, round(more)),
    )
    code = constants + CALCULATION
    said, found = StringIO(), {}
    with redirect_stdout(said):
        exec(code, found)
    best = found["ONE"] / found["serial"] if found["serial"] else None
    most = f"Threads of one process never give more than {best:,.0f} words/s. " if best else ""
    start = one["load_seconds"] + one["first_seconds"]
    prose = (
        f"{most}Each process takes {start:.1f} s of a core to import, load and compile, which pays "
        "for jobs of minutes. [`annotate`](annotate.md) and Ray have processes apart."
    )
    return f"```python\n{code}```\n\n```text\n{said.getvalue()}```\n\n{prose}"


def short_section(short: dict[str, Any]) -> str:
    total = short["milliseconds_with_timers"]
    rows = [[name, f"{ms:.3f}", f"{ms / total:.1%}"] for name, ms in short["parts"].items()]
    rows.append(["all, with timers", f"{total:.3f}", ""])
    rows.append(["all, without timers", f"{short['milliseconds']:.3f}", ""])
    caption = (
        f"{short['sentences']} sentences of {short['words']} words, one at a time, warm, "
        f"{short['rounds']} rounds, on {machine_of(short)} ({short['machine']['cpu']}). "
        f"{short['explained']:.1%} of the time is explained:"
    )
    return caption + "\n\n" + table(["", "ms", "share"], rows)


def stream_section(stream: dict[str, Any]) -> str:
    names = ["beginning", "middle", "end", "all"]
    phases = [stream["phases"][name] for name in names]
    cells = {"wall": [p["wall"] for p in phases], "cores' time": [p["cores"] for p in phases]}
    for kind in phases[0]["ran"]:
        cells[f"– {THREADS[kind]}"] = [phase["ran"][kind] for phase in phases]
    cells["– no thread ran"] = [phase["idle"] for phase in phases]
    rows = [[title, *(f"{value:.1f}" for value in row)] for title, row in cells.items()]
    caption = (
        f"µs a word of {stream['words']:,} words on {machine_of(stream)}, median of "
        f"{stream['rounds']} rounds. “Wall” is by the clock; the cores' time is that times the "
        "number of cores, and the other rows are the threads' shares of it:"
    )
    waits = [
        [THREADS[kind], what, f"{value:.1f}"]
        for kind, found in stream["waits"].items()
        for what, value in found.items()
    ]
    tables = [table(["", *names], rows), table(["who waits", "", "µs a word"], waits)]
    return "\n\n".join([caption, *tables])


if __name__ == "__main__":
    main()
