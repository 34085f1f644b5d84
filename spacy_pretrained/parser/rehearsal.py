"""How far a parser's scores are from those that it gave before."""

from collections.abc import Iterable

import numpy as np
from thinc.api import Model
from thinc.types import Floats2d, Ints2d

from ..annotation.sentences import SentenceBatch
from ..heads.divergence import binary_divergence, divergence
from .mst import decode


def compare_parses(
    model: Model,
    vectors: Floats2d,
    old_model: Model,
    old_vectors: Floats2d,
    neighbours: Ints2d,
    open_: np.ndarray,
    batches: Iterable[SentenceBatch],
) -> tuple[float, Floats2d]:
    """Divergences of sentence starts, heads and labels, summed; the layers' own gradients are
    accumulated on the way.

    vectors, old_vectors: Of the N tokens of all Docs, (N, D), each as its model has them.
    neighbours: Rows (N, 2) of the words beside each token.
    open_: Tokens that may or may not start a sentence, bool (N,).
    batches: The sentences as the old model finds them; labels are those of the heads that it finds.
    RETURNS: Loss, and gradient (N, D) of the vectors.
    """
    ops = model.ops
    layer, old_layer = (m.get_ref("sentences") for m in (model, old_model))
    # Tokens that are not open are left out, and then put back without a gradient.
    scores, backprop = layer.begin_update((vectors, neighbours))
    d_scores = ops.alloc2f(*scores.shape)
    chosen = ops.asarray_i(np.flatnonzero(open_))
    old_scores = old_layer.predict((old_vectors, neighbours))
    d_scores[chosen], loss = binary_divergence(ops, scores[chosen], old_scores[chosen])
    gradient = backprop(d_scores)
    for batch in batches:
        rows = ops.asarray_i(batch.rows)
        batch_loss, d_X = _compare_batch(model, vectors[rows], old_model, old_vectors[rows], batch)
        gradient[rows] += d_X
        loss += batch_loss
    return loss, gradient


def _compare_batch(
    model: Model, X: Floats2d, old_model: Model, old_X: Floats2d, batch: SentenceBatch
) -> tuple[float, Floats2d]:
    """The same for the heads and labels of some sentences: of their W words, X (W, D)."""
    ops = model.ops
    is_head, is_word = ops.asarray(batch.is_head), ops.asarray(batch.is_word)
    words = ops.asarray_i(batch.words)
    old = old_model.get_ref("arcs").predict((old_X, words))
    columns = decode(ops.to_numpy(old), batch.lengths)[batch.is_word]
    scores, backprop_arcs = model.get_ref("arcs").begin_update((X, words))
    d_words, arc_loss = divergence(
        ops,
        *(ops.xp.where(is_head, s, -np.inf)[is_word] for s in (scores, old)),
    )
    d_scores = ops.alloc3f(*scores.shape)
    d_scores[is_word] = d_words
    d_X, _ = backprop_arcs(d_scores)

    heads = ops.asarray_i(batch.from_columns(columns))
    arcs = ops.asarray_i(np.arange(len(batch.rows))), heads
    old = old_model.get_ref("labels").predict((old_X, *arcs))
    scores, backprop_labels = model.get_ref("labels").begin_update((X, *arcs))
    d_labels, label_loss = divergence(ops, scores, old)
    d_X += backprop_labels(d_labels)[0]
    return arc_loss + label_loss, d_X
