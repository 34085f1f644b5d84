"""scripts/smoke.py: what it asks pip for, and what counts as the same annotation. That pip can
install it is for `make demo` to show."""

import importlib
import json
import sys
from pathlib import Path

import pytest
import spacy

ROOT = Path(__file__).parents[2]


@pytest.fixture
def smoke(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    return importlib.import_module("smoke")


@pytest.fixture
def found(smoke, tmp_path):
    """What two texts have in the environment of the tests."""
    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "PER", "pattern": "Ada"}])
    nlp.to_disk(tmp_path / "pipeline")
    python = Path(sys.executable)
    return smoke.annotate(python, str(tmp_path / "pipeline"), ["Ada sleeps.", ""])


def test_annotation(found):
    first, second = found["docs"]
    assert first["tokens"] == ["Ada", "sleeps", "."] and first["entities"] == ["0-1 PER"]
    assert second["tokens"] == []
    assert found["words"] == 3 and found["words_per_second"] > 0 and "openvino" in found["modules"]


@pytest.mark.slow
def test_the_same(smoke, found):
    assert smoke.compare(found["docs"], found["docs"]) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "value"),
    [("tags", ["NNP", "", ""]), ("entities", []), ("entities", ["0-2 PER"]), ("heads", [1, 1, 1])],
)
def test_another(smoke, found, name, value):
    changed = json.loads(json.dumps(found["docs"]))
    changed[0][name] = value
    (difference, *_) = smoke.compare(found["docs"], changed)
    assert name in difference and "text 0" in difference


def test_confidences_may_differ_a_little(smoke):
    assert smoke.compare([{"confidences": [0.9]}], [{"confidences": [0.90001]}]) == []
    assert smoke.compare([{"confidences": [0.9]}], [{"confidences": [0.8]}])


def test_no_wheel(smoke, tmp_path, capsys):
    with pytest.raises(SystemExit):
        smoke.main(tmp_path, tmp_path, tmp_path)
    assert "Package first" in " ".join(capsys.readouterr().out.split())


@pytest.mark.slow
def test_environment(smoke, monkeypatch, tmp_path):
    """pip is asked for the pipeline's wheel, and is given ours, which is built from this folder."""
    calls = []
    monkeypatch.setattr(smoke, "run_pip", lambda *arguments: calls.append(arguments) or True)
    python = smoke.make_environment(tmp_path / "venv", tmp_path / "en_pipeline.whl")
    assert python.exists()
    ((step, command, folder),) = calls
    assert "en_pipeline.whl" in step
    assert command[command.index("--python") + 1] == str(python)
    assert command[-1] == str(tmp_path / "en_pipeline.whl")
    assert (folder / command[command.index("--constraint") + 1]).exists()
    (wheel,) = Path(command[command.index("--find-links") + 1]).iterdir()
    assert wheel.name.startswith("spacy_pretrained-") and wheel.suffix == ".whl"


def test_pip_without_a_network(smoke, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setattr(smoke, "build_wheel", lambda *_: None)
    with pytest.raises(SystemExit):
        smoke.make_environment(
            tmp_path / "venv", tmp_path / "no_such_pipeline-1.0-py3-none-any.whl"
        )
    said = " ".join(capsys.readouterr().out.split())
    assert "no_such_pipeline" in said and "PIP_FIND_LINKS" in said
