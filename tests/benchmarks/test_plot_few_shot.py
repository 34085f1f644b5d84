"""benchmarks/plot_few_shot.py: a picture comes out."""

import importlib
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("n_sets", [1, 4, 7])
def test_a_picture_comes_out(tmp_path, monkeypatch, n_sets):
    pytest.importorskip("matplotlib")
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    plot = importlib.import_module("plot_few_shot")
    point = {"accuracy": 80.0, "least": 70.0, "best": 90.0}
    summary = {"frozen": {"8": point, "0": point}, "fine-tuned": {"8": point}}
    one = {"title": "Made up", "labels": 3, "summary": summary}
    metrics = tmp_path / "few-shot.json"
    metrics.write_text(json.dumps({str(i): one for i in range(n_sets)}))
    plot.main(metrics, tmp_path / "docs" / "few-shot.png")
    assert (tmp_path / "docs" / "few-shot.png").read_bytes().startswith(b"\x89PNG")
    # Where no text is given nothing is learnt: all curves start there.
    assert list(plot.curve_of(summary, "fine-tuned")) == [0, 8]
    assert list(plot.curve_of(summary, "frozen")) == [0, 8]
