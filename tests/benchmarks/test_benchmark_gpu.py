"""`make bench-gpu`: that it runs where there is no GPU, and what it takes for an error."""

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_LZMA, ZipFile

import benchmark_gpu
import gpu_bundle
import gpu_check
import gpu_tables
import numpy as np
import pytest
import spacy
import torch
from gpu_case import Case, summarize
from gpu_parity import compare_docs
from gpu_texts import draw_batches, make_texts, read_examples
from spacy.tokens import Doc
from spacy.vocab import Vocab

ROOT = Path(__file__).parents[2]
CASE = Case("MiniLM-L6", "nowhere", "cpu", "cpu", "fp32", **benchmark_gpu.SMOKE)
FOUND = asdict(CASE) | {
    "loss": {"first": 20.0, "last": 13.0, "steps": 30, "falls": True},
    "training": {
        "words_per_second": 1800,
        "steps": 3,
        "gpu_mebibytes": {"torch": 900, "cupy": 100},
    },
    "inference": {"words_per_second": 9000, "rounds": [9000], "words": 9, "gpu_mebibytes": {}},
    "alike": {
        "words": 300,
        "percent": dict.fromkeys(gpu_tables.ALIKE, 99.5),
        "vectors": {"largest_difference": 1e-5, "largest_number": 4.0},
        "cpu_words_per_second": 1234,
    },
    "card": {"name": "A card", "memory_mebibytes": 81920, "driver": "1.2", "cuda": "13.0"},
}


@pytest.fixture
def run(monkeypatch, tmp_path):
    """A function that runs the benchmark on cases that were measured already."""

    def run(*found: dict) -> None:
        cases = [replace(CASE, heads=one["heads"]) for one in found]
        monkeypatch.setattr(benchmark_gpu, "make_cases", lambda *args: iter(cases))
        answers = iter(found)
        monkeypatch.setattr(benchmark_gpu, "run_case", lambda *args: next(answers))
        benchmark_gpu.main("cpu", smoke=True, limit=100, output=tmp_path / "new" / "gpu.json")

    return run


@pytest.mark.slow
def test_the_smoke_test_measures_everything(tmp_path):
    output = tmp_path / "gpu.json"
    benchmark_gpu.main("cpu", smoke=True, limit=540, output=output)
    report = json.loads(output.read_text("utf8"))
    assert report["smoke"] and report["versions"]["torch"]
    names = [(found["encoder"], found["precision"], found["heads"]) for found in report["cases"]]
    assert names == [
        (encoder, precision, "cpu")
        for encoder in ("MiniLM-L6", "mpnet-base")
        for precision in ("fp32", "bf16")
    ]
    for found in report["cases"]:
        assert found["loss"]["falls"] and found["loss"]["steps"] == 30
        assert found["training"]["words_per_second"] > 0 < found["inference"]["words_per_second"]
        assert len(found["inference"]["rounds"]) == 3
        alike = found["alike"]
        assert alike["words"] >= 300 and alike["cpu_words_per_second"] > 0
        if found["precision"] == "fp32":
            assert set(alike["percent"].values()) == {100.0}
            assert alike["vectors"]["largest_difference"] < 1e-4
        else:
            assert alike["vectors"]["largest_difference"] > 1e-4  # it is another precision


def test_a_loss_that_does_not_fall_is_an_error(run, tmp_path, capsys):
    bad = FOUND | {"loss": {"first": 20.0, "last": 19.0, "steps": 30, "falls": False}}
    with pytest.raises(SystemExit) as ended:
        run(FOUND, bad)
    assert ended.value.code == 1
    assert "the loss went from 20 to 19 in 30 steps" in capsys.readouterr().out
    written = json.loads((tmp_path / "new" / "gpu.json").read_text("utf8"))
    assert len(written["cases"]) == 2  # all the same


