"""Benchmarks of tiny models: what is measured, in which processes, and as what it comes out."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from tiny_pipelines import make_examples, make_nlp
from typer.testing import CliRunner

from spacy_pretrained.benchmarking import benchmark as module
from spacy_pretrained.benchmarking.benchmark import benchmark
from spacy_pretrained.benchmarking.cases import INFERENCE, OPENVINO, TORCH, TRAINING, Measurement
from spacy_pretrained.benchmarking.child import ChildFailed, ask
from spacy_pretrained.benchmarking.peak_memory import peak_bytes
from spacy_pretrained.cli import pretrained_cli

MEGABYTE = 1_000_000


@pytest.fixture
def measured(monkeypatch) -> list[dict]:
    """Cases that are measured, whose processes are not started."""
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


@pytest.mark.usefixtures("needs_torch")
def test_an_encoder_is_measured_in_every_way(measured, tiny_bert):
    results = benchmark([tiny_bert], train=True, lengths=(8, 16), batches=(100, 200))
    found = {(one.task, one.engine, one.precision) for one in results.measurements}
    ways = {(TRAINING, TORCH, "fp32"), (INFERENCE, TORCH, "fp32"), (INFERENCE, OPENVINO, "fp32")}
    assert found == ways and len(results.measurements) == len(ways) * 4
    assert results.notes == [f"{tiny_bert}: int8 on OpenVINO is left out: it was too cold"]
    assert measured[0]["folder"] == tiny_bert  # trained from the start


@pytest.mark.usefixtures("needs_torch")
def test_what_fails_is_noted_and_the_rest_goes_on(measured, tiny_bert):
    results = benchmark([tiny_bert], lengths=(13, 16))
    assert {one.words_a_text for one in results.measurements} == {16}
    assert sum("unlucky" in note for note in results.notes) == 2
    with pytest.raises(ValueError, match=r"Nothing could be measured\. .*unlucky"):
        benchmark([tiny_bert], lengths=(13,))


@pytest.mark.usefixtures("needs_torch")
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


@pytest.mark.slow
def test_a_process_that_ends_badly_says_why(tmp_path):
    with pytest.raises(ChildFailed, match="No module named"):
        ask("nothing", {})
    case = {"task": INFERENCE, "engine": TORCH, "words_a_text": 8, "words_a_batch": 50}
    with pytest.raises(ChildFailed, match=r"Can't find|E050|Could not"):
        ask("measure", case | {"folder": str(tmp_path / "nothing")})


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="sends signals")
@pytest.mark.parametrize("number, code", [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
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
def test_a_training_is_measured(tiny_bert):
    one = measure(tiny_bert, TRAINING, TORCH)
    assert one["words_per_second"] > 0 and one["pieces_a_batch"] > 50
    assert 100 * MEGABYTE < one["import_bytes"] < one["working_bytes"] <= one["peak_bytes"]


@pytest.mark.slow
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


def measure(folder: str, task: str, engine: str) -> dict:
    case = {"task": task, "engine": engine, "words_a_text": 8, "words_a_batch": 50}
    return ask("measure", case | {"folder": folder, "precision": "fp32", "source": "tiny"})


@pytest.mark.slow
def test_the_whole_of_it(tiny_bert, tmp_path):
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
