"""Scores of categories: spaCy's own, of one label a Doc or of any number."""

from collections.abc import Callable, Iterable

from spacy.scorer import Scorer
from spacy.training import Example


def make_textcat_scorer() -> Callable:
    return score


def score(examples: Iterable[Example], **kwargs) -> dict[str, object]:
    """What spaCy's `textcat` has, or, with `multi_label=True`, its `textcat_multilabel`.

    kwargs: Those of `Scorer.score_cats`: labels, multi_label, threshold.
    """
    return Scorer.score_cats(examples, "cats", **kwargs)
