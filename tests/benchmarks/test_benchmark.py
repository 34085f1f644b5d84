import json
import subprocess
import sys
from pathlib import Path

import pytest
import spacy
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from tiny_pipelines import make_nlp
from tokenizers import Tokenizer

from spacy_pretrained.quantization.quantize import quantize_pipeline

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "benchmark.py"
WORDS = ["The", "small", "dog", "saw", "a", "very", "old", "cat", "."]
TAGS = ["DET", "ADJ", "NOUN", "VERB", "DET", "ADV", "ADJ", "NOUN", "PUNCT"]
ARCS = [2, 2, 3, 3, 7, 6, 7, 3, 3]
DEPS = ["det", "amod", "nsubj", "ROOT", "det", "advmod", "amod", "obj", "punct"]
N_DOCS = 30
HEADS = ["pretrained_tagger", "biaffine_parser"]
COMPONENTS = {"torch": ["pretrained_encoder", *HEADS], "openvino": ["zero_shot_textcat"]}


@pytest.fixture(scope="module")
def folder(tiny_bert, tmp_path_factory) -> Path:
    """Two small pipelines, one on torch and one on OpenVINO, and a file of annotated documents."""
    folder = tmp_path_factory.mktemp("benchmark")
    nlp = make_nlp(tiny_bert, *HEADS)
    docs = [Doc(nlp.vocab, WORDS, tags=TAGS, heads=ARCS, deps=DEPS) for _ in range(N_DOCS)]
    nlp.initialize(lambda: [Example(nlp.make_doc(doc.text), doc) for doc in docs])
    nlp.to_disk(folder / "torch")
    nlp = spacy.blank("en")
    nlp.add_pipe("zero_shot_textcat", config={"labels": ["dogs", "cats"]})
    nlp.config["initialize"]["components"]["zero_shot_textcat"] = {"source": tiny_bert}
    nlp.initialize()
    quantize_pipeline(nlp, precision="fp32").to_disk(folder / "openvino")
    DocBin(docs=docs).to_disk(folder / "docs.spacy")
    return folder


def count_pieces(folder: Path, text: str) -> int:
    (path,) = folder.rglob("tokenizer.json")
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_truncation()
    return len(tokenizer.encode(text, add_special_tokens=False))


def run(*arguments: object) -> subprocess.CompletedProcess:
    command = [sys.executable, SCRIPT, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.slow
def test_pipelines_and_bare_backbones_are_compared(folder):
    models = [f"--model={engine}={folder / engine}" for engine in ("torch", "openvino")]
    docs, output = folder / "docs.spacy", folder / "metrics" / "benchmark.json"
    data = ("--texts", docs, "--train", docs, "--rounds", 1, "--batches", 2, "--threads", 1)
    done = run(*models, *data, "--output", output)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "torch (ceiling)" in done.stdout

    report = json.loads(output.read_text())
    results = report["results"]
    assert report["baseline"] == "torch" and report["threads"] == 1
    n_words = N_DOCS * len(WORDS)
    for engine in ("torch", "openvino"):
        pipeline, ceiling = results[engine], results[f"{engine} (ceiling)"]
        windows = results[f"{engine} (its windows)"]
        assert pipeline["load_seconds"] > 0
        assert pipeline["environment"]["versions"]["spacy"] == spacy.__version__
        assert pipeline["infer"]["components"] == COMPONENTS[engine]
        assert pipeline["infer"]["words"] == [n_words]
        assert 50 < pipeline["infer"]["peak_mebibytes"] < 5000
        n_pieces = N_DOCS * count_pieces(folder / engine, " ".join(WORDS))
        assert ceiling["infer"]["pieces"] == n_pieces
        assert windows["infer"]["pieces"] >= n_pieces + 2 * N_DOCS  # special ones, too
        for key, other in {"of_windows": windows, "of_ceiling": ceiling}.items():
            speeds = [part["infer"]["words_per_second"] for part in (pipeline, other)]
            assert pipeline["infer"][key] == pytest.approx(speeds[0] / speeds[1])
    assert results["torch"]["infer"]["ratio"] == 1
    assert results["torch"]["train"]["words"] == [2 * n_words]  # all docs make one batch
    assert "train" not in results["openvino"]


def test_plain_text_is_read_by_paragraphs(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(SCRIPT.parent)
    from benchmark_worker import read_texts

    (tmp_path / "texts.txt").write_text("One text,\non two lines.\n\n \nAnother.\n")
    assert read_texts(tmp_path / "texts.txt") == ["One text,\non two lines.", "Another.\n"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--texts", "nowhere.spacy"], "no file nowhere.spacy"),
        (["--texts", __file__], "give --stock or --model"),
        (["--texts", __file__, "--model", "unnamed"], "wants NAME=PATH"),
        (["--texts", __file__, "--model", "a=nowhere"], "no folder of a spaCy pipeline"),
        (["--texts", __file__, "--python", "a=python"], "names what no --model does"),
    ],
)
def test_what_is_missing_is_said(arguments, message):
    done = run(*arguments)
    assert done.returncode == 1
    assert message in " ".join(done.stdout.split())


@pytest.mark.slow
def test_an_error_of_a_pipeline_is_shown(folder, tmp_path):
    (tmp_path / "meta.json").write_text("{}")
    done = run(f"--model=broken={tmp_path}", "--texts", folder / "docs.spacy")
    assert done.returncode == 1
    assert "load failed for pipeline" in done.stdout and "Traceback" in done.stderr


def test_names_are_unique(folder):
    model = f"--model=a={folder / 'torch'}"
    done = run(model, model, "--texts", folder / "docs.spacy")
    assert done.returncode == 1 and "have one name" in done.stdout
