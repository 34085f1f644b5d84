"""What the catalogue says is computed is what the script computes."""

import sys
from pathlib import Path

import pytest

from spacy_pretrained.checkpoints.catalogue import CATALOGUE

SCRIPTS = str(Path(__file__).parents[2] / "scripts")


@pytest.fixture(scope="module")
def script():
    pytest.importorskip("torch")
    sys.path.insert(0, SCRIPTS)
    try:
        import catalogue_sizes
    finally:
        sys.path.remove(SCRIPTS)
    return catalogue_sizes


@pytest.mark.parametrize("name", CATALOGUE)
def test_computed_fields_are_what_the_script_computes(script, name):
    entry = CATALOGUE[name]
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

    if entry["family"] not in CONFIG_MAPPING_NAMES:
        pytest.skip(f"this version of transformers has no {entry['family']}")
    assert entry["computed"] == script.compute(entry)


def test_most_have_a_config_to_compute_from():
    assert sum(entry["computed"] is not None for entry in CATALOGUE.values()) >= 50


@pytest.mark.parametrize("name", CATALOGUE)
def test_the_computed_size_is_about_what_the_authors_say(name):
    """Within a tenth: they count poolers, heads for pretraining, or round."""
    entry = CATALOGUE[name]
    stated, computed = entry["parameters_millions"], entry["computed"]
    if not stated or not computed or entry["kind"] == "encoder-decoder":  # both halves are stated
        pytest.skip("nothing to compare")
    assert computed["parameters"] / 1e6 == pytest.approx(stated, rel=0.1)


def test_the_cost_of_bert_base_is_1():
    assert CATALOGUE["bert-base-cased"]["computed"]["relative_cost"] == 1.0
    albert, bert = (CATALOGUE[n]["computed"] for n in ("albert-base-v2", "bert-base-cased"))
    assert albert["parameters"] < 0.2 * bert["parameters"]
    assert albert["relative_cost"] == pytest.approx(1.0, abs=0.01)  # layers share weights, not work
