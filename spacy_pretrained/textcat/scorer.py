"""Scores of categories: spaCy's own, of one label a Doc or of any number."""

from collections.abc import Callable, Iterable

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


def score(examples: Iterable[Example], **kwargs) -> dict[str, object]:
    """What spaCy's `textcat` has, or, with `multi_label=True`, its `textcat_multilabel`.

    kwargs: Those of `Scorer.score_cats`: labels, multi_label, threshold.
    """
    return Scorer.score_cats(examples, "cats", **kwargs)
