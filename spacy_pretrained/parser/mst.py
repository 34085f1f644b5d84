"""From scores of arcs to the best tree of each sentence: maximum spanning arborescences.

Heads are numbered as the columns of the scores are: 0 is the root, `j + 1` is token `j`. Each
sentence gets a tree with exactly one token below the root. Nearly always the best head of every
token makes such a tree already; all sentences are asked at once, and only those that have none
are searched for one.
"""

import numpy as np
from thinc.types import Floats2d, Floats3d, Ints1d, Ints2d

from .errors import Errors


def decode(scores: Floats3d, lengths: Ints1d) -> Ints2d:
    """The heads (S, L) of the best single-rooted tree of each sentence.

    scores (S, L, L+1): `scores[s, i, 0]` for the root above token i of sentence s, and
    `scores[s, i, j + 1]` for token j above it. lengths (S,): tokens of each sentence. Scores of
    padding and of a token above itself are never read and may be anything; the heads of padding
    are 0. Where trees tie, the answer is one of the best and always the same one.

    Raises ValueError if a score is NaN or infinite, or if the shapes do not fit.

    >>> decode(np.array([[[1.0, 0.0, 5.0], [3.0, 4.0, 0.0]]]), np.array([2]))
    array([[2, 0]])
    """
    if scores.ndim != 3 or scores.shape[2] != scores.shape[1] + 1:
        raise ValueError(Errors.SCORES_SHAPE.format(shape=scores.shape))
    sentences, longest, _ = scores.shape
    if lengths.shape != (sentences,) or (lengths < 0).any() or (lengths > longest).any():
        raise ValueError(
            Errors.SENTENCE_LENGTHS.format(sentences=sentences, longest=longest, lengths=lengths)
        )
    is_head = np.arange(longest + 1) <= lengths[:, None]
    is_token = is_head[:, 1:]
    is_arc = is_token[:, :, None] & is_head[:, None, :]
    token = np.arange(longest)
    is_arc[:, token, token + 1] = False  # not above itself
    if not np.isfinite(scores).all() and not np.isfinite(scores[is_arc]).all():
        raise ValueError(
            Errors.SCORES_NOT_FINITE.format(of="arcs", where=_first_not_finite(scores, is_arc))
        )
    heads = np.where(is_arc, scores, -np.inf).argmax(axis=2)
    for s in np.flatnonzero(~is_tree(heads, lengths)):
        n = lengths[s]
        heads[s, :n] = maximum_arborescence(scores[s, :n, : n + 1])
    return heads


def is_tree(heads: Ints2d, lengths: Ints1d) -> np.ndarray:
    """Which sentences' heads (S, L) make a tree with exactly one token below the root: (S,).

    Heads of padding are not read; a head outside of its sentence makes no tree. A sentence
    without tokens counts as a tree.
    """
    longest = heads.shape[1]
    is_token = np.arange(longest) < lengths[:, None]
    is_inside = (heads >= 0) & (heads <= lengths[:, None])
    roots = (is_token & (heads == 0)).sum(axis=1)
    # Every jump doubles the distance to the ancestor that a node knows: after k jumps it is
    # 2**k arcs away. A path to the root has at most `longest` arcs, a cycle never gets there.
    ancestors = np.zeros((len(heads), longest + 1), dtype=np.intp)
    ancestors[:, 1:] = np.where(is_token & is_inside, heads, 0)
    sentence = np.arange(len(heads))[:, None]
    for _ in range(longest.bit_length()):
        ancestors = ancestors[sentence, ancestors]
    return (roots == (lengths > 0)) & (is_inside | ~is_token).all(axis=1) & ~ancestors.any(axis=1)


def maximum_arborescence(scores: Floats2d) -> Ints1d:
    """The heads (n,) of the best tree over n tokens with exactly one token below the root.

    scores (n, n+1), finite: column 0 for the root above a token, column j + 1 for token j.

    This is Chu-Liu's and Edmonds' algorithm in the form of Tarjan (1977, "Finding optimum
    branchings"): follow best heads from any node; a node met twice closes a cycle; contract it
    to one node and go on from there. All arcs of a node lie in one row, so that a cycle of k
    nodes is contracted in O(kn), and everything in O(n²).

    Trees with several roots, which Edmonds' algorithm would also consider, are kept out by an
    infinite penalty on the root's arcs (Zmigrod et al. 2020, "Please Mind the Root", and
    Stanojević and Cohen 2021 discuss it). With a penalty C each tree pays C for each of its
    roots: all single-rooted trees pay the same, and their order is as before, while for a large
    enough C any tree of two roots loses to them. Such a C makes a node take the root for its
    head only if nothing else is left, which is when all tokens have been contracted to one
    node. So it is enough to look at the root last; no C has to be added, and no digit is lost
    to it.
    """
    n = len(scores)
    if not np.isfinite(scores[~np.eye(n, n + 1, k=1, dtype=bool)]).all():
        raise ValueError(Errors.SCORES_NOT_FINITE.format(of="arcs", where=""))
    if n == 0:
        return np.zeros(0, dtype=np.intp)
    # Node 1 + i is token i, nodes from n + 1 on are contracted cycles, of which there are fewer
    # than n. Arcs of a node from inside of itself are -inf.
    gains = np.full((2 * n, n + 1), -np.inf)
    gains[1 : n + 1] = scores
    gains[np.arange(1, n + 1), np.arange(1, n + 1)] = -np.inf
    entered = np.zeros((2 * n, n + 1), dtype=np.intp)  # the cycle's node that an arc leads to
    owner = np.arange(n + 1)  # the node that a token is part of by now
    is_contracted = np.zeros(2 * n, dtype=bool)
    head = [0] * (2 * n)
    newest = n
    path = [1]
    while True:
        node = path[-1]
        best = 1 + int(gains[node, 1:].argmax())
        if gains[node, best] == -np.inf:
            break
        head[node] = best
        above = int(owner[best])
        if above not in path:
            path.append(above)
            continue
        start = path.index(above)
        cycle = path[start:]
        newest += 1
        path[start:] = [newest]
        # To enter the cycle at one of its nodes is to give up the arc that node has within it.
        changes = gains[cycle] - gains[cycle, [head[v] for v in cycle]][:, None]
        gains[newest] = changes.max(axis=0)
        entered[newest] = np.take(cycle, changes.argmax(axis=0))
        is_contracted[cycle] = True
        inside = is_contracted[owner]
        owner[inside] = newest
        gains[newest, inside] = -np.inf
    head[node] = 0
    # From the last cycle to the first: where it is entered, one of its nodes changes its head.
    for cycle in range(newest, n, -1):
        head[entered[cycle, head[cycle]]] = head[cycle]
    return np.array(head[1 : n + 1], dtype=np.intp)


def _first_not_finite(scores: Floats3d, is_arc: np.ndarray) -> str:
    sentence, dependent, head = np.argwhere(~np.isfinite(scores) & is_arc)[0]
    value = scores[sentence, dependent, head]
    return f" (the first is {value} at sentence {sentence}, token {dependent}, column {head})"
