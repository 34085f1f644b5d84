"""parser_scorer.py: spaCy's scores where nothing is missing, and the right ones where it is."""

import numpy as np
import pytest
import spacy
from spacy.pipeline.dep_parser import parser_score
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import registry

from spacy_pretrained.parser.scorer import make_parser_scorer, score

LABELS = ["nsubj", "obj", "punct", "Dep"]


@pytest.fixture(scope="module")
def vocab():
    return spacy.blank("xx").vocab


def random_doc(rng, vocab, words) -> Doc:
    """Sentences of projective trees: the score needs no others."""
    starts = np.flatnonzero(rng.random(len(words)) < 0.2).tolist()
    heads = []
    for low, high in zip([0, *(s for s in starts if s)], [*(s for s in starts if s), len(words)]):
        root = int(rng.integers(low, high))
        # Towards the root: no arcs cross, and the sentence is one tree.
        heads += [i if i == root else i + (1 if i < root else -1) for i in range(low, high)]
    deps = ["ROOT" if i == h else str(rng.choice(LABELS)) for i, h in enumerate(heads)]
    return Doc(vocab, words=words, heads=heads, deps=deps)


def random_examples(rng, vocab) -> list[Example]:
    examples = []
    for n in rng.integers(1, 30, size=8):
        words = [str(word) for word in rng.choice(list("abcd"), size=n)]
        gold, predicted = random_doc(rng, vocab, words), random_doc(rng, vocab, words)
        examples.append(Example(predicted, gold))
    return examples


def assert_same(ours: dict, stock: dict):
    assert ours.keys() == stock.keys()
    for name, value in stock.items():
        if isinstance(value, dict):
            assert {k: pytest.approx(v) for k, v in value.items()} == ours[name]
        else:
            assert ours[name] == pytest.approx(value), name


def test_it_is_registered():
    assert registry.scorers.get("spacy-pretrained.parser_scorer.v1") is make_parser_scorer
    assert make_parser_scorer() is score


@pytest.mark.parametrize("seed", range(4))
def test_spacys_scores_where_nothing_is_missing(vocab, seed):
    examples = random_examples(np.random.default_rng(seed), vocab)
    ours = score(examples)
    assert_same(ours, parser_score(examples))
    assert 0 < ours["dep_uas"] < 1 and 0 < ours["sents_f"] < 1
    assert "root" in ours["dep_las_per_type"] and "punct" not in ours["dep_las_per_type"]
    perfect = [Example(example.reference, example.reference) for example in examples]
    assert score(perfect)["dep_las"] == score(perfect)["sents_f"] == pytest.approx(1)
    assert_same(score(perfect), parser_score(perfect))


def test_spacys_scores_with_other_tokens(vocab):
    gold = Doc(vocab, words=["a", "b", "cd", "e"], heads=[1, 1, 1, 1], deps=["x", "ROOT", "y", "z"])
    predicted = Doc(
        vocab,
        words=["a", "b", "c", "d", "e"],
        heads=[1, 1, 1, 2, 3],
        deps=["x", "ROOT", "y", "y", "z"],
    )
    for example in (Example(predicted, gold), Example(gold, predicted)):
        assert_same(score([example]), parser_score([example]))


def test_ignored_labels(vocab):
    examples = random_examples(np.random.default_rng(0), vocab)
    labels = ("nsubj", "root")
    assert_same(score(examples, ignore_labels=labels), parser_score(examples, ignore_labels=labels))
    assert score(examples, labels=("what", "a pipe passes"))["dep_uas"] is not None


def test_missing_heads_do_not_leak(vocab):
    """Right predictions stay right, whatever the document before lacks."""
    heads, deps = [1, 1, 1], ["nsubj", "ROOT", "obj"]
    whole = Doc(vocab, words=["Ada", "sees", "Bob"], heads=heads, deps=deps)
    partial = Doc(vocab, words=["Ada", "sees", "Bob"], heads=heads, deps=["", "ROOT", ""])
    wrong = Doc(vocab, words=["Ada", "sees", "Bob"], heads=[1, 1, 0], deps=["obj", "ROOT", "obj"])
    right = Example(whole, whole)
    assert score([Example(whole, partial), right])["dep_las"] == pytest.approx(1)
    assert parser_score([Example(whole, partial), right])["dep_las"] < 1  # why this scorer is
    # A prediction where gold is missing is neither right nor wrong.
    assert score([Example(wrong, partial)])["dep_las"] == pytest.approx(1)
    scores = score([Example(wrong, partial), Example(wrong, whole)])
    assert scores["dep_uas"] == pytest.approx(3 / 4)
    assert scores["dep_las"] == pytest.approx(2 / 4)


def test_nothing_to_score(vocab):
    blank, parsed = Doc(vocab, words=["a", "b"]), random_doc(np.random.default_rng(0), vocab, "ab")
    keys = {"dep_uas", "dep_las", "dep_las_per_type", "sents_p", "sents_r", "sents_f"}
    for examples in ([], [Example(parsed, blank)], [Example(Doc(vocab), Doc(vocab))]):
        assert score(examples) == dict.fromkeys(keys)
    scores = score([Example(blank, parsed)])
    assert scores["dep_uas"] == scores["sents_f"] == 0


def test_white_space_does_not_matter(vocab):
    words, gold_heads = ["a", "\n", "b", "\n", "\n", "c"], [2, 0, 2, 2, 5, 5]
    gold = Doc(vocab, words=words, heads=gold_heads, deps=["x", "", "ROOT", "dep", "dep", "ROOT"])
    for heads in ([2, 0, 2, 5, 5, 5], [2, 0, 2, 2, 3, 5], [2, 2, 2, 4, 5, 5]):
        predicted = Doc(vocab, words=words, heads=heads, deps=["x", "y", "ROOT", "y", "y", "ROOT"])
        assert len(list(predicted.sents)) == 2
        scores = score([Example(predicted, gold)])
        assert scores["sents_f"] == scores["dep_las"] == pytest.approx(1)
    predicted = Doc(vocab, words=["\n"], heads=[0], deps=["ROOT"])
    assert score([Example(predicted, predicted)])["sents_f"] is None


def test_sentences_that_are_partly_known(vocab):
    """Known: "a b" and "e f". Between them starts are missing, so that nothing is counted."""
    gold = Doc(vocab, words=list("abcdef"), sent_starts=[1, -1, 1, None, 1, -1])

    def sentences(starts) -> tuple:
        predicted = Doc(vocab, words=list("abcdef"), sent_starts=starts)
        scores = score([Example(predicted, gold)])
        return scores["sents_p"], scores["sents_r"]

    assert sentences([1, -1, 1, -1, 1, -1]) == sentences([1, -1, 1, 1, 1, -1]) == (1, 1)
    assert sentences([1, -1, 1, 1, 1, 1]) == (1 / 3, 1 / 2)
    assert sentences([1, 1, 1, 1, 1, 1]) == (0, 0)
    assert sentences([1, -1, -1, -1, 1, -1]) == (1, 1 / 2)
