"""Pictures of trainings: what is taken from the log, and that a picture comes out."""

import json
import sys
from itertools import pairwise

import pytest

from spacy_pretrained.training import plot

pytest.importorskip("matplotlib")


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
def test_a_picture_comes_out(tmp_path, n_lines):
    log = tmp_path / "training.jsonl"
    lines = [evaluation(5 * i, tag_acc=0.5 + i / 100, pos_acc=None) for i in range(n_lines)]
    log.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf8")
    picture = tmp_path / "metrics" / "training.png"
    plot.plot_training(log, picture)
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_scores_are_percent_and_those_that_stay_at_zero_are_left_out():
    lines = [evaluation(0, tag_acc=0.5), evaluation(5, tag_acc=0.75)]
    assert plot.score_curves(lines) == {"XPOS": [(0, 50.0), (5, 75.0)]}


def test_losses_are_those_of_a_step():
    assert plot.loss_curves([evaluation(0), evaluation(5)]) == {
        "pretrained_tagger": [(0, 2.0), (5, 2.0)]
    }


@pytest.mark.parametrize("ys", [[5.0], [5.0, 5.0, 5.1], [99.0, 98.0, 97.0, 1.0], [40.0, 50.0]])
def test_labels_do_not_overlap(ys):
    placed = plot.spread(ys, 10, 100)
    in_order = sorted(placed)
    assert all(above - below >= 10 for below, above in pairwise(in_order))
    assert in_order[-1] <= 100
    assert sorted(range(len(ys)), key=placed.__getitem__) == sorted(
        range(len(ys)), key=ys.__getitem__
    )


def test_an_empty_log_is_refused(tmp_path):
    log = tmp_path / "training.jsonl"
    log.touch()
    with pytest.raises(ValueError, match="has no evaluation yet"):
        plot.plot_training(log, tmp_path / "training.png")


@pytest.mark.parametrize(
    "text",
    [
        *("no JSON", "[1, 2]", "3", '{"step": 1}', "\xff"),
        json.dumps(evaluation(5) | {"step": "five"}),
    ],
)
def test_what_is_no_log_is_refused(tmp_path, text):
    log = tmp_path / "training.jsonl"
    log.write_bytes(text.encode("latin1"))
    with pytest.raises(ValueError, match="is no log of a training"):
        plot.plot_training(log, tmp_path / "training.png")


def test_without_matplotlib_it_says_what_to_install(tmp_path, monkeypatch):
    log = tmp_path / "training.jsonl"
    log.write_text(json.dumps(evaluation(0)))
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ModuleNotFoundError, match=r"spacy-pretrained\[plot\]"):
        plot.plot_training(log, tmp_path / "training.png")
    assert not (tmp_path / "training.png").exists()
