"""scripts/train_nli.py: a folder comes out that the component takes, and that has learnt."""

import importlib
import json
from pathlib import Path

import numpy as np
import pytest
import spacy
import torch
from nli_files import write_nli_sets
from numpy.testing import assert_allclose

ROOT = Path(__file__).parents[2]


@pytest.fixture
def train_nli(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    return importlib.import_module("train_nli")


@pytest.fixture
def data(tmp_path) -> Path:
    write_nli_sets(tmp_path / "data")
    return tmp_path / "data"


@pytest.mark.slow
def test_the_component_takes_what_was_trained(train_nli, data, tiny_bert, tmp_path):
    output = tmp_path / "nli"
    train_nli.main(data, output, tiny_bert, steps=60, batch_size=4, learn_rate=3e-3)
    found = json.loads((output / "metrics.json").read_text())
    assert found["steps"] == 60 and found["sets"]["MED"]["left"] == 2
    assert set(found["accuracy"]) == {"SNLI, dev", "SNLI, test"}
    nlp = spacy.blank("en")
    model = {"@architectures": "spacy-pretrained.EntailmentClassifier.v1"}
    config = {"labels": ["sea", "dogs"], "model": model, "multi_label": True}
    nlp.add_pipe("zero_shot_textcat", config=config)
    nlp.config["initialize"]["components"]["zero_shot_textcat"] = {"source": str(output)}
    nlp.initialize()
    assert set(nlp("The sea.").cats) == {"sea", "dogs"}
    # What it learnt by heart.
    pairs, _ = train_nli.read_training(data)
    module, tokenizer = train_nli.load(output, 128)
    assert train_nli.find_accuracy(module.eval(), tokenizer, pairs) == 100


@pytest.mark.parametrize("encoder", ["nonsense", "no/such/folder"])
def test_an_encoder_that_is_none_is_said_in_a_line(train_nli, data, tmp_path, capsys, encoder):
    with pytest.raises(SystemExit):
        train_nli.main(data, tmp_path / "nli", encoder, steps=1)
    said = " ".join(capsys.readouterr().out.split())
    assert f"Unknown source of weights '{encoder}'" in said and "SNLI" not in said
    assert not (tmp_path / "nli").exists()


def test_the_loss_is_cross_entropy_where_one_class_is_possible(train_nli):
    logits = torch.randn(3, 3, requires_grad=True)
    gold = torch.tensor([0, 1, 2])
    loss = train_nli.find_loss(logits, torch.eye(3, dtype=torch.bool)[gold])
    assert_allclose(loss.item(), torch.nn.functional.cross_entropy(logits, gold).item(), rtol=1e-5)
    either = torch.tensor([[False, True, True]])
    loss = train_nli.find_loss(logits[:1], either)
    p = logits[0].softmax(dim=0)
    assert_allclose(loss.item(), -np.log((p[1] + p[2]).item()), rtol=1e-5)
    loss.backward()
    assert torch.isfinite(logits.grad).all()


def test_every_pair_is_seen_once_an_epoch(train_nli):
    pairs = [train_nli.Pair("a" * i, "b", ("neutral",)) for i in range(10)]
    batches = train_nli.draw_batches(pairs, 3, seed=0)
    first = [pair for _ in range(4) for pair in next(batches)]
    assert sorted(first, key=pairs.index) == pairs


def test_the_learning_rate_rises_and_falls_to_nothing(train_nli):
    shares = [train_nli.find_share(used) for used in (0, 0.03, 0.06, 0.5, 1)]
    assert shares[0] == 0 == shares[-1] and max(shares) == shares[2] == pytest.approx(1)


def test_it_says_that_an_end_is_missing(train_nli, data, tiny_bert, tmp_path, capsys):
    with pytest.raises(SystemExit):
        train_nli.main(data, tmp_path / "nli", tiny_bert)
    assert "--steps or --minutes" in capsys.readouterr().out
