"""benchmarks/compare_memory.py: cases that `recommend` has an estimate for, and what is written."""

import importlib
import json
from pathlib import Path

import pytest

from spacy_pretrained.benchmarking import benchmark

ROOT = Path(__file__).parents[2]


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return importlib.import_module("compare_memory")


@pytest.mark.usefixtures("needs_torch")
def test_all_that_recommend_estimates_is_compared(script, tmp_path, monkeypatch, tiny_bert):
    def answer(module, arguments):
        if module == "prepare":
            return {"made": ["PyTorch", "fp32", "int8"], "notes": []}
        case = {key: value for key, value in arguments.items() if key != "folder"}
        sizes = {"import_bytes": 1, "working_bytes": 2, "peak_bytes": 2_000_000_000}
        return case | sizes | {"pieces_a_batch": 600, "words_per_second": 1.0}

    monkeypatch.setattr(benchmark, "ask", answer)
    monkeypatch.setattr(script, "ask", answer)
    monkeypatch.setattr(script, "save_random", lambda name, folder: Path(tiny_bert))
    script.main(tmp_path / "new" / "out.json")
    rows = json.loads((tmp_path / "new" / "out.json").read_text())["rows"]
    ways = {(one["name"], one["task"], one["precision"]) for one in rows}
    kinds = (("training", "fp32"), ("inference", "fp32"), ("inference", "int8"))
    assert ways == {(name, *kind) for name in (script.SMALL, script.BASE) for kind in kinds}
    assert len(rows) == 3 * len(ways)
    for one in rows:
        assert one["ratio"] == round(one["estimated_bytes"] / 2e9, 2)


@pytest.mark.usefixtures("needs_torch")
def test_what_was_measured_here_is_not_measured_again(script, tmp_path, monkeypatch, tiny_bert):
    measured = []  # of one call, which breaks off at the fifth

    def answer(module, arguments):
        if module == "prepare":
            return {"made": ["PyTorch", "fp32", "int8"], "notes": []}
        if len(measured) == 4:
            raise KeyboardInterrupt
        measured.append(arguments)
        case = {key: value for key, value in arguments.items() if key != "folder"}
        sizes = {"import_bytes": 1, "working_bytes": 2, "peak_bytes": 2_000_000_000}
        return case | sizes | {"pieces_a_batch": 600, "words_per_second": 1.0}

    monkeypatch.setattr(benchmark, "ask", answer)
    monkeypatch.setattr(script, "ask", answer)
    monkeypatch.setattr(script, "save_random", lambda name, folder: Path(tiny_bert))
    output = tmp_path / "out.json"
    for n_rows in (4, 8, 12, 16):
        measured.clear()
        with pytest.raises(KeyboardInterrupt):
            script.main(output)
        assert len(json.loads(output.read_text())["rows"]) == n_rows
    measured.clear()
    script.main(output)
    found = json.loads(output.read_text())
    assert len(measured) == 2 and len(found["rows"]) == 18
    found["machine"]["torch"] = "another"
    output.write_text(json.dumps(found))
    measured.clear()
    with pytest.raises(KeyboardInterrupt):
        script.main(output)
    assert len(json.loads(output.read_text())["rows"]) == 4


def test_random_weights_have_the_sizes_of_the_catalogue(script, tmp_path, monkeypatch):
    from spacy_pretrained.checkpoints.catalogue import CATALOGUE
    from spacy_pretrained.choosing.info import find_info

    small = {"layers": 1, "width": 24, "heads": 2, "intermediate": 48}
    monkeypatch.setitem(CATALOGUE, script.BASE, CATALOGUE[script.BASE] | small)
    encoder = find_info(str(script.save_random(script.BASE, tmp_path / "mpnet")))["encoder"]
    assert (encoder["family"], encoder["width"], encoder["layers"]) == ("mpnet", 24, 1)
    assert encoder["vocabulary"] == CATALOGUE[script.BASE]["vocabulary"]
    assert encoder["tokenizer.json"]
