"""Run the trainings of an experiment, score each, and write the scores and their means.

    python benchmarks/experiment.py ner-wnut17

What is trained stands in benchmarks/experiments.yml: as the project does by the size of the corpus,
but for what is overridden there. Trainings that are complete, in
training/experiments/NAME/RUN-SEED, are not run again. Scores go to metrics/experiments/NAME.json.
"""

import json
import shlex
import subprocess
import sys
from pathlib import Path
from statistics import mean, stdev
from typing import Annotated, Any

import spacy
import srsly
import typer
from spacy.language import Language
from spacy.tokens import DocBin
from wasabi import msg

from spacy_pretrained.scoring.evaluate import evaluate_entities, evaluate_treebank
from spacy_pretrained.training.config import complete_config

MEASURES = ("UPOS", "XPOS", "Lemmas", "UAS", "LAS")


def main(
    name: Annotated[str, typer.Argument(help="Experiment in the file")],
    file: Annotated[Path, typer.Option(help="YAML")] = Path("benchmarks/experiments.yml"),
    output: Annotated[Path, typer.Option(help="Folder of the scores")] = Path(
        "metrics/experiments"
    ),
) -> None:
    """Run the trainings of an experiment, score each, and write the scores and their means."""
    experiments = srsly.read_yaml(file)
    if name not in experiments:
        msg.fail(f"{file} has no experiment '{name}', but {', '.join(experiments)}.", exits=1)
    experiment = experiments[name]
    results: dict[str, Any] = {}
    for run, settings in experiment["runs"].items():
        found = {}
        for seed in experiment["seeds"]:
            folder = Path("training/experiments") / name / f"{run}-{seed}"
            command = train_command(experiment, settings, seed, folder)
            if not (folder / "model-last" / "meta.json").exists():
                folder.mkdir(parents=True, exist_ok=True)
                config = complete_config(settings["config"], train=experiment["train"]).config
                config.to_disk(folder / "config.cfg")
                msg.text(shlex.join(command))
                subprocess.run([sys.executable, *command[1:]], check=True)
            found[str(seed)] = evaluate(folder / "model-best", experiment)
        results[run] = {"command": shlex.join(command), "seeds": found, "mean": means(found)}
        msg.good(f"{run}: {results[run]['mean']}")
    output.mkdir(parents=True, exist_ok=True)
    path = output / f"{name}.json"
    path.write_text(json.dumps(results, indent=2) + "\n", encoding="utf8")
    msg.good(f"Written to {path}")


def train_command(experiment: dict, settings: dict, seed: int, folder: Path) -> list[str]:
    command = ["python", "-m", "spacy", "train", str(folder / "config.cfg")]
    command += ["--output", str(folder)]
    command += ["--paths.train", experiment["train"], "--paths.dev", experiment["dev"]]
    command += ["--system.seed", str(seed)]
    for key, value in (experiment["overrides"] | settings.get("overrides", {})).items():
        command += [f"--{key}", str(value).lower() if isinstance(value, bool) else str(value)]
    return command


def evaluate(model: Path, experiment: dict) -> dict[str, float]:
    """The scores of each split, percent: F1 of entities; of treebanks, CoNLL-18 F1 on gold tokens,
    sentences predicted; accuracy of categories."""
    nlp = spacy.load(model)
    scores = {
        f"entities {split}": evaluate_entities(nlp, Path(path))["all"]["f1"]
        for split, path in experiment.get("entities", {}).items()
    }
    for split, path in experiment.get("treebank", {}).items():
        found = evaluate_treebank(nlp, Path(path))["protocols"]["gold_tokens"]["conll18"]
        scores |= {f"{name} {split}": found[name]["f1"] for name in MEASURES if found[name]}
    for split, path in experiment.get("categories", {}).items():
        scores[f"accuracy {split}"] = evaluate_categories(nlp, Path(path))
    return scores


def evaluate_categories(nlp: Language, path: Path) -> float:
    """Of how many texts the category with the highest score is the right one, percent."""
    docs = list(DocBin().from_disk(path).get_docs(nlp.vocab))
    found = nlp.pipe(doc.text for doc in docs)
    hits = [doc.cats[max(own.cats, key=own.cats.get)] == 1 for doc, own in zip(docs, found)]
    return 100 * mean(hits)


def means(found: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    """Mean and, with more seeds than one, standard deviation of each score."""
    columns = {
        key: [scores[key] for scores in found.values()] for key in next(iter(found.values()))
    }
    return {
        key: {"mean": round(mean(values), 4)}
        | ({"deviation": round(stdev(values), 4)} if len(values) > 1 else {})
        for key, values in columns.items()
    }


if __name__ == "__main__":
    typer.run(main)
