"""The `pretrained_tagger` component: fine-grained tags, parts of speech and morphology at once."""

import logging
from collections.abc import Callable, Iterable

import numpy as np
from spacy.attrs import IDS
from spacy.language import Language
from spacy.parts_of_speech import IDS as POS_IDS
from spacy.scorer import Scorer
from spacy.strings import get_string_id
from spacy.tokens import Doc, Token
from spacy.training import Example, validate_get_examples
from spacy.vocab import Vocab
from thinc.api import Model
from thinc.types import Floats1d, Floats2d, Ints1d

from ..annotation.columns import read_columns
from ..annotation.gold import collect_labels, is_space, number_labels
from ..annotation.token_confidence import clear_tokens, read_all, register_tokens, store_tokens
from ..heads.distilling import distill
from ..heads.distilling_pipe import DistillingPipe
from ..heads.divergence import divergence
from ..heads.head_pipe import add_strings
from ..heads.losses import best_probability, cross_entropy, softmax
from ..heads.soft_targets import Said, divide, read_soft_labels, say_labels
from ..heads.token_vectors import insert_outputs, set_outputs
from ..saving.save_mark import own
from .errors import Errors

logger = logging.getLogger("spacy")

ATTRIBUTES = ("tag", "pos", "morph")
# What white space gets; nobody has to learn it.
OF_SPACE = {"tag": "_SP", "pos": "SPACE", "morph": "_"}
# All that a token can have.
PARTS_OF_SPEECH = tuple(sorted(name for name in POS_IDS if name))
ROWS_AT_ONCE = 8192

DEFAULT_MODEL = {
    "@architectures": "spacy-pretrained.Tagger.v1",
    "tok2vec": {"@architectures": "spacy-pretrained.EncoderListener.v1"},
}


@Language.factory(
    "pretrained_tagger",
    assigns=["token.tag", "token.pos", "token.morph"],
    default_config={
        "model": DEFAULT_MODEL,
        "attributes": list(ATTRIBUTES),
        "overwrite": True,
        "distill_weight": 0.0,
        "confidence": False,
        "scorer": {"@scorers": "spacy-pretrained.tagger_scorer.v1"},
    },
    default_score_weights={
        "tag_acc": 0.4,
        "pos_acc": 0.4,
        "morph_acc": 0.2,
        "morph_per_feat": None,
    },
)
def make_pretrained_tagger(
    nlp: Language,
    name: str,
    model: Model,
    attributes: list[str],
    overwrite: bool,
    distill_weight: float,
    confidence: bool,
    scorer: Callable | None,
) -> "PretrainedTagger":
    """Make a tagger.

    attributes: What to set: any of "tag" (XPOS), "pos" (UPOS) and "morph" (FEATS). Those that the
        training data lacks are left out.
    overwrite: Whether to set tokens that have a value already.
    distill_weight: What a teacher counts in training, beside gold annotation: from 0 to 1. See the
        corpus reader `spacy-pretrained.Taught.v1`.
    confidence: Whether to keep the probability of each value: `token._.tag_confidence`,
        `pos_confidence`, `morph_confidence`.
    """
    pipe = PretrainedTagger(
        nlp.vocab,
        model,
        name,
        attributes=attributes,
        overwrite=overwrite,
        distill_weight=distill_weight,
        confidence=confidence,
        scorer=scorer,
    )
    return own(nlp, pipe)


def make_tagger_scorer() -> Callable:
    return score


def score(examples: Iterable[Example], **kwargs) -> dict[str, object]:
    """spaCy's accuracy of each attribute that the gold data has, and F of each feature."""
    examples = list(examples)
    scores: dict[str, object] = {}
    for attribute in ATTRIBUTES:
        getter = _morph_key if attribute == "morph" else getattr
        result = Scorer.score_token_attr(examples, attribute, getter=getter, **kwargs)
        scores.update({k: v for k, v in result.items() if v is not None})
    if "morph_acc" in scores:
        per_feature = Scorer.score_token_attr_per_feat(examples, "morph", getter=_morph_key)
        scores["morph_per_feat"] = per_feature["morph_per_feat"]
    return scores


def _morph_key(token: Token, attribute: str) -> int:
    return token.morph.key


