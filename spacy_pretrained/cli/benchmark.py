"""`python -m spacy pretrained benchmark`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from wasabi import msg

from .clear_errors import clear_errors
from .interrupts import cleans_up_when_terminated

if TYPE_CHECKING:
    from ..benchmarking.benchmark import Results


def benchmark(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE...",
            help="Encoders that are on this machine (a name such as minilm-l6, a folder, "
            "package:NAME or OWNER/NAME), and pipelines (a folder or a package)",
        ),
    ],
    train: Annotated[bool, typer.Option("--train", help="Measure training, too")] = False,
    lengths: Annotated[str, typer.Option(help="Words per text")] = "16,64,256",
    batch: Annotated[str, typer.Option(help="Words per batch; several as 500,1500")] = "1500",
    output: Annotated[Path | None, typer.Option("--json", help="JSON file for all figures")] = None,
    plot: Annotated[Path | None, typer.Option(help="Picture to write: .png, .svg or .pdf")] = None,
) -> None:
    """Measure the speed and the peak memory of encoders and pipelines on this machine.

    Measures inference in fp32 and INT8 and, with --train, training, on generated texts, each in a
    process of its own. An encoder is measured with a tagger behind it. INT8 copies are made for the
    measurement only. Run nothing else at the same time, or the speeds are not comparable.

    Example: python -m spacy pretrained benchmark minilm-l6 --train --json benchmark.json
    """
    with clear_errors(), cleans_up_when_terminated():
        from dataclasses import asdict

        from ..benchmarking.benchmark import benchmark as run
        from ..benchmarking.benchmark import describe_machine, read_numbers
        from .outputs import check_writable

        numbers = {
            "lengths": read_numbers("--lengths", lengths),
            "batches": read_numbers("--batch", batch),
        }
        if plot is not None:
            from ..benchmarking.plot import check_picture

            check_picture(plot)
        for path in filter(None, (output, plot)):
            check_writable(path)
        results = run(sources, train=train, report=msg.info, **numbers)
        show(results)
        if output is not None:
            found = {"machine": describe_machine()} | asdict(results)
            output.write_text(json.dumps(found, indent=2) + "\n", encoding="utf8")
            msg.good(f"Written to {output}")
        if plot is not None:
            from ..benchmarking.plot import plot_benchmark

            plot_benchmark(results, plot)
            msg.good(f"Saved {plot}")


def show(results: "Results") -> None:
    rows = [
        (
            one.source,
            one.task,
            f"{one.precision}, {one.engine}",
            f"{one.words_a_text:,}",
            f"{one.words_a_batch:,}",
            f"{one.words_per_second:,.0f}",
            f"{one.peak_bytes / 1e9:.2f} GB",
            f"{one.import_bytes / 1e9:.2f} GB",
        )
        for one in results.measurements
    ]
    header = ("SOURCE", "", "PRECISION", "TEXT", "BATCH", "WORDS/S", "PEAK", "IMPORTS")
    msg.table(rows, header=header, divider=True, aligns=("l", "l", "l", *"rrrrr"), max_col=40)
    print(
        "TEXT, BATCH: words. PEAK: of the process's memory. IMPORTS: of it, what Python, spaCy and "
        "the engine take before a model is loaded."
    )
    for note in results.notes:
        msg.warn(note)
