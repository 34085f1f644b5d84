"""The catalogue, and warnings about encoders for other languages."""

import pytest

from spacy_pretrained.checkpoints.catalogue import CATALOGUE, describe_misfit, find_name


def test_entries_of_the_catalogue_have_what_messages_need():
    for name, entry in CATALOGUE.items():
        assert entry.keys() >= {"package", "install", "hub", "languages", "licence"}, name
        assert "/" in entry["hub"] and "/" not in name


@pytest.mark.parametrize("key", ["name", "package", "hub"])
def test_the_language_of_a_model_is_known_however_it_is_named(key):
    entry = CATALOGUE["minilm-l6"]
    named = {"name": "minilm-l6", "package": f"package:{entry['package']}", "hub": entry["hub"]}
    warning = describe_misfit(named[key], "es", "encoder")
    for part in ("'encoder'", named[key], "(en)", "(es)", "[initialize.components.encoder]"):
        assert part in warning
    assert describe_misfit(named[key], "en", "encoder") is None


@pytest.mark.parametrize("source", ["roberta-base", "FacebookAI/roberta-base"])
def test_a_revision_is_of_the_same_model(source):
    assert find_name(f"{source}@v1.0") == find_name(source) == "roberta-base"
    assert describe_misfit(f"{source}@v1.0", "es", "encoder") is not None
    for other in (f"{source}@", f"{source}@a@b", "package:roberta-base@v1", "owner/other@v1"):
        assert find_name(other) is None


@pytest.mark.parametrize("lang", ["xx", "mul", ""])
def test_a_pipeline_for_any_language_fits_all_models(lang):
    assert describe_misfit("minilm-l6", lang, "encoder") is None


def test_a_model_for_any_language_fits_all_pipelines(monkeypatch):
    entry = CATALOGUE["minilm-l6"] | {"languages": ["multilingual"]}
    monkeypatch.setitem(CATALOGUE, "minilm-l6", entry)
    assert describe_misfit("minilm-l6", "es", "encoder") is None


def test_nothing_is_said_of_the_languages_of_an_unknown_model(tiny_bert):
    assert describe_misfit(tiny_bert, "es", "encoder") is None
