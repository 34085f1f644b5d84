"""The `zero_shot_textcat` component: categories of a Doc out of nothing but their names."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import srsly
from spacy.language import Language
from spacy.pipeline import Pipe
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab
from thinc.api import Model
from thinc.types import Floats2d

from ...backends.backbone import get_shim
from ...encoder.backbone_pipe import Part, make_file_part
from ...saving.checked_pipe import check_labels
from ...saving.save_mark import own
from ..labels.label_pipe import LABEL_DEFAULTS, LabelPipe, LabelSettings, write_cats
from ..labels.label_set import LabelSet
from ..scorer import SCORE_WEIGHTS, SCORER, score
from .classifier import Query, ZeroShotClassifier
from .errors import Errors

DEFAULT_MODEL = {
    "@architectures": "spacy-pretrained.SimilarityClassifier.v1",
    "encoder": {"@architectures": "spacy-pretrained.TorchSentenceEncoder.v1", "frozen": True},
}


@Language.factory(
    "zero_shot_textcat",
    assigns=["doc.cats"],
    default_config={
        "model": DEFAULT_MODEL,
        **LABEL_DEFAULTS,
        "upstream": None,
        "scorer": SCORER,
    },
    default_score_weights=SCORE_WEIGHTS,
)
def make_zero_shot_textcat(
    nlp: Language,
    name: str,
    model: Model,
    labels: list[str],
    descriptions: dict[str, str],
    templates: list[str],
    multi_label: bool,
    threshold: float,
    upstream: str | None,
    scorer: Callable | None,
) -> "ZeroShotTextcat":
    """Make a text classifier that learns nothing.

    labels: What to tell apart, in words: "world politics" rather than "pol". May be given later,
        by `set_labels` or for one call.
    descriptions: Of labels, to go with their names into templates: "games, athletes, matches and
        results".
    templates: Phrases with {} in place of a label, that a text may bear out. Of several the mean
        counts.
    multi_label: Whether any number of labels may hold of a Doc, each with a probability of its
        own. Otherwise one does, and probabilities sum to 1.
    threshold: The least probability of a label that counts as predicted in scores, with
        multi_label. `doc.cats` has all labels whatever it is.
    upstream: The name of a frozen `pretrained_encoder` before this component, whose weights it
        runs on. By default it has its own.
    """
    pipe = ZeroShotTextcat(
        nlp.vocab,
        model,
        name,
        LabelSettings(labels, descriptions, templates, multi_label),
        threshold=threshold,
        upstream=upstream,
        scorer=scorer,
    )
    return own(nlp, pipe)


class ZeroShotTextcat(LabelPipe, Pipe):
    """A classifier that knows labels by their names alone."""

    def __init__(
        self,
        vocab: Vocab,
        model: Model,
        name: str = "zero_shot_textcat",
        settings: LabelSettings | None = None,
        *,
        upstream: str | None = None,
        threshold: float = 0.5,
        scorer: Callable | None = score,
    ):
        if not isinstance(model, ZeroShotClassifier):
            raise ValueError(Errors.ZERO_SHOT_MODEL.format(name=name, model=model.name))
        if upstream is not None and not model.runs_on_encoder:
            raise ValueError(Errors.UPSTREAM_OF_PAIRS.format(name=name, upstream=upstream))
        self.vocab = vocab
        self.model = model
        self.name = name
        self.upstream = upstream
        self.scorer = scorer
        self.cfg: dict[str, object] = {}
        self._init_labels(settings or LabelSettings(), threshold)
        self._calibration: Floats2d | None = None

    # Labels

    def set_labels(
        self,
        labels: Iterable[str],
        *,
        descriptions: dict[str, str] | None = None,
        templates: Iterable[str] | None = None,
        multi_label: bool | None = None,
    ) -> None:
        """Tell other labels apart from now on. What the component was calibrated to is dropped if
        anything changes.

        descriptions: None keeps those that labels have already.
        templates, multi_label: None keeps what is set.
        """
        new = self._change_labels(labels, descriptions, templates, multi_label)
        labels = self._find_labels(new)
        if self.labels and labels != self._find_labels():
            self._calibration = None
        self.cfg = new

    # Prediction

    def __call__(
        self,
        doc: Doc,
        *,
        labels: Iterable[str] | None = None,
        descriptions: dict[str, str] | None = None,
        multi_label: bool | None = None,
        batch_size: int = 1,
    ) -> Doc:
        """Categorize one Doc.

        labels, descriptions, multi_label: For this call alone, in place of those that are set; also
            by way of `component_cfg` in `nlp(...)` and `nlp.pipe(...)`.
        batch_size: Says nothing here; `nlp.pipe` adds it to a `component_cfg`, which may serve
            `nlp(...)`, too.
        """
        cfg = self._change_labels(labels, descriptions, multi_label=multi_label)
        try:
            label_set = self._find_labels(cfg)
            self._annotate([doc], self._predict([doc], label_set), label_set)
        except Exception as error:  # what is done about it is for the handler to say
            self.get_error_handler()(self.name, self, [doc], error)
        return doc

    def pipe(
        self,
        stream: Iterable[Doc],
        *,
        batch_size: int = 128,
        labels: Iterable[str] | None = None,
        descriptions: dict[str, str] | None = None,
        multi_label: bool | None = None,
    ) -> Iterator[Doc]:
        """Categorize a stream of Docs; labels and so on as in `__call__`."""
        cfg = self._change_labels(labels, descriptions, multi_label=multi_label)
        label_set = self._find_labels(cfg)
        yield from self._annotate_ahead(
            stream,
            batch_size,
            partial(self._predict, labels=label_set),
            partial(self._annotate, labels=label_set),
        )

    def _annotate(self, docs: list[Doc], probabilities: np.ndarray, labels: LabelSet) -> None:
        write_cats(docs, labels.names, probabilities)

    def _predict(self, docs: list[Doc], labels: LabelSet) -> np.ndarray:
        """Probabilities (B, K) of K labels for each of B Docs."""
        self._check_weights()
        own = self._calibration is not None and labels == self._find_labels()
        calibration = self._calibration if own else None

        def find_logits(texts: list[str]) -> Floats2d:
            return self.model.score(Query(texts, labels, calibration))

        return self._find_probabilities(docs, len(labels), labels.multi_label, find_logits)

    def plan_batches(self, docs: list[Doc]) -> list[Any]:
        """The batches that the backbone gets to see for these Docs, and for the labels."""
        texts = [text for text in (doc.text for doc in docs) if text.strip()]
        return self.model.plan(texts, self._find_labels())

    # What is known of the texts

    def calibrate(self, texts: Iterable[str | Doc]) -> None:
        """Look at texts of the kind to be categorized, without labels, against a bias towards some
        labels; see `label_calibration.py`. It is saved with the component, and dropped when
        its labels change.

        texts: Some hundreds, better some thousands; none that the component is evaluated on.
        """
        labels = self._find_labels()
        self._check_weights()
        texts = self._list(texts, "texts")
        texts = [text if isinstance(text, str) else text.text for text in texts]
        texts = [text for text in texts if text.strip()]
        if len(texts) < len(labels):
            raise ValueError(
                Errors.CALIBRATION_FEW_TEXTS.format(name=self.name, n=len(texts), k=len(labels))
            )
        self._calibration = self.model.calibrate(texts, labels)

    def _initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        source: str,
        labels: list[str] | None,
    ) -> None:
        """Examples are not looked at. With `upstream` the source is the encoder's that counts."""
        self._calibration = None
        if labels is not None:
            self.set_labels(labels)
        if self.upstream is None:
            self._load_weights(source)
        self._check_weights()

    def share_backbone(self, encoder: Model) -> None:
        if self._shares_backbone and get_shim(self.model) is not get_shim(encoder):
            self._calibration = None  # of other weights
        super().share_backbone(encoder)

    # Weights in and out

    def _saved_parts(self, exclude: Iterable[str]) -> dict[str, Part]:
        part = make_file_part(self._pack_calibration, self._unpack_calibration)
        return super()._saved_parts(exclude) | {"calibration": part}

    def _read_folder(self, folder: Path, exclude: list[str]) -> None:
        super()._read_folder(folder, exclude)
        if self._calibration is not None and not {"cfg", "calibration"} & set(exclude):
            n_labels = len(self.labels)
            check_labels(self.name, n_labels, n_labels, len(self._calibration))

    def _pack_calibration(self) -> bytes:
        return srsly.msgpack_dumps(self._calibration)

    def _unpack_calibration(self, data: bytes) -> None:
        self._calibration = srsly.msgpack_loads(data)
