"""A folder with the files of a corpus: train, dev and test, of a treebank, of entities, or both.

The files are named train.conllu (a treebank) and train.iob2, train.conll and so on (a token and its
entity a line), or as Universal Dependencies names them (en_ewt-ud-train.conllu). Files of dev
may have other names, see NAMES.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from spacy.tokens import Doc
from spacy.vocab import Vocab

from .columns import ColumnsReport, read_columns
from .conllu import ConversionReport, read_conllu
from .entity_layer import EntityLayer, JoinReport, entities_alone, forget_entities
from .errors import Errors
from .lines import UTF8

SPLITS = ("train", "dev", "test")
# How their files may be named.
NAMES = {"train": ("train",), "dev": ("dev", "validation", "valid", "val"), "test": ("test",)}
# Endings of files; each may be compressed.
TREEBANK = (".conllu", ".conllu.gz")
COLUMNS = (".iob2", ".conll", ".iob", ".bio", ".bioes", ".biluo")
ENTITIES = (*COLUMNS, *(f"{ending}.gz" for ending in COLUMNS))
HOLD_OUT = 10

Report = ConversionReport | ColumnsReport | JoinReport
Track = Callable[[Iterable[Doc], str], Iterable[Doc]]  # see convert.py


@dataclass
class Split:
    """The Docs of a split, and what was read for them."""

    docs: list[Doc]
    reports: list[Report]


def read_splits(
    folder: Path,
    max_sentences: int,
    track: Track,
    multiword: str = "auto",
    encoding: str = UTF8,
) -> dict[str, Split]:
    """Read those of train, dev and test that the folder has.

    Where a split has both kinds of files, the entities are a layer: they are joined to the
    sentences of the treebank that have the same words. If only the training set has such a layer,
    every tenth document of the layer is held out: its entities, and nothing else of it, go to dev.

    RAISES: ValueError if the folder has no file of a split, or several of the same kind, or if a
        file is malformed.
    """
    vocab = Vocab()
    splits: dict[str, Split] = {}
    layers: dict[str, list[int | None]] = {}
    for name in SPLITS:
        treebank, entities = find_file(folder, name, TREEBANK), find_file(folder, name, ENTITIES)
        if treebank:
            report: Report = ConversionReport()
            docs = read_conllu(
                treebank,
                vocab,
                max_sentences=max_sentences,
                multiword=multiword,
                encoding=encoding,
                report=report,
            )
            splits[name] = Split(list(track(docs, treebank.name)), [report])
        if entities:
            report = ColumnsReport()
            docs = read_columns(
                entities, vocab, doc_sentences=max_sentences, encoding=encoding, report=report
            )
            docs = list(track(docs, entities.name))
            if treebank:
                layers[name] = _join(splits[name], docs, report)
            else:
                splits[name] = Split(docs, [report])
    if not splits:
        raise ValueError(Errors.CONVERT_NOTHING.format(folder=folder))
    if list(layers) == ["train"]:
        held_out = _hold_out(splits["train"].docs, layers["train"])
        if held_out:  # of a layer with few documents there is nothing
            splits.setdefault("dev", Split([], [])).docs += held_out
    return splits


def find_file(folder: Path, split: str, endings: Iterable[str]) -> Path | None:
    """The file of a split, None if there is none. ValueError if there are several."""
    names = [f"{name}{ending}" for name in NAMES[split] for ending in endings]
    found = [path for name in names if (path := folder / name).exists()]
    found = found or sorted(path for name in names for path in folder.glob(f"*-{name}"))
    if len(found) > 1:
        several = ", ".join(path.name for path in found)
        raise ValueError(Errors.CONVERT_SEVERAL.format(folder=folder, split=split, names=several))
    return found[0] if found else None


def find_unused(folder: Path) -> list[Path]:
    """The files of treebanks and entities that are those of no split."""
    used = {find_file(folder, name, endings) for name in SPLITS for endings in (TREEBANK, ENTITIES)}
    return sorted(
        path
        for path in folder.iterdir()
        if path.name.endswith((*TREEBANK, *ENTITIES)) and path not in used
    )


def _join(split: Split, docs: list[Doc], report: ColumnsReport) -> list[int | None]:
    """Join entities to the Docs of a treebank. RETURNS: for each, its number in the layer."""
    layer = EntityLayer(docs)
    numbers = [layer.join(doc) for doc in split.docs]
    split.reports += [report, layer.report]
    return numbers


def _hold_out(docs: list[Doc], numbers: list[int | None]) -> list[Doc]:
    """Take the entities out of every tenth document of the layer. RETURNS: Docs that have them."""
    held_out = []
    for doc, number in zip(docs, numbers):
        if number is not None and number % HOLD_OUT == HOLD_OUT - 1:
            held_out.append(entities_alone(doc))
            forget_entities(doc)
    return held_out
