"""`spacy pretrained quantize`: a folder and a table, or a message and nothing written."""

import json
import re
import zlib

import pytest
import spacy
from spacy.tokens import DocBin
from tiny_pipelines import make_examples, make_nlp, make_reference, train
from typer.testing import CliRunner

from spacy_pretrained.cli import pretrained_cli
from spacy_pretrained.quantization.gate import Answer

NOT_COMPARED = "The copy was not compared with the original"


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
    (path / "damaged.spacy").write_bytes(zlib.compress(b"\x80"))  # MessagePack of nothing
    words = ("Ada", "Robots", "Zürich", "hearing", "river", "issue")
    lines = [f"{one} sees the old {two}." for one in words for two in words]
    (path / "lines.txt").write_text("\n".join(lines), encoding="utf8")
    (path / "spaces.jsonl").write_text('{"text": "\\u00a0"}\n' * 30, encoding="utf8")
    (path / "few.txt").write_text("one\ntwo\n", encoding="utf8")
    return path


@pytest.fixture(autouse=True)
def no_package_is_missed(monkeypatch):
    """What is refused at once for want of NNCF is tested elsewhere."""
    monkeypatch.setattr("spacy_pretrained.quantization.recipes.find_spec", lambda name: name)


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
    assert NOT_COMPARED not in text_of(result)
    # 24 documents are too few for a max-drop of 0.3, and it says so in a line.
    doubt = r"in 24 documents the drop of .*; about \d+ documents would do"
    assert re.search(doubt, text_of(result))
    meta = spacy.load(folder / "new").meta
    figures = json.loads((folder / "metrics.json").read_text())
    assert figures.keys() == meta["quantization"].keys()
    assert figures["scores"] == meta["quantization"]["scores"]
    assert meta["quantization"]["scores"]["tag_acc"]["drop"] == 0
    assert meta["quantization"]["words_per_second"]["ratio"] > 0
    sizes = [size["after"] for size in figures["megabytes"].values()]
    assert list(figures["megabytes"]) == ["weights", "encoder", "pipeline"]
    assert 0 < sizes[0] < sizes[1] < sizes[2]
    assert figures["megabytes"]["weights"]["before"] > 0
    assert meta["performance"]["tag_acc"] > 0


@pytest.mark.slow
def test_without_gold_annotation_other_texts_than_those_to_calibrate_on_are_compared(
    folder, monkeypatch
):
    def candidates(model, batches, precision, report):  # quick: no INT8
        yield "as it is", model

    monkeypatch.setattr("spacy_pretrained.quantization.quantizer.candidates", candidates)
    result = run(folder, "--texts", "lines.txt", "--metrics", "agreement.json", output="agreeing")
    assert result.exit_code == 0, result.output
    text = text_of(result)
    assert "has few texts: 22 to calibrate on, and 14 to" in text and "words/s" in text
    assert NOT_COMPARED not in text
    figures = json.loads((folder / "agreement.json").read_text())
    assert figures["compared_texts"] == 14 and "scores" not in figures
    assert figures["recipe"] == "as it is"
    assert figures["agreement"]["tag"] == {"percent": 100.0, "at_least": 99.0}
    assert figures["agreement"] == spacy.load(folder / "agreeing").meta["quantization"]["agreement"]


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["int8", "int8-weights"])
def test_with_gold_annotation_no_other_texts_are_compared(folder, precision):
    """Texts are all to calibrate on, and refused where nothing is calibrated."""
    args = ["--precision", precision, "--eval", "dev.spacy"]
    args += ["--texts", "train.spacy"] if precision == "int8" else []
    output = f"scored-{precision}"
    result = run(folder, *args, "--max-drop", "99", output=output)
    assert result.exit_code == 0, result.output
    assert "has few texts" not in text_of(result)
    kept = spacy.load(folder / output).meta["quantization"]
    assert "agreement" not in kept and kept["documents"] == 24
    assert kept["megabytes"]["weights"]["after"] < 0.5 * kept["megabytes"]["weights"]["before"]


@pytest.mark.slow
def test_if_no_recipe_agrees_the_copy_is_in_fp32_and_it_says_so(folder, monkeypatch):
    measures = property(lambda trial: list(trial.agreement))
    monkeypatch.setattr("spacy_pretrained.quantization.agreement.AgreementTrial.too_low", measures)
    args = ("--texts", "lines.txt", "--precision", "int8-weights")
    result = run(folder, *args, "--min-heads", "97", output="careful")
    assert result.exit_code == 0, result.output
    assert "No INT8 recipe agrees with the original well enough" in text_of(result)
    assert "INT8 weights only: agrees too little" in text_of(result)
    assert spacy.load(folder / "careful").meta["quantization"]["recipe"] == "fp32"


