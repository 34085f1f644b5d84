"""The table of the catalogue, and what narrows it."""

import pytest

from spacy_pretrained.checkpoints.catalogue import CATALOGUE
from spacy_pretrained.choosing.models import SIZES, list_models


def names(**filters) -> set[str]:
    return {row["name"] for row in list_models(**filters)}


def test_all_are_there_and_filters_narrow():
    assert names() == set(CATALOGUE)
    assert {"camembert-base", "xlm-roberta-base"} <= names(lang="fr")
    assert "roberta-base" not in names(lang="fr") and "roberta-base" in names(lang="en")
    assert names(family="albert") == {"albert-base-v2"}
    assert "minilm-l6" in names(size="tiny") and "roberta-large" in names(size="large")
    assert "gpt2" not in names(task="ner") and "roberta-base" not in names(task="similarity")
    assert names(task="similarity", lang="de") == {"multilingual-e5-small", "multilingual-e5-base"}
    assert names(lang="FR") == names(lang="fr-CA") == names(lang="fr")
    known = [row for row in list_models() if row["size"]]
    assert sum(len(names(size=size)) for size in SIZES) == len(known) > 60


def test_a_language_is_a_code():
    for lang in ("french", ""):
        with pytest.raises(ValueError, match=f"'{lang}' is no code of a language"):
            list(list_models(lang=lang))


@pytest.mark.parametrize("filters", [{"task": "x"}, {"family": "x"}, {"size": "huge"}])
def test_what_narrows_to_nothing_known_is_an_error(filters):
    with pytest.raises(ValueError, match=r"Unknown .* Use one of: "):
        list(list_models(**filters))


def test_what_is_estimated_is_no_number_of_the_catalogue():
    rows = {row["name"]: row for row in list_models()}
    beto = rows["bert-base-spanish-cased"]
    assert beto["estimated"] and beto["parameters_millions"] is beto["relative_cost"] is None
    assert beto["training_gb"] > 2
    assert rows["bertweet-base"]["parameters_millions"] == 135  # which its authors say
    assert not rows["roberta-base"]["estimated"]


def test_what_the_tests_of_families_found_is_shown(monkeypatch):
    bert = {"model_type": "bert", "causal": False, "openvino": True, "packed": False}
    decoder = {"model_type": "gpt2", "causal": True, "openvino": True, "packed": True}
    refused = {"model_type": "longformer", "refused": "it was too long", "openvino": True}
    found = {"BERT as a decoder": bert | {"causal": True, "packed": True}, "BERT": bert}
    found |= {"GPT-2": decoder, "Longformer": refused}
    monkeypatch.setattr("spacy_pretrained.choosing.families.FAMILIES", found)
    rows = {row["name"]: (row["openvino"], row["packed"]) for row in list_models()}
    assert rows["bert-base-cased"] == (True, False) and rows["gpt2"] == (True, True)
    assert rows["longformer-base-4096"] == rows["roberta-base"] == (None, None)


def test_classes_of_speed():
    rows = {row["name"]: row["speed"] for row in list_models()}
    names = ("minilm-l6", "distilbert-base-uncased", "roberta-base", "roberta-large")
    assert [rows[name] for name in names] == ["fast", "medium", "base", "slow"]
