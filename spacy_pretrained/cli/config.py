"""`python -m spacy pretrained config`."""

from pathlib import Path
from typing import Annotated

import typer
from wasabi import msg

from .clear_errors import clear_errors


def config(
    purpose: Annotated[
        str | None,
        typer.Argument(help="What to train, or a .cfg file of your own; leave it out for a list"),
    ] = None,
    output: Annotated[Path | None, typer.Argument(help="Config to write")] = None,
    train: Annotated[
        str | None, typer.Option(help="Corpus to train on: .spacy, or a folder of such files")
    ] = None,
    dev: Annotated[str | None, typer.Option(help="Corpus to score on, like --train")] = None,
    lang: Annotated[
        str | None,
        typer.Option(help="Language of the tokenizer, such as de; by default that of the config"),
    ] = None,
    encoder: Annotated[
        str | None,
        typer.Option(
            help="Pretrained weights: a name such as minilm-l6, a folder, package:NAME, or "
            "owner/name on the model hub; by default those of the config"
        ),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Trained pipeline to start from, for train_on")
    ] = None,
    max_steps: Annotated[
        int, typer.Option(help="Training steps; 0: by the size of the corpus")
    ] = 0,
) -> None:
    """Write a complete config for `spacy train`, with a length of training that fits the corpus.

    Example: python -m spacy pretrained config ner config.cfg --train train.spacy --dev dev.spacy
    """
    from ..training.config import PURPOSES, complete_config, describe_misfits, train_command

    if purpose is None or (purpose not in PURPOSES and not purpose.endswith(".cfg")):
        if purpose is not None:
            msg.fail(f"There is no config for '{purpose}'. The purposes are:")
        msg.table(list(PURPOSES.items()), header=("PURPOSE", ""), divider=True)
        raise typer.Exit(2 if purpose else 0)
    if output is None:
        raise typer.BadParameter("Name the file to write.", param_hint="OUTPUT")
    with clear_errors():
        found = complete_config(
            purpose,
            train=train,
            dev=dev,
            lang=lang,
            encoder=encoder,
            model=model,
            max_steps=max_steps,
        )
        output.parent.mkdir(parents=True, exist_ok=True)
        found.config.to_disk(output)
    msg.good(f"{output}: {found.describe_length()}")
    for line in found.left_out:
        msg.info(line)
    for warning in (*found.idle, *describe_misfits(found.config)):
        msg.warn(warning)
    print(f"To train: {train_command(output, found.config)}")
