"""`python -m spacy pretrained check`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from wasabi import msg

from .clear_errors import clear_errors
from .interrupts import ends_when_interrupted

if TYPE_CHECKING:
    from ..corpora.check import CheckReport

MOST_LABELS = 25  # in a table
MOST_CHARACTERS = 80  # in a column


def check(
    corpus: Annotated[
        Path, typer.Argument(help="Corpus to train on: .spacy, or a folder of such files")
    ],
    config: Annotated[Path | None, typer.Argument(help="Config of the training, .cfg")] = None,
    dev: Annotated[Path | None, typer.Option(help="Corpus to score on, like CORPUS")] = None,
) -> None:
    """Check a corpus before training: labels, entities, trees and categories; with a config also
    tokens and wordpieces.

    Exit code 1 means that the training would fail, learn nothing, or learn wrong annotation.

    Example: python -m spacy pretrained check train.spacy config.cfg --dev dev.spacy
    """
    from ..corpora.check import check_corpus

    with clear_errors(), ends_when_interrupted():
        report = check_corpus(corpus, config, dev)
    show_sizes(report)
    show_labels(report)
    for level, show in (("note", msg.info), ("warning", msg.warn), ("error", msg.fail)):
        for text in report.find(level):
            show(text)
    errors, warnings = len(report.find("error")), len(report.find("warning"))
    summary = f"Errors: {errors}, warnings: {warnings}"
    if errors:
        msg.fail(summary, exits=1)
    msg.good(summary)


def show_sizes(report: "CheckReport") -> None:
    sizes = [vars(size) for size in report.sizes.values()]
    rows = [
        (name.replace("_", " "), *(f"{size[name]:,}" for size in sizes))
        for name, n in sizes[0].items()
        if n is not None
    ]
    show_table(("", *report.sizes), rows)


def show_labels(report: "CheckReport") -> None:
    """A table of each kind of labels, the most frequent first. Lemmas are too many for one."""
    from ..corpora.checks.labels import name_layer

    counts = [labels.counts for labels in report.labels.values()]
    for layer in dict.fromkeys(layer for own in counts for layer in own):
        if layer == "lemma":
            continue
        columns = [own.get(layer, {}) for own in counts]
        labels = sorted(
            {label for column in columns for label in column},
            key=lambda label: (*(-column.get(label, 0) for column in columns), label),
        )
        rows = [
            (label, *(f"{column.get(label, 0):,}" for column in columns))
            for label in labels[:MOST_LABELS]
        ]
        if len(labels) > MOST_LABELS:
            rows.append((f"and {len(labels) - MOST_LABELS:,} more", *("" for _ in columns)))
        show_table((name_layer(layer), *report.labels), rows)


def show_table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    aligns = ("l", *"r" * (len(header) - 1))
    msg.table(rows, header=header, divider=True, aligns=aligns, max_col=MOST_CHARACTERS)
