"""Convert a folder of CoNLL-U files to spaCy's training format.

    python scripts/convert.py assets/ewt corpus/ewt --project project.yml

The files are train.conllu, dev.conllu and test.conllu, or named as Universal Dependencies does
(en_ewt-ud-train.conllu). Those that project.yml lists as assets have to be there, with the
checksums that it gives: weasel itself reports a wrong file and goes on.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from corpus import check_asset, read_assets
from spacy.tokens import DocBin
from spacy.vocab import Vocab
from wasabi import msg

from spacy_pretrained.conllu import ConversionReport, read_conllu
from spacy_pretrained.errors import Errors

SPLITS = ("train", "dev", "test")


def main(
    source: Annotated[Path, typer.Argument(help="Folder with .conllu files")],
    output: Annotated[Path, typer.Argument(help="Folder for train, dev and test.spacy")],
    project: Annotated[
        Path | None, typer.Option(help="Project file; its checksums of the files are checked")
    ] = None,
    max_sentences: Annotated[
        int, typer.Option(help="Sentences a Doc, where the file does not mark documents")
    ] = 10,
) -> None:
    """Convert a folder of CoNLL-U files to spaCy's training format."""
    try:
        reports = convert(source, output, project, max_sentences)
    except ValueError as error:
        msg.fail(str(error), exits=1)
    counts = {path.stem: asdict(report) for path, report in reports.items()}
    msg.table(
        [
            (name.replace("_", " "), *(f"{count[name]:,}" for count in counts.values()))
            for name in asdict(ConversionReport())
        ],
        header=("", *counts),
        aligns=("l", *"r" * len(counts)),
    )
    msg.good(f"Written to {output}")


def convert(
    source: Path, output: Path, project: Path | None, max_sentences: int
) -> dict[Path, ConversionReport]:
    """RETURNS: what was read, for each file written.

    ValueError if no file is there, or one that the project lists is missing or another, or if a
    file is malformed.
    """
    check_assets(source, project)
    inputs = {split: path for split in SPLITS if (path := find(source, split))}
    if not inputs:
        raise ValueError(Errors.CONVERT_NOTHING.format(folder=source))
    output.mkdir(parents=True, exist_ok=True)
    reports = {}
    for split, path in inputs.items():
        report = reports[output / f"{split}.spacy"] = ConversionReport()
        docs = read_conllu(path, Vocab(), max_sentences=max_sentences, report=report)
        DocBin(docs=docs).to_disk(output / f"{split}.spacy")
    return reports


def check_assets(source: Path, project: Path | None) -> None:
    """Check the files of the folder that the project lists; others may be anything."""
    assets = read_assets(project) if project else []
    for asset in assets:
        if asset.dest.parent == source.resolve():
            if not asset.dest.exists():
                raise ValueError(Errors.ASSET_MISSING.format(path=asset.dest))
            check_asset(asset, asset.dest)


def find(source: Path, split: str) -> Path | None:
    """The file of a split. ValueError if there are several."""
    if (path := source / f"{split}.conllu").exists():
        return path
    found = sorted(source.glob(f"*-{split}.conllu"))
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise ValueError(Errors.CONVERT_SEVERAL.format(folder=source, split=split, names=names))
    return found[0] if found else None


if __name__ == "__main__":
    typer.run(main)
