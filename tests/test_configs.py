"""Every config in configs/ goes through all of spaCy's commands, with some steps of training."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import spacy
import spacy.cli
from spacy.tokens import DocBin
from thinc.api import Config
from typer.main import get_command

import spacy_pretrained.cli  # noqa: F401  # `spacy` alone finds commands when it starts
from spacy_pretrained import convert_folder

ROOT = Path(__file__).parent.parent
# pipeline_trf.cfg needs spacy-transformers, and has a test of its own in a second environment;
# train_on.cfg begins with a pipeline: a test below.
OTHERS = ("pipeline_trf", "train_on")
CONFIGS = sorted(p for p in (ROOT / "configs").glob("*.cfg") if p.stem not in OTHERS)
# One has most of what the others have.
QUICK = "ner"  # the others are slow tests
BY_PROCESSES = "pipeline"

ENCODER = "pretrained_encoder"
# Of the components made by each factory: a label that the corpus has, and a score.
LABELS_AND_SCORES = {
    "pretrained_tagger": ("NOUN", "pos_acc"),
    "biaffine_parser": ("nsubj", "dep_las"),
    "pretrained_ner": ("PER", "ents_f"),
    "ner": ("PER", "ents_f"),
    "pretrained_lemmatizer": ("trees", "lemma_acc"),
    "pretrained_textcat": ("question", "cats_micro_f"),
    "few_shot_textcat": ("question", "cats_micro_f"),
}
OF_TEXTS = {"pretrained_textcat", "few_shot_textcat"}
WITH_WEIGHTS = {ENCODER, "few_shot_textcat"}


def run_command(*args):
    """A command of spaCy's, in a process of its own."""
    command = [sys.executable, "-m", "spacy", *map(str, args)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, f"{args}\n{result.stdout}\n{result.stderr}"


def call_command(*args):
    """The same in this process, which saves the seconds of the start."""
    get_command(spacy.cli.app)(list(map(str, args)), "spacy", standalone_mode=False)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("a corpus")  # with a space in its path
    (folder / "raw").mkdir()
    for split in ("train", "dev", "test"):  # eight documents each, the same ones
        shutil.copy(ROOT / "assets/sample/dev.conllu", folder / "raw" / f"{split}.conllu")
    convert_folder(folder / "raw", folder / "spacy")
    return folder / "spacy"


@pytest.fixture(scope="module")
def corpus_with_categories(corpus):
    """The same documents, each with one of two categories; these are not cut."""
    folder = corpus.parent / "with categories"
    folder.mkdir()
    for path in corpus.glob("*.spacy"):
        docs = list(DocBin().from_disk(path).get_docs(spacy.blank("xx").vocab))
        for doc in docs:
            asks = any(token.text == "?" for token in doc)
            doc.cats = {"question": float(asks), "statement": float(not asks)}
        assert 0 < sum(doc.cats["question"] for doc in docs) < len(docs)
        DocBin(docs=docs).to_disk(folder / path.name)
    return folder


@pytest.mark.parametrize(
    "path",
    [pytest.param(p, marks=[pytest.mark.slow] * (p.stem != QUICK), id=p.stem) for p in CONFIGS],
)
def test_config_with_every_command(path, request, tiny_bert, tmp_path):
    # One config is enough to see that a new process finds all there is, too.
    run = run_command if path.stem == BY_PROCESSES else call_command
    full, labels = tmp_path / "config.cfg", tmp_path / "labels"
    log, scores = tmp_path / "log.jsonl", tmp_path / "scores.json"
    call_command("pretrained", "config", path, full)
    config = Config().from_disk(full)
    factories = {name: config["components"][name]["factory"] for name in config["nlp"]["pipeline"]}
    (encoder,) = (name for name, factory in factories.items() if factory in WITH_WEIGHTS)
    trained = {name: LABELS_AND_SCORES[f] for name, f in factories.items() if f != ENCODER}

    has_cats = OF_TEXTS & set(factories.values())
    corpus = request.getfixturevalue("corpus_with_categories" if has_cats else "corpus")
    data = ["--paths.train", corpus / "train.spacy", "--paths.dev", corpus / "dev.spacy"]
    data += [f"--initialize.components.{encoder}.source", tiny_bert]
    call_command("debug", "config", full, *data)
    call_command("init", "labels", full, labels, *data)
    for name, (label, _) in trained.items():
        assert f'"{label}"' in (labels / f"{name}.json").read_text("utf8")

    steps = ["--training.max_steps", 8, "--training.eval_frequency", 4]
    steps += ["--training.optimizer.learn_rate.warmup_steps", 1]
    steps += ["--training.optimizer.learn_rate.initial_rate", 0.01]
    steps += ["--training.logger.path", log]
    run("train", full, "--output", tmp_path / "out", *data, *steps)
    evaluations = [json.loads(line) for line in log.read_text("utf8").splitlines()]
    assert [evaluation["step"] for evaluation in evaluations] == [0, 4, 8]
    for name in trained:
        losses = [evaluation["losses"][name] for evaluation in evaluations]
        assert losses[2] < losses[1]  # four steps each

    write_assembly(config, tmp_path / "out" / "model-last", tmp_path / "assembly.cfg")
    call_command("assemble", tmp_path / "assembly.cfg", tmp_path / "assembled")
    run("evaluate", tmp_path / "assembled", corpus / "dev.spacy", "--output", scores)
    found = json.loads(scores.read_text("utf8"))
    for _, score in trained.values():
        assert found[score] == pytest.approx(evaluations[-1]["scores"][score], abs=1e-6)


@pytest.mark.slow
def test_what_we_compare_with(corpus, tmp_path):
    full, log = tmp_path / "config.cfg", tmp_path / "log.jsonl"
    call_command("init", "fill-config", ROOT / "benchmarks" / "stock_cnn.cfg", full)
    data = ["--paths.train", corpus / "train.spacy", "--paths.dev", corpus / "dev.spacy"]
    steps = ["--training.max_steps", 40, "--training.eval_frequency", 20]
    call_command("train", full, *data, *steps, "--training.logger.path", log)
    *_, before, after = [json.loads(line) for line in log.read_text("utf8").splitlines()]
    names = Config().from_disk(full)["nlp"]["pipeline"]
    assert set(after["losses"]) == set(names)
    names.remove("tok2vec")  # what it calls a loss is the size of its gradients
    assert all(after["losses"][name] < before["losses"][name] for name in names)
    assert {"pos_acc", "dep_las", "ents_f", "lemma_acc"} <= after["scores"].keys()


@pytest.mark.slow
def test_training_goes_on(corpus, tiny_bert, tmp_path, monkeypatch):
    """The second training begins with the scores that the first ended with, and gets on."""
    monkeypatch.chdir(tmp_path)
    data = ["--paths.train", corpus / "train.spacy", "--paths.dev", corpus / "dev.spacy"]
    source = ["--initialize.components.pretrained_encoder.source", tiny_bert]
    *_, before, ended = train_and_log("pipeline", [], [*data, *source], 12, "first")
    model = ["--model", "first/model-last"]
    # Thinc's schedule begins at 0: what is scored first is what was loaded.
    idle = ["--training.optimizer.learn_rate.@schedules", "warmup_linear.v1"]
    begun, after = train_and_log("train_on", model, [*data, *idle], 4, "second")
    scores = ended["scores"].keys() - {"speed"}
    assert {"pos_acc", "dep_las", "ents_f", "lemma_acc"} <= scores
    for name in scores:
        assert begun["scores"][name] == pytest.approx(ended["scores"][name], abs=1e-6), name
    for name in after["losses"].keys() - {ENCODER}:  # what it calls a loss is no such thing
        assert after["losses"][name] < before["losses"][name], name  # of four steps each


def train_and_log(purpose, options, settings, steps, output):
    """Write a config and train by it; what its log says every four steps."""
    full, log = f"{purpose}-full.cfg", f"{purpose}.jsonl"
    call_command("pretrained", "config", purpose, full, *options)
    length = ["--training.max_steps", steps, "--training.eval_frequency", 4]
    rate = [f"--training.optimizer.learn_rate.{x}" for x in ("warmup_steps", "initial_rate")]
    more = [*length, rate[0], 1, rate[1], 0.003, "--training.logger.path", log]
    call_command("train", full, "--output", output, *settings, *more)
    return [json.loads(line) for line in Path(log).read_text("utf8").splitlines()]


def write_assembly(config, model, path):
    """A config that takes all components from a trained pipeline."""
    names = config["nlp"]["pipeline"]
    assembly = {
        "nlp": {"lang": config["nlp"]["lang"], "pipeline": names},
        "components": {name: {"source": str(model)} for name in names},
    }
    Config(assembly).to_disk(path)
