"""project.yml: what weasel makes of it. Nothing is run."""

import importlib
import shutil
from itertools import pairwise
from pathlib import Path

import pytest
from spacy.cli.init_config import fill_config
from spacy.util import load_config
from weasel.cli.run import project_run
from weasel.util import load_project_config

ROOT = Path(__file__).parents[1]


@pytest.fixture
def project(tmp_path):
    """A folder with the project file alone: weasel makes folders next to it."""
    folder = tmp_path / "a project"
    folder.mkdir()
    shutil.copy(ROOT / "project.yml", folder)
    return folder


@pytest.mark.parametrize("workflow", ["all", "ner", "zero-shot", "few-shot", "stock"])
def test_every_dependency_comes_from_somewhere(project, workflow):
    config = load_project_config(project, overrides={"vars.corpus": "my corpus"})
    commands = {command["name"]: command for command in config["commands"]}
    there = {"assets/my corpus"}
    for name in config["workflows"][workflow]:
        command = commands[name]
        for path in command["deps"]:
            is_given = path in there or Path(path).parent.as_posix() in there
            assert is_given or (ROOT / path).exists(), f"{name} needs {path}"
        there.update(command.get("outputs", []), command.get("outputs_no_cache", []))


def test_every_command_is_in_a_workflow(project):
    config = load_project_config(project)
    used = {name for workflow in config["workflows"].values() for name in workflow}
    assert used == {command["name"] for command in config["commands"]}


def test_a_corpus_is_checked_before_a_training(project):
    workflows = load_project_config(project)["workflows"]
    trained = [steps for steps in workflows.values() if "train" in steps]
    assert len(trained) == 2
    for steps in trained:
        assert steps[steps.index("train") - 2 :][:2] == ["config", "check"]


def test_workflow_with_spaces_in_variables(project, capfd):
    overrides = {"vars.corpus": "my corpus", "vars.encoder": "my models/x", "vars.gpu": 1}
    project_run(project, "all", overrides=overrides, dry=True)
    said = capfd.readouterr().out
    assert "--encoder 'my models/x'" in said
    assert "--gpu-id 1" in said and "'training/my corpus/config.cfg'" in said


def test_overrides_of_the_train_command_fit_the_config(project, tmp_path):
    config = load_project_config(project)
    (train,) = [command for command in config["commands"] if command["name"] == "train"]
    words = train["script"][0].split()
    overrides = {
        option[2:]: value.strip('"')
        for option, value in pairwise(words)
        if option.startswith("--") and "." in option
    }
    assert set(overrides) >= {"system.seed", "training.logger.path"}
    # Raises where the config lacks a section.
    short = ROOT / "configs" / f"{config['vars']['config']}.cfg"
    fill_config(tmp_path / "config.cfg", short, silent=True)
    load_config(tmp_path / "config.cfg", overrides=overrides)


def test_the_page_has_the_commands_of_the_project(project, monkeypatch):
    """If not: python scripts/project_page.py"""
    monkeypatch.syspath_prepend(ROOT / "scripts")
    monkeypatch.chdir(project)
    page = Path("docs") / "project.md"
    page.parent.mkdir()
    shutil.copy(ROOT / page, page)
    importlib.import_module("project_page").main()
    text = page.read_text("utf8")
    assert "`assets/ewt/test.conllu`" in text
    assert text == (ROOT / page).read_text("utf8")
