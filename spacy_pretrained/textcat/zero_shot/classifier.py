"""What the model of a zero-shot classifier is: the one place that says so.

It is a Thinc model with a ref "backbone" and the members below. A model of one's own is a subclass
of `ZeroShotModel` and a registered architecture that returns it. Texts that are empty or all white
space are never asked about.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from thinc.api import Model
from thinc.types import Floats2d

from ..labels.label_set import LabelSet
from .errors import Errors


@dataclass(frozen=True)
class Query:
    """The question which of K labels hold of each of T texts."""

    texts: list[str]
    labels: LabelSet
    calibration: Floats2d | None = None  # (K, any), of the same labels: see `calibrate`


@runtime_checkable
class ZeroShotClassifier(Protocol):
    """Tells labels apart by their phrases, without having seen an example."""

    @property
    def runs_on_encoder(self) -> bool:
        """Whether its backbone makes vectors of texts, so that that of a `pretrained_encoder` will
        do."""

    def plan(self, texts: list[str], labels: LabelSet) -> list[Any]:
        """The batches that the backend gets to see for these texts and labels.

        RAISES: ValueError if there are no weights yet.
        """

    def score(self, query: Query) -> Floats2d:
        """Logits (T, K), float32: `softmax` over a row makes probabilities of them or, where the
        labels have `multi_label`, `sigmoid` of each. Those of a text depend on no other text.
        Several threads may ask at the same time.

        RAISES: ValueError if there are no weights yet.
        """

    def calibrate(self, texts: list[str], labels: LabelSet) -> Floats2d:
        """What these texts, whose labels nobody knows, say of the labels: an array (K, any) that
        only the model has to understand. It comes back in later queries on the same labels, for as
        long as the weights are the same.

        RAISES: ValueError if there are no weights yet, or if the model cannot be calibrated.
        """


class ZeroShotModel(Model[Query, Floats2d]):
    """A base for models that are zero-shot classifiers. Thinc's `predict` is their `score`."""

    def __init__(self, name: str, **layers_refs_attrs):
        super().__init__(name, forward, **layers_refs_attrs)


def forward(model: ZeroShotModel, query: Query, is_train: bool) -> tuple[Floats2d, Callable]:
    return model.score(query), no_backprop


def no_backprop(d_logits: Floats2d) -> None:
    """The way back through a classifier: there is none."""
    raise NotImplementedError(Errors.ZERO_SHOT_NO_GRADIENT)
