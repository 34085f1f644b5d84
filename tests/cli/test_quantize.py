"""`spacy pretrained quantize`: what it says of a copy, and what it refuses before anything needs
torch. tests/quantization has the copies themselves."""

import json
import sys

import pytest
import spacy
from saved_pipelines import SAVED
from spacy.tokens import DocBin
from tiny_pipelines import make_reference
from typer.testing import CliRunner

from spacy_pretrained.cli import pretrained_cli
from spacy_pretrained.quantization import command
from spacy_pretrained.quantization.agreement import DEFAULT, AgreementTrial, MinAgreement
from spacy_pretrained.quantization.command import Job, Result
from spacy_pretrained.quantization.gate import Drop, Refused, ScoreTrial

NOT_COMPARED = "The copy was not compared with the original"
SIZES = {"weights": {"before": 90.5, "after": 22.6}, "pipeline": {"before": 95.0, "after": 27.0}}
FIGURES = {"precision": "int8", "recipe": "SmoothQuant 0.7", "megabytes": SIZES}


def make_drop(score: str, before: float, after: float, spread: float) -> Drop:
    return Drop(score, before, after, before - after - spread, spread / 1.645, spread, 0.0)


PASSING = make_drop("tag_acc", 95.5, 95.25, 0.25)
FAILING = make_drop("ents_f", 80.0, 75.5, 0.2)
UNSURE = make_drop("dep_las", 88.0, 87.75, 0.9)


def make_trial(*drops: Drop) -> ScoreTrial:
    return ScoreTrial("SmoothQuant 0.7", list(drops), 200, 0.3, {})


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs the command, in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def run(*args: str, code: int = 0) -> str:
        result = CliRunner().invoke(pretrained_cli, ["quantize", *args])
        assert result.exit_code == code, result.output
        return " ".join(result.output.split())  # lines are broken anywhere

    return run


@pytest.fixture
def found(monkeypatch):
    """Sets what comes of a job, or what it raises; holds the jobs that were asked for."""

    class Jobs(list):
        result: Result | BaseException

    jobs = Jobs()

    def run_job(job, report):
        jobs.append(job)
        report(f"Loading {job.model}")
        if isinstance(jobs.result, BaseException):
            raise jobs.result
        return jobs.result

    monkeypatch.setattr(command, "run_job", run_job)
    return jobs


# What it says


def test_scores_sizes_and_speeds(run, found, tmp_path):
    speed = {"before": 1234.0, "after": 9876.5, "ratio": 8.004}
    pieces = {"before": 250_000, "after": 50_000}
    figures = FIGURES | {"pieces": pieces, "words_per_second": speed}
    found.result = Result([make_trial(FAILING), make_trial(PASSING)], figures)
    said = run("model", "my copy", "--metrics", "new/metrics.json")
    assert "Loading model" in said and "tag_acc 95.50 95.25 0.25 0.00 0.50 passes" in said
    assert "ents_f" not in said  # of a recipe before the one that was taken
    assert "wordpieces 250,000 50,000 20%" in said and "weights, MB 90.5 22.6 25%" in said
    assert "pipeline, MB 95.0 27.0 28%" in said and "words/s 1,234 9,876 × 8.00" in said
    assert "Saved my copy: SmoothQuant 0.7" in said and "package 'my copy' wheels" in said
    assert NOT_COMPARED not in said
    assert json.loads((tmp_path / "new" / "metrics.json").read_text()) == figures


def test_a_doubt_is_explained(run, found):
    found.result = Result([make_trial(PASSING, UNSURE)], FIGURES)
    said = run("model", "copy")
    assert "dep_las 88.00 87.75 0.25" in said and "cannot tell" in said
    assert "in 200 documents the drop of dep_las" in said and "words/s" not in said


def test_with_nothing_to_compare_on_it_says_so(run, found):
    found.result = Result([], FIGURES)
    said = run("model", "copy")
    assert NOT_COMPARED in said and "Saved copy" in said


def test_nor_is_it_compared_if_nothing_was_measured(run, found):
    for agreement in ({}, {"sentences": 97.0}):
        found.result = Result([AgreementTrial("fp32", agreement, DEFAULT, 200)], FIGURES)
        said = run("model", "copy")
        assert NOT_COMPARED in said and ("sentences 97.00" in said) == bool(agreement)


