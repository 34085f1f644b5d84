"""Complete configs: one for each purpose, as long as the corpus wants, and nothing that does not
fit."""

import shlex
from pathlib import Path

import pytest
import spacy
from spacy.tokens import DocBin
from spacy.util import load_config

from spacy_pretrained.training.config import (
    PURPOSES,
    _set_encoder,
    complete_config,
    read_short,
    train_command,
)
from spacy_pretrained.training.length import LEAST_BATCH, LEAST_STEPS, fit_length

CONFIGS = Path(__file__).parents[2] / "configs"
WITH_ENCODER = [name for name in PURPOSES if name not in ("pipeline_trf", "train_on")]


@pytest.fixture
def corpus(tmp_path):
    def corpus(*texts, name="train.spacy"):
        nlp = spacy.blank("xx")
        path = tmp_path / name
        DocBin(docs=[nlp.make_doc(text) for text in texts]).to_disk(path)
        return path

    return corpus


def save_pipeline(path, *names, lang="en"):
    nlp = spacy.blank(lang)
    for name in names:
        nlp.add_pipe("sentencizer", name=name)
    nlp.to_disk(path)
    return str(path)


def test_every_config_is_for_a_purpose():
    assert {path.stem for path in CONFIGS.glob("*.cfg")} == set(PURPOSES)


@pytest.mark.parametrize("purpose", PURPOSES)
def test_installed_configs_are_those_of_the_repository(purpose):
    assert read_short(purpose) == load_config(CONFIGS / f"{purpose}.cfg")


@pytest.mark.parametrize("purpose", WITH_ENCODER)
def test_config(corpus, tmp_path, purpose):
    train, dev = corpus("one two three"), corpus("four", name="dev.spacy")
    found = complete_config(purpose, train=train, dev=dev, lang="de", encoder="owner/name")
    found.config.to_disk(tmp_path / "config.cfg")
    config = load_config(tmp_path / "config.cfg", interpolate=True)
    assert config["corpora"]["train"]["path"] == str(train)
    assert config["corpora"]["dev"]["path"] == str(dev)
    assert config["nlp"]["lang"] == "de"
    sources = [block["source"] for block in config["initialize"]["components"].values()]
    assert sources == ["owner/name"]
    # All of it is there: spaCy has nothing to add.
    assert spacy.util.load_model_from_config(config).config.interpolate() == config


@pytest.mark.parametrize("purpose", ["pipeline", "tagger_parser", "ner", "frozen", "textcat"])
def test_a_small_corpus_is_learnt_in_small_batches(corpus, purpose):
    found = complete_config(purpose, train=corpus("one two three"))
    training = found.config["training"]
    steps = training["max_steps"]
    assert steps == LEAST_STEPS
    assert training["optimizer"]["learn_rate"]["total_steps"] == steps
    assert training["optimizer"]["learn_rate"]["warmup_steps"] == steps // 10
    assert training["batcher"]["size"] == LEAST_BATCH
    assert "3 words, 500 steps of 200 words" in found.describe_length()


def test_batches_of_texts_stay_as_they_are(corpus):
    short = read_short("few_shot")["training"]
    training = complete_config("few_shot", train=corpus("one two")).config["training"]
    assert training["batcher"]["size"] == short["batcher"]["size"]
    assert training["max_steps"] == short["max_steps"]


def test_steps_that_are_given(corpus):
    for train in (corpus("one two"), None):
        training = complete_config("ner", train=train, max_steps=7).config["training"]
        assert training["max_steps"] == training["optimizer"]["learn_rate"]["total_steps"] == 7
        assert training["eval_frequency"] == 1
        assert training["optimizer"]["learn_rate"]["warmup_steps"] == 1


def test_a_config_of_ones_own_without_paths_and_schedule(corpus, tmp_path):
    short = tmp_path / "short.cfg"
    short.write_text('[nlp]\nlang = "en"\npipeline = []\n')
    training = complete_config(str(short), train=corpus("one two")).config["training"]
    assert training["max_steps"] == LEAST_STEPS
    assert training["batcher"]["size"]["@schedules"] == "compounding.v1"
    with pytest.raises(ValueError, match=r"no paths.model"):
        complete_config(str(short), model=str(tmp_path))
    with pytest.raises(ValueError, match="Leave out --encoder"):
        complete_config(str(short), encoder="minilm-l6")


