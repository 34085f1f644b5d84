"""benchmarks/experiment.py: what benchmarks/experiments.yml asks for can be run."""

import importlib
from itertools import pairwise
from pathlib import Path

import pytest
import srsly
from spacy.cli.init_config import fill_config
from spacy.util import load_config

ROOT = Path(__file__).parents[2]
EXPERIMENTS = srsly.read_yaml(ROOT / "benchmarks" / "experiments.yml")


@pytest.fixture
def experiment(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return importlib.import_module("experiment")


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_overrides_fit_the_configs(experiment, name, tmp_path):
    settings = EXPERIMENTS[name]
    for run in settings["runs"].values():
        command = experiment.train_command(settings, run, 1, Path("out"))
        assert command[:4] == ["python", "-m", "spacy", "train"]
        overrides = {
            option[2:]: value
            for option, value in pairwise(command)
            if option.startswith("--") and "." in option
        }
        assert overrides["system.seed"] == "1"
        assert len(overrides) >= 3 + len(settings["overrides"])
        # Raises where the config lacks a section.
        fill_config(tmp_path / "config.cfg", ROOT / run["config"], silent=True)
        load_config(tmp_path / "config.cfg", overrides=overrides)


def test_means(experiment):
    found = {"0": {"f": 1.0, "g": 5.0}, "1": {"f": 3.0, "g": 5.0}}
    assert experiment.means(found) == {
        "f": {"mean": 2.0, "deviation": 1.4142},
        "g": {"mean": 5.0, "deviation": 0.0},
    }
    assert experiment.means({"0": {"f": 1.0}}) == {"f": {"mean": 1.0}}


def test_unknown_experiment(experiment, capsys):
    with pytest.raises(SystemExit):
        experiment.main("what", ROOT / "benchmarks" / "experiments.yml")
    assert "no experiment 'what', but ner-wnut17" in " ".join(capsys.readouterr().out.split())