def test_agreement(run, found):
    agreement = {"tag": 99.75, "heads": 98.5, "sentences": 97.0}
    trial = AgreementTrial("SmoothQuant 0.7", agreement, DEFAULT, 200)
    found.result = Result([trial], FIGURES)
    said = run("model", "copy")
    assert "on 200 texts at least" in said and "tag 99.75 99.00" in said
    assert "heads 98.50 98.00" in said
    assert "sentences 97.00 –" in said  # which heads imply, so that they have no limit
    assert "fp32" not in said and NOT_COMPARED not in said


def test_a_copy_in_fp32_in_place_of_int8_is_explained(run, found):
    low = AgreementTrial("SmoothQuant 0.7", {"tag": 90.0}, DEFAULT, 200)
    same = AgreementTrial("fp32", {"tag": 100.0}, DEFAULT, 200)
    found.result = Result([low, same], FIGURES | {"recipe": "fp32"})
    assert "No INT8 recipe agrees with the original well enough" in run("model", "copy")
    found.result = Result([same], FIGURES | {"recipe": "fp32"})  # as it was asked for
    assert "No INT8 recipe agrees" not in run("model", "copy")


@pytest.mark.parametrize(
    "trials, shown, message",
    [
        (
            [make_trial(PASSING, FAILING), make_trial(FAILING)],
            ["tag_acc 95.50", "ents_f 80.00 75.50 4.50", "fails"],
            "No recipe passed",
        ),
        (
            [AgreementTrial("weights only", {"tag": 90.0, "heads": 99.0}, DEFAULT, 50)],
            ["on 50 texts", "tag 90.00 99.00", "heads 99.00 98.00"],
            "tag 90.00 %",
        ),
    ],
    ids=["scores", "agreement"],
)
def test_of_what_is_refused_all_is_shown(run, found, tmp_path, trials, shown, message):
    found.result = Refused(trials)
    said = run("model", "copy", "--metrics", "metrics.json", code=1)
    assert all(text in said for text in [*shown, message])
    assert "Saved" not in said and not list(tmp_path.iterdir())


def test_figures_that_cannot_be_written_are_told_of_before_the_work(run, found, tmp_path):
    (tmp_path / "file").write_text("x")
    found.result = Result([make_trial(PASSING)], FIGURES)
    said = run("model", "copy", "--metrics", "file/metrics.json", code=1)
    assert "file" in said and "Saved" not in said


def test_figures_that_can_no_longer_be_written(run, found, tmp_path, monkeypatch):
    """The copy is there all the same, and it says so."""
    module = sys.modules["spacy_pretrained.cli.quantize"]  # the name is that of the command, too
    monkeypatch.setattr(module, "check_writable", lambda path: None)
    found.result = Result([make_trial(PASSING)], FIGURES)
    said = run("model", "copy", "--metrics", "gone/metrics.json", code=1)
    assert "Saved copy" in said and "gone" in said.partition("Saved copy")[2]


def test_ctrl_c(run, found):
    found.result = KeyboardInterrupt()
    run("model", "copy", code=130)


def test_the_job_is_what_was_asked_for(run, found, tmp_path):
    found.result = Result([], FIGURES)
    paths = {name: tmp_path / name for name in ("texts.txt", "gold.spacy", "kept.txt")}
    texts, gold, kept = map(str, paths.values())
    given = ["--texts", texts, "--eval", gold, "--max-drop", "0.5", "--strict", "--keep-pieces"]
    given += [kept, "--min-tags", "98", "--min-categories", "97.5", "--precision", "int8-weights"]
    given += ["--windows", "sentences", "--n-texts", "77", "--seed", "3"]
    run("model", str(tmp_path / "copy"), *given)
    limits = {"tags": 98.0, "categories": 97.5}
    assert found == [
        Job(
            "model",
            tmp_path / "copy",
            texts=paths["texts.txt"],
            gold=paths["gold.spacy"],
            max_drop=0.5,
            strict=True,
            agreement=limits,
            precision="int8-weights",
            n_texts=77,
            seed=3,
            keep_pieces=paths["kept.txt"],
            windows="sentences",
        )
    ]
    assert MinAgreement(**limits).heads == DEFAULT.heads


