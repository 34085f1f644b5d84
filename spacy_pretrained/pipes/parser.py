"""The `biaffine_parser` component: heads, dependency labels and sentence starts."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice

import numpy as np
from spacy.language import Language
from spacy.pipeline import TrainablePipe
from spacy.tokens import Doc
from spacy.training import Example, validate_examples, validate_get_examples
from spacy.vocab import Vocab
from thinc.api import Model, Ops, Optimizer, set_dropout_rate
from thinc.types import Floats1d, Floats2d, Floats3d, Ints1d, Ints2d

from .. import confidence as confidences
from ..errors import Errors
from ..gold import NO_GOLD, is_space, read_attribute, read_heads, read_sentence_starts
from ..losses import binary_cross_entropy, cross_entropy, sigmoid, softmax
from ..mst import decode
from ..sentences import batch_sentences, bound, heads_of_spaces

ROOT = "ROOT"
OF_SPACE = "dep"  # the label of white space, as stock parsers give it
CONFIDENCES = ("head", "dep", "sent_start")

DEFAULT_MODEL = {
    "@architectures": "spacy-pretrained.BiaffineParser.v1",
    "tok2vec": {"@architectures": "spacy-pretrained.EncoderListener.v1"},
}


@Language.factory(
    "biaffine_parser",
    assigns=["token.dep", "token.head", "token.is_sent_start", "doc.sents"],
    default_config={
        "model": DEFAULT_MODEL,
        "max_sentence": 512,
        "confidence": False,
        "scorer": {"@scorers": "spacy.parser_scorer.v1"},
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
    confidence: bool,
    scorer: Callable | None,
) -> "BiaffineParser":
    """Make a parser.

    max_sentence: Tokens of the longest sentence, which bounds time and memory (they grow with its
        square). A longer one is split, from its left end on, before the token that most probably
        starts a sentence among the next `max_sentence`.
    confidence: Whether to keep probabilities: `token._.head_confidence`, `dep_confidence`,
        `sent_start_confidence`.
    """
    return BiaffineParser(
        nlp.vocab,
        model,
        name,
        max_sentence=max_sentence,
        confidence=confidence,
        scorer=scorer,
    )


@dataclass
class Parse:
    """The parse of the N tokens of all Docs of a batch, numbered through."""

    heads: Ints1d  # (N,), itself for a root
    labels: Ints1d  # (N,), hashes
    confidence: dict[str, Floats1d]  # of each kind, (N,)


class BiaffineParser(TrainablePipe):
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
        confidence: bool = False,
        scorer: Callable | None = None,
    ):
        self.vocab = vocab
        self.model = model
        self.name = name
        self.max_sentence = max_sentence
        self.confidence = confidence
        self.scorer = scorer
        self.cfg: dict = {"labels": []}
        if confidence:
            for kind in CONFIDENCES:
                confidences.register(kind)

    # Labels

    @property
    def label_data(self) -> list[str]:
        return self.cfg["labels"]

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(self.label_data)

    # Prediction

    def predict(self, docs: Iterable[Doc]) -> Parse:
        docs = list(docs)
        if not self.label_data:
            raise ValueError(Errors.NOT_TRAINED.format(name=self.name))
        vectors = self.model.get_ref("vectors").predict(docs)
        words = ~_flat(docs, is_space)
        starts, start_scores = self._find_sentences(docs, vectors, words)
        heads = heads_of_spaces(starts, words)
        labels = np.full(len(heads), self.vocab.strings.add(OF_SPACE), dtype="uint64")
        labels[heads == np.arange(len(heads))] = self.vocab.strings.add(ROOT)
        parse = Parse(heads, labels, {})
        if self.confidence:
            parse.confidence = {kind: np.ones(len(heads), dtype="float32") for kind in CONFIDENCES}
            sure = sigmoid(self.model.ops, start_scores)
            parse.confidence["sent_start"] = np.where(starts, sure, 1 - sure)
        for index in batch_sentences(starts, words):
            self._parse_batch(vectors, index, parse)
        return parse

    def _find_sentences(
        self, docs: list[Doc], vectors: Floats2d, words: np.ndarray
    ) -> tuple[np.ndarray, Floats1d]:
        """First tokens of sentences, bool (N,), and the scores (N,) they come from."""
        ops = self.model.ops
        scores = ops.to_numpy(self.model.get_ref("sentences").predict(vectors)).ravel()
        known = _flat(docs, _known_starts)
        starts = np.where(known != 0, known > 0, (scores > 0) & words)
        starts[_first_tokens(docs)] = True
        scores = np.where(known != 0, np.where(known > 0, np.inf, -np.inf), scores)
        return bound(starts, np.where(words, scores, -np.inf), self.max_sentence), scores

    def _parse_batch(self, vectors: Floats2d, index: Ints2d, parse: Parse) -> None:
        """Find heads and labels of the sentences in `index` (S, L), rows of the vectors."""
        ops = self.model.ops
        is_word = index >= 0
        rows = index[is_word]
        local = _number(is_word)
        X = vectors[ops.asarray_i(rows)]
        scores = ops.to_numpy(self.model.get_ref("arcs").predict((X, ops.asarray_i(local))))
        columns = decode(scores, is_word.sum(axis=1))
        # Column 0 is the root, which row -1 stands for; column j + 1 is word j of the sentence.
        heads = np.take_along_axis(np.pad(local, ((0, 0), (1, 0)), constant_values=-1), columns, 1)
        heads = heads[is_word]
        dependents = np.arange(len(rows))
        label_scores = self.model.get_ref("labels").predict(
            (X, ops.asarray_i(dependents), ops.asarray_i(heads))
        )
        label_scores = self._only_roots_are_root(ops.to_numpy(label_scores), heads)
        best = label_scores.argmax(axis=1)
        parse.heads[rows] = np.where(heads < 0, rows, rows[heads])
        parse.labels[rows] = self._label_hashes()[best]
        if self.confidence:
            masked = _mask_arcs(ops, scores, is_word)
            sure = np.take_along_axis(softmax(ops, masked), columns[:, :, None], 2)[:, :, 0]
            parse.confidence["head"][rows] = sure[is_word]
            parse.confidence["dep"][rows] = softmax(ops, label_scores).max(axis=1)

    def _only_roots_are_root(self, scores: Floats2d, heads: Ints1d) -> Floats2d:
        if ROOT in self.label_data:
            column = self.label_data.index(ROOT)
            scores[heads >= 0, column] = -np.inf
            others = np.arange(scores.shape[1]) != column
            scores[np.ix_(heads < 0, others)] = -np.inf
        return scores

    def _label_hashes(self) -> np.ndarray:
        return np.asarray([self.vocab.strings.add(x) for x in self.label_data], dtype="uint64")

    def set_annotations(self, docs: Iterable[Doc], parse: Parse) -> None:
        low = 0
        for doc in docs:
            high = low + len(doc)
            if len(doc):
                heads = (parse.heads[low:high] - np.arange(low, high)).astype("int64")
                columns = np.stack([heads.astype("uint64"), parse.labels[low:high]], axis=1)
                # This sets sentence starts too: a sentence is the tokens under one root.
                doc.from_array(["HEAD", "DEP"], columns)
            for kind, values in parse.confidence.items():
                confidences.store(doc, kind, values[low:high].copy())
            low = high

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
            hashes: set[int] = set()
            for example in get_examples():
                hashes.update(np.unique(read_attribute(example, "DEP")).tolist())
            labels = sorted(self.vocab.strings[h] for h in hashes if h)
        if not labels:
            raise ValueError(Errors.NO_LABELS.format(name=self.name, what="heads and labels"))
        self.cfg["labels"] = list(labels)
        self.model.get_ref("labels").set_dim("nO", len(labels), force=True)
        self.model.initialize(X=[example.x for example in islice(get_examples(), 10)])

    def update(
        self,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optimizer | None = None,
        losses: dict[str, float] | None = None,
    ) -> dict[str, float]:
        losses = {} if losses is None else losses
        losses.setdefault(self.name, 0.0)
        examples = list(examples)
        validate_examples(examples, "BiaffineParser.update")
        set_dropout_rate(self.model, drop)
        vectors, backprop = self.model.begin_update([example.predicted for example in examples])
        loss, gradient = self.get_loss(examples, vectors)
        backprop(gradient)
        if sgd is not None:
            self.finish_update(sgd)
        losses[self.name] += loss
        return losses

    def get_loss(self, examples: list[Example], vectors: Floats2d) -> tuple[float, Floats2d]:
        """Cross-entropies of sentence starts, heads and labels, summed; missing annotation is
        left out. The layers' own gradients are accumulated on the way.

        vectors: Those (N, D) of the N tokens of all examples. RETURNS: Loss and gradient (N, D).
        """
        gold = _Gold(self, examples)
        scores, backprop = self.model.get_ref("sentences").begin_update(vectors)
        d_scores, loss = binary_cross_entropy(self.model.ops, scores, gold.start_targets)
        gradient = backprop(d_scores)
        for index in batch_sentences(gold.starts, gold.words):
            loss += self._learn_batch(vectors, index, gold, gradient)
        if not math.isfinite(loss):
            raise ValueError(Errors.LOSS_NOT_FINITE.format(name=self.name, loss=loss))
        return loss, gradient

    def _learn_batch(
        self, vectors: Floats2d, index: Ints2d, gold: "_Gold", gradient: Floats2d
    ) -> float:
        """Loss of heads and labels of the sentences in `index` (S, L); adds to the gradient."""
        ops = self.model.ops
        is_word = index >= 0
        rows, local = index[is_word], _number(is_word)
        heads = gold.heads[rows]
        known = heads != NO_GOLD
        if not known.any():
            return 0.0
        X = vectors[ops.asarray_i(rows)]
        place = np.full(len(gold.heads), -1)  # of each row among those of this batch
        place[rows] = np.arange(len(rows))
        heads = np.where(heads == rows, -1, place[heads])

        scores, backprop_arcs = self.model.get_ref("arcs").begin_update((X, ops.asarray_i(local)))
        scores = _mask_arcs(ops, scores, is_word)
        columns = np.full(index.shape, -1)
        position = _position(is_word)
        columns[is_word] = np.where(known, np.where(heads < 0, 0, position[heads] + 1), -1)
        flat = scores.reshape(-1, scores.shape[2])
        d_flat, arc_loss = cross_entropy(ops, flat, columns.ravel())
        d_X, _ = backprop_arcs(d_flat.reshape(scores.shape))

        arcs = ops.asarray_i(np.flatnonzero(known)), ops.asarray_i(heads[known])
        label_scores, backprop_labels = self.model.get_ref("labels").begin_update((X, *arcs))
        d_labels, label_loss = cross_entropy(ops, label_scores, gold.labels[rows][known])
        d_X += backprop_labels(d_labels)[0]
        gradient[ops.asarray_i(rows)] += d_X
        return arc_loss + label_loss


class _Gold:
    """What the examples say of their N tokens, numbered through."""

    def __init__(self, parser: BiaffineParser, examples: list[Example]):
        docs = [example.predicted for example in examples]
        firsts = _first_tokens(docs)
        offsets = np.concatenate([np.full(len(d), low) for d, low in zip(docs, _lows(docs))])
        self.words = ~_flat(docs, is_space)
        known = np.concatenate([read_sentence_starts(example) for example in examples])
        # White space never starts a sentence, but at the beginning of a text, where all do.
        self.start_targets = np.where(self.words, known, 0)
        self.start_targets[firsts] = 0
        self.starts = known > 0
        self.starts[firsts] = True
        heads = np.concatenate([read_heads(example) for example in examples])
        heads = np.where(heads == NO_GOLD, NO_GOLD, heads + offsets)
        _check_sentences(examples, heads, self.starts, offsets)
        self.starts = bound(self.starts, self.starts.astype("float32"), parser.max_sentence)
        # An arc to white space, or out of what is left of a sentence too long, is not learnt.
        sentence = np.cumsum(self.starts)
        lost = (sentence[heads] != sentence) | ~self.words[heads] | ~self.words
        self.heads = np.where(lost, NO_GOLD, heads)
        self.labels = _label_columns(parser, examples)


def _label_columns(parser: BiaffineParser, examples: list[Example]) -> Ints1d:
    """The number (N,) of each token's label, -1 where it is missing."""
    strings = parser.vocab.strings
    numbers = {strings.add(label): i for i, label in enumerate(parser.label_data)} | {0: -1}
    hashes = np.concatenate([read_attribute(example, "DEP") for example in examples])
    distinct, where = np.unique(hashes, return_inverse=True)
    for label in distinct.tolist():
        if label not in numbers:
            raise ValueError(Errors.LABEL_UNKNOWN.format(name=parser.name, label=strings[label]))
    return np.asarray([numbers[h] for h in distinct.tolist()], dtype="int64")[where]


