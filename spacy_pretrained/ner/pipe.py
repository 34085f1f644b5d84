"""The `pretrained_ner` component: named entities, or the spans of a group."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import asdict

import numpy as np
from spacy.language import Language
from spacy.scorer import Scorer, get_ner_prf
from spacy.strings import get_string_id
from spacy.tokens import Doc, Span
from spacy.training import Example, validate_examples, validate_get_examples
from spacy.vocab import Vocab
from thinc.api import Model
from thinc.types import Floats1d, Floats2d, Ints1d

from ..annotation.gold import NO_GOLD, find_string, is_space
from ..annotation.span_confidence import clear_spans, read_span, register_spans, store_spans
from ..heads.distilling import distill
from ..heads.distilling_pipe import DistillingPipe
from ..heads.divergence import divergence
from ..heads.losses import cross_entropy, softmax
from ..heads.soft_targets import Said, divide, read_soft_labels, say_labels
from ..heads.token_vectors import set_outputs
from ..saving.save_mark import own
from . import calibration
from .bioes import (
    OUTSIDE,
    Spans,
    decode,
    n_states,
    probabilities,
    rule_out,
    state_names,
    to_spans,
    to_states,
)
from .errors import Errors
from .gold import FitReport, find_blocked, read_gold_entities, read_outcomes
from .model import add_outputs, expect_outside

logger = logging.getLogger("spacy")

DEFAULT_MODEL = {
    "@architectures": "spacy-pretrained.Ner.v1",
    "tok2vec": {"@architectures": "spacy-pretrained.EncoderListener.v1"},
}


@Language.factory(
    "pretrained_ner",
    assigns=["doc.ents", "token.ent_iob", "token.ent_type"],
    default_config={
        "model": DEFAULT_MODEL,
        "spans_key": None,
        "overwrite": False,
        "distill_weight": 0.0,
        "confidence": True,
        "scorer": {"@scorers": "spacy-pretrained.ner_scorer.v1"},
    },
    default_score_weights={"ents_f": 1.0, "ents_p": 0.0, "ents_r": 0.0, "ents_per_type": None},
)
def make_pretrained_ner(
    nlp: Language,
    name: str,
    model: Model,
    spans_key: str | None,
    overwrite: bool,
    distill_weight: float,
    confidence: bool,
    scorer: Callable | None,
) -> "PretrainedNer":
    """Make an entity recognizer.

    spans_key: Write to, and learn from, `doc.spans[spans_key]` in place of `doc.ents`. The spans
        of a group must not overlap.
    overwrite: Whether to replace entities that are there already. Otherwise they stay, and new
        ones are found beside them.
    distill_weight: What a teacher counts in training, beside gold annotation: from 0 to 1. See the
        corpus reader `spacy-pretrained.Taught.v1`.
    confidence: Whether to keep how probable each entity is, as `span._.confidence`.
    """
    pipe = PretrainedNer(
        nlp.vocab,
        model,
        name,
        spans_key=spans_key,
        overwrite=overwrite,
        distill_weight=distill_weight,
        confidence=confidence,
        scorer=scorer,
    )
    return own(nlp, pipe)


def make_ner_scorer() -> Callable:
    return score


def score(
    examples: Iterable[Example], *, spans_key: str | None = None, **kwargs
) -> dict[str, object]:
    """spaCy's precision, recall and F of entities, exact matches; also of each label. What the
    gold data does not know is left out."""
    if spans_key is None:
        return get_ner_prf(examples)
    return Scorer.score_spans(
        examples,
        f"spans_{spans_key}",
        getter=lambda doc, _: doc.spans.get(spans_key, []),
        has_annotation=lambda doc: spans_key in doc.spans,
        **kwargs,
    )


class PretrainedNer(DistillingPipe):
    """Finds entities that do not overlap: one state of B, I, E, S and a label, or O, a token, the
    best valid sequence of them (see `bioes.decode`).

    An entity does not begin or end with white space.
    """

    def __init__(
        self,
        vocab: Vocab,
        model: Model,
        name: str = "pretrained_ner",
        *,
        spans_key: str | None = None,
        overwrite: bool = False,
        distill_weight: float = 0.0,
        confidence: bool = True,
        scorer: Callable | None = score,
    ):
        if spans_key == "":
            raise ValueError(Errors.SPANS_KEY_EMPTY.format(name=name))
        own = {"labels": [], "calibration": None}
        super().__init__(vocab, model, name, confidence=confidence, scorer=scorer, **own)
        self._set_distill_weight(distill_weight)
        self.overwrite = overwrite
        self.spans_key = spans_key
        if confidence:
            register_spans(name)

    def add_label(self, label: str) -> int:
        """Add a label, also to a trained component: what it has learnt stays, and training
        continues from there. The new label is improbable until it is met in training.

        RETURNS: 1, or 0 if the label is there already.
        """
        self._check_label(label)
        if label in self.labels:
            return 0
        self.cfg["labels"].append(label)
        self.vocab.strings.add(label)
        if self.model.get_ref("output").has_dim("nO"):
            add_outputs(self.model)
        return 1

    def _check_label(self, label: object) -> None:
        if not isinstance(label, str) or not label.strip():
            raise ValueError(Errors.LABEL_INVALID.format(name=self.name, label=label))

    def _count_scores(self) -> int:
        return n_states(len(self.labels))

    # Prediction

    def predict(self, docs: Iterable[Doc]) -> list[tuple[Spans, Floats1d]]:
        """For each Doc its entities, with the numbers of their labels, and their probabilities
        (S,): the product of those of their tokens' states, calibrated if that was asked for."""
        docs = list(docs)
        self._check_ready(docs)
        if not docs:
            return []
        scores = self.model.ops.to_numpy(self._check_finite(self.model.predict(docs)))
        bounds = np.cumsum([0] + [len(doc) for doc in docs])
        first = np.zeros(len(scores), dtype=bool)
        first[bounds[:-1][np.diff(bounds) > 0]] = True
        rule_out(scores, no_end=is_space(*docs), outside=self._find_taken(docs))
        states = decode(scores, first)
        spans = to_spans(states)
        sure = self._confidences(scores, states, spans)
        edges = np.searchsorted(spans.starts, bounds)
        return [
            (
                Spans(spans.starts[i:j] - low, spans.ends[i:j] - low, spans.labels[i:j]),
                sure[i:j],
            )
            for low, i, j in zip(bounds, edges, edges[1:])
        ]

    def _find_taken(self, docs: list[Doc]) -> np.ndarray:
        """Tokens (N,) that no new entity may have."""
        taken, low = self._find_blocked(docs), 0
        for doc in docs:
            for span in self._old_spans(doc):
                taken[low + span.start : low + span.end] = True
            low += len(doc)
        return taken

    def _find_blocked(self, docs: list[Doc]) -> np.ndarray:
        """Tokens (N,) that are said to be no entity; a group of spans knows of none."""
        if self.spans_key:
            return np.zeros(sum(len(doc) for doc in docs), dtype=bool)
        return find_blocked(docs)

    def _old_spans(self, doc: Doc) -> list[Span]:
        """The entities that stay."""
        return [] if self.overwrite else self._found_spans(doc)

    def _found_spans(self, doc: Doc) -> list[Span]:
        return list(doc.spans.get(self.spans_key, []) if self.spans_key else doc.ents)

    def _confidences(self, scores: Floats2d, states: Ints1d, spans: Spans) -> Floats1d:
        if not self.confidence or not len(spans.starts):
            return np.ones(len(spans.starts), dtype="float32")
        sure = probabilities(scores, states, spans)
        if self.cfg["calibration"]:
            sure = calibration.apply(sure, *self.cfg["calibration"])
        return sure.astype("float32")

    def set_annotations(
        self, docs: Iterable[Doc], predictions: list[tuple[Spans, Floats1d]]
    ) -> None:
        docs, low = list(docs), 0
        blocked = self._find_blocked(docs)
        numbers = np.concatenate([np.zeros(0, "int64"), *(s.labels for s, _ in predictions)])
        labels = iter(self._hash_labels(docs, numbers, self.label_data).tolist())
        for doc, (spans, sure) in zip(docs, predictions):
            # The labels come last: where the spans of a Doc end, none of the next one's is taken.
            columns = zip(spans.starts.tolist(), spans.ends.tolist(), labels)
            new = [Span(doc, start, end, label=label) for start, end, label in columns]
            # New ones that are there already were predicted before they were.
            taken = {i for span in new for i in range(span.start, span.end)}
            old = [s for s in self._old_spans(doc) if taken.isdisjoint(range(s.start, s.end))]
            found = new + old
            if self.spans_key:
                # Attrs of a group may be of its spans, and stay with these alone.
                if new or self.overwrite or self.spans_key not in doc.spans:
                    doc.spans[self.spans_key] = sorted(found)
            else:
                alone = np.flatnonzero(blocked[low : low + len(doc)]).tolist()
                doc.set_ents(found, blocked=[doc[i : i + 1] for i in alone])
            low += len(doc)
            target = self.spans_key or ""
            kept = old if self.confidence else []
            clear_spans(doc, self.name, target, kept=kept, all_components=self.overwrite)
            if self.confidence:
                store_spans(doc, self.name, new, sure.tolist(), target)

    def score(self, examples: Iterable[Example], **kwargs) -> dict[str, object]:
        return super().score(examples, **{"spans_key": self.spans_key} | kwargs)

    # Confidence

    def calibrate(self, nlp: Language, examples: Iterable[Example]) -> tuple[float, float]:
        """Fit confidences to how often predictions are correct. Do it last, on development data:
        an update drops it.

        nlp: The pipeline of this component; it annotates the predicted Docs, as `nlp.evaluate`
            does.
        RETURNS: Slope and offset of the log-odds (see `calibration.py`), which are saved with the
            component. ValueError if all predictions are correct, or all wrong.
        """
        examples = list(examples)
        validate_examples(examples, "PretrainedNer.calibrate")
        if not self.confidence:
            raise ValueError(Errors.CALIBRATION_NO_CONFIDENCE.format(name=self.name))
        for example in examples:
            old = self._found_spans(example.predicted)
            if any(read_span(span, self.name) is not None for span in old):
                raise ValueError(Errors.CALIBRATION_ANNOTATED.format(name=self.name))
        calibrated, self.cfg["calibration"] = self.cfg["calibration"], None
        try:
            list(nlp.pipe(example.predicted for example in examples))
            outcomes = [outcome for example in examples for outcome in self.outcomes(example)]
            calibrated = list(calibration.fit_outcomes(outcomes, self.name))
        finally:
            self.cfg["calibration"] = calibrated
        return tuple(calibrated)

    def outcomes(self, example: Example) -> list[tuple[float, bool]]:
        """Of each predicted entity that the reference can judge: its confidence, and whether it is
        right."""
        return read_outcomes(example, self.spans_key, self.name)

    # Training

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Language | None = None,
        labels: list[str] | None = None,
    ) -> None:
        """Collect the labels of the examples, beside those that were added, and allocate the model.

        labels: Labels in place of those of the examples.
        """
        validate_get_examples(get_examples, "PretrainedNer.initialize")
        fit = FitReport()
        for example in get_examples():
            fit.add(example, self.spans_key)
        if fit.trimmed or fit.lost:
            logger.warning(Errors.ENTITIES_DO_NOT_FIT.format(name=self.name, **asdict(fit)))
        if labels is None:
            labels = sorted(fit.labels)
        for label in labels:
            self._check_label(label)
        self._set_labels(list(dict.fromkeys([*self.labels, *labels])), what="entities")
        self.cfg["calibration"] = None
        set_outputs(self.model, n_states(len(self.labels)))
        self._initialize_model(get_examples)
        expect_outside(self.model)

    def _learn(self, examples: list[Example]) -> float:
        if self.cfg["calibration"]:  # of the weights as they were
            logger.warning(Errors.CALIBRATION_DROPPED.format(name=self.name))
            self.cfg["calibration"] = None
        return super()._learn(examples)

    def get_loss(self, examples: list[Example], scores: Floats2d) -> tuple[float, Floats2d]:
        """The cross-entropy of the tokens' states; tokens that nothing is known of are left out.

        scores: Those (N, nO) of the N tokens of all examples. RETURNS: Loss and gradient (N, nO).
        """
        numbers = {get_string_id(label): number for number, label in enumerate(self.labels)}
        columns = np.concatenate([self._gold_states(example, numbers) for example in examples])
        if self.distill_weight:
            states = state_names(self.labels)
            soft = read_soft_labels(examples, self._kind, states, self.name)
            gradient, loss = distill(self.model.ops, scores, columns, soft, self.distill_weight)
        else:
            gradient, loss = cross_entropy(self.model.ops, scores, columns)
        return loss, gradient

    def teach(self, docs: list[Doc], temperature: float, top_k: int) -> list[Said]:
        self._check_ready(docs)
        scores = self.model.ops.to_numpy(self._check_finite(self.model.predict(docs)))
        said = say_labels(state_names(self.labels), softmax(scores / temperature), top_k)
        return divide({self._kind: said}, docs)

    @property
    def _kinds(self) -> list[str]:
        return [self._kind]

    @property
    def _kind(self) -> str:
        """What a teacher's soft targets are called: components of one group of spans learn from
        each other."""
        return "ent" if self.spans_key is None else f"ent {self.spans_key}"

    def compare(
        self, docs: list[Doc], scores: Floats2d, old_model: Model, old_docs: list[Doc]
    ) -> tuple[float, Floats2d]:
        """What has a label that was added since was outside for the old model."""
        old = old_model.predict(old_docs)
        gradient, loss = divergence(self.model.ops, scores, old, background=OUTSIDE)
        return loss, gradient

    def _gold_states(self, example: Example, numbers: dict[int, int]) -> Ints1d:
        """The state (N,) of each token, -1 where it is not known.

        numbers: Those of the labels, by their hashes. ValueError for a label that has none.
        """
        gold = read_gold_entities(example, self.spans_key)
        for label in gold.labels.tolist():
            if label not in numbers:
                text = find_string([example], label)
                raise ValueError(Errors.LABEL_UNKNOWN.format(name=self.name, label=text))
        labels = np.asarray([numbers[label] for label in gold.labels.tolist()], dtype="int64")
        spans = Spans(gold.starts, gold.ends, labels)
        return np.where(gold.known, to_states(spans, len(gold.known)), NO_GOLD)
