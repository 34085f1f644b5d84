"""`python -m spacy pretrained package`."""

import shlex
from pathlib import Path
from typing import Annotated

import typer
from wasabi import msg

from .clear_errors import clear_errors
from .interrupts import ends_when_interrupted


def package(
    pipeline: Annotated[Path, typer.Argument(help="Folder of the trained pipeline")],
    output: Annotated[Path, typer.Argument(help="Folder for the wheel")],
    name: Annotated[
        str | None,
        typer.Option(
            help="The package is called LANG_NAME; by default NAME is CORPUS_ENCODER_KIND, such as "
            "ewt_minilm_int8"
        ),
    ] = None,
    version: Annotated[str, typer.Option(help="Version of the package")] = "0.1.0",
    about: Annotated[
        Path | None,
        typer.Option(
            help="JSON file for the meta: license, author, url, description, sources; or a folder "
            "that may have one, as meta.json"
        ),
    ] = None,
    corpus: Annotated[
        str | None, typer.Option(help="What it was trained on, for name and description")
    ] = None,
    encoder: Annotated[
        str | None,
        typer.Option(help="Where the encoder's weights came from; by default as its config says"),
    ] = None,
) -> None:
    """Make an installable wheel of a pipeline, with what it needs, and a README.

    Example: python -m spacy pretrained package training/model-best wheels --corpus news
    """
    from ..packaging.package import package_pipeline

    msg.info(f"Packaging {pipeline}")
    with clear_errors(), ends_when_interrupted():
        wheel = package_pipeline(
            pipeline,
            output,
            name=name,
            version=version,
            about=about,
            corpus=corpus,
            encoder=encoder,
        )
    msg.good(f"{wheel} ({wheel.stat().st_size / 1e6:.1f} MB)")
    print(f"To install it: python -m pip install {shlex.quote(str(wheel))}")
