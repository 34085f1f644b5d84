"""scripts/few_shot.py: what is drawn, what is run again, and what is summed up."""

import importlib
import json
from collections import Counter
from pathlib import Path

import pytest
import spacy
from spacy.tokens import DocBin

ROOT = Path(__file__).parents[2]


@pytest.fixture
def few_shot(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    return importlib.import_module("few_shot")


@pytest.fixture
def docs():
    """Texts of polarity's labels, of "bad" three only."""
    nlp = spacy.blank("en")
    docs = []
    for label, number in (("good", 9), ("bad", 3)):
        for i in range(number):
            doc = nlp.make_doc(f"{label} {i}")
            doc.cats = {"good": float(label == "good"), "bad": float(label == "bad")}
            docs.append(doc)
    return docs


def test_draws_of_each_label(few_shot, docs):
    drawn = few_shot.draw(docs, 5, seed=0)
    assert Counter(doc.text.split()[0] for doc in drawn) == {"good": 5, "bad": 3}
    texts = [doc.text for doc in drawn]
    assert len(set(texts)) == len(texts)
    assert texts == [doc.text for doc in few_shot.draw(docs, 5, seed=0)]
    assert texts != [doc.text for doc in few_shot.draw(docs, 5, seed=1)]


def test_what_is_done_is_not_run_again(few_shot, docs, tmp_path, monkeypatch):
    folder = tmp_path / "corpus" / "polarity"
    folder.mkdir(parents=True)
    for part in ("train", "test"):
        DocBin(docs=docs).to_disk(folder / f"{part}.spacy")
    ran = []

    def evaluate(run, known, train, test, vectors):
        if len(ran) == 3:
            raise KeyboardInterrupt
        ran.append(run)
        spent = {"fit_seconds": 1.5, "fit_cpu_seconds": 2.5}
        return {"accuracy": 50.0 + run.seed, "macro_f": 40.0} | spent

    monkeypatch.setattr(few_shot, "evaluate", evaluate)
    sizes = {"frozen": (0, 8), "fine-tuned": (8,)}
    monkeypatch.setattr(few_shot, "SIZES", sizes)
    output = tmp_path / "metrics" / "few-shot.json"
    labels = ROOT / "assets" / "textcat"
    with pytest.raises(KeyboardInterrupt):
        few_shot.main(tmp_path / "corpus", output, labels, n_seeds=2)
    first, ran = ran, []
    few_shot.main(tmp_path / "corpus", output, labels, n_seeds=2)
    assert [(run.mode, run.texts_a_label, run.seed) for run in first + ran] == [
        ("frozen", 0, 0),
        ("frozen", 8, 0),
        ("frozen", 8, 1),
        ("fine-tuned", 8, 0),
        ("fine-tuned", 8, 1),
    ]
    summary = json.loads(output.read_text())["polarity"]["summary"]
    assert summary["fine-tuned"]["8"] == {
        "accuracy": 50.5,
        "deviation": 0.71,
        "least": 50.0,
        "best": 51.0,
        "macro_f": 40.0,
        "fit_seconds": 1.5,
        "fit_cpu_seconds": 2.5,
        "seeds": 2,
    }
    assert summary["frozen"]["0"]["seeds"] == 1


def test_a_set_that_is_not_converted(few_shot, tmp_path, capsys):
    with pytest.raises(SystemExit):
        few_shot.main(tmp_path, tmp_path / "few-shot.json", only=["polarity"])
    assert "convert_textcat.py" in capsys.readouterr().out
