"""What classifiers share that know labels by their names: settings, and scores out of logits."""

from collections.abc import Callable, Iterable

import numpy as np
from spacy.training import Example
from thinc.api import Ops
from thinc.types import Floats2d

from ...heads.losses import sigmoid, softmax
from .errors import Errors
from .label_set import LabelSet, check_templates, make_label_set


class LabelSettings:
    """Beside a class of spaCy's components. Its `cfg`, which is saved, has the labels, their
    descriptions, the templates and whether several labels may hold of a text."""

    name: str
    cfg: dict[str, object]
    threshold: float

    def _init_labels(
        self,
        labels: Iterable[str],
        descriptions: dict[str, str] | None,
        templates: Iterable[str],
        multi_label: bool,
        threshold: float,
    ) -> None:
        if not 0 <= threshold <= 1:
            raise ValueError(Errors.THRESHOLD.format(name=self.name, threshold=threshold))
        self.threshold = threshold
        self.cfg |= {
            "labels": self._list(labels, "labels"),
            "descriptions": dict(descriptions or {}),
            "templates": self._list(templates, "templates"),
            "multi_label": multi_label,
        }
        check_templates(self.cfg["templates"], self.name)
        if self.labels:
            self._find_labels()

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(self.cfg["labels"])

    @property
    def label_data(self) -> list[str]:
        """The labels, as `initialize` takes them."""
        return self.cfg["labels"]

    @property
    def multi_label(self) -> bool:
        return self.cfg["multi_label"]

    def _change_labels(
        self,
        labels: Iterable[str] | None,
        descriptions: dict[str, str] | None,
        templates: Iterable[str] | None = None,
        multi_label: bool | None = None,
    ) -> dict[str, object]:
        """The settings, but for what is not None. Labels that stay keep their descriptions."""
        labels = self._list(self.cfg["labels"] if labels is None else labels, "labels")
        templates = self.cfg["templates"] if templates is None else templates
        if descriptions is None:
            known = self.cfg["descriptions"]
            descriptions = {label: known[label] for label in labels if label in known}
        return {
            "labels": labels,
            "descriptions": dict(descriptions),
            "templates": self._list(templates, "templates"),
            "multi_label": self.multi_label if multi_label is None else multi_label,
        }

    def _list(self, values: Iterable[str], what: str) -> list[str]:
        """A string is an iterable of strings, too, and never meant as one."""
        if isinstance(values, str):
            raise ValueError(Errors.NOT_A_LIST.format(name=self.name, what=what, value=values))
        return list(values)

    def _find_labels(self, cfg: dict[str, object] | None = None) -> LabelSet:
        """The labels of these settings, by default those that are set."""
        cfg = cfg or self.cfg
        return make_label_set(
            cfg["labels"],
            descriptions=cfg["descriptions"],
            templates=cfg["templates"],
            multi_label=cfg["multi_label"],
            component=self.name,
        )

    def score(self, examples: Iterable[Example], **kwargs) -> dict[str, object]:
        return super().score(examples, **{"threshold": self.threshold} | kwargs)


def score_texts(
    texts: list[str],
    n_labels: int,
    multi_label: bool,
    ops: Ops,
    find_logits: Callable[[list[str]], Floats2d],
) -> np.ndarray:
    """Scores (T, K) of K labels for each of T texts. Of those that are empty or all white space,
    which are not asked about, each label has 1 / K, or, with multi_label, 0.

    find_logits: Of texts; (T, K).
    """
    scores = np.full((len(texts), n_labels), 0.0 if multi_label else 1 / n_labels, dtype="float32")
    rows = [row for row, text in enumerate(texts) if text.strip()]
    if rows:
        logits = find_logits([texts[row] for row in rows])
        scores[rows] = ops.to_numpy(sigmoid(logits) if multi_label else softmax(logits))
    return scores
