"""scripts/zero_shot_entailment.py: both ways are scored on the same texts."""

import importlib
import json
from pathlib import Path

import spacy
from spacy.tokens import DocBin

ROOT = Path(__file__).parents[2]


def test_both_ways_are_scored(tiny_nli, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    script = importlib.import_module("zero_shot_entailment")
    folder = tmp_path / "corpus" / "polarity"
    folder.mkdir(parents=True)
    nlp = spacy.blank("en")
    docs = [nlp.make_doc(text) for text in ("A lovely film.", "A bore.", "Dull.")]
    names = script.read_labels(ROOT / "assets" / "textcat" / "polarity.yml").names
    for doc, label in zip(docs, (0, 1, 1)):
        doc.cats = {name: float(i == label) for i, name in enumerate(names)}
    DocBin(docs=docs).to_disk(folder / "test.spacy")
    output = tmp_path / "metrics" / "entailment.json"
    labels = ROOT / "assets" / "textcat"
    model = Path(tiny_nli("bert"))
    script.main(tmp_path / "corpus", model, output, labels, n_texts=2, only=["polarity"])
    found = json.loads(output.read_text())["polarity"]
    assert found["texts"] == 2
    for way in ("entailment", "similarity"):
        assert found[way]["accuracy"] in (0, 50, 100)
