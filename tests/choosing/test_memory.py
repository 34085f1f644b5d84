"""Memory: each coefficient counts what it says, and the rule of thumb of 8 GB holds."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from spacy_pretrained.checkpoints.catalogue import CATALOGUE
from spacy_pretrained.choosing.memory import (
    GIGABYTE,
    PIECES_PER_WORD,
    estimate_inference,
    estimate_training,
    most_pieces,
)
from spacy_pretrained.choosing.sizes import Sizes, find_sizes

MEASURED = Path(__file__).parents[2] / "metrics" / "memory-estimates.json"
SIZES = Sizes(100_000_000, 80_000_000, 12, 768, 1.0)


def test_weights_take_20_bytes_trained_and_4_frozen():
    assert estimate_training(SIZES, 0).weights == 20 * SIZES.parameters
    assert estimate_training(SIZES, 0, frozen=True).weights == 4 * SIZES.parameters


def test_openvino_copies_weights_and_lays_matrices_out_anew():
    outside = SIZES.outside
    assert estimate_inference(SIZES).weights == 8 * SIZES.parameters + 4 * outside
    assert estimate_inference(SIZES, int8=True).weights == 2 * SIZES.parameters + 2 * outside


def test_activations_grow_with_pieces_layers_and_width():
    base = estimate_training(SIZES, 1000).activations
    assert estimate_training(SIZES, 2000).activations == 2 * base
    assert estimate_training(replace(SIZES, layers=24), 1000).activations == 2 * base
    assert estimate_training(replace(SIZES, width=1536), 1000).activations == 2 * base
    assert estimate_training(SIZES, 1000, bfloat16=True).activations == base / 2
    assert estimate_training(SIZES, 1000, gradient_checkpointing=True).activations < base / 4
    assert estimate_training(SIZES, 1000, frozen=True).activations < base / 4


def test_the_peak_is_that_of_a_step_or_of_saving():
    small, large = (estimate_training(SIZES, n, frozen=True) for n in (10, 10_000))
    assert small.activations < small.saving and large.activations > large.saving
    assert small.peak == small.process + small.weights + small.saving
    assert large.peak == large.process + large.weights + large.activations


def test_8_gb_hold_about_350_million_parameters_in_full_fine_tuning():
    roberta_large = find_sizes(CATALOGUE["roberta-large"])  # 354 million
    assert estimate_training(roberta_large, 100).peak < 8 * GIGABYTE
    xlm_roberta_large = find_sizes(CATALOGUE["xlm-roberta-large"])  # 559 million
    assert estimate_training(xlm_roberta_large, 1).peak > 8 * GIGABYTE
    assert estimate_training(xlm_roberta_large, 1, bfloat16=True).peak > 8 * GIGABYTE


def test_estimates_are_within_a_quarter_of_what_was_measured():
    rows = json.loads(MEASURED.read_text("utf8"))["rows"]
    found = {(one["name"], one["task"], one["precision"], one["words_a_batch"]) for one in rows}
    ways = [("training", "fp32"), ("inference", "fp32"), ("inference", "int8")]
    sizes = {"minilm-l6": (500, 1500, 3000), "all-mpnet-base-v2": (250, 750, 1500)}
    assert found == {
        (name, *way, words) for name, batches in sizes.items() for way in ways for words in batches
    }
    for one in rows:
        encoder = find_sizes(CATALOGUE[one["name"]])
        if one["task"] == "training":
            estimate = estimate_training(encoder, round(one["words_a_batch"] * PIECES_PER_WORD))
        else:
            estimate = estimate_inference(encoder, int8=one["precision"] == "int8")
        assert estimate.peak == one["estimated_bytes"], "run: make bench-estimates"
        assert estimate.peak == pytest.approx(one["peak_bytes"], rel=0.25), one


@pytest.mark.parametrize("memory", [2, 4, 8])
@pytest.mark.parametrize("settings", [{}, {"frozen": True}, {"bfloat16": True}])
def test_the_largest_batch_fits_and_one_more_does_not(memory, settings):
    pieces = most_pieces(SIZES, memory * GIGABYTE, **settings)
    assert estimate_training(SIZES, pieces, **settings).peak <= memory * GIGABYTE or not pieces
    larger = estimate_training(SIZES, pieces + 2, **settings)
    assert larger.peak > memory * GIGABYTE


def test_nothing_fits_into_nothing():
    assert most_pieces(SIZES, 10**9) == 0


def test_sizes_that_were_not_read_in_full_are_estimates():
    assert not find_sizes(CATALOGUE["roberta-base"]).estimated
    beto = find_sizes(CATALOGUE["bert-base-spanish-cased"])
    assert beto.estimated and beto.relative_cost == pytest.approx(1, abs=0.01)
    gte = find_sizes(CATALOGUE["gte-base"])  # its layers follow from its parameters
    assert gte.estimated and gte.layers == 12
    nothing = dict.fromkeys(("layers", "width", "computed", "parameters_millions", "vocabulary"))
    assert find_sizes(nothing) is None


def test_estimates_are_near_what_is_computed():
    for name in ("bert-base-cased", "roberta-large", "distilbert-base-uncased", "minilm-l6"):
        entry = CATALOGUE[name]
        computed, estimated = find_sizes(entry), find_sizes(entry | {"computed": None})
        assert estimated.estimated
        assert estimated.parameters == pytest.approx(computed.parameters, rel=0.02)
        assert estimated.outside == pytest.approx(computed.outside, rel=0.02)
