"""Pairs of sentences for natural language inference (NLI), out of the files of public sets.

Files are looked for by name in a folder and the folders in it, also compressed (.gz). SNLI's
development and test sets are not learnt from, and no pair whose premise is in either of them is.
"""

import csv
import gzip
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

ENTAILMENT, NEUTRAL, CONTRADICTION = "entailment", "neutral", "contradiction"
CLASSES = (ENTAILMENT, NEUTRAL, CONTRADICTION)
NLI_MISSING = (
    "There is no {pattern} (or {pattern}.gz) in '{folder}' or the folders in it. Get the set and "
    "put its folder there: see docs/text-classification.md."
)
NLI_LABEL = "{path} has the label '{label}'. It may be {classes}."


@dataclass(frozen=True)
class Pair:
    premise: str
    hypothesis: str
    labels: tuple[str, ...]  # the one that holds; or several, one of which does


@dataclass(frozen=True)
class NliSet:
    """A set to learn from, and how its file says what we ask."""

    title: str
    pattern: str  # of its file's path, with the folder, for names are alike
    columns: tuple[str, str, str]  # premise, hypothesis, label
    is_binary: bool = False  # everything that is not entailment is "neutral"


TRAINING = (
    NliSet(
        "Counterfactual SNLI, train",
        "*counterfactual*/**/train.tsv",
        ("sentence1", "sentence2", "gold_label"),
    ),
    NliSet("TaxiNLI", "**/taxinli10k.tsv", ("prem", "hyp", "label")),
    NliSet("ConjNLI, train", "**/adversarial_train_15k.tsv", ("Premise", "Hypothesis", "Label")),
    NliSet(
        "Breaking NLI", "*breaking_nli*/**/dataset.jsonl", ("sentence1", "sentence2", "gold_label")
    ),
    NliSet("MED", "**/MED.tsv", ("sentence1", "sentence2", "gold_label"), is_binary=True),
)
SNLI_COLUMNS = ("premise", "hypothesis", "label")
SNLI_DEV = NliSet("SNLI, dev", "**/snli_1.0_dev.tsv", SNLI_COLUMNS)
SNLI_TEST = NliSet("SNLI, test", "**/snli_1.0_test.tsv", SNLI_COLUMNS)


@dataclass(frozen=True)
class Count:
    """Pairs of a set: in its file, dropped because of their premise, and left."""

    read: int
    dropped: int

    @property
    def left(self) -> int:
        return self.read - self.dropped


def read_training(
    folder: Path, sets: Iterable[NliSet] = TRAINING
) -> tuple[list[Pair], dict[str, Count]]:
    """The pairs of all sets but for those whose premise is SNLI's to develop or test on; and how
    many were dropped of each."""
    held_out = {key_of(pair.premise) for s in (SNLI_DEV, SNLI_TEST) for pair in read_set(folder, s)}
    pairs, counts = [], {}
    for nli_set in sets:
        found = read_set(folder, nli_set)
        kept = [pair for pair in found if key_of(pair.premise) not in held_out]
        counts[nli_set.title] = Count(len(found), len(found) - len(kept))
        pairs += kept
    return pairs, counts


def read_set(folder: Path, nli_set: NliSet) -> list[Pair]:
    """ValueError if its file is not there, or has other labels."""
    path = find_file(folder, nli_set.pattern)
    pairs = []
    for row in read_rows(path):
        premise, hypothesis, label = (row[column] for column in nli_set.columns)
        if label not in CLASSES:
            raise ValueError(NLI_LABEL.format(path=path, label=label, classes=", ".join(CLASSES)))
        is_open = nli_set.is_binary and label == NEUTRAL
        labels = (NEUTRAL, CONTRADICTION) if is_open else (label,)
        pairs.append(Pair(premise, hypothesis, labels))
    return pairs


def key_of(premise: str) -> str:
    """The same for sentences that differ in case, spaces, quotation marks or other punctuation."""
    return re.sub(r"[\W_]+", "", premise.casefold())


def find_file(folder: Path, pattern: str) -> Path:
    for ending in ("", ".gz"):
        if found := sorted(folder.glob(pattern + ending)):
            return found[0]
    raise ValueError(NLI_MISSING.format(pattern=pattern, folder=folder))


def read_rows(path: Path) -> Iterator[dict[str, str]]:
    read: Callable[[TextIO], Iterable[dict[str, str]]]
    if ".jsonl" in path.suffixes:
        read = read_json_lines
    else:
        read = read_tab_separated
    with open_text(path) as file:
        yield from read(file)


def read_json_lines(file: TextIO) -> Iterator[dict[str, str]]:
    return (json.loads(line) for line in file)


def read_tab_separated(file: TextIO) -> Iterable[dict[str, str]]:
    return csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)


def open_text(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return io.TextIOWrapper(gzip.open(path), encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")
