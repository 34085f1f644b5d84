"""What counts as right and wrong where labels exclude each other."""

import pytest
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab

from spacy_pretrained.textcat.scorer import score

LABELS = ("business", "sport")


def score_one(gold: dict[str, float], predicted: str = "business", **kwargs) -> dict[str, object]:
    """Scores of a text of these labels beside one that is predicted as it should be."""
    examples = []
    for cats, best in ((gold, predicted), ({"business": 0.0, "sport": 1.0}, "sport")):
        doc, reference = (Doc(Vocab(), words=["a"]) for _ in range(2))
        doc.cats = {label: float(label == best) for label in LABELS}
        reference.cats = cats
        examples.append(Example(doc, reference))
    return score(examples, labels=LABELS, **{"multi_label": False} | kwargs)


@pytest.mark.parametrize("gold", [{}, {"business": 0.0}, {"business": 0.0, "sport": 0.0}])
def test_a_text_of_which_no_label_is_known_to_hold_is_left_out(gold):
    scores = score_one(gold)
    assert scores["cats_micro_p"] == scores["cats_micro_r"] == 1
    assert scores["cats_f_per_type"]["business"]["p"] == 0  # nothing was right


@pytest.mark.parametrize("denied", [{}, {"business": 0.0, "sport": 0.0}])
def test_a_label_that_the_component_does_not_have_is_a_miss(denied):
    scores = score_one(denied | {"other": 1.0})
    assert (scores["cats_micro_p"], scores["cats_micro_r"]) == (0.5, 1)


def test_what_is_right_and_wrong_else_is_as_before():
    assert score_one({"business": 1.0, "sport": 0.0})["cats_micro_f"] == 1
    assert score_one({"business": 1.0})["cats_micro_f"] == 1
    assert score_one({"business": 0.0, "sport": 1.0})["cats_micro_f"] == 0.5


def test_labels_that_exclude_nothing_may_all_be_denied():
    gold = {"business": 0.0, "sport": 0.0}
    assert score_one(gold, multi_label=True)["cats_micro_p"] == 0.5
    assert score_one({}, multi_label=True)["cats_micro_p"] == 1


@pytest.mark.parametrize("labels", [("business", "sport"), ("a", "b"), ("no", "ok")])
@pytest.mark.parametrize("others", [{}, {"other": 1.0}])
def test_a_text_without_a_prediction_is_a_miss(labels, others):
    """Such as one that an error handler passed over, with labels of other components or none."""
    examples = []
    for cats, best in (({}, labels[0]), ({labels[0]: 0.0, labels[1]: 1.0}, labels[1])):
        doc, reference = (Doc(Vocab(), words=["a"]) for _ in range(2))
        doc.cats = others | cats
        reference.cats = {label: float(label == best) for label in labels}
        examples.append(Example(doc, reference))
    scores = score(examples, labels=labels, multi_label=False)
    assert (scores["cats_micro_p"], scores["cats_micro_r"]) == (1, 0.5)
    assert scores["cats_f_per_type"][labels[0]] == {"p": 0, "r": 0, "f": 0}
    assert scores["cats_f_per_type"][labels[1]] == {"p": 1, "r": 1, "f": 1}
