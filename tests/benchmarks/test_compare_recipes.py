"""benchmarks/compare_recipes.py: errors of each recipe and drops of scores."""

import importlib
import json
from pathlib import Path

import pytest
from spacy.tokens import DocBin
from tiny_pipelines import make_examples, make_nlp, make_reference, train

from spacy_pretrained.quantization.recipes import compress_weights

ROOT = Path(__file__).parents[2]


@pytest.fixture
def compare_recipes(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return importlib.import_module("compare_recipes")


@pytest.fixture
def folder(tiny_bert, tmp_path) -> Path:
    """A trained pipeline and documents."""
    nlp = make_nlp(tiny_bert, "pretrained_tagger")
    train(nlp, make_examples(nlp), 5)
    nlp.to_disk(tmp_path / "model")
    for name, numbers in (("train", [0, 1]), ("dev", [2, 3])):
        docs = [make_reference(nlp.vocab, numbers) for _ in range(24)]
        DocBin(docs=docs).to_disk(tmp_path / f"{name}.spacy")
    return tmp_path


@pytest.mark.slow
def test_errors_and_drops(compare_recipes, folder, monkeypatch):
    def make_all(model, batches):  # the recipes themselves have tests of their own
        yield "none", model
        yield "weights", compress_weights(model)

    monkeypatch.setattr(compare_recipes, "make_all", make_all)
    monkeypatch.setattr(compare_recipes, "error_without_vnni", lambda *args: None)
    texts, gold, output = (folder / name for name in ("train.spacy", "dev.spacy", "recipes.json"))
    compare_recipes.main(str(folder / "model"), texts, gold, output)
    report = json.loads(output.read_text())
    none, weights = report["recipes"]
    assert report["documents"] == 24 and report["scores"]["tag_acc"] > 0
    assert none["errors"] == {"exact": 0, "this_cpu": 0, "without_vnni": None}
    assert not any(none["drops"].values())
    assert 0 < weights["errors"]["exact"] < 0.1
    assert weights["drops"].keys() == report["scores"].keys()
