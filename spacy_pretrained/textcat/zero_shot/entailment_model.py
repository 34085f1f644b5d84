"""Zero-shot classification by entailment: whether a label's phrase follows from a text.

A model for natural language inference reads each text with each hypothesis, as a pair (W. Yin et
al., Benchmarking Zero-shot Text Classification, 2019). That costs a text as many runs as there are
labels and templates.
"""

from collections import deque
from collections.abc import Iterator

import numpy as np
from thinc.types import Floats2d, Floats3d

from ...backends.backbone import Backbone, check_settings, get_shim, needs_torch
from ...backends.backend import Backend
from ...backends.openvino_backend import OpenVinoShim
from ...backends.torch_settings import TorchSettings
from ...checkpoints.entailment_labels import EntailmentLabels, find_entailment
from ...windows.pair_plan import PairBatch, PairPlan
from ..labels.label_set import LabelSet
from .classifier import Query, ZeroShotModel
from .errors import Errors


class EntailmentClassifier(ZeroShotModel):
    """Its layer is a backbone that classifies pairs; see `build_entailment_classifier` for its
    settings."""

    runs_on_encoder = False

    def __init__(self, shim: Backend, window: int, max_pieces: int):
        check_settings(window=(window, 0), max_pieces=(max_pieces, 1))
        backbone = Backbone(shim)
        super().__init__(
            "entailment_classifier",
            layers=[backbone],
            refs={"backbone": backbone},
            attrs={"window": window, "max_pieces": max_pieces},
        )

    def plan(self, texts: list[str], labels: LabelSet) -> list[PairBatch]:
        return list(self._plan_pairs(texts, labels).batches())

    def score(self, query: Query) -> Floats2d:
        """Logits (T, K) of T texts and K labels, the mean over templates. They are those of
        entailment or, with `multi_label`, of entailment against contradiction, and against all the
        rest if the model knows no contradiction."""
        labels = query.labels
        shim = get_shim(self)
        plan = self._plan_pairs(query.texts, labels)
        logits = plan.collect(_run(shim, plan))
        n_texts, _, n_classes = logits.shape
        by_template = logits.reshape(n_texts, len(labels), -1, n_classes)
        classes = find_entailment(shim.checkpoint.config)
        scores = _entailment_logits(by_template, classes, labels.multi_label).mean(axis=2)
        return self.ops.asarray2f(scores)

    def calibrate(self, texts: list[str], labels: LabelSet) -> Floats2d:
        raise ValueError(Errors.ENTAILMENT_NO_CALIBRATION)

    def _plan_pairs(self, texts: list[str], labels: LabelSet) -> PairPlan:
        """The pairs of these texts with the hypotheses of these labels."""
        checkpoint = get_shim(self).checkpoint
        if checkpoint is None:
            raise ValueError(Errors.NOT_INITIALIZED)
        hypotheses = [phrase for phrases in labels.hypotheses for phrase in phrases]
        settings = {name: self.attrs[name] for name in ("window", "max_pieces")}
        return PairPlan(checkpoint, texts, hypotheses, **settings)


def build_entailment_classifier(
    window: int = 512,
    max_pieces: int = 2048,
    mixed_precision: bool = False,
    device: str = "auto",
) -> EntailmentClassifier:
    """Build a classifier of texts by entailment that runs on torch. It has no weights before
    `nlp.initialize()` or `from_disk`; the source is a Hugging Face model for sequence
    classification, whose config.json names a class of entailment (see
    `checkpoints/entailment_labels.py`).

    window: Wordpieces of a text, a hypothesis and the special ones at once. Of a longer text every
        window between words is paired with the hypothesis, and the mean of their logits counts,
        weighted by their wordpieces. At most what the model takes; 0 means just that.
    max_pieces: Wordpieces in a batch of pairs, padding included. Bounds the memory.
    mixed_precision, device: As in `build_torch_encoder`.
    """
    with needs_torch():
        from ...backends.torch_entailment import TorchPairShim

    settings = TorchSettings(frozen=True, mixed_precision=mixed_precision, device=device)
    return EntailmentClassifier(TorchPairShim(settings), window, max_pieces)


def build_openvino_entailment_classifier(
    window: int = 512, max_pieces: int = 512, threads: int = 0
) -> EntailmentClassifier:
    """Build a classifier by entailment that runs on OpenVINO, without torch. Its weights are made
    from those of another, by `python -m spacy pretrained quantize`.

    window: As in `build_entailment_classifier`.
    max_pieces: Wordpieces in a batch of pairs, padding included. Batches run side by side.
    threads: Cores to use; 0 means those that this process may run on.
    """
    check_settings(threads=(threads, 0))
    return EntailmentClassifier(OpenVinoShim(threads), window, max_pieces)


def _run(shim: Backend, plan: PairPlan) -> Iterator[tuple[PairBatch, np.ndarray]]:
    """Each batch with its logits (W, C); the backend takes some batches ahead."""
    running: deque[PairBatch] = deque()

    def hand_over() -> Iterator[PairBatch]:
        for batch in plan.batches():
            running.append(batch)
            yield batch

    for logits in shim.predict(hand_over()):
        yield running.popleft(), _to_numpy(logits)


def _to_numpy(logits: Floats2d) -> np.ndarray:
    return logits.get() if hasattr(logits, "get") else logits  # of cupy


def _entailment_logits(
    logits: Floats3d, classes: EntailmentLabels, multi_label: bool
) -> np.ndarray:
    """Of the logits (..., C) of all classes those (...) that labels are scored by."""
    entailment = logits[..., classes.entailment]
    if not multi_label:
        return entailment
    if classes.contradiction is not None:
        return entailment - logits[..., classes.contradiction]
    others = np.delete(logits, classes.entailment, axis=-1)
    return entailment - np.logaddexp.reduce(others, axis=-1)
