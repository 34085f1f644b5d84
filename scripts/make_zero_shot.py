"""Save a pipeline that classifies texts without having seen any, by a file of labels.

    python scripts/make_zero_shot.py assets/textcat/ag_news.yml training/textcat/ag_news

It loads as any other, `spacy.load("training/textcat/ag_news")`, and `spacy pretrained quantize`
makes a copy of it that runs in INT8.
"""

from pathlib import Path
from typing import Annotated

import typer
from textcat_labels import read_labels
from wasabi import msg
from zero_shot import make_pipeline

from spacy_pretrained.errors import count_of


def main(
    labels: Annotated[Path, typer.Argument(help="YAML, like those in assets/textcat")],
    output: Annotated[Path, typer.Argument(help="Folder of the pipeline")],
) -> None:
    """Save a pipeline that classifies texts without having seen any."""
    known = read_labels(labels)
    output.parent.mkdir(parents=True, exist_ok=True)
    make_pipeline(known, known.descriptions).to_disk(output)
    msg.good(f"Written to {output}: {count_of(len(known.names), 'label')}")


if __name__ == "__main__":
    typer.run(main)
