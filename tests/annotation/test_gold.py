"""gold.py: what is annotated is read, what is missing stays missing, whatever the tokens."""

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc
from spacy.training import Example
from tiny_pipelines import SENTENCES, as_blank, make_reference

from spacy_pretrained.annotation.gold import (
    align_tokens,
    arcs,
    collect_labels,
    is_space,
    number_labels,
    read_attribute,
    read_heads,
    read_sentence_starts,
    sentence_starts,
)


@pytest.fixture(scope="module")
def vocab():
    return spacy.blank("xx").vocab


def example_of(vocab, words, predicted=None, **annotation) -> Example:
    """`words` and `predicted` are texts, whose tokens stand between single spaces; "␣" is a token
    of white space."""
    words, predicted = (
        [word.replace("␣", "\n") for word in (text or words).split()] for text in (words, predicted)
    )
    reference = Doc(vocab, words=words, **annotation)
    return Example(Doc(vocab, words=predicted), reference)


def test_the_same_tokens(vocab):
    reference = make_reference(vocab, range(len(SENTENCES)))
    example = Example(as_blank(reference), reference)
    assert align_tokens(example).tolist() == list(range(len(reference)))
    assert read_heads(example).tolist() == [token.head.i for token in reference]
    starts = read_sentence_starts(example)
    assert starts.tolist() == [1 if token.is_sent_start else -1 for token in reference]
    for attribute in ("tag", "pos", "morph", "dep"):
        values = read_attribute(example, attribute)
        assert values.tolist() == reference.to_array(attribute.upper()).tolist()
        assert values.dtype == np.uint64


def test_nothing_annotated(vocab):
    example = example_of(vocab, "one two three")
    assert read_heads(example).tolist() == [-1, -1, -1]
    assert read_sentence_starts(example).tolist() == [1, 0, 0]  # all texts start so
    assert not read_attribute(example, "tag").any()


def test_no_tokens(vocab):
    example = Example(Doc(vocab), Doc(vocab))
    assert len(align_tokens(example)) == len(read_heads(example)) == 0
    assert len(read_sentence_starts(example)) == len(read_attribute(example, "tag")) == 0
    assert is_space(Doc(vocab)).tolist() == []


def test_heads_are_not_projectivized(vocab):
    reference = make_reference(vocab, [0])
    heads = read_heads(Example(as_blank(reference), reference)).tolist()
    assert heads[6] == 1  # over the root
    _, labels = Example(as_blank(reference), reference).get_aligned_parse(projectivize=True)
    assert any("||" in label for label in labels)  # what spaCy's parser would learn


def test_missing_values(vocab):
    example = example_of(
        vocab,
        "Ada sees old rivers",
        tags=["NNP", "", "JJ", ""],
        pos=["PROPN", "VERB", "", ""],
        heads=[1, 1, 2, 1],
        deps=["nsubj", "ROOT", "", "obj"],
    )
    assert (read_attribute(example, "tag") != 0).tolist() == [True, False, True, False]
    assert (read_attribute(example, "pos") != 0).tolist() == [True, True, False, False]
    assert (read_attribute(example, "dep") != 0).tolist() == [True, True, False, True]
    assert read_heads(example).tolist() == [1, 1, -1, 1]


def test_no_features_are_not_missing_features(vocab):
    example = example_of(vocab, "one two three", morphs=["", "Number=Sing", ""])
    example.reference[2].set_morph(None)
    values = read_attribute(example, "morph")
    assert values[0] == vocab.strings["_"] and values[1] and not values[2]


def test_labels(vocab):
    examples = [
        example_of(vocab, "a b ␣ c", tags=["Z", "", "_SP", "A"]),
        example_of(vocab, "a b", tags=["A", "M"], pos=["NOUN", ""]),
    ]
    labels = collect_labels(examples, ["tag", "pos", "dep"])
    assert labels == {"tag": ["A", "M", "Z"], "pos": ["NOUN"], "dep": []}
    assert collect_labels([], ["tag"]) == {"tag": []}


def test_numbers_of_labels(vocab):
    example = example_of(vocab, "a b ␣ c", tags=["Z", "", "_SP", "A"])
    assert number_labels([example], "tag", ["A", "M", "Z"], "x").tolist() == [2, -1, -1, 0]
    assert number_labels([example] * 2, "tag", ["Z", "A"], "x").tolist() == [0, -1, -1, 1] * 2
    empty = example_of(vocab, "")
    assert number_labels([empty], "tag", ["A"], "x").shape == (0,)
    other = example_of(spacy.blank("xx").vocab, "a", tags=["of_another_vocab"])
    with pytest.raises(ValueError, match=r"'x' met the label 'tag=of_another_vocab'.*add_label"):
        number_labels([example, other], "tag", ["A", "Z"], "x", "tag=")


