"""The gate passes what scores alike, fails what scores worse, and says when it cannot tell."""

import re

import numpy as np
import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import ignore_error
from tiny_pipelines import as_blank

from spacy_pretrained.quantization.gate import (
    Answer,
    Drop,
    Gate,
    Refused,
    ScoreTrial,
    check_max_drop,
    round_up,
)
from spacy_pretrained.scoring.bootstrap import estimate_drops


@Language.factory("constant_tagger_for_tests", default_config={"wrong_in": 0, "every": 1})
def make_constant_tagger(nlp: Language, name: str, wrong_in: int, every: int):
    return ConstantTagger(wrong_in, every)


class ConstantTagger:
    """Tags all words NN, but the first one of some documents."""

    def __init__(self, wrong_in: int, every: int):
        self.wrong_in, self.every, self.n_seen = wrong_in, every, 0

    def __call__(self, doc: Doc) -> Doc:
        for token in doc:
            token.tag_ = "NN"
        if self.n_seen < self.wrong_in and self.n_seen % self.every == 0:
            doc[0].tag_ = "VB"
        self.n_seen += 1
        return doc

    def score(self, examples, **kwargs):
        from spacy.scorer import Scorer

        return Scorer.score_token_attr(examples, "tag", **kwargs)


@Language.component("fails_at_b_for_tests")
def fail_at_b(doc: Doc) -> Doc:
    if doc[0].text == "b":
        raise ValueError("b")
    return doc


def make_nlp(**config) -> Language:
    nlp = spacy.blank("xx")
    nlp.add_pipe("constant_tagger_for_tests", config=config)
    return nlp


def make_examples(n_docs: int) -> list[Example]:
    vocab = spacy.blank("xx").vocab
    references = [Doc(vocab, words=["a"] * 10, tags=["NN"] * 10) for _ in range(n_docs)]
    return [Example(as_blank(reference), reference) for reference in references]


def try_out(n_docs: int, max_drop: float = 0.3, **config) -> ScoreTrial:
    gate = Gate(make_nlp(), make_examples(n_docs), max_drop=max_drop)
    return gate.try_out(make_nlp(**config), "recipe")


@pytest.mark.slow
def test_the_same_scores_pass_where_a_drop_would_have_been_visible():
    trial = try_out(100)
    (drop,) = trial.drops
    assert (drop.score, drop.before, drop.after, drop.least) == ("tag_acc", 100, 100, 0)
    assert trial.answer is Answer.PASSES
    assert trial.performance["tag_acc"] == 1.0
    assert try_out(90).answer is Answer.CANNOT_TELL


@pytest.mark.parametrize("n_docs", [5, 20, 100])
def test_one_token_is_chance_however_small_the_set(n_docs):
    trial = try_out(n_docs, wrong_in=1)
    assert trial.drops[0].drop == pytest.approx(10 / n_docs)
    assert trial.drops[0].least <= 0
    assert trial.answer is not Answer.FAILS


@pytest.mark.slow
def test_what_all_documents_lose_is_no_chance():
    assert try_out(20, wrong_in=20).drops[0].least == pytest.approx(10)
    assert try_out(20, 9.9, wrong_in=20).answer is Answer.FAILS
    assert try_out(20, 10.1, wrong_in=20).answer is Answer.PASSES


def test_a_drop_in_some_documents_counts_beyond_chance_only():
    (drop,) = try_out(100, wrong_in=100, every=5).drops
    assert drop.drop == pytest.approx(2)
    assert 1 < drop.least < 2 < drop.most < 3


def make_drop(drop=0.0, *, error=0.1, unseen=0.0) -> Drop:
    spread = 1.645 * error
    return Drop("x", 90.0, 90.0 - drop, drop - spread, error, spread, unseen)


@pytest.mark.parametrize(
    "drop, answer",
    [
        (make_drop(0.0), Answer.PASSES),
        (make_drop(-5.0), Answer.PASSES),
        (make_drop(0.29), Answer.PASSES),
        (make_drop(0.31), Answer.FAILS),  # above max_drop, and the error is small
        (make_drop(0.31, error=0.16), Answer.PASSES),
        (make_drop(0.31, error=0.5), Answer.CANNOT_TELL),
        (make_drop(1.2, error=0.5), Answer.FAILS),  # the lower bound is above max_drop
        (make_drop(0.0, error=0.5), Answer.CANNOT_TELL),
        (make_drop(-5.0, error=0.5), Answer.CANNOT_TELL),
        (make_drop(0.0, unseen=0.31), Answer.CANNOT_TELL),
    ],
)
def test_the_three_answers(drop, answer):
    assert drop.answer(0.3) is answer


def test_one_score_is_enough_to_fail_and_all_have_to_pass():
    sure, unsure, bad = make_drop(), make_drop(error=0.5), make_drop(5.0)

    def answer(*drops: Drop) -> Answer:
        return ScoreTrial("recipe", list(drops), 50, 0.3, {}).answer

    assert answer(sure, sure) is Answer.PASSES
    assert answer(sure, unsure) is Answer.CANNOT_TELL
    assert answer(sure, unsure, bad) is Answer.FAILS


def test_a_drop_that_passes_within_its_error_is_told():
    def make(*drops: Drop) -> ScoreTrial:
        return ScoreTrial("recipe", list(drops), 1050, 0.3, {})

    within, sure, bad = make_drop(0.31, error=0.16), make_drop(0.29), make_drop(5.0)
    said = "x drops by 0.31: above 0.3, but by no more than the error in 1,050 documents explains"
    assert make(sure, within).explain() == f"passes: {said}"
    assert make(sure, within).summary().endswith(f"\nPasses: {said}.")
    assert make(within, bad).explain() == "fails: x drops by 5.00"
    assert make(sure).explain() == "passes" and "above" not in make(sure, bad).summary()


