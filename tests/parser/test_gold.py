"""parser_gold.py: what a parser learns from, and what not."""

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc
from spacy.training import Example
from tiny_pipelines import DOCUMENTS, as_example, make_reference

from spacy_pretrained.parser.gold import ParserGold, read_parser_gold

LABELS = ["ROOT", "a", "b"]


@pytest.fixture(scope="module")
def vocab():
    return spacy.blank("xx").vocab


def example_of(vocab, words, heads, deps=None, **annotation) -> Example:
    words = [word.replace("␣", "\n") for word in words.split()]
    if heads is not None:
        deps = deps or " ".join("ROOT" if i == head else "a" for i, head in enumerate(heads))
        deps = [dep.replace("-", "") for dep in deps.split()]
        annotation |= {"heads": heads, "deps": deps}
    return as_example(Doc(vocab, words=words, **annotation))


def read(*examples, max_sentence=100) -> ParserGold:
    return read_parser_gold(list(examples), LABELS, max_sentence, "parser")


def test_several_docs_are_numbered_through(vocab):
    references = [make_reference(vocab, numbers) for numbers in DOCUMENTS]
    labels = sorted({token.dep_ for doc in references for token in doc})
    gold = read_parser_gold([as_example(doc) for doc in references], labels, 100, "parser")
    low = 0
    for doc in references:
        high = low + len(doc)
        assert gold.heads[low:high].tolist() == [low + token.head.i for token in doc]
        assert [labels[number] for number in gold.labels[low:high]] == [t.dep_ for t in doc]
        starts = [token.is_sent_start for token in doc]
        assert gold.starts[low:high].tolist() == starts
        targets = [1 if start else -1 for start in starts]
        assert gold.start_targets[low:high].tolist() == [0, *targets[1:]]  # the first needs none
        low = high
    assert gold.words.all() and low == len(gold.heads)


def test_what_is_missing_is_not_learnt(vocab):
    gold = read(example_of(vocab, "v w x y", [1, 1, 1, 1], "a ROOT - b"))
    assert gold.heads.tolist() == [1, 1, -1, 1]
    assert gold.labels.tolist() == [1, 0, -1, 2]
    gold = read(example_of(vocab, "v w x y", None))
    assert gold.heads.tolist() == gold.labels.tolist() == [-1] * 4
    assert gold.start_targets.tolist() == [0] * 4
    assert gold.starts.tolist() == [True, False, False, False]
    gold = read(example_of(vocab, "v w x y", None, sent_starts=[1, None, False, True]))
    assert gold.start_targets.tolist() == [0, 0, -1, 1]
    assert gold.starts.tolist() == [True, False, False, True]


def test_starts_that_are_given_are_not_learnt(vocab):
    """But heads are, within the gold sentences."""
    reference = example_of(vocab, "v w x y", [1, 1, 3, 3]).reference
    words = [token.text for token in reference]
    predicted = Doc(vocab, words=words, sent_starts=[1, -1, None, -1])
    gold = read(Example(predicted, reference))
    assert gold.start_targets.tolist() == [0, 0, 1, 0]
    assert gold.heads.tolist() == [1, 1, 3, 3]


def test_white_space_is_not_learnt(vocab):
    gold = read(example_of(vocab, "v ␣ w x", [2, 0, 2, 1]))
    assert gold.words.tolist() == [True, False, True, True]
    assert gold.heads.tolist() == [2, -1, 2, -1]
    assert gold.start_targets.tolist() == [0, 0, -1, -1]


def test_a_start_at_white_space_is_learnt_of_the_word_behind_it(vocab):
    gold = read(example_of(vocab, "v w ␣ ␣ x y", [1, 1, 4, 4, 4, 4]))
    assert gold.start_targets.tolist() == [0, -1, 0, 0, 1, -1]
    assert gold.starts.tolist() == [True, False, False, False, True, False]
    # None starts at the first word of a text: its white space does, whatever is said of it.
    gold = read(example_of(vocab, "␣ w x", [1, 1, 1]), example_of(vocab, "v ␣", [0, 1]))
    assert gold.start_targets.tolist() == [0, 0, -1, 0, 0]
    assert gold.starts.tolist() == [True, False, False, True, False]


def test_long_sentences_lose_the_arcs_between_their_parts(vocab):
    heads = [1, 1, 1, 4, 1, 4, 4]
    gold = read(example_of(vocab, "t u v w x y z", heads), max_sentence=3)
    assert gold.starts.tolist() == [True, False, False, True, False, False, True]
    assert gold.heads.tolist() == [1, 1, 1, 4, -1, 4, -1]
    assert gold.start_targets.tolist() == [0, -1, -1, -1, -1, -1, -1]  # these are no starts


def test_unknown_labels(vocab):
    with pytest.raises(ValueError, match="'parser' met the label 'c'"):
        read(example_of(vocab, "v w", [1, 1], "c ROOT"))


def test_heads_that_cross_sentences(vocab):
    """spaCy derives sentences from heads, so it takes interleaved trees, or starts set later."""
    fine = example_of(vocab, "one two", [1, 1])
    interleaved = example_of(vocab, "Ada Bob sees hears", [2, 3, 2, 3])
    with pytest.raises(ValueError, match="another sentence") as error:
        read(fine, interleaved)
    assert "'Ada Bob sees hears" in str(error.value)
    example = example_of(vocab, "Ada sees Bob now", [1, 1, 1, 1])
    starts = np.array([1, 0, 1, 0], dtype="uint64")
    example.reference.from_array(["SENT_START"], starts.reshape(-1, 1))
    with pytest.raises(ValueError, match=r"token 2 \('Bob'\) is token 1 \('sees'\)"):
        read(example)


def test_heads_that_form_a_cycle(vocab):
    fine = example_of(vocab, "one two", [1, 1])
    for heads in ([1, 0, 3, 3], [1, 2, 0, 3]):
        circle = example_of(vocab, "Ada sees Bob now", heads, "a b c ROOT")
        with pytest.raises(ValueError, match=r"above token 0 \('Ada'\) lead in a circle"):
            read(fine, circle)


def test_tokens_of_another_tokenizer(vocab):
    """A sentence that starts in the midst of a predicted token is joined to the one before."""
    reference = Doc(
        vocab,
        words=["She", "left.He", "stayed", "."],
        heads=[1, 1, 2, 2],
        deps=["a", "ROOT", "ROOT", "a"],
    )
    predicted = Doc(vocab, words=["She", "left", ".He", "stayed", "."])
    gold = read(Example(predicted, reference))
    assert gold.heads.tolist() == [-1, -1, -1, 3, 3]
    assert gold.start_targets.tolist() == [0, 0, 0, 1, -1]
