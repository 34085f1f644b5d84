"""What a parser says as a teacher, and how another learns from it.

Beside the labels ("dep", of the arcs that the teacher finds), `soft_targets.KEY` has these arrays
of the N tokens of a Doc:

- "parse": `starts` bool (N,), the first tokens of the sentences that the teacher finds; `heads`
  (N,), those that it finds, a root is its own head, NO_GOLD for white space.
- "head": `numbers` (N, k), the k most probable heads, and their `probabilities` (N, k).
- "sent_start": `probabilities` (N,) of a sentence start.
"""

from dataclasses import dataclass

import numpy as np
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import Model
from thinc.types import Floats1d, Floats2d, Ints1d, Ints2d

from ..annotation.gold import NO_GOLD, align_tokens
from ..annotation.sentences import SentenceBatch, batch_sentences
from ..heads.distilling import share, soft_cross_entropy
from ..heads.losses import sigmoid, softmax
from ..heads.soft_targets import (
    Said,
    SoftTargets,
    divide,
    find_said,
    keep_best,
    normalize,
    read_soft_labels,
    read_temperatures,
    say_labels,
)
from .gold import ParserGold
from .mst import decode

# The teacher


def say_parses(
    model: Model,
    docs: list[Doc],
    vectors: Floats2d,
    neighbours: Ints2d,
    starts: np.ndarray,
    words: np.ndarray,
    labels: list[str],
    *,
    temperature: float,
    top_k: int,
) -> list[Said]:
    """What a parser says of the N tokens of all Docs, Doc by Doc.

    vectors: (N, D). neighbours: Rows (N, 2) of the words beside each token.
    starts: bool (N,), first tokens of the sentences that it finds. words: bool (N,), all but white
        space.
    """
    ops, n = model.ops, len(words)
    scores = ops.to_numpy(model.get_ref("sentences").predict((vectors, neighbours)))
    sentences = list(batch_sentences(starts, words))
    k = max((batch.words.shape[1] + 1 for batch in sentences), default=1)
    k = min(k, top_k) or k
    heads = np.full(n, NO_GOLD, dtype="int32")
    numbers = np.repeat(np.arange(n, dtype="int32")[:, None], k, axis=1)
    sure = np.zeros((n, k), dtype="float16")
    label_sure = np.full((n, len(labels)), 1 / len(labels), dtype="float32")
    for batch in sentences:
        X = vectors[ops.asarray_i(batch.rows)]
        arcs = ops.to_numpy(model.get_ref("arcs").predict((X, ops.asarray_i(batch.words))))
        found = batch.from_columns(decode(arcs, batch.lengths)[batch.is_word])
        heads[batch.rows] = batch.to_rows(found)
        possible = np.where(batch.is_head, arcs / temperature, -np.inf)[batch.is_word]
        best, probabilities = keep_best(softmax(possible), k)
        for j in range(best.shape[1]):
            # The root stands for columns of padding, which are of no probability.
            columns = np.where(probabilities[:, j] > 0, best[:, j], 0)
            numbers[batch.rows, j] = batch.to_rows(batch.from_columns(columns))
            sure[batch.rows, j] = probabilities[:, j]
        pairs = ops.asarray_i(np.arange(len(found))), ops.asarray_i(found)
        of_labels = ops.to_numpy(model.get_ref("labels").predict((X, *pairs)))
        label_sure[batch.rows] = softmax(of_labels / temperature)
    lengths = [len(doc) for doc in docs]
    offsets = np.repeat(np.cumsum(lengths) - lengths, lengths).astype("int32")
    said = {
        "parse": {"starts": starts, "heads": np.where(heads < 0, NO_GOLD, heads - offsets)},
        "head": {"numbers": numbers - offsets[:, None], "probabilities": sure},
        "sent_start": {"probabilities": sigmoid(scores.ravel() / temperature).astype("float16")},
        "dep": say_labels(labels, label_sure, top_k),
    }
    return divide(said, docs)


