"""Without gold annotation a copy is accepted if it annotates as the original does."""

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc

from spacy_pretrained.quantization.agreement import AgreementGate, AgreementTrial, MinAgreement
from spacy_pretrained.quantization.gate import Refused


@Language.factory("length_tagger_for_tests", default_config={"wrong_below": 0})
def make_length_tagger(nlp: Language, name: str, wrong_below: int):
    def tag(doc: Doc) -> Doc:
        assert not any(token.tag for token in doc)
        for token in doc:
            token.tag_ = "NN" if len(token) >= wrong_below else "VB"
        return doc

    return tag


def make_nlp(**config) -> Language:
    nlp = spacy.blank("xx")
    nlp.add_pipe("length_tagger_for_tests", config=config)
    return nlp


TEXTS = ["a word or two", "no more than words"] * 10


def make_trial(**agreement: float) -> AgreementTrial:
    return AgreementTrial("recipe", agreement, MinAgreement(), 200)


def test_a_copy_is_measured_against_the_original():
    gate = AgreementGate(make_nlp(), TEXTS)
    alike, other = (gate.try_out(make_nlp(wrong_below=n), "recipe") for n in (0, 2))
    assert alike.agreement == {"tag": 100.0} and gate.accepts(alike)
    assert other.agreement == {"tag": pytest.approx(87.5)} and not gate.accepts(other)
    assert "tag 87.50 %" in other.explain()
    assert other.texts == 20 and not other.performance
    assert other.figures() == {
        "compared_texts": 20,
        "agreement": {"tag": {"percent": 87.5, "at_least": 99.0}},
    }


def test_limits_can_be_set_and_fp32_is_always_accepted():
    lenient = AgreementGate(make_nlp(), TEXTS, at_least=MinAgreement(tags=87.0))
    assert lenient.accepts(lenient.try_out(make_nlp(wrong_below=2), "recipe"))
    gate = AgreementGate(make_nlp(), TEXTS)
    assert gate.accepts(gate.try_out(make_nlp(wrong_below=99), "fp32"))


def test_fp32_brings_no_wordpieces_back():
    gate = AgreementGate(make_nlp(), TEXTS, fewer_pieces=True)
    alike, other = (gate.try_out(make_nlp(wrong_below=n), "fp32") for n in (0, 2))
    assert gate.falls_back and gate.accepts(alike) and not gate.accepts(other)
    assert "Give --keep-pieces more texts" in str(Refused([other]))
    assert "Keep the windows" in str(Refused([other], windows="sentences"))
    nothing = AgreementGate(spacy.blank("xx"), TEXTS, fewer_pieces=True)
    assert nothing.accepts(nothing.try_out(spacy.blank("xx"), "recipe"))


class Filter:
    """Leaves out Docs that begin with a word."""

    def __init__(self, word: str):
        self._word = word

    def __call__(self, doc: Doc) -> Doc:
        return doc

    def pipe(self, stream, **kwargs):
        return (doc for doc in stream if doc[0].text != self._word)


@Language.factory("filter_for_tests")
def make_filter(nlp: Language, name: str, word: str) -> Filter:
    return Filter(word)


def test_a_copy_that_leaves_out_other_documents_says_so():
    gate, filtered = AgreementGate(make_nlp(), TEXTS), make_nlp()
    filtered.add_pipe("filter_for_tests", config={"word": "no"})
    with pytest.raises(ValueError, match="Of 20 texts, the pipeline returns 20 and the copy 10"):
        gate.try_out(filtered, "recipe")
    gate = AgreementGate(filtered, TEXTS)
    assert gate.accepts(gate.try_out(filtered, "recipe"))


@pytest.mark.slow
def test_annotation_of_given_docs_is_not_seen():
    docs = [make_nlp()(text) for text in TEXTS]
    gate = AgreementGate(make_nlp(), docs)  # the tagger asserts that there are no tags
    assert gate.accepts(gate.try_out(make_nlp(), "recipe"))


@pytest.mark.parametrize(
    "measure, limit",
    [
        *((name, 99.0) for name in ("tag", "pos", "morph", "lemma", "categories")),
        *(("heads", 98.0), ("entities", 98.5), ("spans_sc", 98.5)),
    ],
)
def test_each_measure_has_its_limit(measure, limit):
    assert make_trial(**{measure: limit}).too_low == []
    assert make_trial(**{measure: limit - 0.01}).too_low == [measure]


def test_sentences_are_told_but_not_judged():
    trial = make_trial(sentences=50.0, tag=100.0)
    assert trial.too_low == []
    assert trial.figures()["agreement"]["sentences"] == {"percent": 50.0, "at_least": None}


@pytest.mark.parametrize("pipe", [None, "sentencizer"])
def test_where_nothing_is_judged_a_copy_is_accepted_only_if_fp32_always_is(pipe):
    nlp = spacy.blank("xx")
    if pipe is not None:
        nlp.add_pipe(pipe)
    for falls_back in (True, False):
        gate = AgreementGate(nlp, TEXTS, falls_back=falls_back)
        for recipe in ("recipe", "fp32"):
            trial = gate.try_out(nlp, recipe)
            assert not trial.is_judged and gate.accepts(trial) == falls_back
    assert "annotates nothing" in str(Refused([trial]))
    assert make_trial(heads=1.0).is_judged


def test_a_trial_that_measured_nothing_has_no_table():
    assert make_trial().summary() == ""
    assert "50.00" in make_trial(sentences=50.0).summary()


def test_what_is_refused_names_how_much_agrees():
    trials = [make_trial(tag=90.0), make_trial(tag=95.5, heads=99.0)]
    refused = Refused(trials)
    assert refused.trials == trials
    assert "tag 95.50 %" in str(refused) and "heads" not in str(refused)


def test_bad_input_says_so():
    for value in (-1, 100.1, float("nan")):
        with pytest.raises(ValueError, match="agreement of heads is in percent"):
            MinAgreement(heads=value)
    with pytest.raises(ValueError, match="no text on which to compare"):
        AgreementGate(make_nlp(), [])
