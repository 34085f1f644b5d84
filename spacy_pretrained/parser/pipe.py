"""The `biaffine_parser` component: heads, dependency labels and sentence starts."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from spacy.attrs import SENT_START
from spacy.language import Language
from spacy.strings import get_string_id
from spacy.tokens import Doc
from spacy.training import Example, validate_get_examples
from spacy.vocab import Vocab
from thinc.api import Model, Ops
from thinc.types import Floats1d, Floats2d, Floats3d, Ints1d, Ints2d

from ..annotation.columns import read_columns
from ..annotation.gold import NO_GOLD, collect_labels, is_space
from ..annotation.sentences import (
    SentenceBatch,
    batch_sentences,
    bound,
    find_open,
    first_tokens,
    heads_of_spaces,
)
from ..annotation.token_confidence import clear_tokens, register_tokens, store_tokens
from ..heads.distilling import distill
from ..heads.distilling_pipe import DistillingPipe
from ..heads.head_pipe import add_strings
from ..heads.losses import best_probability, cross_entropy, sigmoid, softmax, to_targets
from ..heads.resizing import resize
from ..heads.soft_targets import Said
from ..saving.save_mark import own
from .biaffine import add_label_scores
from .distilling import (
    TaughtParses,
    Weights,
    learn_parses,
    read_taught_parses,
    say_parses,
    weigh,
)
from .errors import Errors
from .gold import ParserGold, read_parser_gold
from .mst import decode
from .noun_chunks import install as install_noun_chunks
from .rehearsal import compare_parses
from .scorer import score
from .sentence_starts import find_neighbours

ROOT = "ROOT"
OF_SPACE = "dep"  # the label of white space, as stock parsers give it
CONFIDENCES = ("head", "dep", "sent_start")

DEFAULT_MODEL = {
    "@architectures": "spacy-pretrained.BiaffineParser.v2",
    "tok2vec": {"@architectures": "spacy-pretrained.EncoderListener.v1"},
}


@Language.factory(
    "biaffine_parser",
    assigns=["token.dep", "token.head", "token.is_sent_start", "doc.sents"],
    default_config={
        "model": DEFAULT_MODEL,
        "max_sentence": 512,
        "distill_weight": 0.0,
        "confidence": False,
        "scorer": {"@scorers": "spacy-pretrained.parser_scorer.v1"},
    },
    default_score_weights={
        "dep_uas": 0.5,
        "dep_las": 0.5,
        "dep_las_per_type": None,
        "sents_p": None,
        "sents_r": None,
        "sents_f": 0.0,
    },
)
def make_biaffine_parser(
    nlp: Language,
    name: str,
    model: Model,
    max_sentence: int,
    distill_weight: float,
    confidence: bool,
    scorer: Callable | None,
) -> "BiaffineParser":
    """Make a parser.

    max_sentence: Tokens of the longest sentence, which bounds time and memory (they grow with its
        square). A longer one is split, from its left end on, before the token that most probably
        starts a sentence among the next `max_sentence`; at starts set to -1 only if it must be.
    distill_weight: What a teacher counts in training, beside gold annotation: from 0 to 1. See the
        corpus reader `spacy-pretrained.Taught.v1`.
    confidence: Whether to keep probabilities: `token._.head_confidence`, `dep_confidence`,
        `sent_start_confidence`.
    """
    pipe = BiaffineParser(
        nlp.vocab,
        model,
        name,
        max_sentence=max_sentence,
        distill_weight=distill_weight,
        confidence=confidence,
        scorer=scorer,
    )
    return own(nlp, pipe)


@dataclass
class Parse:
    """The parse of the N tokens of all Docs of a batch, numbered through."""

    heads: Ints1d  # (N,), itself for a root
    labels: Ints1d  # (N,), hashes
    confidence: dict[str, Floats1d]  # of each kind, (N,)


class BiaffineParser(DistillingPipe):
    """Deep biaffine attention (Dozat and Manning 2017) over sentences that it finds itself.

    Sentence starts that are set already, 1 or -1, are kept; unknown ones, 0, come from a score of
    each token. Each sentence gets the best tree with one root; trees may be non-projective. White
    space is no part of it: it hangs from the token before.
    """

    def __init__(
        self,
        vocab: Vocab,
        model: Model,
        name: str = "biaffine_parser",
        *,
        max_sentence: int = 512,
        distill_weight: float = 0.0,
        confidence: bool = False,
        scorer: Callable | None = score,
    ):
        if max_sentence < 1:
            raise ValueError(Errors.MAX_SENTENCE.format(name=name, max_sentence=max_sentence))
        super().__init__(vocab, model, name, confidence=confidence, scorer=scorer, labels=[])
        self._set_distill_weight(distill_weight)
        self.max_sentence = max_sentence
        if confidence:
            for kind in CONFIDENCES:
                register_tokens(kind, name)

    def add_label(self, label: str) -> int:
        """Add a label, also to a trained component: what it has learnt stays, and training
        continues from there. The new label is improbable until it is met in training.

        RETURNS: 1, or 0 if the label is there already.
        """
        if not isinstance(label, str) or not label.strip():
            raise ValueError(Errors.LABEL_INVALID.format(name=self.name, label=label))
        if label in self.labels:
            return 0
        layer = self.model.get_ref("labels")
        if layer.has_param("W"):
            # Not like ROOT, which is no rival of the others.
            others = [i for i, old in enumerate(self.labels) if old != ROOT]
            add_label_scores(layer, like=others[0] if others else 0)
        self.cfg["labels"].append(label)
        self.vocab.strings.add(label)
        install_noun_chunks(self.vocab, self.label_data)
        return 1

    _label_layer = "labels"

    # Prediction

    def predict(self, docs: Iterable[Doc]) -> Parse:
        docs = list(docs)
        self._check_ready(docs)
        if not docs:
            return Parse(np.zeros(0, dtype="int64"), np.zeros(0, dtype="uint64"), {})
        vectors = self.model.get_ref("vectors").predict(docs)
        words = ~is_space(*docs)
        starts, sure = self._find_sentences(self.model, docs, vectors, words)
        heads = heads_of_spaces(starts, words)
        add_strings(docs, [OF_SPACE, ROOT])
        labels = np.full(len(heads), get_string_id(OF_SPACE), dtype="uint64")
        labels[heads == np.arange(len(heads))] = get_string_id(ROOT)
        parse = Parse(heads, labels, {})
        if self.confidence:
            parse.confidence = {kind: np.ones(len(heads), dtype="float32") for kind in CONFIDENCES}
            parse.confidence["sent_start"] = sure
        for batch in batch_sentences(starts, words):
            self._parse_batch(docs, vectors, batch, parse)
        return parse

    def _find_sentences(
        self, model: Model, docs: list[Doc], vectors: Floats2d, words: np.ndarray
    ) -> tuple[np.ndarray, Floats1d]:
        """First tokens of sentences, bool (N,), and how probable it is that each token is one, or
        is none, as found, (N,)."""
        neighbours = self._find_neighbours(docs, words)
        scores = self._check_finite(model.get_ref("sentences").predict((vectors, neighbours)))
        sure = sigmoid(self.model.ops.to_numpy(scores).ravel())
        known = _known_starts(docs)
        firsts = first_tokens([len(doc) for doc in docs])
        forced = firsts | (known > 0)
        is_start = np.where(find_open(known, firsts, words), sure, forced)
        preference = np.where(words, sure, -1.0) - (known < 0)
        starts = bound(is_start > 0.5, preference, self.max_sentence)
        return starts, np.where(starts, is_start, 1 - is_start).astype("float32")

    def _find_neighbours(self, docs: list[Doc], words: np.ndarray) -> Ints2d:
        return self.model.ops.asarray_i(find_neighbours([len(doc) for doc in docs], words))

    def _parse_batch(
        self, docs: list[Doc], vectors: Floats2d, batch: SentenceBatch, parse: Parse
    ) -> None:
        """Find the heads and labels of some sentences."""
        ops = self.model.ops
        X = vectors[ops.asarray_i(batch.rows)]
        scores = self.model.get_ref("arcs").predict((X, ops.asarray_i(batch.words)))
        scores = ops.to_numpy(self._check_finite(scores))
        columns = decode(scores, batch.lengths)[batch.is_word]
        heads = batch.from_columns(columns)
        label_scores = self._score_labels(X, heads)
        parse.heads[batch.rows] = batch.to_rows(heads)
        best = label_scores.argmax(axis=1)
        parse.labels[batch.rows] = self._hash_labels(docs, best, self.label_data)
        if self.confidence:
            sure = softmax(np.where(batch.is_head, scores, -np.inf))[batch.is_word]
            parse.confidence["head"][batch.rows] = sure[np.arange(len(columns)), columns]
            parse.confidence["dep"][batch.rows] = best_probability(label_scores)

    def _score_labels(self, X: Floats2d, heads: Ints1d) -> Floats2d:
        """Scores (W, labels) for the arcs between words and their heads, -1 for the root, which
        alone takes the label ROOT, and no other."""
        ops = self.model.ops
        arcs = ops.asarray_i(np.arange(len(heads))), ops.asarray_i(heads)
        scores = self._check_finite(self.model.get_ref("labels").predict((X, *arcs)))
        scores = ops.to_numpy(scores)
        labels = self.label_data
        if ROOT in labels and len(labels) > 1:
            is_root = np.arange(len(labels)) == labels.index(ROOT)
            scores = np.where((heads < 0)[:, None] == is_root, scores, -np.inf)
        return scores

    def set_annotations(self, docs: Iterable[Doc], parse: Parse) -> None:
        distances = (parse.heads - np.arange(len(parse.heads))).astype("int64")
        rows, low = np.stack([distances.astype("uint64"), parse.labels], axis=1), 0
        for doc in docs:
            high = low + len(doc)
            if len(doc):
                # This sets sentence starts too: a sentence is the tokens under one root.
                doc.from_array(["HEAD", "DEP"], rows[low:high])
            # A Doc that is older than this parser, or made for another vocab, has none or others.
            doc.noun_chunks_iterator = self.vocab.get_noun_chunks
            if self.confidence:
                found = {kind: values[low:high] for kind, values in parse.confidence.items()}
                store_tokens(doc, found)
            else:
                clear_tokens(doc, CONFIDENCES)
            low = high

    # Saving

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> "BiaffineParser":
        super().from_bytes(bytes_data, exclude=exclude)
        install_noun_chunks(self.vocab, self.label_data)
        return self

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> "BiaffineParser":
        super().from_disk(path, exclude=exclude)
        install_noun_chunks(self.vocab, self.label_data)
        return self

    # Training

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Language | None = None,
        labels: list[str] | None = None,
    ) -> None:
        """Collect the labels of the examples, and allocate the model.

        labels: Labels in place of those of the examples.
        """
        validate_get_examples(get_examples, "BiaffineParser.initialize")
        if labels is None:
            labels = collect_labels(get_examples(), ["dep"])["dep"]
        if not self.model.get_ref("labels").has_param("W"):  # labels that were added come first
            labels = dict.fromkeys([*self.labels, *labels])
        self._set_labels(list(labels), what="heads and labels")
        install_noun_chunks(self.vocab, self.label_data)
        resize(self.model.get_ref("labels"), nO=len(self.labels))
        self._initialize_model(get_examples)

    def get_loss(self, examples: list[Example], vectors: Floats2d) -> tuple[float, Floats2d]:
        """Cross-entropies of sentence starts, heads and labels, summed; missing annotation is
        left out. The layers' own gradients are accumulated on the way.

        vectors: Those (N, D) of the N tokens of all examples. RETURNS: Loss and gradient (N, D).
        """
        gold = read_parser_gold(examples, self.label_data, self.max_sentence, self.name)
        neighbours = self._find_neighbours([eg.predicted for eg in examples], gold.words)
        sentences = self.model.get_ref("sentences")
        scores, backprop = sentences.begin_update((vectors, neighbours))
        starts = to_targets(gold.start_targets)[:, None]
        taught = self._read_taught(examples, gold) if self.distill_weight else None
        if taught is not None:
            d_scores, loss = distill(
                *(self.model.ops, scores, starts, taught.start_targets, self.distill_weight),
                multi_label=True,
            )
        else:
            d_scores, loss = cross_entropy(self.model.ops, scores, starts, multi_label=True)
        gradient = backprop(d_scores)
        own, soft = weigh(gold, taught, self.distill_weight)
        for batch in batch_sentences(gold.starts, gold.words):
            loss += self._learn_batch(vectors, batch, gold, own, gradient)
        if taught is not None:
            loss += learn_parses(self.model, vectors, taught, soft, gradient)
        return loss, gradient

    def _read_taught(self, examples: list[Example], gold: ParserGold) -> TaughtParses:
        docs = [example.predicted for example in examples]
        firsts = first_tokens([len(doc) for doc in docs])
        open_ = find_open(_known_starts(docs), firsts, gold.words)
        return read_taught_parses(examples, gold.words, open_, self.label_data, self.name)

    @property
    def _kinds(self) -> list[str]:
        return ["parse", "dep"]

    def teach(self, docs: list[Doc], temperature: float, top_k: int) -> list[Said]:
        self._check_ready(docs)
        vectors = self.model.get_ref("vectors").predict(docs)
        words = ~is_space(*docs)
        starts, _ = self._find_sentences(self.model, docs, vectors, words)
        found = vectors, self._find_neighbours(docs, words), starts, words, self.label_data
        return say_parses(self.model, docs, *found, temperature=temperature, top_k=top_k)

    def compare(
        self, docs: list[Doc], vectors: Floats2d, old_model: Model, old_docs: list[Doc]
    ) -> tuple[float, Floats2d]:
        """Of the sentences and heads that the old model finds."""
        old_vectors = old_model.get_ref("vectors").predict(old_docs)
        words = ~is_space(*docs)
        starts, _ = self._find_sentences(old_model, docs, old_vectors, words)
        firsts = first_tokens([len(doc) for doc in docs])
        open_ = find_open(_known_starts(docs), firsts, words)
        neighbours = self._find_neighbours(docs, words)
        batches = batch_sentences(starts, words)
        both = self.model, vectors, old_model, old_vectors
        return compare_parses(*both, neighbours, open_, batches)

    def _learn_batch(
        self,
        vectors: Floats2d,
        batch: SentenceBatch,
        gold: ParserGold,
        weights: Weights,
        gradient: Floats2d,
    ) -> float:
        """The loss of heads and labels of some sentences; adds to the gradient of all vectors."""
        ops = self.model.ops
        known = gold.heads[batch.rows] != NO_GOLD
        if not known.any():
            return 0.0
        heads = batch.from_rows(gold.heads[batch.rows])
        rows = ops.asarray_i(batch.rows)
        X = vectors[rows]

        arcs = X, ops.asarray_i(batch.words)
        scores, backprop_arcs = self.model.get_ref("arcs").begin_update(arcs)
        columns = np.full(batch.words.shape, NO_GOLD)
        columns[batch.is_word] = np.where(known, batch.to_columns(heads), NO_GOLD)
        counts = np.zeros(batch.words.shape, dtype="float32")
        counts[batch.is_word] = weights.heads[batch.rows]
        d_scores, arc_loss = _learn_columns(ops, scores, batch.is_head, columns, counts)
        d_X, _ = backprop_arcs(d_scores)

        arcs = X, ops.asarray_i(np.flatnonzero(known)), ops.asarray_i(heads[known])
        label_scores, backprop_labels = self.model.get_ref("labels").begin_update(arcs)
        labels = gold.labels[batch.rows][known]
        counts = weights.labels[batch.rows][known]
        d_labels, label_loss = cross_entropy(ops, label_scores, labels, weights=counts)
        d_X += backprop_labels(d_labels)[0]
        gradient[rows] += d_X
        return arc_loss + label_loss


def _learn_columns(
    ops: Ops,
    scores: Floats3d,
    is_head: np.ndarray,
    columns: np.ndarray,
    counts: Floats2d,
) -> tuple[Floats3d, float]:
    """Cross-entropy of scores (S, L, L+1) of heads against the columns (S, L) of the gold ones.

    counts: What each word counts (S, L).
    """
    possible = ops.xp.where(ops.asarray(is_head), scores, -np.inf)
    flat = possible.reshape(-1, possible.shape[2])
    d_flat, loss = cross_entropy(ops, flat, columns.ravel(), weights=counts.ravel())
    return d_flat.reshape(scores.shape), loss


def _known_starts(docs: list[Doc]) -> Ints1d:
    return read_columns(docs, [SENT_START])[0].astype("int64")
