"""Convert a folder of CoNLL-U files, of files with entities, or of both to spaCy's format.

    python scripts/convert.py assets/ewt corpus/ewt --project project.yml

The files are train, dev and test with the endings .conllu (a treebank) and .iob2 or .conll (a token
a line, with its entity in IOB, IOB2, BIOES or BILUO), or named as Universal Dependencies does
(en_ewt-ud-train.conllu). Where both are there, the entities are a layer: they are joined to the
sentences of the treebank that have the same words. If only the training set has such a layer, every
tenth document of the layer is held out: its entities, and nothing else of it, go to dev.spacy.

Files that project.yml lists as assets have to be there, with the checksums that it gives: weasel
itself reports a wrong file and goes on.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
from copy_assets import check_asset, read_assets
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab
from wasabi import msg

from spacy_pretrained.corpora.columns import ColumnsReport, read_columns
from spacy_pretrained.corpora.conllu import read_conllu
from spacy_pretrained.corpora.conllu_doc import ConversionReport
from spacy_pretrained.corpora.entity_layer import (
    EntityLayer,
    JoinReport,
    entities_alone,
    forget_entities,
)
from spacy_pretrained.errors import Errors

SPLITS = ("train", "dev", "test")
TREEBANK = (".conllu",)
ENTITIES = (".iob2", ".conll")
HOLD_OUT = 10

Report = ConversionReport | ColumnsReport | JoinReport


@dataclass
class Split:
    """The Docs of a split, and what was read for them."""

    docs: list[Doc]
    reports: list[Report]


def main(
    source: Annotated[Path, typer.Argument(help="Folder with .conllu, .iob2 or .conll files")],
    output: Annotated[Path, typer.Argument(help="Folder for train, dev and test.spacy")],
    project: Annotated[
        Path | None, typer.Option(help="Project file; its checksums of the files are checked")
    ] = None,
    max_sentences: Annotated[
        int, typer.Option(help="Sentences a Doc, where the file does not mark documents")
    ] = 10,
) -> None:
    """Convert a folder of CoNLL-U files, of files with entities, or of both to spaCy's format."""
    try:
        splits = convert(source, output, project, max_sentences)
    except ValueError as error:
        msg.fail(str(error), exits=1)
    for kind in (ConversionReport, ColumnsReport, JoinReport):
        show([(name, r) for name, s in splits.items() for r in s.reports if type(r) is kind])
    msg.good(f"Written to {output}")


def show(reports: list[tuple[str, Report]]) -> None:
    """A table of reports of one kind: a column a split."""
    if not reports:
        return
    counts = [asdict(report) for _, report in reports]
    msg.table(
        [
            (name.replace("_", " "), *(f"{count[name]:,}" for count in counts))
            for name, value in counts[0].items()
            if isinstance(value, int)
        ],
        header=("", *(name for name, _ in reports)),
        aligns=("l", *"r" * len(reports)),
    )


def convert(
    source: Path, output: Path, project: Path | None, max_sentences: int
) -> dict[str, Split]:
    """RETURNS: what was read and written, for each split.

    ValueError if no file is there, or one that the project lists is missing or another, or if a
    file is malformed.
    """
    check_assets(source, project)
    vocab = Vocab()
    splits: dict[str, Split] = {}
    layers: dict[str, list[int | None]] = {}
    for name in SPLITS:
        treebank, entities = find(source, name, TREEBANK), find(source, name, ENTITIES)
        if treebank:
            report: Report = ConversionReport()
            docs = list(read_conllu(treebank, vocab, max_sentences=max_sentences, report=report))
            splits[name] = Split(docs, [report])
        if entities:
            report = ColumnsReport()
            docs = list(read_columns(entities, vocab, doc_sentences=max_sentences, report=report))
            if treebank:
                layers[name] = join(splits[name], docs, report)
            else:
                splits[name] = Split(docs, [report])
    if not splits:
        raise ValueError(Errors.CONVERT_NOTHING.format(folder=source))
    if list(layers) == ["train"]:
        splits.setdefault("dev", Split([], []))
        splits["dev"].docs += hold_out(splits["train"].docs, layers["train"])
    output.mkdir(parents=True, exist_ok=True)
    for name, split in splits.items():
        DocBin(docs=split.docs).to_disk(output / f"{name}.spacy")
    return splits


def join(split: Split, docs: list[Doc], report: ColumnsReport) -> list[int | None]:
    """Join entities to the Docs of a treebank. RETURNS: for each, its number in the layer."""
    layer = EntityLayer(docs)
    numbers = [layer.join(doc) for doc in split.docs]
    split.reports += [report, layer.report]
    return numbers


def hold_out(docs: list[Doc], numbers: list[int | None]) -> list[Doc]:
    """Take the entities out of every tenth document of the layer. RETURNS: Docs that have them."""
    held_out = []
    for doc, number in zip(docs, numbers):
        if number is not None and number % HOLD_OUT == HOLD_OUT - 1:
            held_out.append(entities_alone(doc))
            forget_entities(doc)
    return held_out


def check_assets(source: Path, project: Path | None) -> None:
    """Check the files of the folder that the project lists; others may be anything."""
    assets = read_assets(project) if project else []
    here = [asset for asset in assets if asset.dest.parent == source.resolve()]
    for part in [part for asset in here for part in asset.parts() if part.checksum]:
        if not part.dest.exists():
            raise ValueError(Errors.ASSET_MISSING.format(path=part.dest))
        check_asset(part, part.dest)


def find(source: Path, split: str, endings: Iterable[str]) -> Path | None:
    """The file of a split. ValueError if there are several."""
    found = [path for e in endings if (path := source / f"{split}{e}").exists()]
    found = found or sorted(path for e in endings for path in source.glob(f"*-{split}{e}"))
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise ValueError(Errors.CONVERT_SEVERAL.format(folder=source, split=split, names=names))
    return found[0] if found else None


if __name__ == "__main__":
    typer.run(main)
