"""A linear layer whose matrix products use all cores (Thinc's own runs on one: see `ops.gemm`)."""

from collections.abc import Callable
from functools import partial

from thinc.api import Model, glorot_uniform_init
from thinc.types import Floats2d

from .resizing import resize


def Linear(nO: int | None = None, nI: int | None = None, *, init_W=glorot_uniform_init) -> Model:
    """Multiply inputs (N, nI) by a weight matrix and add a bias: (N, nO)."""
    return Model(
        "linear",
        forward,
        init=partial(init, init_W),
        dims={"nO": nO, "nI": nI},
        params={"W": None, "b": None},
    )


def Relu() -> Model[Floats2d, Floats2d]:
    """max(X, 0), to stand behind a linear layer; Thinc's own has one of one core in it."""
    return Model("relu", forward_relu)


def forward(model: Model, X: Floats2d, is_train: bool) -> tuple[Floats2d, Callable]:
    W = model.get_param("W")
    Y = X @ W.T
    Y += model.get_param("b")

    def backprop(dY: Floats2d) -> Floats2d:
        model.inc_grad("W", dY.T @ X)
        model.inc_grad("b", dY.sum(axis=0))
        return dY @ W

    return Y, backprop


def forward_relu(model: Model, X: Floats2d, is_train: bool) -> tuple[Floats2d, Callable]:
    Y = model.ops.xp.maximum(X, 0)

    def backprop(dY: Floats2d) -> Floats2d:
        return dY * (Y > 0)

    return Y, backprop


def init(init_W: Callable, model: Model, X: Floats2d | None = None, Y: Floats2d | None = None):
    if X is not None:
        resize(model, nI=X.shape[1])
    if Y is not None:
        resize(model, nO=Y.shape[1])
    model.set_param("W", init_W(model.ops, (model.get_dim("nO"), model.get_dim("nI"))))
    model.set_param("b", model.ops.alloc1f(model.get_dim("nO")))
