"""The gate lets pass what scores alike, and holds back what loses beyond chance."""

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from tiny_pipelines import as_blank

from spacy_pretrained.quantization.gate import Gate, Loss, Trial, check_max_drop


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


def make_nlp(**config) -> Language:
    nlp = spacy.blank("en")
    nlp.add_pipe("constant_tagger_for_tests", config=config)
    return nlp


def make_examples(n_docs: int) -> list[Example]:
    vocab = spacy.blank("en").vocab
    references = [Doc(vocab, words=["a"] * 10, tags=["NN"] * 10) for _ in range(n_docs)]
    return [Example(as_blank(reference), reference) for reference in references]


def try_out(n_docs: int, **config) -> Trial:
    gate = Gate(make_nlp(), make_examples(n_docs), max_drop=0.3)
    return gate.try_out(make_nlp(**config), "recipe")


def test_the_same_scores_pass():
    trial = try_out(5)
    assert [loss.score for loss in trial.losses] == ["tag_acc"]
    assert trial.losses == [Loss("tag_acc", 100, 100, 0)]
    assert trial.too_high(0.0) == []
    assert trial.performance["tag_acc"] == 1.0


@pytest.mark.parametrize("n_docs", [5, 20, 100])
def test_one_token_is_chance_however_small_the_set(n_docs):
    trial = try_out(n_docs, wrong_in=1)
    assert trial.losses[0].loss == pytest.approx(10 / n_docs)
    assert trial.too_high(0.0) == []


def test_what_all_documents_lose_is_no_chance():
    trial = try_out(20, wrong_in=20)
    assert trial.losses[0].loss == pytest.approx(10)
    assert trial.losses[0].least == pytest.approx(10)
    assert trial.too_high(9.9) == trial.losses
    assert trial.too_high(10.1) == []


def test_a_loss_of_some_documents_counts_beyond_chance_only():
    (loss,) = try_out(100, wrong_in=100, every=5).losses
    assert loss.loss == pytest.approx(2)
    assert 1 < loss.least < 2


def test_examples_are_not_annotated_themselves():
    examples = make_examples(5)
    Gate(make_nlp(), examples, max_drop=0.3)
    assert not any(token.tag for example in examples for token in example.predicted)


def test_bad_input_says_so():
    with pytest.raises(ValueError, match="3 documents are too few"):
        Gate(make_nlp(), make_examples(3), max_drop=0.3)
    blank = [Example(e.predicted, e.predicted) for e in make_examples(9)]
    with pytest.raises(ValueError, match=r"\(constant_tagger_for_tests\) predicts"):
        Gate(make_nlp(), blank, max_drop=0.3)
    for value in (-0.1, 100, float("nan")):
        with pytest.raises(ValueError, match="max_drop"):
            check_max_drop(value)
