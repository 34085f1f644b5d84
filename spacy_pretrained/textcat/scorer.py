"""Scores of categories: spaCy's own, of one label a Doc or of any number."""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from spacy.scorer import Scorer
from spacy.training import Example

SCORER = {"@scorers": "spacy-pretrained.textcat_scorer.v1"}

# What counts when `spacy train` chooses the best model.
SCORE_WEIGHTS = {
    "cats_score": 1.0,
    "cats_score_desc": None,
    "cats_micro_f": 0.0,
    "cats_f_per_type": None,
    "cats_auc_per_type": None,
}


def make_textcat_scorer() -> Callable:
    return score


def score(examples: Iterable[Example], *, multi_label: bool = True, **kwargs) -> dict[str, object]:
    """What spaCy's `textcat` has, or, with `multi_label=True`, its `textcat_multilabel`.

    Where labels exclude each other, texts of which no label is known to hold are left out. If a
    label holds that is none of `labels`, whatever is predicted is wrong. A text without a
    prediction is a miss.

    kwargs: Others of `Scorer.score_cats`: labels, threshold.
    """
    if multi_label:
        return Scorer.score_cats(examples, "cats", multi_label=True, **kwargs)
    labels = set(kwargs.get("labels", ()))
    known = [
        _read_cats(example, labels) for example in examples if find_positive(example.reference.cats)
    ]
    # Only the getter looks at what spaCy calls examples.
    return Scorer.score_cats(known, "cats", getter=_get, multi_label=False, **kwargs)


def find_positive(cats: dict[str, float]) -> dict[str, float]:
    """The labels that hold. spaCy takes the highest of a text's labels as the right one, even if
    all that the component knows are denied; so those that are denied have to go."""
    return {label: value for label, value in cats.items() if value > 0}


class _Cats(NamedTuple):
    """Those of an Example, as spaCy is to count them."""

    predicted: dict[str, float]
    reference: dict[str, float]


def _get(cats: dict[str, float], attribute: str) -> dict[str, float]:
    return cats


def _read_cats(example: Example, labels: set[str]) -> _Cats:
    """The labels that hold; all of a prediction that has no label above 0."""
    predicted = {k: v for k, v in example.predicted.cats.items() if k in labels}
    gold = find_positive(example.reference.cats)
    if not predicted:
        return _Cats({}, {_Missed(label): value for label, value in gold.items()})
    return _Cats(find_positive(predicted) or predicted, gold)


class _Missed(str):
    """The label of a text without a prediction. spaCy means to count a miss there, but takes the
    label itself for a pair of label and value."""

    def __iter__(self) -> Iterator:
        return iter((str(self), 1.0))

    def __getitem__(self, index: int):
        return tuple(self)[index]
