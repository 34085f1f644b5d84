"""Labels become hypotheses; what is no set of labels is refused, with its name."""

import pytest

from spacy_pretrained.textcat.labels.label_set import DEFAULT_TEMPLATE, LabelSet, make_label_set


def make(names=("sport", "law"), **settings) -> LabelSet:
    defaults = {"descriptions": {}, "templates": [DEFAULT_TEMPLATE], "multi_label": False}
    return make_label_set(names, **defaults | settings, component="topics")


def test_each_label_goes_into_each_template():
    labels = make(descriptions={"law": "courts {and} judges. "}, templates=["On {}.", "{}"])
    assert labels.hypotheses == (
        ("On sport.", "sport"),
        ("On law (courts {and} judges).", "law (courts {and} judges)"),
    )
    assert labels.names == ("sport", "law") and len(labels) == 2


def test_a_template_may_hold_other_braces():
    assert make(templates=['{"topic": "{}"}']).hypotheses[0] == ('{"topic": "sport"}',)


def test_equal_sets_have_equal_hashes():
    same, other = make(), make(descriptions={"law": "courts"})
    assert make() == same and hash(make()) == hash(same)
    assert same != other and same != make(multi_label=True) and same != make(["law", "sport"])


def test_many_labels():
    assert len(make([f"label {i}" for i in range(1000)])) == 1000


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"names": []}, "'topics' has no labels"),
        ({"names": ["a", "b", "a", "b"]}, "twice: a, b"),
        ({"names": ["a", " "]}, "A label of 'topics' .* it is ' '"),
        ({"names": ["a", None]}, "A label of 'topics' .* it is None"),
        ({"names": ["only"]}, "one label, 'only'"),
        ({"descriptions": {"law": ""}}, "A description of 'topics' .* it is ''"),
        ({"descriptions": {"laws": "courts"}}, "descriptions of 'laws', .* sport, law"),
        ({"templates": []}, r"the template ''.* \{\}"),
        ({"templates": ["On {}", "This is about sport."]}, "'This is about sport.'"),
        ({"templates": [None]}, "the template None"),
    ],
)
def test_bad_input_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        make(**settings)


def test_one_label_may_hold_or_not():
    assert make(["spam"], multi_label=True).names == ("spam",)
