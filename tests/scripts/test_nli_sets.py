"""scripts/nli_sets.py: files are read as they are, but for pairs on SNLI's held-out premises."""

import importlib
from pathlib import Path

import pytest
from nli_files import write_nli_sets

ROOT = Path(__file__).parents[2]


@pytest.fixture
def nli_sets(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    return importlib.import_module("nli_sets")


@pytest.fixture
def data(tmp_path) -> Path:
    write_nli_sets(tmp_path)
    return tmp_path


def test_premises_of_snli_are_dropped_and_counted(nli_sets, data):
    pairs, counts = nli_sets.read_training(data)
    assert [(p.premise, p.labels) for p in pairs] == [
        ('A "red" car\'s there.', ("entailment",)),
        ("It rains.", ("neutral",)),
        ("All dogs run.", ("entailment",)),
        ("Dogs.", ("neutral", "contradiction")),
    ]
    assert {title: (n.read, n.dropped, n.left) for title, n in counts.items()} == {
        "Counterfactual SNLI, train": (2, 1, 1),
        "TaxiNLI": (1, 0, 1),
        "ConjNLI, train": (1, 1, 0),
        "Breaking NLI": (1, 1, 0),
        "MED": (2, 0, 2),
    }


def test_a_file_that_is_not_there_and_a_label_that_is_unknown(nli_sets, data):
    (data / "MED.tsv").write_text("sentence1\tsentence2\tgold_label\na\tb\tmaybe\n")
    with pytest.raises(ValueError, match=r"MED\.tsv has the label 'maybe'"):
        nli_sets.read_training(data)
    (data / "MED.tsv").unlink()
    with pytest.raises(ValueError, match=r"There is no \*\*/MED\.tsv"):
        nli_sets.read_training(data)
