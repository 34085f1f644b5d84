"""benchmarks/packed_training.py: what a step learns from."""

import importlib
from itertools import islice
from pathlib import Path

import pytest
import spacy
from spacy.tokens import DocBin

ROOT = Path(__file__).parents[2]


@pytest.mark.usefixtures("needs_torch")
def test_batches_have_so_many_words(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    script = importlib.import_module("packed_training")
    monkeypatch.setattr(script, "WORDS", 10)
    nlp = spacy.blank("en")
    docs = [nlp(f"text {number}") for number in range(7)]
    DocBin(docs=docs).to_disk(tmp_path / "train.spacy")
    for batch in islice(script.read_batches(nlp, tmp_path / "train.spacy"), 3):
        assert sum(map(len, batch)) == 10 and len({*map(str, batch)}) == 5
