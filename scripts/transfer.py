"""Train on English, score in other languages; then with a few sentences of each; then jointly.

    python scripts/transfer.py corpus/transfer metrics/transfer/scores.json \\
        --english corpus/ewt --encoder multilingual-e5-small

- "none": tagger, parser and recognizer trained on English alone.
- "few": the same, trained on with so many sentences of a language, or with so many that have
  entities; three draws of each size. There is no development set: the last pipeline is scored,
  after as many steps as for all others.
- "joint": trained on English, French and Spanish at once.

Treebanks are scored with gold tokens and sentences, entities with gold tokens. The English
pipelines stay in --training, the others are removed once they are scored. Runs that the file has
already are not run again: an interrupted one goes on.
"""

import json
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from statistics import mean, stdev
from typing import Annotated, Any

import spacy
import typer
from spacy.language import Language
from spacy.tokens import DocBin
from thinc.api import Config
from wasabi import msg

from spacy_pretrained import complete_config
from spacy_pretrained.corpora.conllu import read_conllu
from spacy_pretrained.runtime.whole_files import write_json
from spacy_pretrained.scoring.conll18 import read_gold
from spacy_pretrained.scoring.evaluate import bare_copies, evaluate_entities, run_protocol

NONE, FEW, JOINT = "none", "few", "joint"
MEASURES = ("UPOS", "UAS", "LAS")
JOINT_WITH = ("fr", "es")
LEMMATIZER = "pretrained_lemmatizer"
OTHER_SETTING = (
    "{path} has runs with {name} = {there}, and these would have {here}. Name another file, or "
    "remove that one."
)
DRAWS = 3
BATCH = 600  # words; less than usual, since there are few steps
FREEZE_LAYERS = 1  # and the embeddings, which are most of a multilingual encoder
Results = dict[str, Any]


class Precision(StrEnum):
    """As project.yml has it."""

    true = "true"
    false = "false"


@dataclass(frozen=True)
class Run:
    """kind: "none", "few" or "joint". sentences: 0 for all."""

    kind: str
    lang: str
    task: str  # "treebank" or "entities"
    sentences: int = 0
    draw: int = 0


def main(
    corpus: Annotated[Path, typer.Argument(help="Folder of scripts/transfer_data.py")],
    output: Annotated[Path, typer.Argument(help="JSON; what it has is not run again")],
    english: Annotated[Path, typer.Option(help="Folder with train.spacy and dev.spacy")] = Path(
        "corpus/ewt"
    ),
    english_test: Annotated[Path, typer.Option(help="Treebank")] = Path("assets/ewt/test.conllu"),
    encoder: Annotated[str, typer.Option(help="Multilingual encoder")] = "multilingual-e5-small",
    training: Annotated[Path, typer.Option(help="Folder of pipelines")] = Path("training/transfer"),
    langs: Annotated[str, typer.Option(help="Treebanks of these are learnt from")] = "de es fr",
    sizes: Annotated[str, typer.Option(help="Sentences to learn from")] = "50 200 500 1000",
    steps: Annotated[int, typer.Option(help="On English")] = 1400,
    few_steps: Annotated[int, typer.Option(help="With a few sentences")] = 150,
    entities: Annotated[bool, typer.Option(help="Learn entities from some sentences, too")] = True,
    joint: Annotated[bool, typer.Option(help="Train on English, French and Spanish, too")] = True,
    mixed_precision: Annotated[Precision, typer.Option(help="In bfloat16")] = Precision.false,
    gpu_id: Annotated[int, typer.Option(help="GPU for spaCy, -1: none")] = -1,
) -> None:
    """Train on English, score in other languages."""
    settings = {
        "encoder": Path(encoder).name,
        "steps": steps,
        "few_steps": few_steps,
        "mixed_precision": mixed_precision == "true",
    }
    try:
        results = read_results(output, settings)
    except ValueError as error:
        msg.fail(str(error), exits=1)
    trainer = Trainer(corpus, english, training, encoder, settings["mixed_precision"], gpu_id)
    runs = [*runs_without(corpus), Run(NONE, "en", "treebank")]
    runs += runs_with(corpus, langs.split(), [int(size) for size in sizes.split()])
    if entities:
        runs += runs_with_entities(corpus)
    if joint:
        runs += [Run(JOINT, lang, "treebank") for lang in ("en", *JOINT_WITH)]
    for run in runs:
        if any(vars(run) == done["run"] for done in results["runs"]):
            continue
        pipeline = trainer.english(steps) if run.kind != JOINT else trainer.joint(steps)
        if run.kind == FEW:
            pipeline = trainer.few(run, pipeline, few_steps)
        found = score(run, spacy.load(pipeline), corpus / run.lang, english_test)
        if run.kind == FEW:
            shutil.rmtree(pipeline.parent)
        results["runs"].append({"run": vars(run), "scores": found})
        results["summary"] = summarize(results["runs"])
        output.parent.mkdir(parents=True, exist_ok=True)
        write_json(output, results)
        msg.good(f"{run}: {found}")
    msg.good(f"Written to {output}")


