"""`spacy pretrained quantize`: a folder and a table, or a message and nothing written."""

import json

import pytest
import spacy
from spacy.tokens import DocBin
from tiny_pipelines import make_examples, make_nlp, make_reference, train
from typer.testing import CliRunner

from spacy_pretrained.cli import pretrained_cli

NO_GATE = "without a look at what its scores lost"


@pytest.fixture(scope="module")
def folder(tiny_bert, tmp_path_factory):
    """A trained pipeline `model`, texts `train.spacy`, and gold annotation `dev.spacy`."""
    path = tmp_path_factory.mktemp("command")
    nlp = make_nlp(tiny_bert, "pretrained_tagger")
    train(nlp, make_examples(nlp), 10)
    nlp.to_disk(path / "model")
    for name, numbers in (("train", [0, 1]), ("dev", [2, 3])):
        docs = [make_reference(nlp.vocab, numbers) for _ in range(24)]
        DocBin(docs=docs).to_disk(path / f"{name}.spacy")
    DocBin(docs=nlp.pipe(["no annotation"] * 9, disable=nlp.pipe_names)).to_disk(
        path / "blank.spacy"
    )
    DocBin().to_disk(path / "empty.spacy")
    (path / "spaces.jsonl").write_text('{"text": "\\u00a0"}\n' * 30, encoding="utf8")
    (path / "few.txt").write_text("one\ntwo\n", encoding="utf8")
    return path


def run(folder, *args, model="model", output="new"):
    args = [str(folder / arg) if "." in arg and not arg[0].isdigit() else arg for arg in args]
    command = ["quantize", str(folder / model), str(folder / output), *args]
    return CliRunner().invoke(pretrained_cli, command)


def text_of(result) -> str:
    return " ".join(result.output.split())  # lines are broken anywhere


def names(folder) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_pipeline_is_written_with_its_scores_sizes_and_speeds(folder):
    before = names(folder)
    result = run(folder, "--precision", "fp32", "--eval", "dev.spacy", "--metrics", "metrics.json")
    assert result.exit_code == 0, result.output
    assert names(folder) == before | {"new", "metrics.json"}
    for word in ("tag_acc", "words/s", "encoder, MB", "pipeline, MB", "Scoring", "Measuring"):
        assert word in result.output
    assert NO_GATE not in result.output
    meta = spacy.load(folder / "new").meta
    figures = json.loads((folder / "metrics.json").read_text())
    assert figures.keys() == meta["quantization"].keys()
    assert figures["scores"] == meta["quantization"]["scores"]
    assert meta["quantization"]["scores"]["tag_acc"]["loss"] == 0
    assert meta["quantization"]["words_per_second"]["ratio"] > 0
    sizes = [size["after"] for size in figures["megabytes"].values()]
    assert list(figures["megabytes"]) == ["weights", "encoder", "pipeline"]
    assert 0 < sizes[0] < sizes[1] < sizes[2]
    assert figures["megabytes"]["weights"]["before"] > 0
    assert meta["performance"]["tag_acc"] > 0


def test_without_gold_annotation_it_says_that_nothing_was_scored(folder):
    result = run(folder, "--texts", "train.spacy", "--precision", "int8-weights", output="free")
    assert result.exit_code == 0, result.output
    assert NO_GATE in text_of(result) and "words/s" in result.output
    assert "scores" not in spacy.load(folder / "free").meta["quantization"]


def test_what_is_refused_is_not_written(folder, monkeypatch):
    monkeypatch.setattr("spacy_pretrained.quantization.gate.Trial.too_high", lambda t, m: t.losses)
    before = names(folder)
    result = run(folder, "--precision", "fp32", "--eval", "dev.spacy", output="refused")
    assert result.exit_code == 1
    assert "tag_acc" in result.output and "No recipe held" in result.output
    assert names(folder) == before


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError("disk full")])
def test_what_is_interrupted_is_not_written(folder, monkeypatch, error):
    def stop(*args, **kwargs):
        raise error

    monkeypatch.setattr("spacy_pretrained.quantization.command.compare_speeds", stop)
    before = names(folder)
    result = run(folder, "--precision", "fp32", "--eval", "dev.spacy", output="interrupted")
    assert result.exit_code != 0
    assert names(folder) == before


@pytest.mark.parametrize(
    "args, message",
    [
        ([], "give --texts"),
        (["--texts", "dev.spacy", "--eval", "dev.spacy"], "to calibrate on and to evaluate on"),
        (["--texts", "none.spacy"], "There is no file"),
        (["--texts", "few.txt"], "2 texts are too few"),
        (["--texts", "train.spacy", "--n-texts", "3"], "n_texts has to be"),
        (["--texts", "train.spacy", "--precision", "int4"], "Unknown precision"),
        (["--texts", "train.spacy", "--max-drop", "-1"], "max_drop is in percent points"),
        (["--precision", "fp32", "--eval", "few.txt"], "is no .spacy file"),
        (["--precision", "fp32", "--eval", "blank.spacy"], "none of the annotation"),
        (["--precision", "fp32", "--eval", "empty.spacy"], "0 documents are too few"),
        (["--texts", "spaces.jsonl"], "has no texts in it"),
    ],
)
def test_bad_input_says_so_and_writes_nothing(folder, args, message):
    before = names(folder)
    result = run(folder, *args, output="bad")
    assert result.exit_code == 1
    assert message in text_of(result)
    assert names(folder) == before


def test_a_model_that_openvino_does_not_run_as_torch_does_is_refused(folder, tiny_source):
    nlp = make_nlp(tiny_source("longformer"), "pretrained_tagger")
    train(nlp, make_examples(nlp), 0)
    nlp.to_disk(folder / "longformer")
    before = names(folder)
    result = run(folder, "--texts", "train.spacy", model="longformer", output="converted")
    assert result.exit_code == 1
    assert "'longformer' cannot be run on OpenVINO" in text_of(result)
    assert names(folder) == before


def test_nothing_but_a_pipeline_is_overwritten(folder):
    for output, message in ((".", "is no folder of a pipeline"), ("model", "pipeline to quantize")):
        result = run(folder, "--texts", "train.spacy", output=output)
        assert result.exit_code == 1 and message in text_of(result)
    assert spacy.load(folder / "model").pipe_names
