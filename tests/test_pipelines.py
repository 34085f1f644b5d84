"""What pipelines/ ships: checksums, licences, the model card, and that no test set was trained on.
The slow test installs each wheel where there is no torch, and annotates."""

import gzip
import importlib
import json
import subprocess
from pathlib import Path

import pytest
import spacy
from packaging.requirements import Requirement
from spacy.tokens import DocBin

import spacy_pretrained

ROOT = Path(__file__).parents[1]
PIPELINES = ROOT / "pipelines"
DATA = ROOT.parent / "shared" / "data"
WHEELS = sorted(PIPELINES.glob("*.whl"))
NONE = pytest.param(None, marks=pytest.mark.skip("no wheel in pipelines/: see `make pipelines`"))
each_wheel = pytest.mark.parametrize("wheel", WHEELS or [NONE], ids=lambda w: w and w.name)
TEXT = "Barack Obama was born in Honolulu. He doesn't live there."


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    return importlib.import_module


@each_wheel
def test_wheels_may_be_shipped(wheel, script):
    assert script("ship").find_faults(wheel) == []
    assert script("try_pipeline").find_wheel(PIPELINES, wheel.name.partition("-")[0]) == wheel


@each_wheel
def test_wheels_accept_this_version_of_the_package(wheel, script):
    meta = script("ship").read_meta(wheel)
    (own,) = (r for r in map(Requirement, meta["requirements"]) if r.name == "spacy-pretrained")
    assert own.specifier.contains(spacy_pretrained.__version__)


def test_checksums_are_of_what_is_there(script):
    if not WHEELS:
        pytest.skip("no wheel in pipelines/")
    assert (PIPELINES / "SHA256SUMS").read_text("utf8") == script("ship").make_sums(PIPELINES)


def test_the_model_card_is_up_to_date(script):
    """If not: python scripts/pipelines_card.py"""
    page = (PIPELINES / "README.md").read_text("utf8")
    assert script("pipelines_card").fill(page) == page


def test_the_model_card_names_its_data(script):
    page = (PIPELINES / "README.md").read_text("utf8")
    for wheel in WHEELS:
        for source in script("ship").read_meta(wheel)["sources"]:
            assert source["name"] in page and source["license"] in page


@pytest.mark.slow
@each_wheel
def test_wheels_install_where_there_is_no_torch(wheel, script, tmp_path):
    trial = script("try_pipeline")
    python = trial.make_environment(tmp_path / "venv")
    assert trial.install(python, wheel)
    program = (
        "import json, sys, spacy; from importlib.util import find_spec\n"
        "assert not any(map(find_spec, ('torch', 'transformers', 'nncf')))\n"
        "doc = spacy.load(sys.argv[1])(sys.argv[2])\n"
        "print(json.dumps([[t.text, t.pos_, t.lemma_, t.dep_, t.ent_type_] for t in doc]))\n"
        "print(json.dumps([s.text for s in doc.sents]))"
    )
    command = [python, "-I", "-c", program, wheel.name.partition("-")[0], TEXT]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    tokens, sentences = map(json.loads, done.stdout.splitlines())
    assert len(sentences) == 2
    assert [row[4] for row in tokens[:2]] == ["PER", "PER"]
    assert next(row[:3] for row in tokens if row[0] == "born") == ["born", "VERB", "bear"]
    assert {"does", "n't"} <= {row[0] for row in tokens}


# Training texts

TEST_SETS = ("ud_en_ewt/en_ewt-ud-test.conllu", "ud_*_pud/*test.conllu*", "ner_uner_*/*test.iob2*")
# Formulas, such as "Thanks for your help!", are in the published training set as they are in the
# test set.
FORMULA = 6


def read_sentences(path):
    """The texts of a file's sentences, without white space. UNER's files have them as UD's do."""
    lines = (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf8")
    with lines:
        texts = [line.removeprefix("# text = ") for line in lines if line.startswith("# text = ")]
    return {"".join(text.split()) for text in texts if len(text.split()) > FORMULA}


def read_training_texts():
    """What is at hand of what the shipped pipelines were trained on: the files that the figures
    name, and the published training set."""
    texts = []
    for path in (ROOT / "metrics").glob("*/training-data.json"):
        for found in json.loads(path.read_text("utf8")).values():
            file = ROOT / found["file"]
            if file.is_file():
                docs = DocBin().from_disk(file).get_docs(spacy.blank("xx").vocab)
                texts += ["".join(doc.text.split()) for doc in docs]
    texts += read_sentences(DATA / "ud_en_ewt" / "en_ewt-ud-train.conllu")
    return texts


@pytest.mark.slow
def test_no_sentence_of_a_test_set_was_trained_on():
    tests = [path for pattern in TEST_SETS for path in DATA.glob(pattern)]
    if not tests:
        pytest.skip("no test sets in ../shared/data")
    trained = "\n".join(read_training_texts())
    for path in tests:
        sentences = read_sentences(path)
        assert len(sentences) > 100, path
        assert not [text for text in sentences if text in trained], path