def test_the_loss_has_to_fall_by_a_tenth():
    assert summarize(iter([10.0] * 10 + [5.0] * 10))["falls"]
    assert not summarize(iter([10.0] * 10 + [9.5] * 10))["falls"]
    assert not summarize(iter([10.0] * 20))["falls"]
    assert not summarize(iter([10.0] * 10 + [12.0] * 10))["falls"]
    # Nor is a loss that fell and rose again one that falls.
    assert not summarize(iter([10.0] * 10 + [1.0] * 10 + [10.0] * 10))["falls"]


@pytest.mark.slow
def test_a_case_that_fails_says_why(tmp_path):
    found = benchmark_gpu.run_case(CASE, tmp_path, seconds=100)
    assert "exit code 1" in found["error"] and "nowhere" in found["error"]
    (fault,) = benchmark_gpu.find_faults([found])
    assert fault.startswith("MiniLM-L6, fp32, heads on the CPU: exit code 1")


def test_a_case_without_time_is_left_out_and_named(run, tmp_path, capsys):
    late = benchmark_gpu.run_case(CASE, tmp_path, seconds=-1.0)
    run(FOUND, late)  # which is no error
    assert "MiniLM-L6, fp32, heads on the CPU: no time was left" in capsys.readouterr().out


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_what_to_do(tmp_path, capsys):
    for device, smoke in (("cuda", False), ("cpu", False), ("tpu", True)):
        with pytest.raises(SystemExit) as ended:
            benchmark_gpu.main(device, smoke=smoke, limit=9, output=tmp_path / "gpu.json")
        assert ended.value.code == 2
    said = capsys.readouterr().out
    assert said.count("--device cpu --smoke") == 2 and "Unknown device 'tpu'" in said


def test_alike_is_counted_by_word():
    words = ["Ada", "sees", "rivers", "."]
    one = Doc(Vocab(), words=words, tags=["A", "B", "C", "D"], lemmas=words, ents=["B-X", *"OOO"])
    two = Doc(Vocab(), words=words, tags=["A", "B", "C", "E"], lemmas=words, ents=["B-Y", *"OOO"])
    one.tensor = np.asarray([[1.0, -4.0]] * 4)
    two.tensor = np.asarray([[1.0, -4.5]] * 4)
    found = compare_docs([one], [two])
    assert found["percent"]["tags"] == found["percent"]["entities"] == 75.0
    assert found["percent"]["lemmas"] == found["percent"]["heads"] == 100.0
    assert found["kinds"] == {"tags": 4, "heads": 2, "labels": 1, "lemmas": 4, "entities": 2}
    assert found["vectors"] == {"largest_difference": 0.5, "largest_number": 4.0}


def test_texts_and_batches_are_the_same_each_time():
    texts = make_texts(50_000)
    assert texts == make_texts(50_000) and 50_000 <= sum(map(len, texts)) < 52_000
    examples = read_examples(spacy.blank("en"))
    batches = draw_batches(examples, 300)
    first = [[example.text for example in next(batches)] for _ in range(40)]
    again = draw_batches(examples, 300)
    assert first == [[example.text for example in next(again)] for _ in range(40)]
    assert sum(map(len, first)) > len(examples)  # they go round
    reference = examples[0].reference
    for name in ("TAG", "POS", "DEP", "LEMMA", "ENT_IOB"):
        assert reference.has_annotation(name)


# The table


@pytest.fixture
def page(monkeypatch, tmp_path) -> Path:
    """A copy of docs/gpu.md, beside an empty metrics/."""
    monkeypatch.chdir(tmp_path)
    for folder in ("docs", "metrics"):
        Path(folder).mkdir()
    return Path(shutil.copy(ROOT / "docs" / "gpu.md", "docs/gpu.md"))


def test_the_page_is_up_to_date(page):
    """If not: python benchmarks/gpu_tables.py"""
    before = page.read_text("utf8")
    if (ROOT / "metrics" / "gpu.json").exists():
        shutil.copy(ROOT / "metrics" / "gpu.json", "metrics")
    gpu_tables.main()
    assert page.read_text("utf8") == before
    assert before.count("<!-- gpu -->") == before.count("<!-- end gpu -->") == 1


