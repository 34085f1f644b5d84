"""The table of a training: a row an evaluation, no wider than the terminal.

                 loss               scores, %
      E       #  encoder      ner    tag   ents  score
    ---  ------  -------  -------  -----  -----  -----
      0       0    97.06   160.53   0.00   0.00   0.00
      1      50    29068     3901  62.16  57.81  59.98

spaCy's own cuts names after ten letters, and "Loss pretrained_tagger" is "LOSS PRETR..." as others.
"""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import IO, Any

from spacy.language import Language

# What a title leaves out of a name, as long as it still differs from the others.
PREFIXES = ("pretrained_", "trainable_", "biaffine_", "dep_")
SUFFIXES = ("_acc", "_score", "_f")
# These scores stand in this order, whatever that of the config; those of other names come after.
ORDER = ["sents_f", "tag_acc", "pos_acc", "morph_acc", "lemma_acc", "dep_uas", "dep_las", "ents_f"]
UNLIMITED = 10_000


@dataclass(frozen=True)
class Column:
    """group: the heading that it shares with its neighbours. keys: losses that it adds up, or the
    score that it shows."""

    group: str
    title: str
    width: int
    keys: tuple[str, ...] = ()


EPOCH, STEP = Column("", "E", 3), Column("", "#", 6)
LOSS, SCORE = "loss", "scores, %"
TOTAL = Column(SCORE, "score", 5)


class TrainingTable:
    def __init__(
        self, components: Iterable[str], weights: Mapping[str, float | None], width: int
    ) -> None:
        """components: those with a loss. weights: `[training.score_weights]`. width: in letters."""
        for columns, gap in layouts(list(components), weights):
            self._columns, self._gap = columns, " " * gap
            if len(self._row(column.title for column in columns)) <= width:
                break

    def header(self) -> str:
        titles = self._row(column.title for column in self._columns)
        rules = self._row("-" * column.width for column in self._columns)
        return f"{self._headings()}\n{titles}\n{rules}"

    def row(self, info: dict[str, Any]) -> str:
        """info: what spaCy tells a logger of an evaluation."""
        return self._row(cell(column, info) for column in self._columns)

    def _headings(self) -> str:
        line, start = "", 0
        group = ""
        for column in self._columns:
            if column.group != group:
                group = column.group
                line = line.ljust(start) + group
            start += column.width + len(self._gap)
        return line

    def _row(self, cells: Iterable[str]) -> str:
        return self._gap.join(
            text.rjust(column.width) for text, column in zip(cells, self._columns, strict=True)
        )


def training_table(nlp: Language, stdout: IO) -> TrainingTable:
    """The table for a pipeline about to be trained. Frozen components have no loss."""
    training = nlp.config["training"]
    components = [
        name
        for name, pipe in nlp.pipeline
        if getattr(pipe, "is_trainable", False) and name not in training["frozen_components"]
    ]
    return TrainingTable(components, training["score_weights"], terminal_width(stdout))


def layouts(
    components: list[str], weights: Mapping[str, float | None]
) -> Iterator[tuple[list[Column], int]]:
    """Columns and the gap between them, from the widest layout to the narrowest."""
    losses = columns_of(LOSS, components, 7)
    loss = [Column(LOSS, "loss", 7, tuple(components))] if components else []
    names = sorted(
        (name for name, weight in weights.items() if weight is not None),
        key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER),
    )
    scores = columns_of(SCORE, names, 5)
    weighted = columns_of(SCORE, [name for name in names if weights[name]], 5)
    for middle, gap in (
        (losses + scores, 2),
        (losses + scores, 1),
        (losses + weighted, 1),
        (loss + scores, 2),
        (loss + scores, 1),
        (loss + weighted, 1),
        (loss, 1),
    ):
        yield [EPOCH, STEP, *middle, TOTAL], gap


def columns_of(group: str, names: list[str], width: int) -> list[Column]:
    return [
        Column(group, title, max(len(title), width), (name,))
        for name, title in zip(names, titles(names), strict=True)
    ]


def titles(names: list[str]) -> list[str]:
    """Short names, each different from the others."""
    short = {name: shorten(name) for name in names}
    count = Counter(short.values())
    return [short[name] if count[short[name]] == 1 else name for name in names]


def shorten(name: str) -> str:
    rest = name
    for prefix in PREFIXES:
        rest = rest.removeprefix(prefix)
    for suffix in SUFFIXES:
        rest = rest.removesuffix(suffix)
    return rest or name


def cell(column: Column, info: dict[str, Any]) -> str:
    if column is EPOCH:
        return str(info["epoch"])
    if column is STEP:
        return str(info["step"])
    if column is TOTAL:
        return percent(info["score"])
    if column.group == LOSS:
        return amount(sum(float(info["losses"].get(name, 0.0)) for name in column.keys))
    (name,) = column.keys
    value = info["other_scores"].get(name)
    return amount(value) if name == "speed" and value is not None else percent(value)


def percent(value: Any) -> str:
    """At most five letters: 100.0 is all right."""
    return f"{100 * value:.2f}"[:5] if isinstance(value, Real) else "-"


def amount(value: float) -> str:
    """At most seven letters."""
    if abs(value) < 1000:
        return f"{value:.2f}"
    return f"{value:.0f}" if abs(value) < 1e6 else f"{value:.1e}"


def terminal_width(stdout: IO) -> int:
    """Files and pipes are as wide as it takes."""
    if os.environ.get("COLUMNS", "").isdigit():
        return int(os.environ["COLUMNS"])
    try:
        return os.get_terminal_size(stdout.fileno()).columns or UNLIMITED
    except (OSError, ValueError, AttributeError):  # no terminal, or no file at all
        return UNLIMITED
