"""Benchmarks of tiny models: what is measured, in which processes, and as what it comes out."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import spacy
from saved_pipelines import SAVED
from tiny_pipelines import make_examples, make_nlp
from typer.testing import CliRunner

from spacy_pretrained.benchmarking import benchmark as module
from spacy_pretrained.benchmarking import peak_memory, targets
from spacy_pretrained.benchmarking.benchmark import benchmark
from spacy_pretrained.benchmarking.cases import (
    FP32,
    INFERENCE,
    INT8,
    OPENVINO,
    STOCK,
    TORCH,
    TRAINING,
    Measurement,
)
from spacy_pretrained.benchmarking.child import ChildFailed, ask
from spacy_pretrained.benchmarking.measure import begin_training, count_pieces, measure_training
from spacy_pretrained.benchmarking.peak_memory import peak_bytes
from spacy_pretrained.benchmarking.prepare import prepare
from spacy_pretrained.benchmarking.texts import make_texts
from spacy_pretrained.cli import pretrained_cli
from spacy_pretrained.quantization import quantizer

MEGABYTE = 1_000_000
ON_OPENVINO = SAVED / "v0.1.0" / "syntax_int8" / "pipeline"


@pytest.fixture
def measured(monkeypatch) -> list[dict]:
    """Cases that are measured, whose processes are not started, so that nothing needs torch."""
    monkeypatch.setattr(targets, "is_installed", lambda package: True)
    cases = []

    def answer(name, arguments):
        if name == "prepare":
            made = [TORCH] * arguments["is_encoder"] + ["fp32"]
            return {"made": made, "notes": ["int8 on OpenVINO is left out: it was too cold"]}
        cases.append(arguments)
        if arguments["words_a_text"] == 13:
            raise ChildFailed("unlucky")
        sizes = {"import_bytes": 100, "working_bytes": 300, "peak_bytes": 400}
        case = {key: value for key, value in arguments.items() if key != "folder"}
        return {**case, **sizes, "pieces_a_batch": 12, "words_per_second": 50.0}

    monkeypatch.setattr(module, "ask", answer)
    return cases


def run(*args: str, code: int = 0) -> str:
    result = CliRunner().invoke(pretrained_cli, ["benchmark", *args])
    assert result.exit_code == code, result.output
    return " ".join(result.output.split())


def test_an_encoder_is_measured_in_every_way(measured, tiny_bert):
    results = benchmark([tiny_bert], train=True, lengths=(8, 16), batches=(100, 200))
    found = {(one.task, one.engine, one.precision) for one in results.measurements}
    ways = {(TRAINING, TORCH, "fp32"), (INFERENCE, TORCH, "fp32"), (INFERENCE, OPENVINO, "fp32")}
    assert found == ways and len(results.measurements) == len(ways) * 4
    assert results.notes == [f"{tiny_bert}: int8 on OpenVINO is left out: it was too cold"]
    assert measured[0]["folder"] == tiny_bert  # trained from the start


def test_what_fails_is_noted_and_the_rest_goes_on(measured, tiny_bert):
    results = benchmark([tiny_bert], lengths=(13, 16))
    assert {one.words_a_text for one in results.measurements} == {16}
    assert sum("unlucky" in note for note in results.notes) == 2
    with pytest.raises(ValueError, match=r"Nothing could be measured\. .*unlucky"):
        benchmark([tiny_bert], lengths=(13,))


def test_a_table_json_and_a_picture(measured, tiny_bert, tmp_path):
    pytest.importorskip("matplotlib")
    output, picture = tmp_path / "new" / "out.json", tmp_path / "pictures" / "out.png"
    said = run(tiny_bert, "--lengths", "8,16", "--json", str(output), "--plot", str(picture))
    assert "WORDS/S" in said and "too cold" in said
    found = json.loads(output.read_text())
    assert [Measurement(**row).words_a_text for row in found["measurements"]] == [8, 16, 8, 16]
    assert found["machine"]["spacy"] and found["notes"]
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_bad_input_is_refused_before_anything_is_measured(measured, tiny_bert, tmp_path):
    pytest.importorskip("matplotlib")
    (tmp_path / "a.png").mkdir()
    for args, message in (
        ((tiny_bert, "--lengths", "many"), "--lengths takes whole numbers"),
        ((tiny_bert, "--batch", "0"), "--batch takes whole numbers"),
        ((tiny_bert, "--plot", str(tmp_path / "picture")), "no suffix"),
        ((tiny_bert, "--plot", str(tmp_path / "picture.nothing")), "end in '.nothing'"),
        (("no-such-encoder",), "no name in the catalogue"),
        (("~no-such-user/x",), "no name in the catalogue"),
        ((tiny_bert, "--json", str(tmp_path)), "is a folder"),
        ((tiny_bert, "--json", f"{tiny_bert}/config.json/x.json"), "cannot be a folder"),
        ((tiny_bert, "--plot", str(tmp_path / "a.png")), "is a folder"),
    ):
        assert message in run(*args, code=1)
    assert run(code=2) and not measured


def test_the_peak_is_that_of_this_process_alone():
    """Of a child, not that of its large parent; and it stays when memory is free again."""
    code = (
        "from spacy_pretrained.benchmarking.peak_memory import peak_bytes\n"
        "before = peak_bytes()\n"
        "held = bytearray(200_000_000)\n"
        "held[::4096] = b'x' * len(held[::4096])\n"
        "del held\n"
        "print(before, peak_bytes())"
    )
    ballast = bytearray(b"x" * 300 * MEGABYTE)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    before, after = map(int, done.stdout.split())
    assert before < 150 * MEGABYTE < 190 * MEGABYTE < after - before < 210 * MEGABYTE
    assert peak_bytes() > len(ballast)


def test_where_linux_says_nothing_the_peak_is_that_of_resource(tmp_path, monkeypatch):
    """Which counts in kB, but on macOS in bytes."""
    resource = pytest.importorskip("resource", reason="not on Windows")
    monkeypatch.setattr(peak_memory, "STATUS", tmp_path / "status")
    for platform, unit in (("linux", 1024), ("darwin", 1)):
        monkeypatch.setattr(sys, "platform", platform)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        found = peak_bytes() / unit
        assert 0 < before <= found <= resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        (tmp_path / "status").write_text("Name:\tpython\n")  # a kernel that does not say it


@pytest.mark.skipif(os.name == "nt", reason="a shell's script")
@pytest.mark.parametrize(
    "script, message",
    [("kill -9 $$", "memory was not enough"), ("exit 3", "exit code 3")],
    ids=["killed", "silent"],
)
def test_a_process_that_says_nothing(script, message, tmp_path, monkeypatch):
    interpreter = tmp_path / "python"
    interpreter.write_text(f"#!/bin/sh\n{script}\n")
    interpreter.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(interpreter))
    with pytest.raises(ChildFailed, match=message):
        ask("measure", {})


def test_an_encoder_is_trained_as_the_tagger_of_a_pipeline(tiny_bert):
    """On tags that can be learnt: each word has one."""
    nlp, examples = begin_training(Path(tiny_bert), make_texts(16, 4))
    assert nlp.pipe_names == ["pretrained_encoder", "pretrained_tagger"]
    tags = {(t.lower_, t.tag_) for example in examples for t in example.reference}
    assert len(tags) == len({word for word, _ in tags}) and len({tag for _, tag in tags}) > 4
    found = measure_training(Path(tiny_bert), 8, 50)
    assert found["words_per_second"] > 0 and found["working_bytes"] > 0
    pieces = count_pieces(nlp, make_texts(8, 6))
    assert found["pieces_a_batch"] == pieces >= 48  # 50 words are about six texts of 8


def test_a_pipeline_is_trained_on_its_own_annotation(tiny_bert, tmp_path):
    made = make_nlp(tiny_bert, "pretrained_tagger")
    made.initialize(lambda: make_examples(made))
    made.to_disk(tmp_path)
    texts = make_texts(8, 3)
    nlp, examples = begin_training(tmp_path, texts)
    assert nlp.pipe_names == made.pipe_names
    for example, doc in zip(examples, made.pipe(texts), strict=True):
        assert [t.tag_ for t in example.reference] == [t.tag_ for t in doc]
        assert not example.predicted.has_annotation("TAG")


@pytest.fixture
def copying(monkeypatch) -> None:
    """Quantizing, which takes its time and torch, is replaced: a copy in fp32 is the pipeline
    itself, and in INT8 there is none."""

    class Copying:
        def __init__(self, nlp, *, precision):
            self.nlp, self.precision = nlp, precision

        def quantize(self, texts):
            assert len(set(texts)) == len(texts) > 20
            if self.precision == INT8:
                raise ValueError("too cold")
            return SimpleNamespace(nlp=self.nlp)

    monkeypatch.setattr(quantizer, "Quantizer", Copying)


@pytest.mark.usefixtures("copying")
def test_what_is_measured_is_made_first_and_what_cannot_be_made_is_noted(tiny_bert, tmp_path):
    notes = ["int8 on OpenVINO is left out: too cold"]
    found = prepare(tiny_bert, str(tmp_path), is_encoder=True)
    assert found == {"made": [TORCH, FP32], "notes": notes}
    texts, folders = make_texts(8, 3), [tmp_path / name for name in found["made"]]
    first, second = ([doc.to_array("TAG") for doc in spacy.load(f).pipe(texts)] for f in folders)
    np.testing.assert_array_equal(first, second)
    assert (np.array(first) > 0).all()
    # Of a pipeline there are only copies.
    (tmp_path / "copies").mkdir()
    found = prepare(str(tmp_path / TORCH), str(tmp_path / "copies"), is_encoder=False)
    assert found == {"made": [FP32], "notes": notes}
    assert [path.name for path in (tmp_path / "copies").iterdir()] == [FP32]


def test_if_nothing_can_be_made_a_pipeline_on_torch_is_measured_all_the_same(measured, monkeypatch):
    answer = module.ask

    def fail(name, arguments):
        if name == "prepare":
            raise ChildFailed("no space left")
        return answer(name, arguments)

    monkeypatch.setattr(module, "ask", fail)
    folder = str(SAVED / "v0.1.0" / "syntax_torch" / "pipeline")
    results = benchmark([folder], lengths=(8,))
    assert [(one.engine, one.precision) for one in results.measurements] == [(TORCH, FP32)]
    assert results.notes == [f"{folder}: no space left"]
    assert measured[0]["folder"] == folder


def test_several_batches_are_told_apart(measured, tmp_path):
    """In the picture; and a pipeline of spaCy's own may be trained, without an engine of ours."""
    pytest.importorskip("matplotlib")
    from spacy_pretrained.benchmarking.plot import make_curves

    spacy.blank("xx").to_disk(tmp_path / "plain")
    names = [str(tmp_path / "plain"), str(ON_OPENVINO)]
    with pytest.raises(ValueError, match="does not train"):
        benchmark(names, train=True)
    found = benchmark(names[:1], train=True, lengths=(16, 8), batches=(100, 200)).measurements
    found += benchmark(names[1:], lengths=(16, 8), batches=(100, 200)).measurements
    curves = make_curves(found)
    ways = (f"plain: training, fp32 on {STOCK}", f"plain: inference, fp32 on {STOCK}")
    ways += (f"pipeline: inference, int8 on {OPENVINO}",)
    assert list(curves) == [f"{way}, batches of {n} words" for way in ways for n in (100, 200)]
    for name, curve in curves.items():
        assert [one.words_a_text for one in curve] == [8, 16]  # shortest first
        assert all(f"batches of {one.words_a_batch} words" in name for one in curve)
    # One batch size is not worth a word.
    assert list(make_curves([found[0]])) == [ways[0]]