@pytest.mark.slow
def test_figures_that_cannot_be_written(folder):
    """It says so before the work."""
    result = run(folder, "--precision", "fp32", "--metrics", "train.spacy/a.json", output="there")
    assert result.exit_code == 1 and isinstance(result.exception, SystemExit)
    assert "train.spacy" in text_of(result) and not (folder / "there").exists()


@pytest.mark.slow
def test_with_nothing_to_compare_on_it_says_so(folder):
    result = run(folder, "--precision", "fp32", output="free")
    assert result.exit_code == 0, result.output
    assert NOT_COMPARED in text_of(result)
    kept = spacy.load(folder / "free").meta["quantization"]
    assert kept.keys() == {"precision", "recipe", "megabytes"}


@pytest.mark.slow
@pytest.mark.parametrize(
    "answer, args, message",
    [("fails", [], "No recipe passed"), ("cannot tell", ["--strict"], "as --strict asks")],
)
def test_what_is_refused_is_not_written(folder, monkeypatch, answer, args, message):
    answers = property(lambda trial: Answer(answer))
    monkeypatch.setattr("spacy_pretrained.quantization.gate.ScoreTrial.answer", answers)
    before = names(folder)
    result = run(folder, "--precision", "fp32", "--eval", "dev.spacy", *args, output="refused")
    assert result.exit_code == 1
    assert "tag_acc" in result.output and message in text_of(result)
    assert names(folder) == before


@pytest.mark.slow
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
        (["--texts", "few.txt"], "but there are only 2"),
        (["--texts", "train.spacy", "--n-texts", "3"], "n_texts has to be"),
        (["--texts", "train.spacy", "--precision", "int4"], "Unknown precision"),
        (["--texts", "train.spacy", "--max-drop", "-1"], "max_drop is in percent points"),
        (["--texts", "train.spacy", "--strict"], "--strict is about scores"),
        (["--texts", "train.spacy", "--min-tags", "101"], "agreement of tags is in percent"),
        (["--min-tags", "99", "--eval", "dev.spacy"], "leave --min-tags out"),
        (["--strict", "--max-drop", "0", "--eval", "dev.spacy"], "max-drop above 0"),
        (["--precision", "fp32", "--eval", "few.txt"], "is not a .spacy file"),
        (["--precision", "fp32", "--eval", "blank.spacy"], "none of the annotation"),
        (["--precision", "fp32", "--eval", "empty.spacy"], "--eval has only 0"),
        (["--precision", "fp32", "--eval", "damaged.spacy"], "damaged.spacy' cannot be read"),
        (["--texts", "spaces.jsonl"], "has no texts in it"),
    ],
)
def test_bad_input_says_so_and_writes_nothing(folder, args, message):
    before = names(folder)
    result = run(folder, *args, output="bad")
    assert result.exit_code == 1
    assert message in text_of(result)
    assert names(folder) == before


def test_too_few_texts_are_refused_before_anything_is_scored(folder):
    result = run(folder, "--texts", "few.txt", "--eval", "dev.spacy", output="few")
    assert result.exit_code == 1
    assert "but there are only 2" in text_of(result) and "Scoring" not in text_of(result)


@pytest.mark.slow
def test_a_model_that_openvino_does_not_run_as_torch_does_is_refused(
    needs_torch, folder, tiny_source
):
    nlp = make_nlp(tiny_source("longformer"), "pretrained_tagger")
    train(nlp, make_examples(nlp), 0)
    nlp.to_disk(folder / "longformer")
    before = names(folder)
    result = run(folder, "--texts", "train.spacy", model="longformer", output="converted")
    assert result.exit_code == 1
    assert "'longformer' cannot be run on OpenVINO" in text_of(result)
    assert names(folder) == before


def test_nothing_but_a_pipeline_is_overwritten(folder):
    for output, message in (
        (".", "is not a folder of a pipeline"),
        ("model", "pipeline that is read"),
    ):
        result = run(folder, "--texts", "train.spacy", output=output)
        assert result.exit_code == 1 and message in text_of(result)
    assert spacy.load(folder / "model").pipe_names
