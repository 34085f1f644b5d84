"""scripts/make_config.py: the length of a training by the size of its corpus."""

import importlib
from pathlib import Path

import pytest
import spacy
from spacy.tokens import DocBin
from spacy.util import load_config

ROOT = Path(__file__).parents[2]


@pytest.fixture
def make_config(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    return importlib.import_module("make_config")


@pytest.fixture
def corpus(tmp_path):
    def corpus(*texts):
        nlp = spacy.blank("en")
        path = tmp_path / "train.spacy"
        DocBin(docs=[nlp.make_doc(text) for text in texts]).to_disk(path)
        return path

    return corpus


@pytest.mark.parametrize("name", ["pipeline", "tagger_parser", "ner", "frozen"])
def test_config(make_config, corpus, tmp_path, name):
    output = tmp_path / "a folder" / "config.cfg"
    make_config.main(ROOT / "configs" / f"{name}.cfg", output, corpus("one two three"))
    training = load_config(output)["training"]
    steps = training["max_steps"]
    assert steps == make_config.LEAST_STEPS
    assert training["optimizer"]["learn_rate"]["total_steps"] == steps
    assert training["optimizer"]["learn_rate"]["warmup_steps"] == steps // 10
    assert training["batcher"]["size"] == make_config.LEAST_BATCH


def test_steps_that_are_given(make_config, corpus, tmp_path):
    output = tmp_path / "config.cfg"
    make_config.main(ROOT / "configs" / "ner.cfg", output, corpus("one two"), max_steps=7)
    training = load_config(output)["training"]
    assert training["max_steps"] == training["optimizer"]["learn_rate"]["total_steps"] == 7
    assert training["eval_frequency"] == training["optimizer"]["learn_rate"]["warmup_steps"] == 1


def test_a_pipeline_to_begin_with(make_config, corpus, tmp_path):
    names = load_config(ROOT / "configs" / "train_on.cfg")["nlp"]["pipeline"]
    nlp = spacy.blank("en")
    for name in names:
        nlp.add_pipe("sentencizer", name=name)
    nlp.to_disk(tmp_path / "pipeline")
    output = tmp_path / "config.cfg"
    make_config.main(
        ROOT / "configs" / "train_on.cfg", output, corpus("one"), model=tmp_path / "pipeline"
    )
    config = load_config(output, interpolate=True)
    assert config["initialize"]["after_init"]
    for name in names:
        assert config["components"][name]["source"] == str(tmp_path / "pipeline")


@pytest.mark.parametrize(
    ("name", "model", "message"),
    [
        ("train_on", "nowhere", "Can't find model 'nowhere'"),
        ("train_on", None, "is named by --model"),
        ("ner", "nowhere", "has no paths.model"),
    ],
)
def test_no_pipeline_to_begin_with(
    make_config, corpus, tmp_path, monkeypatch, capsys, name, model, message
):
    monkeypatch.chdir(tmp_path)
    config, output = ROOT / "configs" / f"{name}.cfg", Path("config.cfg")
    with pytest.raises(SystemExit):
        make_config.main(config, output, corpus("one"), model=model and Path(model))
    assert message in " ".join(capsys.readouterr().out.split())
    assert not output.exists()


def test_a_config_without_paths(make_config, corpus, tmp_path, capsys):
    short, output = tmp_path / "short.cfg", tmp_path / "config.cfg"
    short.write_text('[nlp]\nlang = "en"\npipeline = []\n')
    with pytest.raises(SystemExit):
        make_config.main(short, output, corpus("one"), model=tmp_path)
    assert "has no paths.model" in " ".join(capsys.readouterr().out.split())


def test_15_epochs_of_what_is_large(make_config):
    # The treebank that the recipe in docs/models.md is for.
    assert make_config.fit(204_577) == {
        "training.batcher.size": 1500,
        "training.max_steps": 2100,
        "training.eval_frequency": 210,
        "training.optimizer.learn_rate.total_steps": 2100,
        "training.optimizer.learn_rate.warmup_steps": 210,
    }


@pytest.mark.parametrize("n_words", [1, 3_000, 10_000, 50_000, 1_000_000])
def test_15_epochs_at_least(make_config, n_words):
    settings = make_config.fit(n_words)
    steps, batch = settings["training.max_steps"], settings["training.batcher.size"]
    assert steps * batch >= 15 * n_words
    assert 200 <= batch <= 1500 and steps >= 500


def test_no_words(make_config, corpus, tmp_path, capsys):
    with pytest.raises(SystemExit):
        make_config.main(ROOT / "configs" / "ner.cfg", tmp_path / "config.cfg", corpus())
    assert "has no words" in " ".join(capsys.readouterr().out.split())
