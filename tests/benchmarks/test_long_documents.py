"""benchmarks/long_documents.py: no snippet is in two documents, what is known is not run again, and
tables and pictures come out."""

import dataclasses
import importlib
import json
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WORDS = {"pos": "fine great lovely warm", "neg": "dull poor bleak cold"}


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    module = importlib.import_module("long_documents")
    monkeypatch.setattr(module, "N_WORDS", 40)
    monkeypatch.setattr(module, "N_DOCUMENTS", {"train": 12, "dev": 4, "test": 4})
    return module


@pytest.fixture
def data(tmp_path) -> Path:
    """Snippets of 6 words each, one of them the snippet's own; the first is there twice."""
    for label, words in WORDS.items():
        lines = [f"{words} {label}{i} ." for i in [0, *range(300)]]
        (tmp_path / f"rt-polarity.{label}").write_text("\n".join(lines) + "\n", "utf8")
    return tmp_path


def test_no_snippet_is_in_two_documents(script, data):
    splits = script.make_splits(data)
    assert {name: len(split) for name, split in splits.items()} == script.N_DOCUMENTS
    used: Counter[str] = Counter()
    for split in splits.values():
        assert Counter(label for _, label in split) == dict.fromkeys(WORDS, len(split) // 2)
        for text, label in split:
            own = [word for word in text.split() if word.strip("0123456789") in WORDS]
            assert all(word.startswith(label) for word in own)
            assert 40 <= len(text.split()) <= 47 and not set(text) & set(".!?")
            used.update(own)
    assert used and set(used.values()) == {1}


def test_splits_are_always_the_same(script, data):
    assert script.make_splits(data) == script.make_splits(data)


def test_what_is_known_is_not_run_again(script, data, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(script, "RUNS", {"bag": script.Run(2)})
    output, folder = tmp_path / "metrics" / "long.json", tmp_path / "vectors"
    script.main(data, output, folder, 1)
    first = json.loads(output.read_text("utf8"))
    assert list(first["runs"]["bag"]) == ["0"]
    monkeypatch.setattr(script, "train", lambda run, seed, *_: {"dev": [(2, 50.0)], "test": 50.0})
    script.main(data, output, folder, 2)
    second = json.loads(output.read_text("utf8"))
    assert second["runs"]["bag"]["0"] == first["runs"]["bag"]["0"]
    assert second["runs"]["bag"]["1"]["test"] == 50
    plot = importlib.import_module("plot_long_documents")
    plot.main(output, tmp_path / "docs" / "long.png")
    assert (tmp_path / "docs" / "long.png").read_bytes().startswith(b"\x89PNG")
    monkeypatch.setattr(script, "RUNS", {"bag": script.Run(3)})
    with pytest.raises(SystemExit):
        script.main(data, output, folder, 2)


def test_the_longformer_is_a_source(script, data, tmp_path, monkeypatch):
    small = {"num_hidden_layers": 1, "hidden_size": 16, "num_attention_heads": 2}
    small |= {"intermediate_size": 16, "attention_window": [8]}
    monkeypatch.setattr(script, "LONGFORMER", small)
    run = dataclasses.replace(script.RUNS["random Longformer"], epochs=1, every=1)
    result = script.train(run, 0, script.make_splits(data), tmp_path)
    assert 0 <= result["test"] <= 100 and len(result["dev"]) == 1
