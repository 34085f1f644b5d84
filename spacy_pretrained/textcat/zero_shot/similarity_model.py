"""Zero-shot classification by similarity: texts and labels through one encoder of sentences.

A text's logit for a label is `scale` times the cosine of their vectors. A label's vector is the
mean of the normalized vectors of its hypotheses, computed once a label set, so that the cost of a
text does not depend on the number of labels.
"""

import threading
from collections import OrderedDict
from itertools import chain

from thinc.types import Floats2d

from ...backends.backbone import get_shim
from ...encoder.text_encoder import SentenceEncoder, plan_texts
from ...windows.batches import WindowBatch
from ..labels.label_set import LabelSet
from ..normalized import normalize
from .classifier import Query, ZeroShotModel
from .label_calibration import calibrate_labels

KEPT_LABEL_SETS = 32


class SimilarityClassifier(ZeroShotModel):
    """Its layer is an encoder of sentences; see `build_similarity_classifier` for its settings."""

    runs_on_encoder = True

    def __init__(self, encoder: SentenceEncoder, scale: float, middle: float):
        super().__init__(
            "similarity_classifier",
            layers=[encoder],
            refs={"encoder": encoder, "backbone": encoder.get_ref("backbone")},
            attrs={"scale": scale, "middle": middle},
        )
        self.label_vectors = LabelVectors()

    def plan(self, texts: list[str], labels: LabelSet) -> list[WindowBatch]:
        encoder = self.get_ref("encoder")
        return plan_texts(encoder, [*texts, *chain.from_iterable(labels.hypotheses)])

    def score(self, query: Query) -> Floats2d:
        """Logits (T, K) of T texts and K labels.

        query.calibration: Vectors (K, D) in place of those of the labels.
        """
        encoder = self.get_ref("encoder")
        labels = query.calibration
        if labels is None:
            labels = self.label_vectors.find(encoder, query.labels)
        cosines = normalize(encoder.predict(query.texts)) @ self.ops.asarray2f(labels).T
        if query.labels.multi_label:
            cosines -= self.attrs["middle"]
        return self.attrs["scale"] * cosines

    def calibrate(self, texts: list[str], labels: LabelSet) -> Floats2d:
        """Vectors (K, D) of the labels, moved towards texts that seem to be about them: see
        `label_calibration.py`."""
        encoder = self.get_ref("encoder")
        vectors = normalize(encoder.predict(texts))
        to_numpy = self.ops.to_numpy
        return calibrate_labels(to_numpy(encode_labels(encoder, labels)), to_numpy(vectors))


def build_similarity_classifier(
    encoder: SentenceEncoder, scale: float = 20.0, middle: float = 0.2
) -> SimilarityClassifier:
    """Build a classifier of texts by their similarity to labels.

    encoder: Makes a vector of a text, and of a label's phrase.
    scale: What cosines are multiplied by. Higher values make scores more extreme; which label is
        best does not change. With all-MiniLM, 20 makes scores about as high as they are right
        (chosen on BANKING77's texts to train on).
    middle: With `multi_label`, the cosine at which the score of a label is 0.5. Short texts and
        labels of one field of their own are closer to each other than these are to news: see what
        suits yours, or let `spacy find-threshold` find a threshold.
    """
    return SimilarityClassifier(encoder, scale, middle)


def encode_labels(encoder: SentenceEncoder, labels: LabelSet) -> Floats2d:
    """The normalized vectors (K, D) of K labels: the mean of those of their hypotheses."""
    n_templates = len(labels.hypotheses[0])
    vectors = normalize(encoder.predict([*chain.from_iterable(labels.hypotheses)]))
    return normalize(vectors.reshape(len(labels), n_templates, -1).mean(axis=1))


class LabelVectors:
    """The vectors of the label sets that were asked for last, as one encoder has them. Threads may
    share it; copies begin with none."""

    def __init__(self):
        self._lock = threading.Lock()
        self._kept: OrderedDict[LabelSet, Floats2d] = OrderedDict()
        self._checkpoint: object = None

    def find(self, encoder: SentenceEncoder, labels: LabelSet) -> Floats2d:
        checkpoint = get_shim(encoder).checkpoint
        with self._lock:
            if checkpoint is not self._checkpoint:  # other weights were loaded since
                self._kept.clear()
                self._checkpoint = checkpoint
            vectors = self._kept.get(labels)
            if vectors is not None:
                self._kept.move_to_end(labels)
                return vectors
        vectors = encode_labels(encoder, labels)
        with self._lock:
            if checkpoint is self._checkpoint:
                self._kept[labels] = vectors
                if len(self._kept) > KEPT_LABEL_SETS:
                    self._kept.popitem(last=False)
        return vectors

    def __reduce__(self):
        return LabelVectors, ()
