"""scripts/calibrate.py on a recognizer that is sometimes right: in, out, and what it refuses."""

import importlib
from pathlib import Path

import numpy as np
import pytest
import spacy
from spacy.tokens import DocBin
from tiny_pipelines import CNN, make_examples, train

NER = {"model": {"@architectures": "spacy-pretrained.Ner.v1", "tok2vec": CNN}}


@pytest.fixture
def calibrate(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "scripts")
    return importlib.import_module("calibrate")


@pytest.fixture
def model(tmp_path):
    nlp = spacy.blank("en")
    nlp.add_pipe("pretrained_ner", config=NER)
    train(nlp, make_examples(nlp), 30)
    nlp.to_disk(tmp_path / "model")
    return tmp_path / "model"


def write_gold(path, *, keep):
    """The documents of the tiny corpus; of their entities those with these labels."""
    nlp = spacy.blank("en")
    docs = [example.reference for example in make_examples(nlp)]
    for doc in docs:
        doc.set_ents([entity for entity in doc.ents if entity.label_ in keep])
    DocBin(docs=docs).to_disk(path)


def test_writes_a_calibrated_pipeline(calibrate, model, tmp_path, capsys):
    write_gold(tmp_path / "dev.spacy", keep=["PERSON"])
    calibrate.main(model, tmp_path / "dev.spacy", tmp_path / "out", "pretrained_ner")
    assert "expected calibration error" in capsys.readouterr().out
    old, new = (spacy.load(path) for path in (model, tmp_path / "out"))
    assert old.get_pipe("pretrained_ner").cfg["calibration"] is None
    assert len(new.get_pipe("pretrained_ner").cfg["calibration"]) == 2
    text = "Ada sees the old river."
    (sure,) = [entity._.confidence for entity in old(text).ents]
    (calibrated,) = [entity._.confidence for entity in new(text).ents]
    assert 0 < calibrated < sure  # some of the entities it is sure of are wrong


def test_what_it_refuses(calibrate, model, tmp_path, capsys):
    write_gold(tmp_path / "dev.spacy", keep=["PERSON", "GPE"])
    with pytest.raises(SystemExit):
        calibrate.main(model, tmp_path / "dev.spacy", None, "pretrained_ner")
    assert "cannot be calibrated" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        calibrate.main(model, tmp_path / "dev.spacy", None, "ner")
    assert "no pretrained_ner 'ner'" in " ".join(capsys.readouterr().out.split())


def test_calibration_error(calibrate):
    rng = np.random.default_rng(0)
    sure = rng.random(100_000)
    honest = rng.random(100_000) < sure
    assert calibrate.error_of(sure, honest) < 0.01
    assert abs(calibrate.error_of(np.full(1000, 0.9), rng.random(1000) < 0.5) - 0.4) < 0.06
