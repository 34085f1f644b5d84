"""Scores of categories: spaCy's own, of one label a Doc or of any number."""

from collections.abc import Callable, Iterable

from spacy.scorer import Scorer
from spacy.tokens import Doc
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
    label holds that is none of `labels`, whatever is predicted is wrong.

    kwargs: Others of `Scorer.score_cats`: labels, threshold.
    """
    if multi_label:
        return Scorer.score_cats(examples, "cats", multi_label=True, **kwargs)
    known = [example for example in examples if find_positive(example.reference.cats)]
    return Scorer.score_cats(known, "cats", getter=_read_cats, multi_label=False, **kwargs)


def find_positive(cats: dict[str, float]) -> dict[str, float]:
    """The labels that hold. spaCy takes the highest of a text's labels as the right one, even if
    all that the component knows are denied; so those that are denied have to go."""
    return {label: value for label, value in cats.items() if value > 0}


def _read_cats(doc: Doc, attribute: str) -> dict[str, float]:
    """The labels that hold; all of a prediction that has no label above 0."""
    cats = getattr(doc, attribute)
    return find_positive(cats) or cats
