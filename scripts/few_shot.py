"""Score classification learnt from a few texts a label, on the sets in corpus/textcat.

    python scripts/few_shot.py corpus/textcat metrics/textcat/few-shot.json

The texts to learn from are drawn from those to train on, by a seed: so many of each label, or all
there are. Before any is given the component classifies by the descriptions of labels. Runs that the
file has already are not run again: an interrupted one goes on.
"""

import json
import random
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Annotated, Any

import spacy
import typer
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from textcat_labels import TextcatLabels, read_labels
from thinc.api import fix_random_seed
from wasabi import msg
from zero_shot import (
    DEFAULT_READING,
    Reading,
    Vectors,
    find_sets,
    keep_vectors,
    read_docs,
    score,
)

NAME = "few_shot_textcat"
FROZEN, FINE_TUNED = "frozen", "fine-tuned"
# Texts a label. Without any there is nothing to fine-tune on.
SIZES = {FROZEN: (0, 1, 8, 16, 64), FINE_TUNED: (1, 8, 16, 64)}


@dataclass(frozen=True)
class Run:
    mode: str
    texts_a_label: int
    seed: int


def main(
    corpus: Annotated[Path, typer.Argument(help="Folder of scripts/convert_textcat.py")],
    output: Annotated[Path, typer.Argument(help="JSON; what it has is not run again")],
    labels: Annotated[Path, typer.Option(help="Folder with NAME.yml")] = Path("assets/textcat"),
    n_texts: Annotated[int, typer.Option(help="Texts to score, at most")] = 2000,
    n_seeds: Annotated[int, typer.Option(help="Draws of texts to learn from")] = 5,
    only: Annotated[list[str], typer.Option(help="Sets; by default all")] = [],  # noqa: B006
    modes: Annotated[
        list[str], typer.Option("--mode", help="What to run; fine-tuning takes hours")
    ] = [*SIZES],  # noqa: B006
) -> None:
    """Score classification learnt from a few texts a label, on the sets in corpus/textcat."""
    results = json.loads(output.read_text("utf8")) if output.exists() else {}
    output.parent.mkdir(parents=True, exist_ok=True)
    for name in find_sets(corpus, only):
        known = read_labels(labels / f"{name}.yml")
        train, test = (read_docs(corpus / name / f"{part}.spacy") for part in ("train", "test"))
        test = random.Random(0).sample(test, min(n_texts, len(test)))
        result = results.setdefault(name, {"runs": []})
        result |= {"title": known.title, "labels": len(known.names), "texts": len(test)}
        vectors: Vectors = {}
        for run in missing_runs(modes, n_seeds, result["runs"]):
            found = evaluate(run, known, train, test, vectors)
            result["runs"].append(vars(run) | found)
            result["summary"] = summarize(result["runs"])
            output.write_text(json.dumps(results, indent=2) + "\n", encoding="utf8")
            msg.good(f"{name}: {result['runs'][-1]}")
    msg.good(f"Written to {output}")


def missing_runs(modes: Iterable[str], n_seeds: int, done: list[dict[str, Any]]) -> Iterator[Run]:
    """What is still to be run of a set. Without texts there is nothing to draw: one seed does."""
    there = {(run["mode"], run["texts_a_label"], run["seed"]) for run in done}
    for mode in modes:
        for size in SIZES[mode]:
            for seed in range(n_seeds if size else 1):
                if (mode, size, seed) not in there:
                    yield Run(mode, size, seed)


def evaluate(
    run: Run,
    known: TextcatLabels,
    train: list[Doc],
    test: list[Doc],
    vectors: Vectors,
    reading: Reading = DEFAULT_READING,
) -> dict[str, float]:
    """Scores, and the seconds that the fit took: by the clock, and of all cores together, which
    says the same on a machine that has other things to do.

    vectors: Those of the texts to score as a frozen encoder has them, which are the same in each
        run; filled by the first.
    """
    fix_random_seed(run.seed)
    nlp = make_pipeline(known, run.mode, reading)
    pipe = nlp.get_pipe(NAME)
    if run.mode == FROZEN:
        keep_vectors(pipe.model.get_ref("encoder"), test, vectors)
    start, start_cpu = time.perf_counter(), time.process_time()
    if run.texts_a_label:
        docs = draw(train, run.texts_a_label, run.seed)
        pipe.fit([Example(nlp.make_doc(doc.text), doc) for doc in docs])
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - start_cpu
    spent = {"fit_seconds": round(seconds, 2), "fit_cpu_seconds": round(cpu_seconds, 2)}
    return spent | score(nlp, test)


def make_pipeline(known: TextcatLabels, mode: str, reading: Reading = DEFAULT_READING) -> Language:
    nlp = spacy.blank(reading.lang)
    nlp.add_pipe(
        NAME,
        config={
            "labels": known.names,
            "descriptions": known.descriptions,
            "templates": [known.template],
            "model": {"encoder": {"frozen": mode == FROZEN, "prefix": reading.prefix}},
        },
    )
    nlp.config["initialize"]["components"][NAME] = {"source": reading.source}
    nlp.initialize()
    return nlp


def draw(docs: list[Doc], texts_a_label: int, seed: int) -> list[Doc]:
    """Some documents of each label, or all of a label that has fewer."""
    by_label: dict[str, list[Doc]] = defaultdict(list)
    for doc in docs:
        by_label[max(doc.cats, key=doc.cats.get)].append(doc)
    rng = random.Random(seed)
    return [
        doc
        for label in sorted(by_label)
        for doc in rng.sample(by_label[label], min(texts_a_label, len(by_label[label])))
    ]


def summarize(runs: list[dict[str, Any]]) -> dict[str, dict[str, dict[str, float]]]:
    """Of each mode and number of texts a label: mean, deviation, least and best accuracy, and means
    of the rest."""
    groups: dict[tuple[str, int], list[dict[str, Any]]] = defaultdict(list)
    for run in runs:
        groups[run["mode"], run["texts_a_label"]].append(run)
    summary: dict[str, dict[str, dict[str, float]]] = {}
    for (mode, size), group in sorted(groups.items()):
        accuracies = [run["accuracy"] for run in group]
        summary.setdefault(mode, {})[str(size)] = {
            "accuracy": round(mean(accuracies), 2),
            "deviation": round(stdev(accuracies), 2) if len(group) > 1 else 0.0,
            "least": min(accuracies),
            "best": max(accuracies),
            "seeds": len(group),
        }
        for key in ("macro_f", "fit_seconds", "fit_cpu_seconds"):
            summary[mode][str(size)][key] = round(mean(run[key] for run in group), 2)
    return summary


if __name__ == "__main__":
    typer.run(main)