# The student


@dataclass(frozen=True)
class TaughtParses:
    """What a teacher says of the N predicted tokens of a batch, numbered through."""

    words: np.ndarray  # bool (N,), those that it says something of, but no white space
    starts: np.ndarray  # bool (N,), first tokens of its sentences
    start_targets: SoftTargets  # of N rows of one score
    heads: Ints1d  # (N,), those that it finds, NO_GOLD for nothing to learn
    numbers: Ints2d  # (N, k), its most probable heads, NO_GOLD for none
    probabilities: Floats2d  # (N, k), of these; they sum to 1, or are all 0
    labels: SoftTargets

    @property
    def has_heads(self) -> np.ndarray:
        return self.probabilities.any(axis=1)

    @property
    def has_labels(self) -> np.ndarray:
        return self.labels.known & (self.heads != NO_GOLD)


def read_taught_parses(
    examples: list[Example], words: np.ndarray, open_: np.ndarray, labels: list[str], name: str
) -> TaughtParses:
    """words: bool (N,), all but white space. open_: bool (N,), tokens that may or may not start a
    sentence. labels, name: The component's.
    RAISES: ValueError if the teacher has labels that the component lacks."""
    said = [_read_example(example) for example in examples]
    k = max(found.numbers.shape[1] for found in said)
    lengths = [len(example.predicted) for example in examples]
    offsets = np.repeat(np.cumsum(lengths) - lengths, lengths)
    numbers = np.concatenate([_widen(found.numbers, k, NO_GOLD) for found in said])
    probabilities = np.concatenate([_widen(found.probabilities, k, 0) for found in said])
    heads = np.concatenate([found.heads for found in said])
    is_known = np.concatenate([found.known for found in said])
    starts = np.concatenate([found.start_probabilities for found in said])
    temperatures = read_temperatures(examples)
    return TaughtParses(
        words=words & is_known,
        starts=np.concatenate([found.starts for found in said]),
        start_targets=SoftTargets(np.where(open_, starts, np.nan)[:, None], temperatures),
        heads=np.where(heads == NO_GOLD, NO_GOLD, heads + offsets),
        numbers=np.where(numbers == NO_GOLD, NO_GOLD, numbers + offsets[:, None]),
        probabilities=probabilities,
        labels=read_soft_labels(examples, "dep", labels, name),
    )


@dataclass(frozen=True)
class Weights:
    """What the heads and the labels of N tokens count, (N,) each."""

    heads: Floats1d
    labels: Floats1d


def weigh(gold: ParserGold, taught: TaughtParses | None, weight: float) -> tuple[Weights, Weights]:
    """What the gold parses count, and the teacher's, at its weight (see `share`)."""
    has_head = gold.heads != NO_GOLD
    if taught is None:
        ones = np.ones(len(has_head), dtype="float32")
        return Weights(ones, ones), Weights(0 * ones, 0 * ones)
    heads = share(has_head, taught.has_heads, weight)
    labels = share(has_head & (gold.labels != NO_GOLD), taught.has_labels, weight)
    return Weights(heads[0], labels[0]), Weights(heads[1], labels[1])


