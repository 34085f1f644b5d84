"""scripts/ship.py, pipelines_card.py, training_data.py and try_pipeline.py: what is shipped, what
is said of it, and what is refused. That it installs is for tests/test_pipelines.py to show."""

import hashlib
import importlib
import json
import shutil
import sys
import zipfile
from pathlib import Path

import pytest
from tiny_pipelines import DOCUMENTS, make_reference

ROOT = Path(__file__).parents[2]
NAME = "en_ewt_minilm_int8"
SOURCES = [
    {"name": "Texts", "license": "CC0", "author": "Ada", "url": "https://x.org", "gives": "trees"},
    {"name": "Weights", "license": "Apache-2.0"},
]
META = {
    "description": "A pipeline.",
    "version": "1.0.0",
    "license": "CC BY-SA 4.0",
    "pipeline": ["pretrained_encoder", "pretrained_tagger"],
    "sources": SOURCES,
}


@pytest.fixture
def scripts(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    return importlib.import_module


@pytest.fixture
def make_wheel(tmp_path):
    def make(version="1.0.0", name=NAME, folder="wheels", size=0, **meta):
        path = tmp_path / folder / f"{name}-{version}-py3-none-any.whl"
        path.parent.mkdir(exist_ok=True)
        with zipfile.ZipFile(path, "w") as wheel:
            wheel.writestr(f"{name}/meta.json", json.dumps(META | {"version": version} | meta))
            wheel.writestr("weights", bytes(size))
        return path

    return make


def test_ship(scripts, make_wheel, tmp_path):
    ship, output = scripts("ship"), tmp_path / "pipelines"
    make_wheel("0.9.0", folder="pipelines")
    other = make_wheel("0.1.0", name="en_ewt_tiny_int8", folder="pipelines")
    wheel = make_wheel()
    ship.main(wheel.parent, output)
    shipped = output / wheel.name
    assert sorted(output.glob("*.whl")) == sorted([shipped, other])  # without the older one
    sums = dict(line.split()[::-1] for line in (output / "SHA256SUMS").read_text().splitlines())
    for path in (shipped, other):
        assert sums[path.name] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert scripts("try_pipeline").find_wheel(output, NAME) == shipped


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"name": "en_core_web_trf"}, "Only these pipelines"),
        ({"license": ""}, "no license"),
        ({"sources": [{"name": "Novels", "license": ""}]}, "under which license Novels is"),
        ({"sources": []}, "no source at all"),
        ({"size": 27_000_000}, "27.0 MB; at most 26"),
    ],
)
def test_what_is_not_shipped(scripts, make_wheel, tmp_path, capsys, settings, message):
    output = tmp_path / "pipelines"
    old = make_wheel("0.9.0", folder="pipelines")
    wheel = make_wheel(**settings)
    with pytest.raises(SystemExit):
        scripts("ship").main(wheel.parent, output)
    assert message in " ".join(capsys.readouterr().out.split())
    assert old.exists() and not (output / "SHA256SUMS").exists()


def test_nothing_to_ship(scripts, tmp_path, capsys):
    with pytest.raises(SystemExit):
        scripts("ship").main(tmp_path, tmp_path / "pipelines")
    assert "Package first" in capsys.readouterr().out


def test_training_data(scripts, tmp_path):
    import spacy
    from spacy.tokens import DocBin

    vocab = spacy.blank("en").vocab
    docs = [make_reference(vocab, numbers) for numbers in DOCUMENTS]
    DocBin(docs=docs).to_disk(tmp_path / "train.spacy")
    output = tmp_path / "new" / "data.json"
    scripts("training_data").main(output, [f"A = B={tmp_path / 'train.spacy'}"])
    found = json.loads(output.read_text())["A = B"]
    assert found["texts"] == 4 and found["sentences"] == 8
    assert found["tokens"] == sum(map(len, docs)) and found["entities"] == 4
    with pytest.raises(SystemExit):
        scripts("training_data").main(output, ["train.spacy"])


PAGE = "before\n<!-- figures -->\nold\n<!-- end figures -->\nafter\n"


def test_card_without_a_wheel(scripts, tmp_path):
    page = scripts("pipelines_card").fill(PAGE, tmp_path, tmp_path)
    assert page.startswith("before\n") and page.endswith("after\n")
    assert "old" not in page and "No wheel is here yet" in page


