"""The `pretrained_ner` component: named entities, or the spans of a group."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import asdict
from itertools import islice

import numpy as np
from spacy.language import Language
from spacy.scorer import Scorer, get_ner_prf
from spacy.tokens import Doc, Span
from spacy.training import Example, validate_examples, validate_get_examples
from spacy.vocab import Vocab
from thinc.api import Model
from thinc.types import Floats1d, Floats2d, Ints1d

from .. import calibration
from .. import confidence as confidences
from ..bioes import BEGIN, END, OUTSIDE, SINGLE, Spans, decode, n_states, state, to_spans, to_states
from ..errors import Errors
from ..gold import NO_GOLD, is_space
from ..head_pipe import HeadPipe
from ..losses import cross_entropy
from ..ner_gold import Entities, FitReport, find_blocked, read_entities, read_gold_entities
from ..ner_model import add_outputs, expect_outside

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
    confidence: bool,
    scorer: Callable | None,
) -> "PretrainedNer":
    """Make an entity recognizer.

    spans_key: Write to, and learn from, `doc.spans[spans_key]` in place of `doc.ents`. The spans
        of a group must not overlap.
    overwrite: Whether to replace entities that are there already. Otherwise they stay, and new
        ones are found beside them.
    confidence: Whether to keep how sure each entity is, as `span._.confidence`.
    """
    return PretrainedNer(
        nlp.vocab,
        model,
        name,
        spans_key=spans_key,
        overwrite=overwrite,
        confidence=confidence,
        scorer=scorer,
    )


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


class PretrainedNer(HeadPipe):
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
        confidence: bool = True,
        scorer: Callable | None = score,
    ):
        self.vocab = vocab
        self.model = model
        self.name = name
        self.overwrite = overwrite
        self.confidence = confidence
        self.scorer = scorer
        self.spans_key = spans_key
        self.cfg: dict = {"labels": [], "calibration": None}
        if confidence:
            confidences.register_spans()

    # Labels

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(self.cfg["labels"])

    @property
    def label_data(self) -> list[str]:
        """The labels, as `initialize` takes them."""
        return self.cfg["labels"]

    def add_label(self, label: str) -> int:
        """Add a label, also to a trained component: what it has learnt stays, and training goes on
        from there. The new label is improbable until it is met in training.

        RETURNS: 1, or 0 if the label is there already.
        """
        if not isinstance(label, str) or not label:
            raise ValueError(Errors.LABEL_INVALID.format(name=self.name, label=label))
        if label in self.labels:
            return 0
        self.cfg["labels"].append(label)
        self.vocab.strings.add(label)
        if self.model.get_ref("output").has_dim("nO"):
            add_outputs(self.model, n_states(1) - 1)
        return 1

    # Prediction

    def predict(self, docs: Iterable[Doc]) -> list[tuple[Spans, Floats1d]]:
        """For each Doc its entities, with the numbers of their labels, and their probabilities
        (S,): the product of those of their tokens' states, calibrated if that was asked for."""
        docs = list(docs)
        if not self.labels:
            raise ValueError(Errors.NOT_TRAINED.format(name=self.name))
        if not docs:
            return []
        scores = self.model.ops.to_numpy(self.model.predict(docs))
        bounds = np.cumsum([0] + [len(doc) for doc in docs])
        first = np.zeros(len(scores), dtype=bool)
        first[bounds[:-1][np.diff(bounds) > 0]] = True
        self._rule_out(docs, scores)
        states = decode(scores, first)
        spans = to_spans(states)
        sure = self._probabilities(scores, states, spans)
        edges = np.searchsorted(spans.starts, bounds)
        return [
            (
                Spans(spans.starts[i:j] - low, spans.ends[i:j] - low, spans.labels[i:j]),
                sure[i:j],
            )
            for low, i, j in zip(bounds, edges, edges[1:])
        ]

    def _rule_out(self, docs: list[Doc], scores: Floats2d) -> None:
        """Set the scores of what cannot be: entities that begin or end with white space, or that
        overlap those there are."""
        space, taken = map(np.concatenate, zip(*((is_space(d), self._is_taken(d)) for d in docs)))
        labels = np.arange(len(self.labels))
        edges = np.concatenate([state(kind, labels) for kind in (BEGIN, END, SINGLE)])
        scores[np.ix_(space, edges)] = -np.inf
        scores[taken, OUTSIDE + 1 :] = -np.inf

    def _is_taken(self, doc: Doc) -> np.ndarray:
        """Tokens (N,) that no new entity may have."""
        taken = np.zeros(len(doc), dtype=bool) if self.spans_key else find_blocked(doc)
        for span in self._old_spans(doc):
            taken[span.start : span.end] = True
        return taken

    def _old_spans(self, doc: Doc) -> list[Span]:
        """The entities that stay."""
        if self.overwrite:
            return []
        return list(doc.spans.get(self.spans_key, []) if self.spans_key else doc.ents)

    def _probabilities(self, scores: Floats2d, states: Ints1d, spans: Spans) -> Floats1d:
        if not self.confidence:
            return np.ones(len(spans.starts), dtype="float32")
        highest = scores.max(axis=1)
        totals = np.log(np.exp(scores - highest[:, None]).sum(axis=1)) + highest
        chosen = np.take_along_axis(scores, states[:, None], axis=1)[:, 0] - totals
        sums = np.concatenate([[0.0], np.cumsum(chosen, dtype="float64")])
        probabilities = np.exp(sums[spans.ends] - sums[spans.starts])
        if self.cfg["calibration"]:
            probabilities = calibration.apply(probabilities, *self.cfg["calibration"])
        return probabilities.astype("float32")

    def set_annotations(
        self, docs: Iterable[Doc], predictions: list[tuple[Spans, Floats1d]]
    ) -> None:
        hashes = np.asarray([self.vocab.strings.add(name) for name in self.labels], dtype="uint64")
        for doc, (spans, sure) in zip(docs, predictions):
            labels = hashes[spans.labels]
            columns = zip(spans.starts.tolist(), spans.ends.tolist(), labels.tolist())
            found = [Span(doc, start, end, label=label) for start, end, label in columns]
            found += self._old_spans(doc)
            if self.spans_key:
                doc.spans[self.spans_key] = sorted(found)
            else:
                blocked = [doc[i : i + 1] for i in np.flatnonzero(find_blocked(doc)).tolist()]
                doc.set_ents(found, blocked=blocked)
            if self.confidence:
                confidences.store_spans(doc, spans.starts, spans.ends, labels, sure)

    def score(self, examples: Iterable[Example], **kwargs) -> dict[str, object]:
        return super().score(examples, **{"spans_key": self.spans_key} | kwargs)

    # Confidence

    def calibrate(self, nlp: Language, examples: Iterable[Example]) -> tuple[float, float]:
        """Fit confidences to how often predictions are correct. Do it last, on development data.

        nlp: The pipeline of this component; it annotates the predicted Docs, as `nlp.evaluate`
            does.
        RETURNS: Slope and offset of the log-odds (see `calibration.py`), which are saved with the
            component. ValueError if all predictions are correct, or all wrong.
        """
        examples = list(examples)
        validate_examples(examples, "PretrainedNer.calibrate")
        if not self.confidence:
            raise ValueError(Errors.CALIBRATION_NO_CONFIDENCE.format(name=self.name))
        old, self.cfg["calibration"] = self.cfg["calibration"], None
        list(nlp.pipe(example.predicted for example in examples))
        outcomes = [outcome for example in examples for outcome in self.outcomes(example)]
        correct = np.asarray([is_right for _, is_right in outcomes], dtype=bool)
        if correct.all() or not correct.any():
            self.cfg["calibration"] = old
            counts = {"n": len(correct), "correct": int(correct.sum())}
            raise ValueError(Errors.CALIBRATION_ONE_SIDED.format(name=self.name, **counts))
        sure = np.asarray([confidence for confidence, _ in outcomes])
        self.cfg["calibration"] = list(calibration.fit(sure, correct))
        return tuple(self.cfg["calibration"])

    def outcomes(self, example: Example) -> list[tuple[float, bool]]:
        """Of each predicted entity that the reference can judge: its confidence, and whether it is
        right."""
        gold = read_gold_entities(example, self.spans_key)
        right = set(zip(gold.starts.tolist(), gold.ends.tolist(), gold.labels.tolist()))
        doc = example.predicted
        return [
            (span._.confidence, (span.start, span.end, span.label) in right)
            for span in (doc.spans[self.spans_key] if self.spans_key else doc.ents)
            if span._.confidence is not None and gold.known[span.start : span.end].all()
        ]

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
        hashes: set[int] = set()
        fit = FitReport()
        for example in get_examples():
            gold = read_entities(example.reference, self.spans_key)
            hashes.update(np.unique(gold.labels).tolist())
            fit.add(example, self.spans_key)
        if fit.trimmed or fit.lost:
            logger.warning(Errors.ENTITIES_DO_NOT_FIT.format(name=self.name, **asdict(fit)))
        if labels is None:
            labels = sorted(self.vocab.strings[h] for h in hashes)
        self.cfg["labels"] = list(dict.fromkeys([*self.labels, *labels]))
        self.cfg["calibration"] = None
        if not self.labels:
            raise ValueError(Errors.NO_LABELS.format(name=self.name, what="entities"))
        output, nO = self.model.get_ref("output"), n_states(len(self.labels))
        if output.has_param("W") and nO > output.get_dim("nO"):  # initialized before, with fewer
            add_outputs(self.model, nO - output.get_dim("nO"))
        else:
            output.set_dim("nO", nO, force=True)
        self.model.initialize(X=[example.x for example in islice(get_examples(), 10)])
        expect_outside(self.model)

    def get_loss(self, examples: list[Example], scores: Floats2d) -> tuple[float, Floats2d]:
        """The cross-entropy of the tokens' states; tokens that nothing is known of are left out.

        scores: Those (N, nO) of the N tokens of all examples. RETURNS: Loss and gradient (N, nO).
        """
        columns = np.concatenate([self._gold_states(example) for example in examples])
        gradient, loss = cross_entropy(self.model.ops, scores, columns)
        return loss, gradient

    def _gold_states(self, example: Example) -> Ints1d:
        """The state (N,) of each token, -1 where it is not known."""
        gold = read_gold_entities(example, self.spans_key)
        spans = Spans(gold.starts, gold.ends, self._label_numbers(gold))
        return np.where(gold.known, to_states(spans, len(gold.known)), NO_GOLD)

    def _label_numbers(self, gold: Entities) -> Ints1d:
        strings = self.vocab.strings
        numbers = {strings.add(label): number for number, label in enumerate(self.labels)}
        for label in gold.labels.tolist():
            if label not in numbers:
                raise ValueError(Errors.LABEL_UNKNOWN.format(name=self.name, label=strings[label]))
        return np.asarray([numbers[label] for label in gold.labels.tolist()], dtype="int64")
