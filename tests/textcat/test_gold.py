"""textcat_gold.py: what is said of categories, what is not, and what cannot be."""

import numpy as np
import pytest
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab

from spacy_pretrained.textcat.gold import collect_cats, find_the_one, read_cats


def make_examples(*cats: dict[str, float]) -> list[Example]:
    vocab, examples = Vocab(), []
    for values in cats:
        reference = Doc(vocab, words=["a"])
        reference.cats = values
        examples.append(Example(Doc(vocab, words=["a"]), reference))
    return examples


def test_missing_is_not_no():
    examples = make_examples({"b": 1.0, "a": 0.0}, {"a": True}, {})
    known = read_cats(examples, ["a", "b", "c"], "textcat", multi_label=True)
    np.testing.assert_array_equal(known, [[-1, 1, 0], [1, 0, 0], [0, 0, 0]])
    assert collect_cats(examples, "textcat", multi_label=True) == ["a", "b"]


def test_the_one_that_holds():
    known = np.array([[-1, 1, -1], [0, 0, 1], [-1, -1, 0], [0, 0, 0]])
    np.testing.assert_array_equal(find_the_one(known), [1, 2, -1, -1])


@pytest.mark.parametrize(
    ("cats", "message"),
    [
        ({"a": 0.5}, r"'tc'.*'a' is 0\.5.*1 .it holds.*Leave a label out"),
        ({"a": 1.0, "b": 1.0}, r"'tc'.*several: a, b\. Set multi_label = true"),
        ({"other": 0.0}, r"'tc'.*'other', which is not one of the labels: a, b\."),
    ],
)
def test_what_cannot_be(cats, message):
    examples = make_examples({"a": 1.0}, cats)
    with pytest.raises(ValueError, match=message):
        read_cats(examples, ["a", "b"], "tc", multi_label=False)
    if "other" not in cats:
        with pytest.raises(ValueError, match=message):
            collect_cats(examples, "tc", multi_label=False)
    if "b" in cats:
        assert read_cats(examples, ["a", "b"], "tc", multi_label=True)[1].tolist() == [1, 1]