def test_card(scripts, make_wheel, tmp_path):
    card, wheel = scripts("pipelines_card"), make_wheel(size=2_500_000)
    # Files that the commands wrote: some are in the repository.
    shutil.copytree(ROOT / "metrics" / "ewt", tmp_path / "metrics" / "ewt")
    data = {
        "Texts": {"texts": 3, "sentences": 20, "tokens": 300, "entities": 4},
        "More": {"texts": 2, "sentences": 20, "tokens": 100, "entities": 0},
    }
    (tmp_path / "metrics" / "ewt" / "training-data.json").write_text(json.dumps(data))
    page = card.fill(PAGE, wheel.parent, tmp_path / "metrics")
    assert card.fill(page, wheel.parent, tmp_path / "metrics") == page
    assert "| [Texts](https://x.org) | Ada | trees | CC0 | 300 | 75% |" in page
    assert "| Weights | – | weights of the encoder | Apache-2.0 | – | – |" in page
    assert "In all: 5 texts, 40 sentences, 400 tokens, 4 entities." in page
    scores = json.loads((ROOT / "metrics/ewt/test-int8.json").read_text())
    protocols = scores["treebanks"][0]["protocols"]
    raw = protocols["raw_text"]["conll18"]["LAS"]["f1"]
    gold = protocols["gold_tokens_gold_sentences"]["conll18"]["LAS"]["f1"]
    assert f"| LAS | {raw:.2f} | {gold:.2f} |" in page
    assert f"| {scores['entities'][0]['all']['f1']:.2f} |" in page
    assert "The wheel has 2.5 MB" in page and "words a second" in page
    assert "Version 1.0.0, license: CC BY-SA 4.0" in page


def test_card_of_what_was_not_measured(scripts, make_wheel, tmp_path):
    page = scripts("pipelines_card").fill(PAGE, make_wheel().parent, tmp_path)
    assert "| Weights |" in page and "The wheel has" in page and "### Scores" not in page


def test_try_finds_no_wheel(scripts, make_wheel, tmp_path):
    find_wheel = scripts("try_pipeline").find_wheel
    with pytest.raises(ValueError, match="no wheel of en_ewt_minilm_int8"):
        find_wheel(tmp_path, NAME)
    wheel = make_wheel()
    with pytest.raises(ValueError, match="SHA256SUMS says nothing"):
        find_wheel(wheel.parent, NAME)
    scripts("ship").ship(wheel, tmp_path / "pipelines")
    shipped = tmp_path / "pipelines" / wheel.name
    shipped.write_bytes(shipped.read_bytes()[:-1])
    with pytest.raises(ValueError, match="damaged or not complete"):
        find_wheel(tmp_path / "pipelines", NAME)
    make_wheel("1.1.0")
    with pytest.raises(ValueError, match="has 2 wheels"):
        find_wheel(wheel.parent, NAME)


def test_try_installs_the_wheel_and_this_package(scripts, monkeypatch, tmp_path):
    trial, calls = scripts("try_pipeline"), []
    monkeypatch.setattr(trial, "run_pip", lambda *arguments: calls.append(arguments) or True)
    assert trial.install(Path("python"), tmp_path / "en_x-1.0-py3-none-any.whl")
    ((_, command, folder),) = calls
    assert command[-2:] == [str(tmp_path / "en_x-1.0-py3-none-any.whl"), "."]
    assert folder == ROOT
    assert (folder / command[command.index("--constraint") + 1]).exists()


def test_try_says_why_there_is_no_environment(scripts, monkeypatch, tmp_path):
    trial = scripts("try_pipeline")

    def fail(*_, **__):
        raise OSError("no ensurepip")

    monkeypatch.setattr(trial.venv, "create", fail)
    with pytest.raises(ValueError, match=r"python3-venv.*no ensurepip"):
        trial.make_environment(tmp_path / "venv")


def test_try_needs_python_alone():
    """Of what it imports nothing is to be installed first."""
    for name in ("try_pipeline", "quiet_pip"):
        lines = (ROOT / "scripts" / f"{name}.py").read_text("utf8").splitlines()
        imports = [line.split()[1] for line in lines if line.startswith(("import ", "from "))]
        assert set(imports) <= {*sys.stdlib_module_names, "quiet_pip"}


def test_the_old_wheel_is_there_until_the_new_one_is(scripts, make_wheel, tmp_path, monkeypatch):
    old, wheel = make_wheel("0.9.0", folder="pipelines"), make_wheel()

    def fail(*paths):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copy", fail)
        with pytest.raises(OSError):
            scripts("ship").ship(wheel, old.parent)
    assert old.exists()
    shipped = scripts("ship").ship(wheel, old.parent)
    assert scripts("ship").ship(shipped, shipped.parent).exists()  # of the folder itself
    assert list(old.parent.glob("*.whl")) == [shipped]


def test_only_environments_are_made_anew(scripts, tmp_path):
    (mine := tmp_path / "mine").mkdir()
    (mine / "thesis.txt").write_text("")
    with pytest.raises(ValueError, match="no environment of Python"):
        scripts("try_pipeline").make_environment(mine)
    assert (mine / "thesis.txt").exists()
