"""Batches become records: the same as the pipeline says of each text, and one bad text costs no
other its annotation."""

import logging

import pytest
import spacy
from hard_texts import HARD_TEXTS
from serving_client import find_pipeline
from spacy.language import Language

from spacy_pretrained.records import PARTS, to_record
from spacy_pretrained.serving.annotate import ANNOTATION, Failed, annotate_batch
from spacy_pretrained.serving.pipelines import Served

SECRET = "a secret word"


@pytest.fixture(autouse=True)
def log(caplog, monkeypatch):
    """What this folder writes, as its own log would."""
    monkeypatch.setattr(logging.getLogger("spacy_pretrained.serving"), "propagate", True)
    return caplog


def flatten(value):
    """Numbers of a record to the digits that do not depend on the batch."""
    if isinstance(value, dict):
        return {key: flatten(item) for key, item in value.items()}
    if isinstance(value, list):
        return [flatten(item) for item in value]
    return pytest.approx(value, abs=1e-3) if isinstance(value, float) else value


def test_records_are_those_of_the_pipeline(syntax):
    expected = [to_record(syntax.nlp(text)) for text in HARD_TEXTS]
    for _ in range(3):  # zone after zone
        outcomes = annotate_batch(syntax, [(text, PARTS) for text in HARD_TEXTS], None)
        assert [one.record for one in outcomes] == flatten(expected)
        alone = [annotate_batch(syntax, [(text, PARTS)], None)[0] for text in HARD_TEXTS]
        assert [one.record for one in alone] == flatten(expected)
    assert [one.n_words for one in outcomes] == [len(one["tokens"]) for one in expected]


def test_each_text_has_the_parts_that_it_was_asked_for(syntax):
    outcomes = annotate_batch(syntax, [("Ada.", ("ents",)), ("Ada.", ("sents", "tokens"))], None)
    assert [set(one.record) for one in outcomes] == [
        {"text", "ents", "truncated"},
        {"text", "sents", "tokens", "truncated"},
    ]


def test_labels_are_those_of_the_batch(zero_shot):
    asked = [("Dogs bark.", ("cats",))] * 3
    for labels in (("x", "y"), None, ("rivers", "robots", "z")):
        for n in (1, 3):
            for one in annotate_batch(zero_shot, asked[:n], labels):
                found = tuple(cat["label"] for cat in one.record["cats"])
                assert found == (labels or zero_shot.nlp.get_pipe("zero_shot_textcat").labels)


@Language.component("fails_at_secrets")
def fail_at_secrets(doc):
    if SECRET in doc.text:
        raise ValueError(f"Cannot do {doc.text}")
    return doc


@pytest.mark.parametrize("place", [0, 3, 7])
def test_a_failed_batch_is_tried_one_by_one(log, place):
    nlp = spacy.load(find_pipeline("syntax_int8"))
    nlp.add_pipe("fails_at_secrets", last=True)
    served = Served("a", nlp, "")
    asked = [(f"Ada sees {i} rivers.", ("tokens",)) for i in range(8)]
    asked[place] = (f"This is {SECRET}.", ("tokens",))
    for _ in range(5):
        outcomes = annotate_batch(served, asked, None)
        for i, ((text, _), one) in enumerate(zip(asked, outcomes, strict=True)):
            if i == place:
                assert isinstance(one, Failed) and one.code == ANNOTATION
            else:
                assert one.record["text"] == text
    assert "ValueError at test_annotate.py" in log.text
    assert SECRET not in log.text


def test_docs_that_an_error_handler_leaves_out_are_not_lost():
    nlp = spacy.blank("en")
    nlp.add_pipe("fails_at_secrets")
    nlp.set_error_handler(lambda name, pipe, docs, error: None)
    asked = [(text, ("tokens",)) for text in ("x", SECRET, "y")]
    outcomes = annotate_batch(Served("a", nlp, ""), asked, None)
    assert [one.record["text"] for one in outcomes] == ["x", SECRET, "y"]


def test_strings_of_texts_do_not_stay(syntax):
    """What the zone is for."""
    strings = syntax.nlp.vocab.strings
    annotate_batch(syntax, [("Zyxwvutsr sees it.", PARTS), ("Qponmlkji.", PARTS)], None)
    n = len(strings)
    for i in range(20):
        annotate_batch(syntax, [(f"Zyxw{i}vutsr sees it.", PARTS), (f"Qpon{i}mlkji.", PARTS)], None)
    assert len(strings) == n
    assert "Zyxw1vutsr" not in strings