def read_results(path: Path, settings: dict[str, Any]) -> Results:
    """What the file has already. ValueError if its runs have other settings."""
    results = json.loads(path.read_text("utf8")) if path.exists() else settings | {"runs": []}
    for name, here in settings.items():
        there = results.get(name, "not recorded")
        if there != here:
            raise ValueError(OTHER_SETTING.format(path=path, name=name, there=there, here=here))
    return results


def runs_without(corpus: Path) -> list[Run]:
    """Everything that can be scored, without a sentence of the language."""
    treebanks = [Run(NONE, file.parent.name, "treebank") for file in corpus.glob("*/test.conllu")]
    sets = [Run(NONE, file.parent.name, "entities") for file in corpus.glob("*/entities.spacy")]
    return sorted(treebanks + sets, key=str)


def runs_with(corpus: Path, langs: list[str], sizes: list[int]) -> Iterator[Run]:
    """Treebanks of these languages, in those sizes that there are draws of."""
    for lang in langs:
        for size in sizes:
            for draw in range(DRAWS):
                if (corpus / lang / f"{size}-{draw}.spacy").is_file():
                    yield Run(FEW, lang, "treebank", size, draw)


def runs_with_entities(corpus: Path) -> Iterator[Run]:
    """All draws of sentences that have entities."""
    for file in sorted(corpus.glob("*/entities-*-*.spacy")):
        _, size, draw = file.stem.split("-")
        yield Run(FEW, file.parent.name, "entities", int(size), int(draw))


@dataclass
class Trainer:
    """Trains what is not there yet, each pipeline by `spacy train`."""

    corpus: Path
    english_corpus: Path
    folder: Path
    encoder: str
    mixed_precision: bool
    gpu_id: int

    def english(self, steps: int) -> Path:
        return self._train("english", self._first_config(steps), "model-best")

    def joint(self, steps: int) -> Path:
        config = self._first_config(steps)
        paths = [self.english_corpus, *(self.corpus / lang for lang in JOINT_WITH)]
        reader = config["corpora"]["train"]
        reader.pop("path"), reader.pop("limit", None)
        reader["@readers"] = "spacy-pretrained.MixedCorpus.v1"
        reader["paths"] = [str(path / "train.spacy") for path in paths]
        return self._train("joint", config, "model-best")

    def few(self, run: Run, pipeline: Path, steps: int) -> Path:
        prefix = "entities-" if run.task == "entities" else ""
        file = self.corpus / run.lang / f"{prefix}{run.sentences}-{run.draw}.spacy"
        name = f"{run.lang}-{prefix}{run.sentences}-{run.draw}"
        start = self.folder / name / "start"
        start.parent.mkdir(parents=True, exist_ok=True)
        add_labels(spacy.load(pipeline), file).to_disk(start)
        # A development set is asked for: what is learnt from is scored once, and chooses nothing.
        settings = {"train": file, "dev": file, "model": str(start), "max_steps": steps}
        config = complete_config("train_on", **settings).config
        config["training"]["eval_frequency"] = steps
        return self._train(name, config, "model-last")

    def _first_config(self, steps: int) -> Config:
        files = {part: self.english_corpus / f"{part}.spacy" for part in ("train", "dev")}
        settings = {"lang": "xx", "encoder": self.encoder, "max_steps": steps}
        config = complete_config("pipeline", **files, **settings).config
        # Lemmas and XPOS of one language say nothing in another.
        kept = [name for name in config["nlp"]["pipeline"] if name != LEMMATIZER]
        config["nlp"]["pipeline"] = kept
        config["components"].pop(LEMMATIZER, None)
        config["training"]["score_weights"]["lemma_acc"] = 0.0
        config["components"]["pretrained_tagger"]["attributes"] = ["pos", "morph"]
        config["components"]["pretrained_encoder"]["model"] |= {
            "freeze_layers": FREEZE_LAYERS,
            "mixed_precision": self.mixed_precision,
        }
        config["training"]["batcher"]["size"] = BATCH
        return config

    def _train(self, name: str, config: Config, chosen: str) -> Path:
        folder = self.folder / name
        done, path = folder / "done", folder / "config.cfg"
        if not done.is_file() or path.read_text("utf8") != config.to_str():
            done.unlink(missing_ok=True)
            folder.mkdir(parents=True, exist_ok=True)
            config.to_disk(path)
            command = [sys.executable, "-m", "spacy", "train", str(folder / "config.cfg")]
            command += ["--output", str(folder), "--gpu-id", str(self.gpu_id)]
            subprocess.run(command, check=True)
            done.touch()
        return folder / chosen


