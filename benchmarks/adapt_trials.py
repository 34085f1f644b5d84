"""What an adapted encoder does for classification and for entities, beside the one it was made of.

    python benchmarks/adapt_trials.py movies
    python benchmarks/adapt_trials.py tweets --tweets FOLDER

movies: adapted to movie snippets and sentences on films (those to train on of
corpus/textcat/polarity, and all of corpus/textcat/subjectivity); scored is few-shot classification
of the sentences of polarity's test part, none of which was adapted to.
tweets: adapted to the Broad Twitter Corpus, a folder of .conll files with a word a line; scored are
the entities of corpus/wnut17. Its development set is for choices, its test set for reporting.

Both: held-out perplexity before and after, and scores of three seeds with and without. The adapted
encoder stays in training/adapted/NAME, the figures go to metrics/adapt/NAME.json. What is in there
is not trained again.
"""

import json
import random
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from statistics import mean, stdev
from typing import Annotated, Any

import spacy
import typer
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from thinc.api import fix_random_seed
from wasabi import msg

from spacy_pretrained import AdaptOptions, adapt, complete_config
from spacy_pretrained.scoring.evaluate import evaluate_entities

TEXTCAT, WNUT17 = Path("corpus/textcat"), Path("corpus/wnut17")
TEXTS_A_LABEL = (8, 64)
LABELS = {"good": "It was great, I loved it.", "bad": "It was terrible, I hated it."}
TEMPLATE = "This film is {}."
NER_STEPS = 250
BEFORE, AFTER = "as it was", "adapted"
Results = dict[str, Any]

app = typer.Typer(add_completion=False)
Source = Annotated[str, typer.Option(help="The encoder to adapt")]
Minutes = Annotated[float, typer.Option(help="Of the adaptation")]
Seeds = Annotated[int, typer.Option(help="Trainings of each")]
Output = Annotated[Path, typer.Option(help="Folder of the figures")]


@app.command()
def movies(
    source: Source = "minilm-l6",
    minutes: Minutes = 10.0,
    seeds: Seeds = 3,
    output: Output = Path("metrics/adapt"),
) -> None:
    """Few-shot classification of sentence polarity."""
    train, test = (read_docs(TEXTCAT / "polarity" / f"{part}.spacy") for part in ("train", "test"))
    others = [
        doc
        for part in ("train", "test")
        for doc in read_docs(TEXTCAT / "subjectivity" / f"{part}.spacy")
    ]
    scored = {doc.text for doc in test}
    texts = [doc.text for doc in train + others if doc.text not in scored]
    labelled = TEXTCAT / "polarity" / "test.spacy"
    adapted, found = adapt_once("movies", source, texts, minutes, labelled)
    results = read_results(output / "movies.json") | {"adaptation": found}
    for name, encoder in ((BEFORE, source), (AFTER, str(adapted))):
        for size in TEXTS_A_LABEL:
            for seed in range(seeds):
                key = f"{size} texts a label, {name}"
                run(results, key, seed, output / "movies.json", lambda e=encoder, n=size, s=seed:
                    {"accuracy": score_few_shot(e, train, test, n, s)})  # fmt: skip


@app.command()
def tweets(
    tweets: Annotated[Path, typer.Option(help="Folder of .conll files, a word a line")],
    source: Source = "minilm-l6",
    minutes: Minutes = 10.0,
    seeds: Seeds = 3,
    output: Output = Path("metrics/adapt"),
) -> None:
    """Entities of WNUT-17."""
    texts = [text for path in sorted(tweets.glob("*.conll")) for text in read_tweets(path)]
    adapted, found = adapt_once("tweets", source, texts, minutes, None)
    results = read_results(output / "tweets.json") | {"adaptation": found}
    for name, encoder in ((BEFORE, source), (AFTER, str(adapted))):
        for seed in range(seeds):
            run(results, name, seed, output / "tweets.json", lambda e=encoder, n=name, s=seed:
                score_entities(e, Path("training/adapted") / f"ner-{n}-{s}", s))  # fmt: skip


