"""Time whole epochs of training, evaluation excluded: of configs, side by side.

    python benchmarks/benchmark_epochs.py configs/tagger_parser.cfg configs/frozen.cfg \\
        --train corpus/ewt/train.spacy --output metrics/epochs.json

With a frozen encoder, epochs after the first take the vectors from its cache.
"""

import json
import os
import shlex
import sys
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer
from spacy.language import Language
from spacy.training import Example
from spacy.training.initialize import init_nlp
from spacy.util import load_config, registry, resolve_dot_names
from thinc.api import Optimizer
from wasabi import msg


def main(
    configs: Annotated[list[Path], typer.Argument(help="Short configs; the first is the baseline")],
    train: Annotated[Path, typer.Option(help="DocBin")],
    epochs: Annotated[int, typer.Option(min=2)] = 3,
    limit: Annotated[int, typer.Option(min=0, help="Documents; 0 means all")] = 0,
    output: Annotated[Path, typer.Option()] = Path("metrics/epochs.json"),
) -> None:
    """Time whole epochs of training, evaluation excluded: of configs, side by side."""
    results = {}
    for path in configs:
        seconds, words = time_epochs(path, train, epochs, limit)
        results[path.stem] = {"seconds": seconds, "words": words}
        msg.text(f"{path.stem}: epochs of {', '.join(f'{s:.1f}' for s in seconds)} seconds")
    first = results[configs[0].stem]
    for result in results.values():
        result["later_epoch_ratio"] = min(first["seconds"][1:]) / min(result["seconds"][1:])
    report = {
        "command": shlex.join(["python", *sys.argv]),
        "cores": len(os.sched_getaffinity(0)),
        "results": results,
    }
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(report, indent=2) + "\n", encoding="utf8")
    rows = [(name, f"{r['later_epoch_ratio']:.1f}") for name, r in results.items()]
    msg.table(rows, header=("config", f"later epochs: times as fast as {configs[0].stem}"))


def time_epochs(path: Path, train: Path, epochs: int, limit: int) -> tuple[list[float], int]:
    """Seconds of each epoch, and the words of one."""
    overrides = {"paths.train": str(train), "paths.dev": str(train), "corpora.train.limit": limit}
    config = Language().config.merge(load_config(path)).merge(load_config(path, overrides))
    nlp = init_nlp(config)
    settings = registry.resolve(nlp.config.interpolate()["training"], validate=False)
    corpus, _ = resolve_dot_names(
        nlp.config.interpolate(), [settings["train_corpus"], settings["dev_corpus"]]
    )
    seconds = []
    for _ in range(epochs):
        examples = list(corpus(nlp))
        start = perf_counter()
        for batch in settings["batcher"](examples):
            update(nlp, list(batch), settings["optimizer"], settings["dropout"])
        seconds.append(perf_counter() - start)
    return seconds, sum(len(example.reference) for example in examples)


def update(nlp: Language, batch: list[Example], optimizer: Optimizer, dropout: float) -> None:
    """One step, in the way of `spacy train`."""
    nlp.update(batch, drop=dropout, sgd=False)
    for _, pipe in nlp.pipeline:
        if getattr(pipe, "is_trainable", False):
            pipe.finish_update(optimizer)
    optimizer.step_schedules()


if __name__ == "__main__":
    typer.run(main)
