"""What the components share that know labels by their names, and whose models read texts."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import srsly
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from thinc.types import Floats2d

from ...encoder.backbone_pipe import DEFAULT_SOURCE, BackbonePipe, Part
from ...heads.head_pipe import check_finite
from ...heads.losses import sigmoid, softmax
from ...runtime.blas_threads import few_blas_threads
from .errors import Errors
from .label_set import DEFAULT_TEMPLATE, LabelSet, check_keys, check_templates, make_label_set

# What all factories have in their default_config; the labels' part is `LabelSettings`.
LABEL_DEFAULTS = {
    "labels": [],
    "descriptions": {},
    "templates": [DEFAULT_TEMPLATE],
    "multi_label": False,
    "threshold": 0.5,
}


@dataclass(frozen=True)
class LabelSettings:
    """What a component begins to tell apart.

    labels: In words.
    descriptions: Of labels, to go with their names into templates.
    templates: Phrases with {} in place of a label, that a text may bear out.
    multi_label: Whether any number of labels may hold of a Doc, or just one.
    """

    labels: Iterable[str] = ()
    descriptions: dict[str, str] | None = None
    templates: Iterable[str] = (DEFAULT_TEMPLATE,)
    multi_label: bool = False


class LabelPipe(BackbonePipe):
    """A base, which stands before one of spaCy's components. Writes the probability of every label
    to `doc.cats`. Of a Doc that is empty or all white space nothing is known: each of K labels has
    1 / K, or, with multi_label, 0.

    Labels, descriptions, templates and multi_label are those of the config, until `set_labels` or
    `initialize` say others. They are saved with the component, in its `cfg`.
    """

    cfg: dict[str, object]
    threshold: float

    def _init_labels(self, settings: LabelSettings, threshold: float) -> None:
        """Begin with these settings.

        threshold: The least probability of a label that counts as predicted in scores, with
            multi_label.
        RAISES: ValueError, as `make_label_set`, and for a threshold that is no probability.
        """
        if not 0 <= threshold <= 1:
            raise ValueError(Errors.THRESHOLD.format(name=self.name, threshold=threshold))
        self.threshold = threshold
        self.cfg |= {
            "labels": self._list(settings.labels, "labels"),
            "descriptions": dict(settings.descriptions or {}),
            "templates": self._list(settings.templates, "templates"),
            "multi_label": settings.multi_label,
        }
        check_templates(self.cfg["templates"], self.name)
        if self.labels:
            self._find_labels()
        check_keys(self.cfg["descriptions"], self.name)

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Language | None = None,
        source: str = DEFAULT_SOURCE,
        labels: list[str] | None = None,
    ) -> None:
        """Load pretrained weights. Set in [initialize.components], under the component's name:

        source: A name in the catalogue, a folder in Hugging Face layout, "package:NAME", or
            "owner/name" on the model hub.
        labels: In place of those of the component's config.
        """
        self._initialize(get_examples, source, labels)

    def _initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        source: str,
        labels: list[str] | None,
    ) -> None:
        raise NotImplementedError

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

    # Prediction

    def _annotate_ahead(
        self,
        stream: Iterable[Doc],
        batch_size: int,
        predict: Callable[[list[Doc]], np.ndarray],
        annotate: Callable[[list[Doc], np.ndarray], None],
    ) -> Iterator[Doc]:
        # Threads of BLAS would wait for work on the cores that the engine wants.
        return super()._annotate_ahead(stream, batch_size, few_blas_threads()(predict), annotate)

    def _find_probabilities(
        self,
        docs: Iterable[Doc],
        n_labels: int,
        multi_label: bool,
        find_logits: Callable[[list[str]], Floats2d],
    ) -> np.ndarray:
        """Probabilities (B, K) of K labels for each of B Docs. Of texts that are empty or all white
        space, which the model is not asked about, each label has 1 / K, or, with multi_label, 0.

        find_logits: Of texts; (B, K).
        RAISES: ValueError if there is a logit that is no finite number.
        """
        texts = [doc.text for doc in docs]
        shape = len(texts), n_labels
        probabilities = np.full(shape, 0.0 if multi_label else 1 / n_labels, dtype="float32")
        rows = [row for row, text in enumerate(texts) if text.strip()]
        if rows:
            logits = check_finite(find_logits([texts[row] for row in rows]), self.name)
            found = sigmoid(logits) if multi_label else softmax(logits)
            probabilities[rows] = self.model.ops.to_numpy(found)
        return probabilities

    def score(self, examples: Iterable[Example], **kwargs) -> dict[str, object]:
        return super().score(examples, **{"threshold": self.threshold} | kwargs)

    # Weights in and out

    def _saved_parts(self, exclude: Iterable[str]) -> dict[str, Part]:
        cfg = Part(
            lambda path: srsly.write_json(path, self.cfg),
            lambda path: self.cfg.update(srsly.read_json(path)),
            lambda: srsly.json_dumps(self.cfg),
            lambda data: self.cfg.update(srsly.json_loads(data)),
        )
        return {"cfg": cfg} | super()._saved_parts(exclude)


def write_cats(docs: Iterable[Doc], labels: Iterable[str], probabilities: np.ndarray) -> None:
    """Write the probabilities (B, K) of K labels to `doc.cats` of B Docs."""
    for doc, row in zip(docs, probabilities.tolist()):
        doc.cats.update(zip(labels, row))
