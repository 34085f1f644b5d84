"""Deep biaffine attention (Dozat and Manning 2017): scores of arcs, and of the labels of arcs.

Tokens come as the rows of one matrix X (N, nI), whatever sentences they stand in. One row more,
the row -1, is the root; its vector is learnt. Everything is computed in the type of the
parameters and of X, which is float32 unless a test says otherwise.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
from thinc.api import Model, Ops
from thinc.initializers import glorot_uniform_init, uniform_init, zero_init
from thinc.types import Floats2d, Floats3d, Ints1d, Ints2d
from thinc.util import get_width

from ..heads.resizing import FAR_BELOW, resize
from .errors import Errors

ArcsIn = tuple[Floats2d, Ints2d]
LabelsIn = tuple[Floats2d, Ints1d, Ints1d]

# Numbers in the largest temporary of the labels' bilinear product, which are 4 MB of float32. It
# bounds the memory; chunks of 1 MB or of 16 MB and more cost up to a tenth more time.
CHUNK = 2**20


def Roles(
    hidden_width: int, nI: int | None = None, dropout: float = 0.33
) -> Model[Floats2d, tuple[Floats2d, Floats2d]]:
    """Each token as a dependent and as a head: two one-layer ReLU MLPs in one matrix product.

    X (N, nI) to two matrices (N, hidden_width), of which training drops a share of `dropout`.
    The rate is no attr of the model: attrs are saved with the weights, and would outdo the config.
    """
    if not 0 <= dropout < 1:
        raise ValueError(Errors.DROPOUT_RATE.format(dropout=dropout))
    return Model(
        "roles",
        partial(forward_roles, dropout),
        init=init_roles,
        dims={"nH": hidden_width, "nI": nI},
        params={"W": None, "b": None},
    )


def forward_roles(
    rate: float, model: Model, X: Floats2d, is_train: bool
) -> tuple[tuple[Floats2d, Floats2d], Callable]:
    xp = model.ops.xp
    W, b = model.get_param("W"), model.get_param("b")
    width = model.get_dim("nH")
    dropout = rate if is_train else 0
    Y = xp.matmul(X, W.T)
    Y += b
    xp.maximum(Y, 0, out=Y)
    if dropout:
        Y *= model.ops.get_dropout_mask(Y.shape, dropout)

    def backprop(dYs: tuple[Floats2d, Floats2d]) -> Floats2d:
        dY = xp.concatenate(dYs, axis=1)
        dY *= Y > 0  # neither cut off by the ReLU nor dropped
        if dropout:
            dY /= 1 - dropout
        model.inc_grad("W", xp.matmul(dY.T, X))
        model.inc_grad("b", dY.sum(axis=0))
        return xp.matmul(dY, W)

    return (Y[:, :width], Y[:, width:]), backprop


def init_roles(model: Model, X: Floats2d | None = None, Y: object = None) -> None:
    if X is not None:
        resize(model, nI=get_width(X))
    shape = (model.get_dim("nH"), model.get_dim("nI"))
    both = [glorot_uniform_init(model.ops, shape) for _ in range(2)]
    model.set_param("W", model.ops.xp.concatenate(both))
    model.set_param("b", zero_init(model.ops, (2 * shape[0],)))


def BiaffineArcs(
    hidden_width: int, nI: int | None = None, dropout: float = 0.33
) -> Model[ArcsIn, Floats3d]:
    """Scores of all arcs within each of S sentences of up to L tokens.

    In: X (N, nI) and index (S, L), the row of X of each token, -1 for padding after the
    sentence's end. Out: (S, L, L+1) scores d_i · W h_j + b · h_j of token i as dependent, with
    the root above it in column 0 and token j in column j + 1: what `mst.decode` takes. Scores
    of padding are finite and mean nothing, their gradient is ignored. Scores of a token above
    itself are not masked either, and their gradient is used: a loss leaves it at 0.

    Padding is multiplied like any token: sentences of like length belong in one call. (2,500
    tokens of lengths as in English, padded to 73, took twice as long as in eight calls by length.)
    """
    return Model(
        "biaffine_arcs",
        forward_arcs,
        init=init_arcs,
        layers=[Roles(hidden_width, nI, dropout)],
        dims={"nH": hidden_width, "nI": nI},
        params={"W": None, "b": None, "root": None},
    )


def forward_arcs(model: Model, inputs: ArcsIn, is_train: bool) -> tuple[Floats3d, Callable]:
    X, index = inputs
    xp = model.ops.xp
    W, b, root = (model.get_param(name) for name in ("W", "b", "root"))
    (D, H), backprop_roles = model.layers[0](X, is_train)
    # d · W h + b · h = (d W + b) · h, and d W + b is computed before tokens are padded.
    queries = xp.matmul(D, W)
    queries += b
    heads = xp.concatenate([H, root[None]])
    columns = xp.pad(index, ((0, 0), (1, 0)), constant_values=-1)
    Q = queries[index]
    K = heads[columns]
    scores = xp.matmul(Q, K.transpose(0, 2, 1))

    def backprop(dscores: Floats3d) -> tuple[Floats2d, Ints2d]:
        is_token = index >= 0
        is_head = xp.pad(is_token, ((0, 0), (1, 0)), constant_values=True)
        dscores = xp.where(is_token[:, :, None] & is_head[:, None, :], dscores, 0)
        dQ = xp.matmul(dscores, K)
        dK = xp.matmul(dscores.transpose(0, 2, 1), Q)
        dqueries = _add_rows(model.ops, dQ[is_token], index[is_token], queries.shape)
        dH = _add_rows(model.ops, dK[:, 1:][is_token], index[is_token], H.shape)
        model.inc_grad("root", dK[:, 0].sum(axis=0))
        model.inc_grad("b", dqueries.sum(axis=0))
        model.inc_grad("W", xp.matmul(D.T, dqueries))
        return backprop_roles((xp.matmul(dqueries, W.T), dH)), index

    return scores, backprop


def init_arcs(model: Model, X: ArcsIn | None = None, Y: Floats3d | None = None) -> None:
    if X is not None:
        resize(model, nI=get_width(X[0]))
    model.layers[0].initialize(None if X is None else X[0])
    nH = model.get_dim("nH")
    # Zeros break no symmetry, the MLPs have done that: all arcs start equal, as in the paper.
    model.set_param("W", zero_init(model.ops, (nH, nH)))
    model.set_param("b", zero_init(model.ops, (nH,)))
    model.set_param("root", uniform_init(model.ops, (nH,)))


def BiaffineLabels(
    hidden_width: int, nO: int | None = None, nI: int | None = None, dropout: float = 0.33
) -> Model[LabelsIn, Floats2d]:
    """Scores of the nO labels for each of M given arcs.

    In: X (N, nI), dependents (M,) and heads (M,), rows of X; the head -1 is the root. Out:
    (M, nO) scores d · W_l h + U_l · d + V_l · h + b_l of label l.

    Most tokens have no dependents: fewer than half of all are heads. So W is multiplied with
    the heads first, once for all arcs of a head, and each head's matrix with its dependents
    then. For 2,500 arcs with 42 % distinct heads, 50 labels and a width of 100, the same product
    for each arc took 2.0 times as long, a loop over labels 2.3 times, and the outer products of
    d and h times W 5.2 times (CPU time of one thread; two threads gave the same picture).
    """
    return Model(
        "biaffine_labels",
        forward_labels,
        init=init_labels,
        layers=[Roles(hidden_width, nI, dropout)],
        dims={"nO": nO, "nH": hidden_width, "nI": nI},
        params={"W": None, "U": None, "V": None, "b": None, "root": None},
    )


def forward_labels(model: Model, inputs: LabelsIn, is_train: bool) -> tuple[Floats2d, Callable]:
    X, dependents, heads = inputs
    xp = model.ops.xp
    W, U, V, b, root = (model.get_param(name) for name in ("W", "U", "V", "b", "root"))
    nO, nH = U.shape
    (D, H), backprop_roles = model.layers[0](X, is_train)
    rows = xp.concatenate([H, root[None]])
    d = D[dependents]
    scores = xp.matmul(d, U.T)
    scores += b
    families = _families(model.ops, heads, max(1, CHUNK // (nO * nH)))
    for above, siblings in families:
        h = rows[above]
        from_head = xp.matmul(h, W).reshape(-1, nO, nH)
        own = xp.matmul(h, V.T)
        for some, arcs in siblings:
            bilinear = xp.matmul(d[arcs], from_head[some].transpose(0, 2, 1))
            scores[arcs] += bilinear + own[some, None]

    def backprop(dscores: Floats2d) -> tuple[Floats2d, Ints1d, Ints1d]:
        dd = xp.matmul(dscores, U)
        drows = xp.zeros_like(rows)
        dW, dV = xp.zeros_like(W), xp.zeros_like(V)
        for above, siblings in families:
            h = rows[above]
            # Computed again: to keep these would take 20 KB a head, for 50 labels by 100.
            from_head = xp.matmul(h, W).reshape(-1, nO, nH)
            dfrom_head = xp.empty_like(from_head)
            down = xp.empty((len(h), nO), dtype=dscores.dtype)
            for some, arcs in siblings:
                dY = dscores[arcs]
                dd[arcs] += xp.matmul(dY, from_head[some])
                dfrom_head[some] = xp.matmul(dY.transpose(0, 2, 1), d[arcs])
                down[some] = dY.sum(axis=1)
            dfrom_head = dfrom_head.reshape(-1, nO * nH)
            drows[above] = xp.matmul(dfrom_head, W.T) + xp.matmul(down, V)
            dW += xp.matmul(h.T, dfrom_head)
            dV += xp.matmul(down.T, h)
        model.inc_grad("W", dW)
        model.inc_grad("U", xp.matmul(dscores.T, d))
        model.inc_grad("V", dV)
        model.inc_grad("b", dscores.sum(axis=0))
        model.inc_grad("root", drows[-1])
        dD = _add_rows(model.ops, dd, dependents, D.shape)
        return backprop_roles((dD, drows[:-1])), dependents, heads

    return scores, backprop


def init_labels(model: Model, X: LabelsIn | None = None, Y: Floats2d | None = None) -> None:
    if X is not None:
        resize(model, nI=get_width(X[0]))
    if Y is not None:
        resize(model, nO=get_width(Y))
    model.layers[0].initialize(None if X is None else X[0])
    nO, nH = model.get_dim("nO"), model.get_dim("nH")
    # W[j, l * nH + i] is label l's weight of the head's j-th number times the dependent's i-th.
    model.set_param("W", zero_init(model.ops, (nH, nO * nH)))
    model.set_param("U", zero_init(model.ops, (nO, nH)))
    model.set_param("V", zero_init(model.ops, (nO, nH)))
    model.set_param("b", zero_init(model.ops, (nO,)))
    model.set_param("root", uniform_init(model.ops, (nH,)))


def add_label_scores(model: Model[LabelsIn, Floats2d], like: int) -> None:
    """Append the score of a label to a layer that may be trained. At first it is that of label
    number `like`, less `FAR_BELOW`: it is never the best, so that predictions stay."""
    nO, nH, xp = model.get_dim("nO"), model.get_dim("nH"), model.ops.xp
    W, U, V, b, root = (model.get_param(name) for name in ("W", "U", "V", "b", "root"))
    W = W.reshape(nH, nO, nH)
    resize(model, nO=nO + 1)  # also for an optimizer, which has moments of the old sizes
    model.set_param("W", xp.concatenate([W, W[:, like, None]], axis=1).reshape(nH, -1))
    model.set_param("U", xp.concatenate([U, U[like, None]]))
    model.set_param("V", xp.concatenate([V, V[like, None]]))
    model.set_param("b", xp.concatenate([b, b[like, None] - FAR_BELOW]))
    model.set_param("root", root)


def _families(
    ops: Ops, heads: Ints1d, at_once: int
) -> list[tuple[Ints1d, list[tuple[slice, Ints2d]]]]:
    """Arcs (M,) by heads: up to `at_once` heads (H,), those of few dependents first, and which of
    them have K dependents each, with their arcs (n, K). Each head is there once.

    >>> families = _families(NumpyOps(), np.array([7, 5, 7, -1, 2, 2]), 10)
    >>> [(rows.tolist(), [(some, arcs.tolist()) for some, arcs in same]) for rows, same in families]
    [([-1, 5, 2, 7], [(slice(0, 2, None), [[3], [1]]), (slice(2, 4, None), [[4, 5], [0, 2]])])]
    """
    heads = ops.to_numpy(heads)
    by_head = np.argsort(heads, kind="stable")
    rows, starts, counts = np.unique(heads[by_head], return_index=True, return_counts=True)
    by_count = np.argsort(counts, kind="stable")
    families = []
    for i in range(0, len(by_count), at_once):
        chosen = by_count[i : i + at_once]
        numbers, firsts = np.unique(counts[chosen], return_index=True)
        siblings = []
        for count, low, high in zip(numbers, firsts, [*firsts[1:], len(chosen)]):
            arcs = by_head[starts[chosen[low:high], None] + np.arange(count)]
            siblings.append((slice(int(low), int(high)), ops.asarray(arcs)))
        families.append((ops.asarray(rows[chosen]), siblings))
    return families


def _add_rows(ops: Ops, rows: Floats2d, index: Ints1d, shape: tuple[int, int]) -> Floats2d:
    """The inverse of taking `rows` by a non-negative index: rows taken twice are added up."""
    table = ops.xp.zeros(shape, dtype=rows.dtype)
    # Thinc's own loop takes int32 only; for other types it falls back to a ten times slower one.
    ops.scatter_add(table, ops.asarray(index, dtype="int32"), ops.xp.ascontiguousarray(rows))
    return table