class PretrainedTagger(DistillingPipe):
    """Predicts any of tag, pos and morph of each token, from one vector each.

    White space is never predicted: it has the tag _SP, the part of speech SPACE, no features.
    """

    def __init__(
        self,
        vocab: Vocab,
        model: Model,
        name: str = "pretrained_tagger",
        *,
        attributes: Iterable[str] = ATTRIBUTES,
        overwrite: bool = True,
        distill_weight: float = 0.0,
        confidence: bool = False,
        scorer: Callable | None = score,
    ):
        attributes = tuple(attributes)
        if not attributes:
            known = ", ".join(ATTRIBUTES)
            raise ValueError(Errors.ATTRIBUTES_NONE.format(name=name, attributes=known))
        for attribute in attributes:
            if attribute not in ATTRIBUTES:
                raise ValueError(
                    Errors.ATTRIBUTE_UNKNOWN.format(
                        attribute=attribute, name=name, attributes=", ".join(ATTRIBUTES)
                    )
                )
        super().__init__(vocab, model, name, confidence=confidence, scorer=scorer, labels={})
        self._set_distill_weight(distill_weight)
        self.attributes = attributes
        self.overwrite = overwrite
        if confidence:
            for attribute in self.attributes:
                register_tokens(attribute, name)

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(f"{a}={label}" for a, labels in self.label_data.items() for label in labels)

    def add_label(self, label: str) -> int:
        """Add a label, also to a trained component: what it has learnt stays, and training
        continues from there. The new label is improbable until it is met in training.

        label: With its attribute, as in `labels`: "tag=NN", "pos=NOUN", "morph=Number=Sing".
        RETURNS: 1, or 0 if the label is there already.
        """
        if not isinstance(label, str) or not label.strip():
            raise ValueError(Errors.LABEL_INVALID.format(name=self.name, label=label))
        if label in self.labels:
            return 0
        attribute, _, value = label.partition("=")
        is_trained = self.model.get_ref("output").has_param("W")
        known = tuple(self.label_data) if is_trained else self.attributes
        if attribute not in known or not value.strip():
            raise ValueError(
                Errors.LABEL_FORM.format(
                    name=self.name,
                    label=label,
                    attribute=known[0],
                    attributes=", ".join(self.attributes),
                )
            )
        value = self._normalize(attribute, value)
        label = f"{attribute}={value}"
        if label in self.labels:
            return 0
        # In the order of the attributes, as `initialize` puts them.
        labels = {a: list(self.label_data.get(a, [])) for a in self.attributes}
        labels[attribute].append(value)
        self.cfg["labels"] = {a: values for a, values in labels.items() if values}
        self.vocab.strings.add(value)
        if is_trained:
            number = self.labels.index(label)
            insert_outputs(self.model, number, like=[[number - 1]])
        return 1

    def _normalize(self, attribute: str, value: str) -> str:
        """Features in spaCy's order, as all annotation has them. ValueError if they are none, or
        for a part of speech that no token can have."""
        if attribute == "pos" and value not in PARTS_OF_SPEECH:
            message, known = Errors.LABEL_POS, ", ".join(PARTS_OF_SPEECH)
            raise ValueError(message.format(name=self.name, label=value, known=known))
        if attribute != "morph":
            return value
        try:
            return self.vocab.morphology.normalize_features(value)
        except ValueError as error:
            raise ValueError(Errors.LABEL_FEATURES.format(name=self.name, label=value)) from error

    # Prediction

    def predict(self, docs: Iterable[Doc]) -> list[tuple[Ints1d, Floats1d | None]]:
        """For each attribute the numbers (N,) of the best labels of all N tokens, and, where they
        are asked for, their probabilities (N,)."""
        docs = list(docs)
        self._check_ready(docs)
        vectors = self.model.get_ref("vectors").predict(docs)
        output = self.model.get_ref("output")
        parts = [
            self._decode(output.predict(vectors[i : i + ROWS_AT_ONCE]))
            for i in range(0, max(1, len(vectors)), ROWS_AT_ONCE)
        ]
        return [
            (np.concatenate(best), np.concatenate(sure) if self.confidence else None)
            for best, sure in (zip(*column) for column in zip(*parts))
        ]

    def _decode(self, scores: Floats2d) -> list[tuple[Ints1d, Floats1d | None]]:
        ops = self.model.ops
        decoded = []
        for part in self._split(self._check_finite(scores)):
            best = part.argmax(axis=1)
            sure = best_probability(part) if self.confidence else None
            decoded.append((ops.to_numpy(best), sure if sure is None else ops.to_numpy(sure)))
        return decoded

    @property
    def _sizes(self) -> list[int]:
        """The number of labels of each attribute."""
        return [len(labels) for labels in self.label_data.values()]

    def _split(self, scores: Floats2d, sizes: list[int] | None = None) -> list[Floats2d]:
        """The columns of each attribute.

        sizes: How many they are; None for those of today.
        """
        sizes = self._sizes if sizes is None else sizes
        ends = np.cumsum(sizes)
        return [scores[:, end - size : end] for size, end in zip(sizes, ends)]

    def set_annotations(self, docs: Iterable[Doc], predictions) -> None:
        docs = list(docs)
        space = is_space(*docs)
        columns, probabilities = [], {}
        add_strings(docs, OF_SPACE.values())
        for (attribute, labels), (best, sure) in zip(self.label_data.items(), predictions):
            values = self._hash_labels(docs, best, labels)
            values[space] = get_string_id(OF_SPACE[attribute])
            probable = None if sure is None else np.where(space, 1.0, sure)
            if not self.overwrite:
                (old,) = read_columns(docs, [IDS[attribute.upper()]])
                values = np.where(old != 0, old, values)
                kept = np.concatenate([read_all(doc, attribute) for doc in docs])
                probable = np.where(old != 0, kept, np.nan if probable is None else probable)
            if probable is not None:
                probabilities[attribute] = probable
            columns.append(values)
        names = [attribute.upper() for attribute in self.label_data]
        rows, low = np.stack(columns, axis=1), 0
        for doc in docs:
            high = low + len(doc)
            if len(doc):
                doc.from_array(names, rows[low:high])
            found = {kind: values[low:high] for kind, values in probabilities.items()}
            if self.confidence or any(np.isfinite(values).any() for values in found.values()):
                store_tokens(doc, found)
            else:
                clear_tokens(doc, self.label_data)
            low = high

    # Training

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Language | None = None,
        labels: dict[str, list[str]] | None = None,
    ) -> None:
        """Collect the labels of the examples, and allocate the model.

        labels: Labels of each attribute, in place of those of the examples.
        """
        validate_get_examples(get_examples, "PretrainedTagger.initialize")
        if labels is None:
            labels = collect_labels(get_examples(), self.attributes)
        for attribute in labels:
            if attribute not in self.attributes:
                raise ValueError(
                    Errors.LABELS_UNKNOWN_ATTRIBUTE.format(
                        name=self.name, attribute=attribute, attributes=self.attributes
                    )
                )
        if not self.model.get_ref("output").has_param("W"):  # labels that were added come first
            labels = {
                a: list(dict.fromkeys([*self.label_data.get(a, []), *labels.get(a, [])]))
                for a in self.attributes
            }
        found = {
            a: list(dict.fromkeys(self._normalize(a, label) for label in labels[a]))
            for a in self.attributes
            if labels.get(a)
        }
        self._set_labels(found, what="any of " + ", ".join(self.attributes))
        for attribute in self.attributes:
            if attribute not in found:
                logger.info("%s: the examples have no '%s'; left out", self.name, attribute)
        set_outputs(self.model, len(self.labels))
        self._initialize_model(get_examples)

    def get_loss(self, examples: list[Example], scores: Floats2d) -> tuple[float, Floats2d]:
        """The cross-entropy of each attribute, summed; missing annotation is left out.

        scores: Those (N, nO) of the N tokens of all examples. RETURNS: Loss and gradient (N, nO).
        """
        total, gradients = 0.0, []
        for (attribute, labels), part in zip(self.label_data.items(), self._split(scores)):
            gold = number_labels(examples, attribute, labels, self.name, f"{attribute}=")
            if self.distill_weight:
                soft = read_soft_labels(examples, attribute, labels, self.name)
                gradient, loss = distill(self.model.ops, part, gold, soft, self.distill_weight)
            else:
                gradient, loss = cross_entropy(self.model.ops, part, gold)
            gradients.append(gradient)
            total += loss
        return total, self.model.ops.xp.concatenate(gradients, axis=1)

    @property
    def _kinds(self) -> list[str]:
        return list(self.label_data)

    def teach(self, docs: list[Doc], temperature: float, top_k: int) -> list[Said]:
        self._check_ready(docs)
        scores = self.model.ops.to_numpy(self._check_finite(self.model.predict(docs)))
        said = {
            attribute: say_labels(labels, softmax(part / temperature), top_k)
            for (attribute, labels), part in zip(self.label_data.items(), self._split(scores))
        }
        return divide(said, docs)

    _rehearsed: Model | None = None
    _rehearsal_sizes: list[int] | None = None

    @property
    def _rehearsal_model(self) -> Model | None:
        return self._rehearsed

    @_rehearsal_model.setter
    def _rehearsal_model(self, model: Model | None) -> None:
        """spaCy sets it. Labels that are added later come between those of two attributes."""
        self._rehearsed, self._rehearsal_sizes = model, self._sizes

    def compare(
        self, docs: list[Doc], scores: Floats2d, old_model: Model, old_docs: list[Doc]
    ) -> tuple[float, Floats2d]:
        total, gradients = 0.0, []
        old_scores = self._split(old_model.predict(old_docs), self._rehearsal_sizes)
        for part, old in zip(self._split(scores), old_scores):
            gradient, loss = divergence(self.model.ops, part, old)
            gradients.append(gradient)
            total += loss
        return total, self.model.ops.xp.concatenate(gradients, axis=1)