@pytest.mark.parametrize("names", [("a", "b"), tuple(read_short("train_on")["nlp"]["pipeline"])])
def test_a_pipeline_to_begin_with(tmp_path, names):
    model = save_pipeline(tmp_path / "pipeline", *names, lang="de")
    complete_config("train_on", model=model).config.to_disk(tmp_path / "config.cfg")
    config = load_config(tmp_path / "config.cfg", interpolate=True)
    assert config["initialize"]["after_init"]
    assert config["nlp"]["lang"] == "de" and config["nlp"]["pipeline"] == list(names)
    assert config["components"] == {name: {"source": model} for name in names}


def test_a_config_of_ones_own_that_says_no_more_than_where_to_begin(tmp_path):
    model, short = save_pipeline(tmp_path / "pipeline", "a", lang="de"), tmp_path / "short.cfg"
    short.write_text("[paths]\nmodel = null\n")
    config = complete_config(str(short), model=model, lang="de").config
    assert config["nlp"]["lang"] == "de" and config["nlp"]["pipeline"] == ["a"]
    assert list(config["components"]) == ["a"]


@pytest.mark.parametrize(
    ("purpose", "settings", "message"),
    [
        ("train_on", {"model": "nowhere"}, "Can't find model 'nowhere'"),
        ("train_on", {}, "name it with --model"),
        ("ner", {"model": "nowhere"}, r"no paths\.model"),
        ("nothing", {}, "no config for 'nothing'.* ner, "),
        ("nothing.cfg", {}, "no config 'nothing.cfg'"),
        ("junk.cfg", {}, "'junk.cfg' is not a config.*decode byte 0xff"),
        ("broken.cfg", {}, "'broken.cfg' is not a config"),
        ("twice.cfg", {}, "'twice.cfg' is not a config.*already exists"),
        ("ner", {"train": "nothing.spacy"}, "no file or folder 'nothing.spacy'"),
        ("ner", {"dev": "nothing.spacy"}, "no file or folder 'nothing.spacy'"),
        ("ner", {"train": __file__}, "is not a .spacy file"),
        ("ner", {"lang": "qq"}, "spaCy has no language 'qq'. Give xx"),
        ("ner", {"max_steps": -1}, "not -1"),
    ],
)
def test_what_is_refused(tmp_path, monkeypatch, purpose, settings, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "junk.cfg").write_bytes(b"\xff")
    (tmp_path / "broken.cfg").write_text("[nlp\n")
    (tmp_path / "twice.cfg").write_text('[nlp]\nlang = "en"\nlang = "de"\n')
    with pytest.raises((ValueError, OSError), match=f"(?s){message}"):
        complete_config(purpose, **settings)


def test_the_stock_transformer_has_to_be_installed(monkeypatch):
    monkeypatch.setattr("spacy_pretrained.training.config.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r'pip install "spacy-pretrained\[spacy-transformers\]"'):
        complete_config("pipeline_trf")


def test_the_encoder_of_a_config_with_the_stock_transformer():
    short = read_short("pipeline_trf")
    assert short["components"]["transformer"]["model"]["name"] != "owner/name"
    _set_encoder(short, "owner/name", "pipeline_trf")
    assert short["components"]["transformer"]["model"]["name"] == "owner/name"


def test_a_language_that_spacy_does_not_have(tmp_path):
    short = tmp_path / "short.cfg"
    short.write_text('[nlp]\nlang = "qq"\npipeline = []\n')
    with pytest.raises(ValueError, match="Can't import language qq"):
        complete_config(str(short))


def test_a_length_that_is_not_of_words(corpus, tmp_path):
    short = tmp_path / "short.cfg"
    batcher = '[training.batcher]\n@batchers = "spacy.batch_by_sequence.v1"\nsize = 32\n'
    short.write_text(f'[nlp]\nlang = "en"\npipeline = []\n[training]\nmax_steps = 70\n{batcher}')
    assert complete_config(str(short), max_steps=70).describe_length() == "70 steps"


def test_15_epochs_of_what_is_large():
    # The treebank that the recipe in docs/models.md is for.
    assert fit_length(204_577) == (2100, 1500)


@pytest.mark.parametrize("n_words", [1, 3_000, 10_000, 50_000, 1_000_000])
def test_15_epochs_at_least(n_words):
    steps, batch = fit_length(n_words)
    assert steps * batch >= 15 * n_words
    assert 200 <= batch <= 1500 and steps >= 500


def test_the_next_command_names_what_is_missing(corpus):
    path = Path("a folder") / "config.cfg"
    train = corpus("one two")
    command = train_command(path, complete_config("ner", train=train, dev=train).config)
    assert shlex.split(command) == [
        *("python", "-m", "spacy", "train", str(path), "--output", "training")
    ]
    assert "--paths" not in command
    command = train_command(path, complete_config("ner", train=train).config)
    assert command.endswith("--output training --paths.dev DEV.spacy")
