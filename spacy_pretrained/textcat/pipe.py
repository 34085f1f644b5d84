"""The `pretrained_textcat` component: categories of a Doc, learnt from many examples."""

import math
from collections.abc import Callable, Iterable

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example, validate_get_examples
from spacy.vocab import Vocab
from thinc.api import Model
from thinc.types import Floats2d

from ..heads.divergence import binary_divergence, divergence
from ..heads.losses import cross_entropy, sigmoid, softmax
from ..heads.rehearsing_pipe import RehearsingPipe
from ..heads.token_vectors import insert_outputs, set_outputs
from ..saving.save_mark import own
from .errors import Errors
from .gold import collect_cats, make_targets, read_cats
from .mixup import draw_mixup, mix, unmix
from .scorer import SCORE_WEIGHTS, SCORER, score

DEFAULT_MODEL = {
    "@architectures": "spacy-pretrained.TextClassifier.v1",
    "tok2vec": {"@architectures": "spacy-pretrained.EncoderListener.v1"},
}


@Language.factory(
    "pretrained_textcat",
    assigns=["doc.cats"],
    default_config={
        "model": DEFAULT_MODEL,
        "multi_label": False,
        "mixing_alpha": 0.0,
        "threshold": 0.5,
        "scorer": SCORER,
    },
    default_score_weights=SCORE_WEIGHTS,
)
def make_pretrained_textcat(
    nlp: Language,
    name: str,
    model: Model,
    multi_label: bool,
    mixing_alpha: float,
    threshold: float,
    scorer: Callable | None,
) -> "PretrainedTextcat":
    """Make a text classifier.

    multi_label: Whether any number of labels may hold of a Doc, each with a probability of its
        own. Otherwise one does, and probabilities sum to 1.
    mixing_alpha: Learn from mixtures of examples (see `mixup.py`), in shares that are drawn from
        Beta(mixing_alpha, mixing_alpha). 0 is for no mixup; 0.1 to 0.4 are usual.
    threshold: The least probability of a label that counts as predicted in scores, with
        multi_label. `doc.cats` has all labels whatever it is.
    """
    pipe = PretrainedTextcat(
        nlp.vocab,
        model,
        name,
        multi_label=multi_label,
        mixing_alpha=mixing_alpha,
        threshold=threshold,
        scorer=scorer,
    )
    return own(nlp, pipe)


class PretrainedTextcat(RehearsingPipe):
    """Writes the probability of every label to `doc.cats`.

    A Doc without a token other than white space has the probabilities that the biases alone give:
    about how frequent a label was in training.
    """

    def __init__(
        self,
        vocab: Vocab,
        model: Model,
        name: str = "pretrained_textcat",
        *,
        multi_label: bool = False,
        mixing_alpha: float = 0.0,
        threshold: float = 0.5,
        scorer: Callable | None = score,
    ):
        if not 0 <= mixing_alpha < math.inf:  # nor NaN
            raise ValueError(Errors.MIXING_ALPHA.format(name=name, mixing_alpha=mixing_alpha))
        if not 0 <= threshold <= 1:
            raise ValueError(Errors.THRESHOLD.format(name=name, threshold=threshold))
        super().__init__(vocab, model, name, scorer=scorer, labels=[])
        self.multi_label = multi_label
        self.mixing_alpha = mixing_alpha
        self.threshold = threshold

    def add_label(self, label: str) -> int:
        """Add a label, also to a trained component: what it has learnt stays, and training
        continues from there. The new label is improbable until it is met in training.

        RETURNS: 1, or 0 if the label is there already.
        """
        if not isinstance(label, str) or not label.strip():
            raise ValueError(Errors.LABEL_INVALID.format(name=self.name, label=label))
        if label in self.labels:
            return 0
        n_old = len(self.labels)
        self.cfg["labels"].append(label)
        if self.model.get_ref("output").has_param("W"):
            insert_outputs(self.model, n_old, like=[list(range(n_old))])
        return 1

    # Prediction

    def predict(self, docs: Iterable[Doc]) -> Floats2d:
        """Probabilities (B, K) of K labels for each of B Docs."""
        docs = list(docs)
        self._check_ready(docs)
        if not docs:
            return self.model.ops.alloc2f(0, len(self.labels))
        scores = self._check_finite(self.model.predict(docs))
        return sigmoid(scores) if self.multi_label else softmax(scores)

    def set_annotations(self, docs: Iterable[Doc], probabilities: Floats2d) -> None:
        rows = self.model.ops.to_numpy(probabilities).tolist()
        for doc, row in zip(docs, rows):
            doc.cats.update(zip(self.labels, row))

    def score(self, examples: Iterable[Example], **kwargs) -> dict[str, object]:
        settings = {"multi_label": self.multi_label, "threshold": self.threshold}
        return super().score(examples, **settings | kwargs)

    # Training

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Language | None = None,
        labels: list[str] | None = None,
    ) -> None:
        """Collect the labels of the examples, and allocate the model. Labels that were added to a
        component that is not trained come first.

        labels: Labels in place of those of the examples.
        """
        validate_get_examples(get_examples, "PretrainedTextcat.initialize")
        if labels is None:
            labels = collect_cats(get_examples(), self.name, multi_label=self.multi_label)
        if not self.model.get_ref("output").has_param("W"):
            labels = [*self.labels, *labels]
        labels = list(dict.fromkeys(labels))
        if len(labels) == 1 and not self.multi_label:
            raise ValueError(Errors.CATS_ONE_LABEL.format(name=self.name, label=labels[0]))
        self._set_labels(labels, what="cats")
        set_outputs(self.model, len(self.labels))
        self._initialize_model(get_examples)

    def get_loss(self, examples: list[Example], scores: Floats2d) -> tuple[float, Floats2d]:
        """The cross-entropy of the labels, summed; those that are not known are left out.

        scores: Those (B, K) of the Docs of all examples. RETURNS: Loss and gradient (B, K).
        """
        settings = {"multi_label": self.multi_label}
        known = read_cats(examples, self.label_data, self.name, **settings)
        targets = make_targets(known, **settings)
        gradient, loss = cross_entropy(self.model.ops, scores, targets, **settings)
        return loss, gradient

    def compare(
        self, docs: list[Doc], scores: Floats2d, old_model: Model, old_docs: list[Doc]
    ) -> tuple[float, Floats2d]:
        measure = binary_divergence if self.multi_label else divergence
        gradient, loss = measure(self.model.ops, scores, old_model.predict(old_docs))
        return loss, gradient

    def _learn(self, examples: list[Example]) -> float:
        if not self.mixing_alpha:
            return super()._learn(examples)
        mixup = draw_mixup(len(examples), self.mixing_alpha)
        partners = [examples[i] for i in mixup.partners]
        vectors, backprop_vectors = self.model.get_ref("vectors").begin_update(
            [example.predicted for example in examples]
        )
        mixed = mix(vectors, mixup)
        scores, backprop_scores = self.model.get_ref("output").begin_update(mixed)
        own_loss, d_own = self.get_loss(examples, scores)
        loss, d_scores = self.get_loss(partners, scores)
        loss = mixup.share * own_loss + (1 - mixup.share) * loss
        self._check_loss(loss)
        d_scores = mixup.share * d_own + (1 - mixup.share) * d_scores
        backprop_vectors(unmix(backprop_scores(d_scores), mixup))
        return loss
