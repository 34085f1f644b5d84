"""`python -m spacy pretrained quantize`."""

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from wasabi import msg

from .clear_errors import clear_errors
from .interrupts import ends_when_interrupted
from .outputs import check_writable

if TYPE_CHECKING:
    from ..quantization.judge import Trial


def quantize(
    model: Annotated[str, typer.Argument(help="Trained pipeline: a folder or a package")],
    output: Annotated[Path, typer.Argument(help="Folder for the quantized pipeline")],
    texts: Annotated[
        Path | None,
        typer.Option(
            help="Texts to calibrate INT8 on and, without --eval, to compare the copy with the "
            "original on: .spacy, .txt or .jsonl"
        ),
    ] = None,
    gold: Annotated[
        Path | None, typer.Option("--eval", help="Gold annotation to score both on: .spacy")
    ] = None,
    max_drop: Annotated[
        float | None,
        typer.Option(help="With --eval, percent points that a score may drop; by default 0.3"),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse a copy if --eval is too small to tell")
    ] = False,
    min_tags: Annotated[
        float | None,
        typer.Option(
            help="Without --eval, the least agreement in percent: of tags, parts of speech, "
            "morphology and lemmas; by default 99.0",
        ),
    ] = None,
    min_heads: Annotated[
        float | None, typer.Option(help="… of heads with labels; by default 98.0")
    ] = None,
    min_entities: Annotated[
        float | None, typer.Option(help="… of entities and spans (F); by default 98.5")
    ] = None,
    min_categories: Annotated[
        float | None, typer.Option(help="… of categories; by default 99.0")
    ] = None,
    precision: Annotated[
        str,
        typer.Option(help="int8, int8-weights or fp32; of a stock pipeline torch, to train it on"),
    ] = "int8",
    windows: Annotated[
        str,
        typer.Option(
            help="Of a stock pipeline: kept, as it was trained, or sentences, as our own encoders "
            "read, which changes what it answers and is hardly faster"
        ),
    ] = "kept",
    n_texts: Annotated[
        int | None, typer.Option(help="Texts to draw for the calibration of INT8; by default 300")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of what is drawn: texts and resamples")] = 0,
    keep_pieces: Annotated[
        Path | None,
        typer.Option(
            help="Leave out all wordpieces but those that these texts need, of a multilingual "
            "encoder for one language: .spacy, .txt or .jsonl"
        ),
    ] = None,
    metrics: Annotated[Path | None, typer.Option(help="JSON file for all figures")] = None,
) -> None:
    """Save a copy of a trained pipeline whose encoder runs on OpenVINO, without torch.

    With --eval the scores of both are compared. If one drops by more than --max-drop, more careful
    recipes are tried; if every recipe fails, nothing is written. Without --eval the copy has to
    annotate texts as the original does; if no INT8 recipe does, the copy is in fp32.

    A pipeline with the stock `transformer` of spacy-transformers, or the `curated_transformer` of
    spacy-curated-transformers, becomes one that needs neither of them. Convert it where it runs.

    Example: python -m spacy pretrained quantize training/model-best training/model-int8
    --texts corpus/train.spacy --eval corpus/dev.spacy
    """
    given = {
        "tags": min_tags,
        "heads": min_heads,
        "entities": min_entities,
        "categories": min_categories,
    }
    agreement = {name: value for name, value in given.items() if value is not None}
    with clear_errors(), ends_when_interrupted():
        from ..quantization.command import Job, run_job
        from ..quantization.gate import Refused

        if metrics is not None:
            check_writable(metrics)
        job = Job(
            model,
            output,
            texts=texts,
            gold=gold,
            max_drop=max_drop,
            strict=strict,
            agreement=agreement,
            precision=precision,
            n_texts=n_texts,
            seed=seed,
            keep_pieces=keep_pieces,
            windows=windows,
        )
        try:
            result = run_job(job, report=msg.info)
        except Refused as refused:
            for trial in refused.trials:
                show_trial(trial)
            raise
    trial = result.trials[-1] if result.trials else None
    if trial is not None:
        show_trial(trial)
    if trial is None or not trial.is_judged:
        msg.warn(
            "The copy was not compared with the original. Give --eval, with gold annotation, or "
            "--texts with more texts."
        )
    elif trial.is_unsure:
        msg.info(trial.explain())
    elif trial.recipe == "fp32" and len(result.trials) > 1:
        msg.info(
            "No INT8 recipe agrees with the original well enough. The copy is in fp32: it runs "
            "without torch, but is neither smaller nor faster than other fp32 pipelines."
        )
    show_figures(result.figures)
    msg.good(f"Saved {output}: {result.figures['recipe']}")
    if metrics is not None:
        with clear_errors():
            metrics.write_text(json.dumps(result.figures, indent=2) + "\n", encoding="utf8")
    folder = shlex.quote(str(output))
    print(f"To make a wheel of it: python -m spacy pretrained package {folder} wheels")


def show_trial(trial: "Trial") -> None:
    if summary := trial.summary():
        msg.divider(trial.recipe)
        print(summary)


def show_figures(figures: dict) -> None:
    rows = []
    if pieces := figures.get("pieces"):
        before, after = f"{pieces['before']:,}", f"{pieces['after']:,}"
        rows.append(("wordpieces", before, after, f"{pieces['after'] / pieces['before']:.0%}"))
    for what, size in figures["megabytes"].items():
        share = f"{size['after'] / size['before']:.0%}"
        rows.append((f"{what}, MB", f"{size['before']:.1f}", f"{size['after']:.1f}", share))
    if speed := figures.get("words_per_second"):
        before, after = f"{speed['before']:,.0f}", f"{speed['after']:,.0f}"
        rows.append(("words/s", before, after, f"× {speed['ratio']:.2f}"))
    msg.table(rows, header=("", "before", "after", ""), divider=True, aligns=("l", "r", "r", "r"))
