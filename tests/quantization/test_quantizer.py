"""INT8 is calibrated on the batches that the pipeline itself makes of the same tokens."""

import pytest
from spacy.language import Language
from spacy.tokens import Doc
from tiny_pipelines import ENCODER, make_nlp

from spacy_pretrained.quantization.quantizable import find_backbones
from spacy_pretrained.quantization.quantizer import record_batches

WORDS = ["Ada", "sees", "the", "old", "river", "today"]


@Language.component("halves_for_tests")
def cut_in_halves(doc: Doc) -> Doc:
    """Finds sentences, and its metadata do not say so."""
    for token in doc:
        token.is_sent_start = token.i in (0, len(doc) // 2)
    return doc


@pytest.fixture
def nlp(tiny_bert):
    nlp = make_nlp(tiny_bert)
    nlp.initialize()
    return nlp


def record(nlp: Language, doc: Doc) -> list[list]:
    (backbone,) = find_backbones(nlp)
    return [batch.ids.tolist() for batch in record_batches(nlp, backbone, [doc])]


def plan(nlp: Language, doc: Doc) -> list[list]:
    (backbone,) = find_backbones(nlp)
    return [batch.ids.tolist() for batch in backbone.plan_batches(nlp, [doc])]


def test_sentences_of_gold_annotation_make_no_windows(nlp):
    bare = Doc(nlp.vocab, words=WORDS)
    gold = Doc(nlp.vocab, words=WORDS, sent_starts=[i in (0, 2) for i in range(len(WORDS))])
    assert plan(nlp, gold) != plan(nlp, bare)
    assert record(nlp, gold) == record(nlp, bare) == plan(nlp, bare)


@pytest.mark.parametrize("is_on", [True, False])
def test_sentences_of_any_component_before_the_encoder_make_windows(nlp, is_on):
    """Of one that is disabled they do not, nor does it matter that the encoder is."""
    nlp.add_pipe("halves_for_tests", first=True)
    nlp.disable_pipe(ENCODER if is_on else "halves_for_tests")
    halves = cut_in_halves(Doc(nlp.vocab, words=WORDS))
    bare = Doc(nlp.vocab, words=WORDS)
    assert record(nlp, bare) == plan(nlp, halves if is_on else bare)