def _check_sentences(
    examples: list[Example], heads: Ints1d, starts: np.ndarray, offsets: Ints1d
) -> None:
    sentence = np.cumsum(starts)
    crossing = np.flatnonzero((heads != NO_GOLD) & (sentence[heads] != sentence))
    if not len(crossing):
        return
    row = int(crossing[0])
    tokens = [token for example in examples for token in example.predicted]
    low = int(offsets[row])
    i, head = row - low, int(heads[row]) - low
    raise ValueError(
        Errors.HEAD_CROSSES.format(
            i=i,
            token=tokens[row].text,
            head=head,
            other=tokens[int(heads[row])].text,
            text=repr(tokens[row].doc[max(0, min(i, head) - 3) : max(i, head) + 4].text),
        )
    )


def _mask_arcs(ops: Ops, scores: Floats3d, is_word: np.ndarray) -> Floats3d:
    """Scores (S, L, L+1) with padding and a token above itself out of the question."""
    S, L = is_word.shape
    possible = np.concatenate([np.ones((S, 1), dtype=bool), is_word], axis=1)[:, None]
    possible = possible & ~np.eye(L, L + 1, k=1, dtype=bool)
    return ops.xp.where(ops.asarray(possible), scores, -np.inf)


def _number(is_word: np.ndarray) -> Ints2d:
    """Number the words of an index array (S, L) through; -1 for padding."""
    numbers = np.full(is_word.shape, -1)
    numbers[is_word] = np.arange(is_word.sum())
    return numbers


def _position(is_word: np.ndarray) -> Ints1d:
    """The place of each word in its sentence."""
    return np.nonzero(is_word)[1]


def _flat(docs: list[Doc], read: Callable[[Doc], np.ndarray]) -> np.ndarray:
    return np.concatenate([read(doc) for doc in docs]) if docs else np.zeros(0, dtype=bool)


def _known_starts(doc: Doc) -> Ints1d:
    return doc.to_array(["SENT_START"]).astype("int64").ravel()


def _lows(docs: list[Doc]) -> Ints1d:
    return np.cumsum([0] + [len(doc) for doc in docs])[:-1]


def _first_tokens(docs: list[Doc]) -> Ints1d:
    return np.asarray([low for low, doc in zip(_lows(docs), docs) if len(doc)], dtype="int64")