def test_the_page_has_the_card_and_what_was_measured(page):
    report = {"smoke": False, "machine": {"cores": 16, "cpu": "a CPU"}, "seconds": 400}
    report["versions"] = {"torch": "2.11", "cupy-cuda13x": "14.2"}
    on_gpu = FOUND | {"heads": "gpu"}
    report["cases"] = [FOUND, on_gpu, asdict(CASE) | {"left_out": "no time was left"}]
    Path("metrics/gpu.json").write_text(json.dumps(report), "utf8")
    gpu_tables.main()
    text = page.read_text("utf8")
    assert "A card with 80 GiB, driver 1.2, CUDA 13.0, PyTorch 2.11, CuPy 14.2; 16 cores" in text
    assert "| MiniLM-L6 | CPU | fp32 | 1,800 | 9,000 | 1,000 | 0 |" in text
    assert "| MiniLM-L6 | GPU (CuPy) | fp32 | 99.50 % |" in text
    assert "annotates 1,234 words/s with MiniLM-L6, in fp32" in text
    assert "- MiniLM-L6 · CPU · fp32: no time was left" in text and "Not measured" not in text
    report["smoke"] = True
    Path("metrics/gpu.json").write_text(json.dumps(report), "utf8")
    gpu_tables.main()
    assert "Not measured yet" in page.read_text("utf8") and "A card" not in page.read_text("utf8")


def test_the_page_says_so_if_no_case_could_be_measured(page):
    report = {"smoke": False, "cases": [asdict(CASE) | {"error": "exit code 1"}]}
    Path("metrics/gpu.json").write_text(json.dumps(report), "utf8")
    gpu_tables.main()
    text = page.read_text("utf8")
    assert "No case could be measured" in text and "- MiniLM-L6 · CPU · fp32: it failed" in text


# The bundle


def test_the_bundle_has_what_spacy_needs_and_nothing_of_the_machine():
    needed = gpu_bundle.find_needed()
    assert {"spacy", "thinc", "blis", "pydantic-core", "weasel", "threadpoolctl"} <= needed
    assert not needed & {"torch", "cupy", "numpy", "transformers", "openvino", "setuptools"}
    versions = (ROOT / "constraints.txt").read_text("utf8")
    pinned = {line.partition("==")[0].lower().replace("_", "-") for line in versions.splitlines()}
    assert needed <= pinned


def test_a_wheel_that_is_packed_anew_has_the_same_files(tmp_path):
    wheel = tmp_path / "a-1-py3-none-any.whl"
    contents = {"a/__init__.py": b"x = 1\n" * 1000, "a-1.dist-info/RECORD": b"a/__init__.py,,\n"}
    with ZipFile(wheel, "w", ZIP_DEFLATED) as target:
        for name, content in contents.items():
            target.writestr(name, content)
    gpu_bundle.repack(wheel)
    with ZipFile(wheel) as packed:
        assert {name: packed.read(name) for name in packed.namelist()} == contents
        assert {entry.compress_type for entry in packed.infolist()} == {ZIP_LZMA}
    assert list(tmp_path.iterdir()) == [wheel]


def test_what_a_machine_lacks_is_told_at_once(monkeypatch):
    known = {"spacy": "3.7.0", "torch": "2.11.0", "openvino": "1"}

    def version(name: str) -> str:
        if name not in known:
            raise gpu_check.PackageNotFoundError(name)
        return known[name]

    wanted = ["spacy>=3.8", 'torch>=2.6; extra == "train"', "weasel", "openvino>=2025"]
    monkeypatch.setattr(gpu_check, "version", version)
    monkeypatch.setattr(gpu_check, "requires", lambda name: wanted)
    assert list(gpu_check.find_faults(["spacy-pretrained"])) == [
        "- spacy 3.7.0 is not spacy>=3.8 (spacy-pretrained needs it)",
        "- weasel is not there (spacy-pretrained needs it)",
    ]
