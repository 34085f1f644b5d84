"""The table of a training: every column says what it is, and all fit the terminal."""

import io
import os
import re

import pytest
import spacy

from spacy_pretrained.training.training_progress import TrainingProgress
from spacy_pretrained.training.training_table import (
    UNLIMITED,
    TrainingTable,
    terminal_width,
    titles,
    training_table,
)

COMPONENTS = [
    "pretrained_encoder",
    "pretrained_tagger",
    "biaffine_parser",
    "pretrained_ner",
    "trainable_lemmatizer",
]
WEIGHTS = {
    "ents_f": 0.2,
    "ents_per_type": None,
    "tag_acc": 0.1,
    "dep_uas": 0.0,
    "dep_las": 0.4,
    "lemma_acc": 0.1,
    "sents_f": 0.0,
    "pos_acc": 0.1,
    "morph_acc": 0.1,
}
INFO = {
    "epoch": 12,
    "step": 123_456,
    "losses": {name: 10.0 ** (2 * place) for place, name in enumerate(COMPONENTS)},
    "other_scores": dict.fromkeys(WEIGHTS, 1.0) | {"ents_f": None, "tag_acc": 0.97416},
    "score": 0.88888,
}


def lines_of(table: TrainingTable) -> list[str]:
    return [*table.header().splitlines(), table.row(INFO)]


def titles_of(table: TrainingTable) -> str:
    return " ".join(table.header().splitlines()[1].split())


def test_columns_tell_components_apart():
    table = TrainingTable(COMPONENTS, WEIGHTS, UNLIMITED)
    assert titles_of(table) == (
        "E # encoder tagger parser ner lemmatizer sents tag pos morph lemma uas las ents score"
    )
    assert " ".join(table.row(INFO).split()) == (
        "12 123456 1.00 100.00 10000 1.0e+06 1.0e+08 "
        "100.0 97.42 100.0 100.0 100.0 100.0 100.0 - 88.89"
    )


def test_headings_stand_above_their_columns():
    table = TrainingTable(["ner"], {"ents_f": 1.0}, UNLIMITED)
    headings, names, *_ = table.header().splitlines()
    starts = [match.start() for match in re.finditer(r"-+", table.header().splitlines()[2])]
    assert headings.index("loss") == starts[2] and headings.index("scores") == starts[3]
    assert names.split() == ["E", "#", "ner", "ents", "score"]


@pytest.mark.parametrize("width", range(30, 140, 5))
def test_it_fits_the_terminal(width):
    table = TrainingTable(COMPONENTS, WEIGHTS, width)
    assert max(map(len, lines_of(table))) <= width
    assert len(set(map(len, lines_of(table)[1:]))) == 1, "cells are as wide as their columns"


def test_narrow_terminals_have_the_sum_of_the_losses():
    table = TrainingTable(COMPONENTS, WEIGHTS, 80)
    assert titles_of(table) == "E # loss sents tag pos morph lemma uas las ents score"
    losses = sum(INFO["losses"].values())
    assert float(table.row(INFO).split()[2]) == pytest.approx(losses, rel=0.01)


def test_weights_of_zero_go_first():
    table = TrainingTable(COMPONENTS, WEIGHTS, 64)
    assert titles_of(table) == "E # loss tag pos morph lemma las ents score"


@pytest.mark.parametrize("width", [UNLIMITED, 64])
def test_the_order_of_scores_is_not_that_of_the_config(width):
    backwards = dict(reversed(WEIGHTS.items()))
    expected = titles_of(TrainingTable(COMPONENTS, WEIGHTS, width))
    assert titles_of(TrainingTable(COMPONENTS, backwards, width)) == expected


def test_names_that_would_be_the_same_stay_whole():
    assert titles(["ner", "pretrained_ner", "pretrained_tagger"]) == [
        "ner",
        "pretrained_ner",
        "tagger",
    ]
    assert titles(["pretrained_", "spans_sc_f"]) == ["pretrained_", "spans_sc"]


def test_speed_is_no_percentage():
    table = TrainingTable([], {"speed": 0.0}, UNLIMITED)
    assert titles_of(table) == "E # speed score"
    row = table.row({**INFO, "other_scores": {"speed": 2036.7}})
    assert row.split() == ["12", "123456", "2037", "88.89"]


def test_frozen_components_have_no_column():
    nlp = spacy.blank("xx")
    for name in ("tagger", "ner", "sentencizer"):
        nlp.add_pipe(name)
    nlp.config["training"]["frozen_components"] = ["ner"]
    table = training_table(nlp, io.StringIO())
    assert titles_of(table).startswith("E # tagger ")
    assert "ner" not in titles_of(table)


def test_width(monkeypatch, tmp_path):
    monkeypatch.delenv("COLUMNS", raising=False)
    assert terminal_width(io.StringIO()) == UNLIMITED
    with (tmp_path / "log").open("w") as file:
        assert terminal_width(file) == UNLIMITED
        monkeypatch.setattr(os, "get_terminal_size", lambda _: os.terminal_size((97, 30)))
        assert terminal_width(file) == 97
        monkeypatch.setenv("COLUMNS", "60")
        assert terminal_width(file) == 60


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


TRAINING = {"max_steps": 40, "eval_frequency": 10}


@pytest.mark.parametrize(("kind", "expected"), [("train", "21/40"), ("eval", "1/10")])
def test_bar(kind, expected):
    screen = Screen()
    progress = TrainingProgress(kind, TRAINING, screen)
    progress.restart(epoch=1, step=20)
    progress._bar.mininterval = 0  # draw at once
    progress.step()
    progress.close()
    assert expected in screen.getvalue()


def test_no_bar():
    for kind, stderr in ((None, Screen()), ("train", io.StringIO())):
        progress = TrainingProgress(kind, TRAINING, stderr)
        progress.restart(epoch=1, step=20)
        progress.step()
        progress.close()
        assert stderr.getvalue() == ""


def test_no_such_bar():
    with pytest.raises(ValueError, match="E1048"):
        TrainingProgress("epoch", TRAINING, io.StringIO())
