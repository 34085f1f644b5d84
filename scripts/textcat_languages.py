"""Score classification in ten languages by labels in English, with a multilingual encoder.

    python scripts/textcat_languages.py assets/sib200 metrics/textcat/languages.json \\
        --multilingual multilingual-e5-small --prefix "query: "

The texts are those of SIB-200, which translate one another: assets/textcat/sib200 in English,
assets/sib200/LANG in other languages. The names and descriptions of labels stay in English. Scored
are the 204 texts of each test set: without any labelled text, as `zero_shot.py` does, and with a
few of the language, as `few_shot.py` does; with the multilingual encoder, and with the default one,
which is English, both frozen. Languages that the file has already are not run again.
"""

import json
from pathlib import Path
from statistics import mean, stdev
from typing import Annotated, Any

import few_shot
import typer
import zero_shot
from convert_textcat import make_docs
from textcat_labels import TextcatLabels, read_labels
from textcat_readers import read_sib200
from wasabi import msg
from zero_shot import DEFAULT_READING, Reading, Vectors

OTHER_ENCODER = (
    "{path} has scores of {there}, and these would be of {here}. Name another file, or remove "
    "that one."
)
NOTHING = (
    "'{folder}' has no folder of a language, with train.tsv, dev.tsv and test.tsv. Get the data "
    "with `spacy project assets . --extra` or `make corpus DATA=folder`."
)
SIZES = (8, 16)  # texts a label
DRAWS = 5
MULTILINGUAL, ENGLISH = "multilingual", "English"
Results = dict[str, Any]


def main(
    folder: Annotated[Path, typer.Argument(help="Folder with a folder a language")],
    output: Annotated[Path, typer.Argument(help="JSON; what it has is not run again")],
    english: Annotated[Path, typer.Option(help="Folder with the English texts")] = Path(
        "assets/textcat/sib200"
    ),
    labels: Annotated[Path, typer.Option(help="Labels in English")] = Path(
        "assets/textcat/sib200.yml"
    ),
    multilingual: Annotated[str, typer.Option(help="Encoder")] = "multilingual-e5-small",
    prefix: Annotated[str, typer.Option(help="What it reads before each text")] = "query: ",
) -> None:
    """Score classification in ten languages by labels in English."""
    known = read_labels(labels)
    readings = {
        MULTILINGUAL: Reading(multilingual, prefix, "xx"),
        ENGLISH: DEFAULT_READING,
    }
    settings = {"encoder": Path(multilingual).name, "prefix": prefix}
    try:
        folders = {"en": english} | find_languages(folder)
        results = read_results(output, settings)
    except ValueError as error:
        msg.fail(str(error), exits=1)
    for lang, here in folders.items():
        for name, reading in readings.items():
            found = results["scores"].setdefault(name, {})
            if lang not in found:
                found[lang] = evaluate(here, known, reading)
                output.parent.mkdir(parents=True, exist_ok=True)
                output.write_text(json.dumps(results, indent=2) + "\n", encoding="utf8")
                msg.good(f"{lang}, {name}: {found[lang]}")
    msg.good(f"Written to {output}")


def find_languages(folder: Path) -> dict[str, Path]:
    """ValueError if there is none."""
    found = {path.parent.name: path.parent for path in sorted(folder.glob("*/test.tsv"))}
    if not found:
        raise ValueError(NOTHING.format(folder=folder))
    return found


def read_results(path: Path, settings: Results) -> Results:
    """What the file has already. ValueError if its scores are of another encoder."""
    results = json.loads(path.read_text("utf8")) if path.exists() else settings | {"scores": {}}
    there = {name: results[name] for name in settings}
    if there != settings:
        raise ValueError(OTHER_ENCODER.format(path=path, there=there, here=settings))
    return results


def evaluate(folder: Path, known: TextcatLabels, reading: Reading) -> Results:
    """Accuracy and macro-averaged F1 in percent, by what is known of the texts."""
    parts = {name: make_docs(rows, known) for name, rows in read_sib200(folder).items()}
    train, test = parts["train"], parts["test"]
    found = {"texts": len(test)} | zero_shot.evaluate(known, train, test, [], reading)
    vectors: Vectors = {}
    for size in SIZES:
        runs = [few_shot.Run(few_shot.FROZEN, size, seed) for seed in range(DRAWS)]
        scores = [few_shot.evaluate(run, known, train, test, vectors, reading) for run in runs]
        found[f"{size} texts a label"] = summarize(scores)
    return found


def summarize(scores: list[dict[str, float]]) -> dict[str, float]:
    accuracies = [one["accuracy"] for one in scores]
    return {
        "accuracy": round(mean(accuracies), 2),
        "deviation": round(stdev(accuracies), 2),
        "macro_f": round(mean(one["macro_f"] for one in scores), 2),
        "draws": len(scores),
    }


if __name__ == "__main__":
    typer.run(main)