def add_labels(nlp: Language, file: Path) -> Language:
    """Such as relations that English does not have. What is known already stays as it is."""
    tokens = [token for doc in DocBin().from_disk(file).get_docs(nlp.vocab) for token in doc]
    found = {
        "pretrained_tagger": {f"pos={token.pos_}" for token in tokens if token.pos}
        | {f"morph={str(token.morph) or '_'}" for token in tokens if token.has_morph()},
        "biaffine_parser": {token.dep_ for token in tokens if token.dep},
        "pretrained_ner": {token.ent_type_ for token in tokens if token.ent_type},
    }
    for name, labels in found.items():
        for label in sorted(labels) if name in nlp.pipe_names else ():
            nlp.get_pipe(name).add_label(label)
    return nlp


def score(run: Run, nlp: Language, folder: Path, english_test: Path) -> dict[str, float]:
    """Percent. Where no sentence of the language was learnt from, of the whole treebank, too."""
    if run.task == "entities":
        return {"F1": round(evaluate_entities(nlp, folder / "entities.spacy")["all"]["f1"], 2)}
    if run.lang == "en":
        return score_treebank(nlp, english_test)
    found = score_treebank(nlp, folder / "test.conllu")
    if run.kind == NONE:
        whole = score_treebank(nlp, folder / "all.conllu")
        found |= {f"{name}, all": value for name, value in whole.items()}
    return found


def score_treebank(nlp: Language, path: Path) -> dict[str, float]:
    docs = list(read_conllu(path, nlp.vocab))
    inputs = bare_copies(docs, keep_sentences=True)
    found = run_protocol(nlp, read_gold(path), docs, inputs)["conll18"]
    return {name: round(found[name]["f1"], 2) for name in MEASURES}


def summarize(runs: list[Results]) -> list[Results]:
    """Mean and deviation over the draws of each size."""
    groups: dict[tuple, list[dict[str, float]]] = defaultdict(list)
    for done in runs:
        run = Run(**done["run"])
        groups[run.kind, run.lang, run.task, run.sentences].append(done["scores"])
    names = ("kind", "lang", "task", "sentences")
    return [
        dict(zip(names, group)) | {"draws": len(found)} | means(found)
        for group, found in groups.items()
    ]


def means(found: list[dict[str, float]]) -> Results:
    values = {name: [scores[name] for scores in found] for name in found[0]}
    deviations = {name: round(stdev(v), 2) for name, v in values.items() if len(v) > 1}
    return {
        "mean": {name: round(mean(some), 2) for name, some in values.items()},
        "deviation": deviations,
    }


if __name__ == "__main__":
    typer.run(main)