def draw_drop(rng: np.random.Generator, n_docs: int, rare: bool) -> Drop:
    """Counts of documents of 20 to 400 words, of which a system that was right in 90 of 100 loses
    three more on average: in every document, or all of it in one of ten."""
    of = rng.integers(20, 400, size=n_docs)
    before = rng.binomial(of, 0.9)
    wrong = rng.binomial(before, (rng.random(n_docs) < 0.1) / 3 if rare else 1 / 30)
    mended = rng.binomial(of - before, 0.02)
    after = before - wrong + mended
    counts = (2 * np.stack([hits, of], axis=-1)[:, None] for hits in (before, after))
    found = estimate_drops(*counts, unit=2, n_resamples=200)
    scores = 100 * before.sum() / of.sum(), 100 * after.sum() / of.sum()
    columns = found.least, found.error, found.spread, found.unseen
    return Drop("tag_acc", *scores, *(100 * float(column[0]) for column in columns))


@pytest.mark.parametrize("rare", [False, True])
@pytest.mark.parametrize("n_docs", [5, 10, 20])
def test_no_small_set_passes_what_drops_by_three_points(n_docs, rare):
    rng = np.random.default_rng(0)
    answers = [draw_drop(rng, n_docs, rare).answer(0.3) for _ in range(60)]
    assert Answer.PASSES not in answers
    # The answer is not always the same, or it would not depend on the documents.
    assert not rare or {Answer.FAILS, Answer.CANNOT_TELL} == set(answers)


def test_a_large_set_fails_what_drops_by_three_points():
    rng = np.random.default_rng(0)
    for rare in (False, True):
        answers = {draw_drop(rng, 400, rare).answer(0.3) for _ in range(20)}
        assert answers == {Answer.FAILS}


@pytest.mark.slow
def test_as_many_documents_as_it_says_would_do():
    trial = try_out(20, wrong_in=20, every=10)
    assert trial.answer is Answer.CANNOT_TELL
    line = trial.explain()
    assert "\n" not in line
    pattern = r"in 20 documents the drop of tag_acc is 1\.00 points \(90 % interval from .* to .*\)"
    assert re.search(pattern, line)
    n_docs = int(re.search(r"about ([\d,]+) documents would do", line)[1].replace(",", ""))
    assert n_docs > 20
    assert try_out(n_docs, wrong_in=n_docs, every=10).answer is not Answer.CANNOT_TELL
    assert "no number of documents" in try_out(20, 0.0).explain()


@pytest.mark.parametrize("number, rounded", [(5, 5), (99.5, 100), (101, 110), (1234, 1300)])
def test_numbers_of_documents_are_rounded_up(number, rounded):
    assert round_up(number) == rounded


@pytest.mark.slow
def test_strict_accepts_only_what_passes():
    trials = {trial.answer: trial for trial in (try_out(5), try_out(100), try_out(9, wrong_in=9))}
    assert len(trials) == 3
    for strict, accepted in ((False, {"passes", "cannot tell"}), (True, {"passes"})):
        gate = Gate(make_nlp(), make_examples(5), max_drop=0.3, strict=strict)
        assert {answer for answer, trial in trials.items() if gate.accepts(trial)} == accepted
    doubtful = Refused([trials["fails"], trials["cannot tell"]])
    assert "--strict" in str(doubtful) and "documents would do" in str(doubtful)
    assert "--strict" not in str(Refused([trials["fails"]]))


def test_examples_are_not_annotated_themselves():
    examples = make_examples(5)
    Gate(make_nlp(), examples, max_drop=0.3)
    assert not any(token.tag for example in examples for token in example.predicted)


def test_a_document_that_a_component_lost_is_an_error_and_shifts_no_others():
    nlp = make_nlp()
    nlp.add_pipe("fails_at_b_for_tests")
    nlp.set_error_handler(ignore_error)
    examples = make_examples(6)
    reference = Doc(nlp.vocab, words=["b"] * 10, tags=["NN"] * 10)
    examples[2] = Example(as_blank(reference), reference)
    with pytest.raises(ValueError, match="lost 1 of 6 documents"):
        Gate(nlp, examples, max_drop=0.3)


@pytest.mark.parametrize(
    "precision, windows, advice, other",
    [
        ("int8", "kept", "more and other texts, or leave the pipeline in fp32", "windows"),
        ("int8-weights", "kept", "leave the pipeline in fp32", "texts"),
        ("fp32", "kept", "keep the original", "fp32"),
        ("fp32", "sentences", "Keep the windows", "fp32"),
        ("int8", "sentences", "Keep the windows", "fp32"),
    ],
)
def test_a_refusal_advises_what_was_not_done(precision, windows, advice, other):
    trials = [ScoreTrial("recipe", [make_drop(5.0)], 50, 0.3, {})]
    message = str(Refused(trials, precision=precision, windows=windows))
    assert advice in message and other not in message and "a higher max-drop" in message


def test_bad_input_says_so():
    with pytest.raises(ValueError, match=r"at least 5 documents, .* only 3"):
        Gate(make_nlp(), make_examples(3), max_drop=0.3)
    blank = [Example(e.predicted, e.predicted) for e in make_examples(9)]
    with pytest.raises(ValueError, match=r"\(constant_tagger_for_tests\) predicts"):
        Gate(make_nlp(), blank, max_drop=0.3)
    for value in (-0.1, 100, float("nan")):
        with pytest.raises(ValueError, match="max_drop"):
            check_max_drop(value)
    check_max_drop(0)
    with pytest.raises(ValueError, match="max-drop above 0"):
        check_max_drop(0, strict=True)
