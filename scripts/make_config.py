"""Complete a short config with all defaults, and fit the length of the training to a corpus.

    python scripts/make_config.py configs/pipeline.cfg training/ewt/config.cfg \\
        --train corpus/ewt/train.spacy

    python scripts/make_config.py configs/train_on.cfg training/taught/config.cfg \\
        --model training/silver/model-best --train corpus/ewt/train.spacy --max-steps 420

A training sees the corpus 15 times in batches of 1,500 words. A small corpus gets smaller batches,
so that it is still learnt in `LEAST_STEPS` steps or more.
"""

import tempfile
from math import ceil
from pathlib import Path
from typing import Annotated

import typer
from spacy.cli.init_config import fill_config
from spacy.tokens import DocBin
from spacy.util import load_config
from spacy.vocab import Vocab
from wasabi import msg

EPOCHS = 15
LEAST_STEPS = 500
LEAST_BATCH, BATCH = 200, 1500  # words
STEPS_PER_EVALUATION = 0.1
WARMUP = 0.1


def main(
    config: Annotated[Path, typer.Argument(help="Short config")],
    output: Annotated[Path, typer.Argument(help="Complete config to write")],
    train: Annotated[Path, typer.Option(help=".spacy file that will be trained on")],
    max_steps: Annotated[int, typer.Option(help="Steps; 0: by the size of the corpus")] = 0,
    model: Annotated[
        Path | None, typer.Option(help="Pipeline to begin with, of a config with paths.model")
    ] = None,
) -> None:
    n_words = sum(len(doc) for doc in DocBin().from_disk(train).get_docs(Vocab()))
    if not n_words:
        msg.fail(f"{train} has no words: nothing to train on.", exits=1)
    short = load_config(config)
    if model:
        if "model" not in short.get("paths", {}):
            msg.fail(f"{config} has no paths.model: --model is for configs/train_on.cfg.", exits=1)
        short["paths"]["model"] = str(model)
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.cfg"
        short.to_disk(path)
        try:
            fill_config(output, path, silent=True)
        except OSError as error:
            hint = "A pipeline to begin with is named by --model."
            msg.fail(f"{config} cannot be completed. {hint}", str(error), exits=1)
    settings = fit(n_words, max_steps)
    load_config(output, overrides=settings).to_disk(output)
    steps, batch = settings["training.max_steps"], settings["training.batcher.size"]
    epochs = steps * batch / n_words
    msg.good(f"{output}: {n_words:,} words, {steps} steps of {batch} words ({epochs:.0f} epochs)")


def fit(n_words: int, max_steps: int = 0) -> dict[str, int]:
    """The settings of a config that depend on the size of the corpus."""
    batch = min(BATCH, max(LEAST_BATCH, n_words * EPOCHS // LEAST_STEPS))
    steps = max_steps or max(LEAST_STEPS, 100 * ceil(EPOCHS * n_words / batch / 100))
    return {
        "training.batcher.size": batch,
        "training.max_steps": steps,
        "training.eval_frequency": max(1, round(STEPS_PER_EVALUATION * steps)),
        "training.optimizer.learn_rate.total_steps": steps,
        "training.optimizer.learn_rate.warmup_steps": max(1, round(WARMUP * steps)),
    }


if __name__ == "__main__":
    typer.run(main)
