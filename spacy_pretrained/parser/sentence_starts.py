"""Scores of sentence starts: how likely each token begins a sentence.

Tokens come as the rows of one matrix X (N, nI), of all Docs. A second matrix (N, 2) has the rows of
the words before and after each token, -1 where there is none (see `find_neighbours`).
"""

from collections.abc import Callable

import numpy as np
from thinc.api import Model, glorot_uniform_init
from thinc.types import Floats2d, Ints1d, Ints2d

from ..heads import linear

StartsIn = tuple[Floats2d, Ints2d]


def find_neighbours(lengths: Ints1d, words: np.ndarray) -> Ints2d:
    """The rows (N, 2) of the words before and after each word; -1 where the Doc has none, and for
    white space. A row is the neighbour of one word on each side at most.

    lengths: Those of the Docs. words: bool (N,), all but white space.
    """
    doc = np.repeat(np.arange(len(lengths)), lengths)
    rows = np.flatnonzero(words)
    neighbours = np.full((len(words), 2), -1)
    same = doc[rows[1:]] == doc[rows[:-1]]
    neighbours[rows[1:][same], 0] = rows[:-1][same]
    neighbours[rows[:-1][same], 1] = rows[1:][same]
    return neighbours


def LinearStarts() -> Model[StartsIn, Floats2d]:
    """One linear layer (N, 1) on the vector of each token alone: what `BiaffineParser.v1` has."""
    return Model(
        "linear",
        forward_linear,
        init=init_linear,
        dims={"nO": 1, "nI": None},
        params={"W": None, "b": None},
    )


def WindowStarts(hidden_width: int) -> Model[StartsIn, Floats2d]:
    """A hidden layer (N, hidden_width) on the vectors of each word and its neighbours, and a linear
    one on that: (N, 1).

    The encoder reads one seeming sentence at a time, so that the vector of a token does not show
    what stands before it.
    """
    return Model(
        "window_starts",
        forward_window,
        init=init_window,
        layers=[linear.Linear(3 * hidden_width), linear.Linear(1)],
    )


def forward_linear(model: Model, inputs: StartsIn, is_train: bool) -> tuple[Floats2d, Callable]:
    return linear.forward(model, inputs[0], is_train)


def init_linear(model: Model, X: StartsIn | None = None, Y: Floats2d | None = None) -> None:
    linear.init(glorot_uniform_init, model, None if X is None else X[0])


def forward_window(model: Model, inputs: StartsIn, is_train: bool) -> tuple[Floats2d, Callable]:
    X, neighbours = inputs
    hidden, output = model.layers
    # One product for all, then rows are put beside their neighbours: the same as, and cheaper
    # than, to join vectors first.
    joined, backprop_hidden = hidden(X, is_train)
    width = joined.shape[1] // 3
    before, after = (neighbours[:, side] for side in (0, 1))
    has_before, has_after = before >= 0, after >= 0
    H = joined[:, width : 2 * width].copy()
    H[has_before] += joined[before[has_before], :width]
    H[has_after] += joined[after[has_after], 2 * width :]
    H = model.ops.xp.maximum(H, 0)
    scores, backprop_output = output(H, is_train)

    def backprop(d_scores: Floats2d) -> Floats2d:
        dH = backprop_output(d_scores) * (H > 0)
        d_joined = model.ops.xp.zeros_like(joined)
        d_joined[:, width : 2 * width] = dH
        d_joined[before[has_before], :width] = dH[has_before]  # no row is there twice
        d_joined[after[has_after], 2 * width :] = dH[has_after]
        return backprop_hidden(d_joined)

    return scores, backprop


def init_window(model: Model, X: StartsIn | None = None, Y: Floats2d | None = None) -> None:
    hidden, output = model.layers
    hidden.initialize(None if X is None else X[0])
    output.initialize(model.ops.alloc2f(1, hidden.get_dim("nO") // 3))
