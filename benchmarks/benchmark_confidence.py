r"""What confidences cost: a pipeline with none, with those of entities, and with all of them.

    python benchmarks/benchmark_confidence.py training/sample/model-int8 \
        --texts corpus/sample/train.spacy --output metrics/confidence.json

The three are loaded side by side and take turns; ratios are taken within rounds.
"""

import json
import shlex
import sys
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Annotated

import spacy
import typer
from spacy.language import Language
from spacy.tokens import DocBin
from spacy.vocab import Vocab
from wasabi import msg

OF_TOKENS, OF_ENTITIES = ("pretrained_tagger", "biaffine_parser"), ("pretrained_ner",)
KINDS = {"none": (), "entities": OF_ENTITIES, "all": (*OF_TOKENS, *OF_ENTITIES)}


def main(
    model: Annotated[Path, typer.Argument(help="Folder of a pipeline")],
    texts: Annotated[Path, typer.Option(help="DocBin with texts to annotate")],
    rounds: Annotated[int, typer.Option(min=1)] = 9,
    words: Annotated[int, typer.Option(min=1, help="Words to annotate in a round")] = 100_000,
    output: Annotated[Path, typer.Option()] = Path("metrics/confidence.json"),
) -> None:
    """What confidences cost: a pipeline with none, with those of entities, and with all of them."""
    known = [doc for doc in DocBin().from_disk(texts).get_docs(Vocab()) if len(doc)]
    if not known:
        msg.fail(f"{texts} has no texts.", exits=1)
    count = sum(map(len, known))
    stream = [doc.text for doc in known] * -(-words // count)
    pipelines = {kind: load(model, confident) for kind, confident in KINDS.items()}
    seconds: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for number in range(rounds + 1):
        for kind in (list, reversed)[number % 2](KINDS):
            seconds[kind].append(annotate(pipelines[kind], stream))
    seconds = {kind: of_kind[1:] for kind, of_kind in seconds.items()}  # the first warms up
    report = {
        "command": shlex.join(["python", *sys.argv]),
        "rounds": rounds,
        "words": count * (len(stream) // len(known)),
        "of_words_per_second": {
            kind: summarize([a / b for a, b in zip(seconds["none"], of_kind)])
            for kind, of_kind in seconds.items()
        },
    }
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(report, indent=2) + "\n", "utf8")
    msg.table(
        [(k, r["median"], r["min"], r["max"]) for k, r in report["of_words_per_second"].items()],
        header=("Confidences", "Of words/s", "min", "max"),
        divider=True,
    )


def load(model: Path, confident: tuple[str, ...]) -> Language:
    """The pipeline, in which these components keep confidences and the others do not."""
    names = [name for name in KINDS["all"] if (model / name).is_dir()]
    config = {f"components.{name}.confidence": name in confident for name in names}
    return spacy.load(model, config=config)


def annotate(nlp: Language, texts: list[str]) -> float:
    """RETURNS: Seconds."""
    start = perf_counter()
    for _ in nlp.pipe(texts):
        pass
    return perf_counter() - start


def summarize(ratios: list[float]) -> dict[str, float]:
    return {
        name: round(of(ratios), 3) for name, of in (("median", median), ("min", min), ("max", max))
    }


if __name__ == "__main__":
    typer.run(main)