# What it refuses


@pytest.fixture
def files(tmp_path):
    """A pipeline without an encoder, and texts."""
    nlp = spacy.blank("xx")
    nlp.add_pipe("sentencizer")
    nlp.to_disk(tmp_path / "plain")
    for name in ("train", "dev"):
        docs = [make_reference(nlp.vocab, [0, 1]) for _ in range(24)]
        DocBin(docs=docs).to_disk(tmp_path / f"{name}.spacy")
    for name in ("few.txt", "texts.csv"):
        (tmp_path / name).write_text("one\ntwo\n")
    return tmp_path


@pytest.mark.parametrize(
    "args, message",
    [
        ([], "give --texts"),
        (["--texts", "dev.spacy", "--eval", "dev.spacy"], "to calibrate on and to evaluate on"),
        (
            ["--precision", "fp32", "--keep-pieces", "dev.spacy", "--eval", "dev.spacy"],
            "wordpieces are kept and to evaluate on",
        ),
        (["--texts", "none.spacy"], "There is no file"),
        (["--precision", "fp32", "--keep-pieces", "none.txt"], "There is no file"),
        (["--texts", "train.spacy", "--n-texts", "3"], "n_texts has to be"),
        (["--texts", "train.spacy", "--precision", "int4"], "Unknown precision"),
        (["--texts", "train.spacy", "--windows", "some"], "some"),
        (["--texts", "train.spacy", "--max-drop", "-1"], "max_drop is in percent points"),
        (["--texts", "train.spacy", "--strict"], "--strict is about scores"),
        (["--texts", "train.spacy", "--max-drop", "0.3"], "--max-drop is about scores"),
        (["--texts", "train.spacy", "--min-tags", "101"], "agreement of tags is in percent"),
        (["--min-tags", "99", "--eval", "dev.spacy"], "leave --min-tags out"),
        (["--strict", "--max-drop", "0", "--eval", "dev.spacy"], "max-drop above 0"),
        (["--precision", "fp32", "--eval", "few.txt"], "is not a .spacy file"),
        (["--precision", "fp32", "--min-tags", "99"], "Give some, by --texts"),
        (["--texts", "texts.csv"], "of an unknown format"),
        (
            ["--precision", "fp32", "--texts", "train.spacy", "--eval", "dev.spacy"],
            "fp32 is not calibrated: leave --texts out",
        ),
        (
            ["--precision", "int8-weights", "--texts", "train.spacy", "--n-texts", "99"],
            "int8-weights is not calibrated: leave it out",
        ),
        (["--precision", "fp32", "--keep-pieces", "texts.csv"], "of an unknown format"),
        (["--precision", "fp32", "--windows", "sentences"], "Give --texts or --eval"),
        (["--texts", "train.spacy"], "'nncf' is not installed"),
        (["--texts", "train.spacy", "--precision", "int8-weights"], "'nncf' is not installed"),
    ],
)
def test_bad_input_is_refused_before_anything_is_loaded(run, files, monkeypatch, args, message):
    monkeypatch.setattr(spacy, "load", None)
    monkeypatch.setitem(sys.modules, "nncf", None)  # as if it was not installed
    before = {path.name for path in files.iterdir()}
    assert message in run("plain", "copy", *args, code=1)
    assert {path.name for path in files.iterdir()} == before


def test_what_has_nothing_to_quantize_is_refused(run, files):
    fp32 = ("--precision", "fp32")
    assert "there is nothing to quantize" in run("plain", "copy", *fp32, code=1)
    quantized = str(SAVED / "v0.1.0" / "syntax_int8" / "pipeline")
    assert "OpenVINO" in run(quantized, "copy", *fp32, code=1)
    assert "nowhere" in run("nowhere", "copy", *fp32, code=1)
    assert not (files / "copy").exists()


def test_nothing_but_a_pipeline_is_overwritten(run, files):
    for output, message in (
        (".", "is not a folder of a pipeline"),
        ("plain", "pipeline that is read"),
    ):
        assert message in run("plain", output, "--texts", "train.spacy", code=1)
    assert spacy.load(files / "plain").pipe_names == ["sentencizer"]
