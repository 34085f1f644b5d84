"""`spacy train` saves whole pipelines; a copy that is cut short is refused."""

import json
import logging
import random
import shutil
from pathlib import Path

import pytest
import spacy
from saved_pipelines import SAVED
from spacy.tokens import DocBin
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from thinc.api import Config
from tiny_pipelines import CNN, make_examples

import spacy_pretrained
from spacy_pretrained.saving.whole_folder import FILES
from spacy_pretrained.saving.whole_saves import build_whole_saves

PIPELINE = SAVED / "v0.1.0" / "syntax_int8" / "pipeline"
TRAINING = """
[training]
max_steps = 4
eval_frequency = 2
[training.score_weights]
ents_f = 1.0
[training.optimizer]
@optimizers = "Adam.v1"
[training.before_to_disk]
@callbacks = "spacy-pretrained.whole_saves.v1"
"""


@pytest.fixture
def nlp():
    return spacy.load(PIPELINE)


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_it_saves_the_pipeline_and_is_one(nlp, tmp_path):
    whole = build_whole_saves()(nlp)
    assert isinstance(whole, type(nlp)) and whole.pipe_names == nlp.pipe_names
    (tmp_path / "model-last").mkdir()
    whole.to_disk(tmp_path / "model-last")
    whole.to_disk(tmp_path / "model-last")
    assert [path.name for path in tmp_path.iterdir()] == ["model-last"]
    loaded = spacy.load(tmp_path / "model-last")
    assert loaded("Ada sees Zürich.").to_json() == nlp("Ada sees Zürich.").to_json()


def test_files_of_others_do_not_end_a_training(nlp, tmp_path, caplog):
    whole = build_whole_saves()(nlp)
    whole.to_disk(tmp_path)
    (tmp_path / ".DS_Store").write_text("precious")
    with caplog.at_level(logging.WARNING):
        whole.to_disk(tmp_path)
    assert "file by file" in caplog.text and (tmp_path / ".DS_Store").exists()
    assert spacy.load(tmp_path).pipe_names == nlp.pipe_names


@pytest.mark.slow
def test_a_copy_that_is_cut_short_is_refused(nlp, tmp_path):
    """shutil.copytree copies in any order."""
    spacy_pretrained.save(nlp, tmp_path / "model-last")
    files = sorted(names(tmp_path / "model-last"))
    for seed in range(40):
        order = random.Random(seed).sample(files, len(files))
        n = seed if seed < 5 else random.Random(seed).randrange(len(files))
        copied = order[: -n - 1] if seed < 5 else order[:n]
        shutil.rmtree(tmp_path / "model-best", ignore_errors=True)
        for name in copied:
            (tmp_path / "model-best" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(tmp_path / "model-last" / name, tmp_path / "model-best" / name)
        with pytest.raises((ValueError, OSError)):
            spacy.load(tmp_path / "model-best")


@pytest.mark.slow
def test_each_file_that_is_missing_is_noticed(nlp, tmp_path):
    spacy_pretrained.save(nlp, tmp_path)
    for name in names(tmp_path):
        content = (tmp_path / name).read_bytes()
        (tmp_path / name).unlink()
        with pytest.raises((ValueError, OSError)):
            spacy.load(tmp_path)
        (tmp_path / name).write_bytes(content)
    spacy.load(tmp_path)
    (tmp_path / FILES).unlink()
    with pytest.raises(ValueError, match="take model-last"):
        spacy.load(tmp_path)


def test_what_is_saved_by_spacy_later_needs_no_list(tmp_path):
    nlp = spacy.load(SAVED / "v0.2.0" / "syntax_torch" / "pipeline")  # which has a mark
    spacy_pretrained.save(nlp, tmp_path / "whole")
    loaded = spacy.load(tmp_path / "whole")
    assert "files" in loaded.meta["spacy_pretrained"]
    for place in ("elsewhere", "whole"):
        loaded.to_disk(tmp_path / place)
        assert not (tmp_path / place / FILES).exists()
        meta = json.loads((tmp_path / place / "meta.json").read_text("utf8"))
        assert list(meta["spacy_pretrained"]) == ["save"]
        assert spacy.load(tmp_path / place).pipe_names == nlp.pipe_names


def test_a_training(tmp_path):
    nlp = spacy.blank("xx")
    ner = {"model": {"@architectures": "spacy-pretrained.Ner.v1", "tok2vec": CNN}}
    nlp.add_pipe("pretrained_ner", config=ner)
    docs = [example.reference for example in make_examples(nlp)]
    DocBin(docs=docs).to_disk(tmp_path / "docs.spacy")
    paths = {"train": str(tmp_path / "docs.spacy"), "dev": str(tmp_path / "docs.spacy")}
    config = nlp.config.merge(Config().from_str(TRAINING)).merge({"paths": paths})
    output = tmp_path / "output"
    output.mkdir()
    with open(tmp_path / "log", "w") as log:
        train(init_nlp(config), output, stdout=log, stderr=log)
    assert sorted(path.name for path in output.iterdir()) == ["model-best", "model-last"]
    for folder in output.iterdir():
        assert (folder / FILES).is_file()
        assert spacy.load(folder).config["training"]["before_to_disk"]
