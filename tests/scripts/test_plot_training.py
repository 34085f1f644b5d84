"""scripts/plot_training.py: what it takes from the log, and that a picture comes out."""

import importlib.util
import json
from itertools import pairwise
from pathlib import Path

import pytest

pytest.importorskip("matplotlib")


@pytest.fixture(scope="module")
def plot():
    path = Path(__file__).parents[2] / "scripts" / "plot_training.py"
    spec = importlib.util.spec_from_file_location("plot_training", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def evaluation(step: int, **scores) -> dict:
    return {
        "step": step,
        "epoch": 0,
        "seconds": 2.0 * step,
        "words": 100 * (step + 1),
        "words_per_second": 50.0 if step else None,
        "learn_rate": 0.001,
        "losses": {"pretrained_encoder": 0.0, "pretrained_tagger": 10.0 if step else 2.0},
        "scores": {"tag_acc": 0.9, "dep_las": 0.0, "unknown": 0.3, **scores},
        "score": scores.get("tag_acc", 0.9),
    }


@pytest.mark.parametrize("n_lines", [1, 2, 30])
def test_a_picture_comes_out(plot, tmp_path, n_lines):
    log = tmp_path / "training.jsonl"
    lines = [evaluation(5 * i, tag_acc=0.5 + i / 100, pos_acc=None) for i in range(n_lines)]
    log.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf8")
    picture = tmp_path / "metrics" / "training.png"
    plot.main(log, picture)
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_scores_are_percent_and_those_that_stay_at_zero_are_left_out(plot):
    lines = [evaluation(0, tag_acc=0.5), evaluation(5, tag_acc=0.75)]
    assert plot.score_curves(lines) == {"XPOS": [(0, 50.0), (5, 75.0)]}


def test_losses_are_those_of_a_step(plot):
    assert plot.loss_curves([evaluation(0), evaluation(5)]) == {
        "pretrained_tagger": [(0, 2.0), (5, 2.0)]
    }


@pytest.mark.parametrize("ys", [[5.0], [5.0, 5.0, 5.1], [99.0, 98.0, 97.0, 1.0], [40.0, 50.0]])
def test_labels_do_not_overlap(plot, ys):
    placed = plot.spread(ys, 10, 100)
    in_order = sorted(placed)
    assert all(above - below >= 10 for below, above in pairwise(in_order))
    assert in_order[-1] <= 100
    assert sorted(range(len(ys)), key=placed.__getitem__) == sorted(
        range(len(ys)), key=ys.__getitem__
    )


def test_an_empty_log_is_refused(plot, tmp_path):
    log = tmp_path / "training.jsonl"
    log.touch()
    with pytest.raises(ValueError, match="no evaluation yet"):
        plot.main(log, tmp_path / "training.png")
