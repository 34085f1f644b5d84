"""`python -m spacy pretrained plot`."""

from pathlib import Path
from typing import Annotated

import typer
from wasabi import msg

from .clear_errors import clear_errors


def plot(
    log: Annotated[
        Path,
        typer.Argument(help="Log of a training: the .jsonl file that [training.logger] path names"),
    ],
    picture: Annotated[Path, typer.Argument(help="Picture to write: .png, .svg or .pdf")],
) -> None:
    """Draw the scores and losses of a training by its steps.

    Example: python -m spacy pretrained plot training.jsonl training.png
    """
    from ..training.plot import plot_training

    with clear_errors():
        plot_training(log, picture)
    msg.good(f"Saved {picture}")