def test_sources_of_one_name_are_told_apart():
    """In the picture: `spacy train` calls all that it writes model-best."""
    pytest.importorskip("matplotlib")
    from spacy_pretrained.benchmarking.plot import make_curves

    sources = ("a/model-best", "b/model-best", "c/other")
    figures = {"pieces_a_batch": None, "words_per_second": 1.0, "import_bytes": 1}
    figures |= {"working_bytes": 1, "peak_bytes": 1}
    found = [
        Measurement(source, INFERENCE, STOCK, FP32, words, 100, **figures)
        for source in sources
        for words in (8, 16)
    ]
    names = ("a/model-best", "b/model-best", "other")
    curves = make_curves(found)
    assert list(curves) == [f"{name}: inference, fp32 on {STOCK}" for name in names]
    assert all([one.words_a_text for one in curve] == [8, 16] for curve in curves.values())


@pytest.mark.slow
def test_a_process_that_ends_badly_says_why(tmp_path):
    with pytest.raises(ChildFailed, match="No module named"):
        ask("nothing", {})
    case = {"task": INFERENCE, "engine": STOCK, "words_a_text": 8, "words_a_batch": 50}
    with pytest.raises(ChildFailed, match=r"Can't find|E050|Could not"):
        ask("measure", case | {"folder": str(tmp_path / "nothing")})


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="sends signals")
@pytest.mark.parametrize("number, code", [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
@pytest.mark.usefixtures("needs_torch")
def test_what_a_signal_ends_leaves_nothing(tiny_bert, tmp_path, number, code):
    """Neither its own copies, nor what the process that makes them has in its temporary folder."""
    # A shell has what it starts in the background ignore the signal of Ctrl-C.
    start = (
        "import runpy, signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "sys.argv[0] = 'spacy'\n"
        "runpy.run_module('spacy', run_name='__main__')"
    )
    command = [sys.executable, "-c", start, "pretrained", "benchmark", tiny_bert]
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        while not any(path.is_file() for path in tmp_path.rglob("*")):
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.05)
        process.send_signal(number)
        said = process.stderr.read()
    assert process.returncode == code, said
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.usefixtures("needs_torch")
def test_a_training_is_measured(tiny_bert):
    one = measure(tiny_bert, TRAINING, TORCH)
    assert one["words_per_second"] > 0 and one["pieces_a_batch"] > 50
    assert 100 * MEGABYTE < one["import_bytes"] < one["working_bytes"] <= one["peak_bytes"]


@pytest.mark.slow
@pytest.mark.usefixtures("needs_torch")
def test_a_pipeline_is_trained_further_and_a_quantized_one_runs_without_torch(tiny_bert, tmp_path):
    from spacy_pretrained.quantization.quantize import quantize_pipeline

    nlp = make_nlp(tiny_bert, "pretrained_ner", "biaffine_parser")
    nlp.initialize(lambda: make_examples(nlp))
    nlp.to_disk(tmp_path / "torch")
    quantize_pipeline(nlp, precision="fp32").to_disk(tmp_path / "fp32")
    ways = ((TRAINING, TORCH, "torch"), (INFERENCE, TORCH, "torch"), (INFERENCE, OPENVINO, "fp32"))
    training, on_torch, on_openvino = (
        measure(str(tmp_path / name), task, engine) for task, engine, name in ways
    )
    for one in (training, on_torch, on_openvino):
        assert one["words_per_second"] > 0 and one["peak_bytes"] > one["import_bytes"]
    assert on_openvino["import_bytes"] < 0.8 * on_torch["import_bytes"]


@pytest.mark.slow
def test_without_torch(tmp_path):
    """By the command: a quantized pipeline annotates, one of spaCy's own is trained further."""
    nlp = spacy.blank("xx")
    nlp.add_pipe("tagger")
    nlp.initialize(lambda: make_examples(nlp))
    nlp.to_disk(tmp_path / "stock")
    output = tmp_path / "out.json"
    sizes = ("--lengths", "8", "--batch", "50", "--json", str(output))
    run(str(ON_OPENVINO), *sizes)
    (quantized,) = json.loads(output.read_text())["measurements"]
    assert (quantized["engine"], quantized["precision"]) == (OPENVINO, INT8)
    assert quantized["pieces_a_batch"] >= 48  # 50 words are about six texts of 8
    run(str(tmp_path / "stock"), "--train", *sizes)
    training, inference = json.loads(output.read_text())["measurements"]
    assert (training["task"], inference["task"]) == (TRAINING, INFERENCE)
    for one in (training, inference):
        assert one["engine"] == STOCK and one["pieces_a_batch"] is None
    for one in (quantized, training, inference):
        assert one["words_per_second"] > 0
        assert one["import_bytes"] < one["working_bytes"] <= one["peak_bytes"]


def measure(folder: str, task: str, engine: str) -> dict:
    case = {"task": task, "engine": engine, "words_a_text": 8, "words_a_batch": 50}
    return ask("measure", case | {"folder": folder, "precision": "fp32", "source": "tiny"})


@pytest.mark.slow
def test_the_whole_of_it(needs_torch, tiny_bert, tmp_path):
    """An encoder, with its copies in fp32 and INT8."""
    pytest.importorskip("nncf")
    output = tmp_path / "out.json"
    run(tiny_bert, "--train", "--lengths", "8", "--batch", "50", "--json", str(output))
    rows = json.loads(output.read_text())["measurements"]
    ways = [(row["task"], row["engine"], row["precision"]) for row in rows]
    assert ways == [
        (TRAINING, TORCH, "fp32"),
        *((INFERENCE, TORCH, "fp32"), (INFERENCE, OPENVINO, "fp32"), (INFERENCE, OPENVINO, "int8")),
    ]
