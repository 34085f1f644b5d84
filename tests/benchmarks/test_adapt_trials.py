"""benchmarks/adapt_trials.py: nothing that is scored was adapted to, nothing is trained twice."""

import importlib
import json
from pathlib import Path

import pytest
import spacy
from spacy.tokens import DocBin

ROOT = Path(__file__).parents[2]


@pytest.fixture
def script(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    module = importlib.import_module("adapt_trials")
    nlp = spacy.blank("en")
    for name in ("polarity", "subjectivity"):
        for part in ("train", "test"):
            docs = [nlp(f"{name} {part} {i}") for i in range(9)] + [nlp("in all of them")]
            for i, doc in enumerate(docs):
                doc.cats = {"good": float(i % 2), "bad": float(1 - i % 2)}
            (tmp_path / name).mkdir(exist_ok=True)
            DocBin(docs=docs).to_disk(tmp_path / name / f"{part}.spacy")
    monkeypatch.setattr(module, "TEXTCAT", tmp_path)
    monkeypatch.setattr(module, "WNUT17", tmp_path)
    return module


def test_movies(script, monkeypatch, tmp_path):
    adapted_to, scored = [], []

    def adapt_once(name, source, texts, minutes, labelled):
        adapted_to.extend(texts)
        return tmp_path / "adapted", {"before": 9.0, "after": 6.0}

    def score(source, train, test, texts_a_label, seed):
        scored.append((source, texts_a_label, seed))
        return 50.0 + seed

    monkeypatch.setattr(script, "adapt_once", adapt_once)
    monkeypatch.setattr(script, "score_few_shot", score)
    for _ in range(2):
        script.movies(source="x", minutes=1.0, seeds=3, output=tmp_path / "out")
    assert len(scored) == 2 * 2 * 3  # each once
    assert not any("polarity test" in text or "all of them" in text for text in adapted_to)
    assert any("subjectivity test" in text for text in adapted_to)
    found = json.loads((tmp_path / "out" / "movies.json").read_text("utf8"))
    assert found["adaptation"]["after"] == 6.0
    one = found["8 texts a label, adapted"]
    assert one["mean"] == {"accuracy": 51.0} and one["deviation"] == {"accuracy": 1.0}


def test_tweets(script, monkeypatch, tmp_path):
    (tmp_path / "a.conll").write_text("Ada\tB-PER\nruns\tO\n\n\nRain\tO\n", "utf8")
    assert script.read_tweets(tmp_path / "a.conll") == ["Ada runs", "Rain"]
    monkeypatch.setattr(script, "adapt_once", lambda *_: (tmp_path / "adapted", {}))
    monkeypatch.setattr(script, "score_entities", lambda *_: {"dev": 1.0, "test": 2.0})
    script.tweets(tweets=tmp_path, source="x", minutes=1.0, seeds=2, output=tmp_path / "out")
    found = json.loads((tmp_path / "out" / "tweets.json").read_text("utf8"))
    assert found["adapted"]["mean"] == {"dev": 1.0, "test": 2.0}