def test_missing_heads_from_a_dict(vocab):
    """As `Example.from_dict` has them: None for a head and its label."""
    annotation = {"heads": [1, 1, None, 1], "deps": ["nsubj", "ROOT", None, "punct"]}
    example = Example.from_dict(Doc(vocab, words=["Ada", "sees", "rivers", "."]), annotation)
    assert read_heads(example).tolist() == [1, 1, -1, 1]
    # The arc from "." to "sees" passes over "rivers": no sentence starts there.
    assert read_sentence_starts(example).tolist() == [1, -1, -1, -1]


@pytest.mark.parametrize(
    "heads, deps, starts",
    [
        # The second sentence's root is unknown: something may start at each gap without an arc.
        ([1, 1, 3, 3, 3], "a ROOT a - a", [1, -1, 0, -1, -1]),
        ([1, 1, 2, 3, 4], "a ROOT - - -", [1, -1, 0, 0, 0]),
        # The first one's.
        ([1, 1, 3, 3, 3], "a - a ROOT a", [0, -1, 1, -1, -1]),
        # Only a leaf is: arcs pass over all gaps but the last.
        ([1, 1, 1, 1, 4], "a ROOT a a -", [1, -1, -1, -1, 0]),
        # Conversion hangs it from the root, without a label: the sentence is known.
        ([1, 1, 1, 1, 1], "a ROOT a a -", [1, -1, -1, -1, -1]),
    ],
)
def test_sentence_starts_where_heads_are_missing(vocab, heads, deps, starts):
    deps = [dep.replace("-", "") for dep in deps.split()]
    doc = Doc(vocab, words=list("abcde"), heads=heads, deps=deps)
    assert sentence_starts(doc).tolist() == starts
    assert arcs(doc).tolist() == [head if dep else -1 for head, dep in zip(heads, deps)]
    copy = Doc(vocab).from_bytes(doc.to_bytes())
    assert sentence_starts(copy).tolist() == starts


def test_sentence_starts_without_heads(vocab):
    doc = Doc(vocab, words=list("abcd"), sent_starts=[1, None, False, True])
    assert sentence_starts(doc).tolist() == [1, 0, -1, 1]


def test_other_tokens(vocab):
    """Tokens that two tokenizations share keep all; others have nothing, nor have their children,
    for their head is none of the tokens."""
    example = example_of(
        vocab,
        "Ada does n't see New York today .",
        "Ada doesn't see New York to day .",
        tags=["NNP", "VBZ", "RB", "VB", "NNP", "NNP", "NN", "."],
        heads=[3, 3, 3, 3, 5, 3, 4, 3],
        deps=["nsubj", "aux", "neg", "ROOT", "compound", "obj", "obl", "punct"],
    )
    assert align_tokens(example).tolist() == [0, -1, 3, 4, 5, -1, -1, 7]
    assert read_heads(example).tolist() == [2, -1, 2, 4, 2, -1, -1, 2]
    assert read_sentence_starts(example).tolist() == [1, 0, -1, -1, -1, 0, 0, -1]
    tags = [example.reference.vocab.strings[t] for t in read_attribute(example, "tag").tolist()]
    assert tags == ["NNP", "", "VB", "NNP", "NNP", "", "", "."]


def test_a_head_that_is_no_token_is_missing(vocab):
    example = example_of(
        vocab, "a b c", "a bc", heads=[1, 1, 1], deps=["x", "ROOT", "x"], tags=["A", "B", "C"]
    )
    assert read_heads(example).tolist() == [-1, -1]
    assert read_attribute(example, "tag").astype(bool).tolist() == [True, False]


def test_white_space(vocab):
    example = example_of(vocab, "a ␣ b", tags=["A", "_SP", "B"], pos=["X", "SPACE", "X"])
    assert is_space(example.predicted).tolist() == [False, True, False]
    assert read_attribute(example, "tag").astype(bool).tolist() == [True, False, True]
    assert read_attribute(example, "pos").astype(bool).tolist() == [True, False, True]


def test_white_space_on_one_side(vocab):
    example = example_of(vocab, "a b", "a ␣ b", heads=[1, 1], deps=["x", "ROOT"])
    assert align_tokens(example).tolist() == [0, -1, 1]
    assert read_heads(example).tolist() == [2, -1, 2]
    example = example_of(vocab, "a ␣ b", "a b", heads=[2, 0, 2], deps=["x", "dep", "ROOT"])
    assert read_heads(example).tolist() == [1, 1]


def test_the_reference_is_not_changed(vocab):
    reference = make_reference(vocab, [0, 1])
    example = Example(as_blank(reference), reference)
    before = reference.to_bytes()
    read_heads(example), read_sentence_starts(example), read_attribute(example, "dep")
    assert reference.to_bytes() == before
