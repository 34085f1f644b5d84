"""`python -m spacy pretrained calibrate`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from wasabi import msg

from .clear_errors import clear_errors
from .interrupts import ends_when_interrupted

if TYPE_CHECKING:
    from ..ner.pipeline_calibration import Reliability


def calibrate(
    pipeline: Annotated[str, typer.Argument(help="Trained pipeline: a folder or a package")],
    dev: Annotated[
        Path,
        typer.Argument(
            help="Gold entities that the pipeline was not trained on: .spacy, or a folder"
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(help="Folder for the calibrated pipeline; by default PIPELINE itself"),
    ] = None,
    component: Annotated[
        str | None, typer.Option(help="The entity recognizer, if there are several")
    ] = None,
) -> None:
    """Calibrate a pipeline's entity confidences, so that they say how often an entity is right.

    Writes two numbers into the component. Shows how confident it is and how often it is right,
    before and after.

    Example: python -m spacy pretrained calibrate training/model-best dev.spacy
    """
    import spacy
    from spacy.util import is_package

    from ..corpora.corpus import read_examples
    from ..ner.pipeline_calibration import calibrate_pipeline
    from ..saving.pipeline_folder import check_replaceable, save

    if output is None and not Path(pipeline).is_dir() and is_package(pipeline):
        raise typer.BadParameter("A pipeline that is a package needs it.", param_hint="--output")
    output = output or Path(pipeline)
    with clear_errors(), ends_when_interrupted():
        check_replaceable(output)
        nlp = spacy.load(pipeline)
        before, after = calibrate_pipeline(nlp, read_examples(dev, nlp), component)
        save(nlp, output)
    msg.text(f"Predicted entities in {dev}: {len(before.is_right):,}")
    show("before", before)
    show("after", after)
    msg.good(f"Saved {output}")


def show(title: str, reliability: "Reliability") -> None:
    msg.divider(f"{title}: expected calibration error {reliability.error():.1%}")
    rows = [
        (f"{low:g} to {high:g}", f"{n:,}", f"{mean:.1%}", f"{right:.1%}")
        for low, high, n, mean, right in reliability.bands()
    ]
    header = ("confidence", "entities", "mean", "right")
    msg.table(rows, header=header, divider=True, aligns=("l", "r", "r", "r"))
