"""Every config in configs/ goes through all of spaCy's commands, with some steps of training."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CONFIGS = sorted((ROOT / "configs").glob("*.cfg"))


def run(*command, cwd=ROOT):
    result = subprocess.run(
        [sys.executable, *map(str, command)], cwd=cwd, capture_output=True, text=True
    )
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
    return result.stdout


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("a corpus")  # with a space in its path
    run("scripts/generate_corpus.py", folder / "raw", "--documents", 8)
    run("scripts/convert.py", folder / "raw", folder / "spacy")
    return folder / "spacy"


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_config_with_every_command(config, corpus, tiny_bert, tmp_path):
    full = tmp_path / "config.cfg"
    paths = ["--paths.train", corpus / "train.spacy", "--paths.dev", corpus / "dev.spacy"]
    source = ["--initialize.components.pretrained_encoder.source", tiny_bert]
    run("-m", "spacy", "init", "fill-config", config, full)
    run("-m", "spacy", "debug", "config", full, *paths, *source)
    run("-m", "spacy", "init", "labels", full, tmp_path / "labels", *paths, *source)
    tagger_labels = tmp_path / "labels" / "pretrained_tagger.json"
    assert "NOUN" in tagger_labels.read_text("utf8")
    run(
        *("-m", "spacy", "train", full, "--output", tmp_path / "out", *paths, *source),
        *("--training.max_steps", 4, "--training.eval_frequency", 2),
        *("--training.logger.path", tmp_path / "log.jsonl"),
    )
    assert len((tmp_path / "log.jsonl").read_text("utf8").splitlines()) == 3
    model = tmp_path / "out" / "model-last"
    run("-m", "spacy", "evaluate", model, corpus / "test.spacy", "--output", tmp_path / "s.json")
    assert "dep_las" in (tmp_path / "s.json").read_text("utf8")
    assemble = assemble_config(model, tmp_path)
    run("-m", "spacy", "assemble", assemble, tmp_path / "assembled")
    run("-c", f"import spacy; spacy.load({str(tmp_path / 'assembled')!r})('It works.')")


def assemble_config(model, folder):
    """A config that takes all components from a trained pipeline."""
    lines = ["[nlp]", 'lang = "en"']
    names = ["pretrained_encoder", "pretrained_tagger", "biaffine_parser"]
    lines += [f"pipeline = {names}".replace("'", '"'), "", "[components]", ""]
    for name in names:
        lines += [f"[components.{name}]", f'source = "{model}"', ""]
    path = folder / "assemble.cfg"
    path.write_text("\n".join(lines), encoding="utf8")
    return path