def adapt_once(
    name: str, source: str, texts: list[str], minutes: float, labelled: Path | None
) -> tuple[Path, Results]:
    """The folder of the adapted encoder, and what its adaptation found."""
    folder = Path("training/adapted") / name
    report = folder / "adapt.json"
    if not report.is_file():
        file = folder.with_suffix(".txt")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join(" ".join(text.split()) for text in texts), "utf8")
        options = AdaptOptions(minutes=minutes, labelled=labelled)
        adapt(source, file, folder, options, report=msg.info, warn=msg.warn)
    found = json.loads(report.read_text("utf8"))
    found["command"] = f"adapt {source} {folder}.txt {folder} --minutes {minutes}"
    return folder, found


def score_few_shot(
    source: str, train: list[Doc], test: list[Doc], texts_a_label: int, seed: int
) -> float:
    """Accuracy, percent, of a fine-tuned few-shot classifier."""
    fix_random_seed(seed)
    nlp = spacy.blank("en")
    settings = {"labels": list(LABELS), "descriptions": LABELS, "templates": [TEMPLATE]}
    encoder = {"encoder": {"frozen": False}}
    pipe = nlp.add_pipe("few_shot_textcat", config=settings | {"model": encoder})
    nlp.config["initialize"]["components"]["few_shot_textcat"] = {"source": source}
    nlp.initialize()
    by_label: dict[str, list[Doc]] = defaultdict(list)
    for doc in train:
        by_label[max(doc.cats, key=doc.cats.get)].append(doc)
    rng = random.Random(seed)
    drawn = [d for label in sorted(by_label) for d in rng.sample(by_label[label], texts_a_label)]
    pipe.fit([Example(nlp.make_doc(doc.text), doc) for doc in drawn])
    scores = nlp.evaluate([Example(nlp.make_doc(doc.text), doc) for doc in test])
    return round(100 * scores["cats_micro_f"], 2)


def score_entities(source: str, folder: Path, seed: int) -> dict[str, float]:
    """F1, percent, of a recognizer that was trained on WNUT-17."""
    if not (folder / "model-last" / "meta.json").is_file():
        train, dev = (str(WNUT17 / f"{part}.spacy") for part in ("train", "dev"))
        settings = {"train": train, "dev": dev, "encoder": source, "max_steps": NER_STEPS}
        config = complete_config("ner", **settings).config
        folder.mkdir(parents=True, exist_ok=True)
        config.to_disk(folder / "config.cfg")
        command = [sys.executable, "-m", "spacy", "train", str(folder / "config.cfg")]
        command += ["--output", str(folder), "--system.seed", str(seed)]
        subprocess.run(command, check=True)
    nlp = spacy.load(folder / "model-best")
    return {
        part: round(evaluate_entities(nlp, WNUT17 / f"{part}.spacy")["all"]["f1"], 2)
        for part in ("dev", "test")
    }


def run(results: Results, key: str, seed: int, path: Path, score) -> None:
    """Score once, and write everything that is known by then."""
    found = results.setdefault(key, {"seeds": {}})
    if str(seed) not in found["seeds"]:
        found["seeds"][str(seed)] = score()
        values: dict[str, list[float]] = defaultdict(list)
        for scores in found["seeds"].values():
            for name, value in scores.items():
                values[name].append(value)
        found["mean"] = {name: round(mean(some), 2) for name, some in values.items()}
        if len(found["seeds"]) > 1:
            found["deviation"] = {name: round(stdev(some), 2) for name, some in values.items()}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(results, indent=2) + "\n", "utf8")
    msg.good(f"{key}, seed {seed}: {found['seeds'][str(seed)]}")


def read_results(path: Path) -> Results:
    return json.loads(path.read_text("utf8")) if path.is_file() else {}


def read_docs(path: Path) -> list[Doc]:
    return list(DocBin().from_disk(path).get_docs(spacy.blank("en").vocab))


def read_tweets(path: Path) -> list[str]:
    """Tweets with a space between two words: a word and its label a line, blank lines between."""
    found, words = [], []
    for line in [*path.read_text("utf8").splitlines(), ""]:
        if line.strip():
            words.append(line.split("\t")[0])
        elif words:
            found.append(" ".join(words))
            words = []
    return found


if __name__ == "__main__":
    app()
