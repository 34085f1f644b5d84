"""benchmarks/quantization_tables.py: what is in metrics/ comes into the document, and only that."""

import importlib
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MARKS = ("kinds", "gate", "recipes", "waiting", "profile")
PAGE = "# Title\n" + "".join(f"\n<!-- {m} -->\n\nold\n\n<!-- end {m} -->\n" for m in MARKS)
KINDS = ("ours", "fp32", "int8-weights", "int8")


@pytest.fixture
def tables(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "quantization.md").write_text(PAGE)
    return importlib.import_module("quantization_tables")


def write(name: str, value: dict) -> None:
    path = Path("metrics") / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


def write_kinds(speeds: dict[str, float], las: dict[str, float]) -> None:
    results = {name: {"infer": {"words_per_second": speed}} for name, speed in speeds.items()}
    results["int8"]["infer"]["of_ceiling"] = 0.5
    write("benchmark.json", {"results": results})
    for name, score in las.items():
        conll = {"UPOS": {"f1": 97.0}, "LAS": {"f1": score}}
        entities = {"all": {"f1": 80.0}}
        protocols = {"gold_tokens_gold_sentences": {"conll18": conll}}
        file = "ewt/test.json" if name == "ours" else f"ewt/test-{name}.json"
        write(file, {"treebanks": [{"protocols": protocols}], "entities": [entities]})
    write("ewt/dev.json", {"entities": [entities]})


def page() -> str:
    return Path("docs/quantization.md").read_text()


def test_without_figures_nothing_changes(tables):
    tables.main()
    assert page() == PAGE and not Path("docs/quantization.png").exists()


def test_kinds_that_were_scored_and_measured(tables):
    speeds = {name: 1000.0 * (i + 1) for i, name in enumerate(KINDS)} | {"stock": 500.0}
    write_kinds(speeds, {"ours": 89.5, "fp32": 89.5, "int8": 89.44})
    tables.main()
    assert "| OpenVINO, INT8 | 4,000 | 4.00 | 50% | 97.00 | 89.44 | 80.00 |" in page()
    assert "| OpenVINO, fp32 | 2,000 | 2.00 | – | 97.00 | 89.50 | 80.00 |" in page()
    assert "INT8 weights" not in page() and "stock" not in page()
    assert "](quantization.png)" in page()
    assert Path("docs/quantization.png").stat().st_size > 5000


def test_the_gate_the_recipes_and_the_profile(tables):
    row = {"before": 90.0, "after": 89.9, "drop": 0.1, "least_drop": -0.05, "most_drop": 0.25}
    sizes = {"weights": {"before": 90.3, "after": 22.9}}
    write("ewt/quantization.json", {"recipe": "R", "scores": {"dep_las": row}, "megabytes": sizes})
    errors = {"exact": 0.05, "this_cpu": 0.0512, "without_vnni": None}
    recipe = {"recipe": "R", "errors": errors, "drops": {"dep_las": 0.1}}
    report = {"cpu": "C", "documents": 9, "scores": {"dep_las": 90.0}, "recipes": [recipe]}
    write("ewt/recipes.json", report)
    parts = {"engine": {"clock": 30.0, "cpu": 60.0}, "heads": {"clock": 10.0, "cpu": 10.0}}
    totals = {"in_turn": {"clock": 40.0, "cpu": 70.0}, "stream": {"clock": 35.0, "cpu": 70.0}}
    write("profile.json", {"parts": parts, **totals})
    tables.main()
    for line in (
        "| `dep_las` | 90.00 | 89.90 | 0.10 | -0.05 | 0.25 |",
        "| weights, MB | 90.3 | 22.9 |  |  |  |",
        "| R | 0.050 | 0.051 | – | 0.10 |",
        "| engine | 30.0 | 75% | 60.0 |",
        "| `nlp.pipe` | 35.0 | 88% | 70.0 |",
    ):
        assert line in page()
    assert page().count("old") == 2  # of the parts without figures


def test_how_long_a_user_waits(tables):
    stages = {"import_seconds": 0.6, "load_seconds": 0.3, "first_text_seconds": 0.8}
    sentence = {"words": 15, "median_milliseconds": 3.04, "p90_milliseconds": 4.0}
    write("latency.json", {"cold_start": {"seconds": 1.8, **stages}, "sentence": sentence})
    write("memory.json", {"texts": 20_000, "second_tenth": 500.0, "growth_percent": 1.2})
    write("ewt/smoke-int8.json", {"wheel_mb": 26.9, "environment_mb": 582})
    write("ewt/smoke-torch.json", {"environment_mb": 1619})
    tables.main()
    for line in ("1.80 s |", "15 words, warm: median | 3.0 ms", "500 MiB", "+1.2 %", "26.9 MB"):
        assert line in page()
    assert "582 MB of 1,619 MB with torch" in page()
