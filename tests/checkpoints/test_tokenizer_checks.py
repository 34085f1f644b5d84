"""Tokenizers that cannot be those of their model are refused, or a warning says what counts."""

import re

import pytest
from tiny_models import MORE_TOKENIZERS, TEXTS, TOKENIZERS
from tokenizers import Tokenizer, models, pre_tokenizers

from spacy_pretrained.checkpoints.tokenizer_checks import (
    MAX_UNKNOWN,
    describe_conflicts,
    find_unknown,
    refuse_ignorant,
    refuse_unknown,
)
from spacy_pretrained.checkpoints.wordpieces import PieceTokenizer


def make(family: str) -> PieceTokenizer:
    return PieceTokenizer((TOKENIZERS | MORE_TOKENIZERS)[family]().to_str())


def make_empty(model) -> PieceTokenizer:
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return PieceTokenizer(tokenizer.to_str())


@pytest.mark.parametrize("family", TOKENIZERS | MORE_TOKENIZERS)
def test_a_tokenizer_knows_what_it_was_made_of(family):
    tokenizer = make(family)
    share, words = find_unknown(tokenizer, TEXTS)
    assert share < 0.02, list(words)
    refuse_ignorant(tokenizer, "a folder")
    refuse_unknown(tokenizer, TEXTS, "a folder")


def test_characters_are_counted_and_words_are_found():
    tokenizer = make("wordpiece")
    share, words = find_unknown(tokenizer, ["the ☃☃☃ dog", "", "  ", "☂"])
    assert share == 4 / 10 and list(words) == ["☃☃☃", "☂"]
    assert find_unknown(tokenizer, [])[0] == 0


@pytest.mark.parametrize(
    "model",
    [
        models.WordPiece({"[UNK]": 0}, unk_token="[UNK]"),
        models.Unigram([("<unk>", 0.0)], unk_id=0),
        models.BPE({}, []),  # makes no pieces at all
    ],
)
def test_a_tokenizer_that_knows_nothing_is_refused(model):
    with pytest.raises(ValueError, match="'a folder' knows no letter"):
        refuse_ignorant(make_empty(model), "a folder")


def test_a_few_unknown_words_are_accepted_and_many_refused():
    tokenizer = make("wordpiece")
    known = "the quick brown fox jumps over the lazy dog " * 3
    n_known = len(known.replace(" ", ""))
    n_most = int(n_known * MAX_UNKNOWN / (1 - MAX_UNKNOWN))
    refuse_unknown(tokenizer, [known, "☃" * n_most], "a folder")
    with pytest.raises(ValueError, match=r"3\d% .* first 2 training texts; at most 30%.*'☃☃"):
        refuse_unknown(tokenizer, [known, "☃☃ " * (n_most // 2 + 3)], "a folder")


@pytest.mark.parametrize(
    "family, settings, expected",
    [
        ("wordpiece", {}, []),
        ("wordpiece", {"do_lower_case": True, "cls_token": "[CLS]", "sep_token": "[SEP]"}, []),
        ("wordpiece", {"do_lower_case": False}, ["do_lower_case = false, but .* turns text"]),
        ("unigram", {"do_lower_case": True}, ["do_lower_case = true, but .* does not turn"]),
        ("wordpiece", {"cls_token": "<s>"}, ["does not have: cls_token = '<s>'"]),
        ("wordpiece", {"cls_token": {"content": "[MASK]"}}, ["around a text: cls_token"]),
        ("mbart", {"cls_token": "<s>", "sep_token": "</s>", "unk_token": "<unk>"}, []),
        ("gpt2", {"unk_token": "<|endoftext|>", "bos_token": "<|endoftext|>"}, []),
    ],
)
def test_conflicts_with_the_settings_are_named(family, settings, expected):
    found = describe_conflicts(make(family), settings, "a folder")
    assert len(found) == len(expected)
    for message, pattern in zip(found, expected):
        assert re.search(pattern, message) and "tokenizer.json counts" in message
