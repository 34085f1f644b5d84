"""Convert the sets for text classification to spaCy's format.

    python scripts/convert_textcat.py assets/textcat corpus/textcat --project project.yml

A set is a folder in assets/textcat, fetched by `spacy project assets . --extra` or `make corpus`,
and NAME.yml beside it, with the names of its labels. Sets that are not there are left out. Files
that project.yml lists have to have the checksums that it gives.
"""

from pathlib import Path
from typing import Annotated

import spacy
import typer
from check_assets import check_assets
from spacy.tokens import Doc, DocBin
from textcat_labels import TextcatLabels, read_labels
from textcat_readers import READERS, Rows
from wasabi import msg

TEXTCAT_NOTHING = (
    "'{folder}' has no folder of a set for text classification ({names}). Get the data with "
    "`spacy project assets . --extra` or `make corpus DATA=folder`."
)

nlp = spacy.blank("en")


def main(
    source: Annotated[Path, typer.Argument(help="Folder with a folder and a .yml a set")],
    output: Annotated[Path, typer.Argument(help="Folder for NAME/train.spacy and test.spacy")],
    project: Annotated[
        Path | None, typer.Option(help="Project file; its checksums of the files are checked")
    ] = None,
) -> None:
    """Convert the sets for text classification to spaCy's format."""
    found = [name for name in READERS if (source / name).is_dir()]
    if not found:
        msg.fail(TEXTCAT_NOTHING.format(folder=source, names=", ".join(READERS)), exits=1)
    rows = []
    try:
        for name in found:
            if project:
                check_assets(source / name, project)
            sizes = convert(name, source, output)
            rows.append((name, *(f"{n:,}" for n in sizes.values())))
    except (ValueError, OSError) as error:
        msg.fail(str(error), exits=1)
    msg.table(rows, header=("", "labels", "train", "test"), aligns=("l", "r", "r", "r"))
    missing = ", ".join(sorted(set(READERS) - set(found)))
    if missing:
        msg.warn(f"Not there, and left out: {missing}")
    msg.good(f"Written to {output}")


def convert(name: str, source: Path, output: Path) -> dict[str, int]:
    """Write the two parts of a set. RETURNS: how many labels it has, and texts in each part."""
    labels = read_labels(source / f"{name}.yml")
    parts = READERS[name](source / name)
    folder = output / name
    folder.mkdir(parents=True, exist_ok=True)
    for part in ("train", "test"):
        DocBin(docs=make_docs(parts[part], labels)).to_disk(folder / f"{part}.spacy")
    return {"labels": len(labels.names)} | {part: len(rows) for part, rows in parts.items()}


def make_docs(rows: Rows, labels: TextcatLabels) -> list[Doc]:
    """One category is 1, the others 0. ValueError if a label has no name."""
    nothing = dict.fromkeys(labels.names, 0.0)
    docs = []
    for text, label in rows:
        doc = nlp.make_doc(text)
        doc.cats = nothing | {labels.name_of(label): 1.0}
        docs.append(doc)
    return docs


if __name__ == "__main__":
    typer.run(main)