def learn_parses(
    model: Model, vectors: Floats2d, taught: TaughtParses, weights: Weights, gradient: Floats2d
) -> float:
    """The loss of a teacher's heads and labels, in its sentences; adds to the gradient (N, D) of
    the vectors (N, D), and accumulates the layers' own gradients."""
    ops, loss = model.ops, 0.0
    for batch in batch_sentences(taught.starts, taught.words):
        rows = ops.asarray_i(batch.rows)
        X = vectors[rows]
        words = ops.asarray_i(batch.words)
        scores, backprop_arcs = model.get_ref("arcs").begin_update((X, words))
        is_word = ops.asarray(batch.is_word)
        possible = ops.xp.where(ops.asarray(batch.is_head), scores, -np.inf)[is_word]
        targets = SoftTargets(_to_columns(batch, taught), taught.labels.temperatures[batch.rows])
        d_words, arc_loss = soft_cross_entropy(ops, possible, targets, weights.heads[batch.rows])
        d_scores = ops.xp.zeros_like(scores)
        d_scores[is_word] = d_words
        d_X, _ = backprop_arcs(d_scores)

        known = taught.has_labels[batch.rows]
        heads = batch.from_rows(taught.heads[batch.rows])[known]
        arcs = X, ops.asarray_i(np.flatnonzero(known)), ops.asarray_i(heads)
        label_scores, backprop_labels = model.get_ref("labels").begin_update(arcs)
        chosen = batch.rows[known]
        d_labels, label_loss = soft_cross_entropy(
            ops, label_scores, taught.labels.take(chosen), weights.labels[chosen]
        )
        d_X += backprop_labels(d_labels)[0]
        gradient[rows] += d_X
        loss += arc_loss + label_loss
    return loss


def _to_columns(batch: SentenceBatch, taught: TaughtParses) -> Floats2d:
    """The probabilities (W, L+1) of heads, as columns of scores; NaN where nothing is said."""
    numbers, probabilities = taught.numbers[batch.rows], taught.probabilities[batch.rows]
    targets = np.zeros((len(batch.rows), batch.words.shape[1] + 1), dtype="float32")
    words = np.arange(len(batch.rows))
    for j in range(numbers.shape[1]):
        # A word is its own stand-in for a head that is none: the root, with a probability of 0.
        heads = np.where(numbers[:, j] == NO_GOLD, batch.rows, numbers[:, j])
        targets[words, batch.to_columns(batch.from_rows(heads))] += probabilities[:, j]
    targets[~probabilities.any(axis=1)] = np.nan
    return targets


@dataclass(frozen=True)
class _Said:
    """The same of one example, as its N predicted tokens."""

    known: np.ndarray
    starts: np.ndarray
    start_probabilities: Floats1d
    heads: Ints1d
    numbers: Ints2d
    probabilities: Floats2d


def _read_example(example: Example) -> _Said:
    gold = align_tokens(example)
    n = len(gold)
    starts = np.zeros(n, dtype=bool)
    starts[:1] = True
    parse = find_said(example, "parse")
    if parse is None:
        nothing = np.full(n, NO_GOLD)
        unknown = np.full(n, np.nan, dtype="float32")
        no_heads = np.zeros((n, 1), dtype="float32")
        return _Said(nothing >= 0, starts, unknown, nothing, nothing[:, None], no_heads)
    known = gold >= 0
    # From tokens of the reference to predicted ones; the last stands for "none".
    own = np.full(len(example.reference) + 1, NO_GOLD)
    own[gold[known]] = np.flatnonzero(known)
    # A token that the reference cuts otherwise is of the sentence of the one before, if any.
    sentence = np.cumsum(parse["starts"])
    sentence = np.maximum.accumulate(np.where(known, sentence[gold], 1))
    starts[1:] = np.diff(sentence) > 0
    head = find_said(example, "head")
    numbers = np.where(known[:, None], own[head["numbers"][gold]], NO_GOLD)
    sure = np.where(numbers == NO_GOLD, 0, head["probabilities"][gold].astype("float32"))
    has_heads = known & (sure.sum(axis=1) > 0)
    sure[has_heads] = normalize(sure[has_heads])
    sent_start = find_said(example, "sent_start")["probabilities"].astype("float32")
    return _Said(
        known=known,
        starts=starts,
        start_probabilities=np.where(known, sent_start[gold], np.nan),
        heads=np.where(known, own[parse["heads"][gold]], NO_GOLD),
        numbers=numbers,
        probabilities=sure,
    )


def _widen(values: np.ndarray, k: int, filler: float) -> np.ndarray:
    return np.pad(values, ((0, 0), (0, k - values.shape[1])), constant_values=filler)
