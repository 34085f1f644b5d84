"""`python -m spacy pretrained quantize`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from wasabi import msg

from .clear_errors import clear_errors

if TYPE_CHECKING:
    from ..quantization.gate import Trial


def quantize(
    model: Annotated[str, typer.Argument(help="Trained pipeline: a folder or a package")],
    output: Annotated[Path, typer.Argument(help="Folder for the quantized pipeline")],
    texts: Annotated[
        Path | None, typer.Option(help="Texts to calibrate INT8 on: .spacy, .txt or .jsonl")
    ] = None,
    gold: Annotated[
        Path | None, typer.Option("--eval", help="Gold annotation the gate scores on: .spacy")
    ] = None,
    max_drop: Annotated[
        float, typer.Option(help="Percent points that a score may lose, beyond chance")
    ] = 0.3,
    precision: Annotated[str, typer.Option(help="int8, int8-weights or fp32")] = "int8",
    n_texts: Annotated[int, typer.Option(help="Texts to draw for calibration")] = 300,
    seed: Annotated[int, typer.Option(help="Of what is drawn: texts and resamples")] = 0,
    metrics: Annotated[Path | None, typer.Option(help="JSON file for all figures")] = None,
) -> None:
    """Save a copy of a trained pipeline whose encoder runs on OpenVINO, without torch.

    With --eval, only if no score drops by more than --max-drop points beyond chance; where INT8
    does not hold, more careful recipes are tried. If none holds nothing is written.
    """
    with clear_errors():
        from ..quantization.command import Job, run_job
        from ..quantization.gate import Refused

        job = Job(model, output, texts, gold, max_drop, precision, n_texts, seed)
        try:
            result = run_job(job, report=msg.info)
        except Refused as refused:
            for trial in refused.trials:
                show_scores(trial)
            raise
    if result.trials:
        show_scores(result.trials[-1])
    else:
        msg.warn("No --eval: the pipeline was written without a look at what its scores lost.")
    show_figures(result.figures)
    if metrics is not None:
        metrics.parent.mkdir(parents=True, exist_ok=True)
        metrics.write_text(json.dumps(result.figures, indent=2) + "\n", encoding="utf8")
    msg.good(f"Saved {output}: {result.figures['recipe']}")


def show_scores(trial: "Trial") -> None:
    msg.divider(trial.recipe)
    rows = [
        (loss.score, *(f"{x:.2f}" for x in (loss.before, loss.after, loss.loss, loss.least)))
        for loss in trial.losses
    ]
    header = ("", "before", "after", "loss", "at least (95 %)")
    msg.table(rows, header=header, divider=True, aligns=("l", "r", "r", "r", "r"))


def show_figures(figures: dict) -> None:
    rows = []
    for what, size in figures["megabytes"].items():
        share = f"{size['after'] / size['before']:.0%}"
        rows.append((f"{what}, MB", f"{size['before']:.1f}", f"{size['after']:.1f}", share))
    if speed := figures.get("words_per_second"):
        before, after = f"{speed['before']:,.0f}", f"{speed['after']:,.0f}"
        rows.append(("words/s", before, after, f"× {speed['ratio']:.2f}"))
    msg.table(rows, header=("", "before", "after", ""), divider=True, aligns=("l", "r", "r", "r"))
