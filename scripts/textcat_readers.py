"""Readers of the sets for text classification: the files as their authors give them, as rows.

A reader takes the folder of a set in assets/textcat, and gives (text, label) of its two parts,
train and test, with the set's own labels. Sets without a part for training, or without any parts,
are split by `split_rows`, always in the same way.
"""

import csv
import json
import random
import zipfile
from collections.abc import Callable
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO

Rows = list[tuple[str, str]]
Parts = dict[str, Rows]


def read_ag_news(folder: Path) -> Parts:
    """Only the test file of 7,600 news items: half of it serves as texts to train on."""
    with open_text(folder / "test.csv") as file:
        rows = [(f"{title} {text}", label) for label, title, text in csv.reader(file)]
    return split_rows([(text.replace("\\", " "), label) for text, label in rows], 0.5)


def read_sib200(folder: Path) -> Parts:
    """The development set goes to the texts to train on."""
    parts = {name: read_sib200_file(folder / f"{name}.tsv") for name in ("train", "dev", "test")}
    return {"train": parts["train"] + parts["dev"], "test": parts["test"]}


def read_sib200_file(path: Path) -> Rows:
    with open_text(path) as file:
        rows = csv.DictReader(file, delimiter="\t")
        return [(row["text"], row["category"]) for row in rows]


def read_banking77(folder: Path) -> Parts:
    parts = {}
    for name in ("train", "test"):
        with open_text(folder / f"{name}.csv") as file:
            parts[name] = [(row["text"], row["category"]) for row in csv.DictReader(file)]
    return parts


def read_hwu64(folder: Path) -> Parts:
    """The scenarios. The first of ten folds is the test set: either the repository's own files,
    folds/KFold_1/testset/csv/alarm_query.csv and so on, or test.csv and train.csv, which were put
    together from them."""
    parts: Parts = {"train": [], "test": []}
    folds = sorted(folder.glob("folds/KFold_*/testset/csv/*.csv"), key=fold_number)
    for path in folds or [folder / "train.csv", folder / "test.csv"]:
        is_test = fold_number(path)[0] == 1 if folds else path.stem == "test"
        with open_text(path) as file:
            rows = csv.DictReader(file, delimiter=";")
            found = [(row["answer_from_anno"], row["scenario"]) for row in rows]
        parts["test" if is_test else "train"] += found
    return parts


def fold_number(path: Path) -> tuple[int, str]:
    return int(path.parents[2].name.removeprefix("KFold_")), path.name


def read_clinc150(folder: Path) -> Parts:
    """The intents in scope."""
    with open_text(folder / "data_full.json") as file:
        data = json.load(file)
    return {name: [(text, label) for text, label in data[name]] for name in ("train", "test")}


def read_subjectivity(folder: Path) -> Parts:
    files = {"subjective": "quote.tok.gt9.5000", "objective": "plot.tok.gt9.5000"}
    return read_sentences(folder, "subjectivity.zip", files)


def read_polarity(folder: Path) -> Parts:
    files = {"positive": "rt-polarity.pos", "negative": "rt-polarity.neg"}
    return read_sentences(folder, "sentence_polarity.zip", files)


def read_sentences(folder: Path, archive: str, files: dict[str, str]) -> Parts:
    """A file a label, with a sentence a line, in an archive or beside it."""
    rows = []
    for label, name in files.items():
        with open_member(folder, archive, name) as file:
            rows += [(line.strip(), label) for line in file if line.strip()]
    return split_rows(rows, 0.2)


def split_rows(rows: Rows, test_share: float) -> Parts:
    """Shuffled by a fixed seed; the first rows are the part for testing."""
    rows = list(rows)
    random.Random(0).shuffle(rows)
    n_test = round(test_share * len(rows))
    return {"train": rows[n_test:], "test": rows[:n_test]}


def open_text(path: Path) -> TextIO:
    return path.open(encoding="utf8", newline="")


def open_member(folder: Path, archive: str, name: str) -> TextIO:
    """A file of a folder or, where it is not there, of an archive in it."""
    if (folder / name).exists() or not (folder / archive).exists():
        return open_text(folder / name)
    with zipfile.ZipFile(folder / archive) as opened:
        (member,) = (m for m in opened.namelist() if m.rpartition("/")[2] == name)
        return TextIOWrapper(opened.open(member), encoding="utf8")


READERS: dict[str, Callable[[Path], Parts]] = {
    "ag_news": read_ag_news,
    "sib200": read_sib200,
    "banking77": read_banking77,
    "hwu64": read_hwu64,
    "clinc150": read_clinc150,
    "subjectivity": read_subjectivity,
    "polarity": read_polarity,
}
