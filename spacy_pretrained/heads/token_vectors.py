"""What all heads begin with, one row a token, of all Docs of a batch; and heads that are no more
than layers over these rows."""

from collections.abc import Callable

from spacy.tokens import Doc
from thinc.api import Dropout, Model, chain, list2array
from thinc.layers.chain import forward as forward_layers
from thinc.types import Floats2d

from .linear import Linear
from .resizing import FAR_BELOW, resize


def TokenVectors(tok2vec: Model[list[Doc], list[Floats2d]]) -> Model[list[Doc], Floats2d]:
    """Vectors (N, D) of the N tokens of all Docs. The dropout is that of `[training]`."""
    layers = [tok2vec, list2array(), Dropout()]
    return Model("token_vectors", forward, init=init, dims={"nO": None}, layers=layers)


def TokenScores(
    tok2vec: Model[list[Doc], list[Floats2d]], *layers: Model
) -> Model[list[Doc], Floats2d]:
    """Scores (N, nO) of the N tokens of all Docs: see `put_layers`."""
    return put_layers(TokenVectors(tok2vec), tok2vec, *layers)


def put_layers(
    vectors: Model[list[Doc], Floats2d], tok2vec: Model[list[Doc], list[Floats2d]], *layers: Model
) -> Model[list[Doc], Floats2d]:
    """Layers over vectors, the last of which is the model's ref `output`; `set_outputs` says how
    many scores it gives.

    tok2vec: What the vectors are made of, the model's ref of that name.
    """
    model = chain(vectors, *layers)
    model.set_ref("tok2vec", tok2vec)
    model.set_ref("vectors", vectors)
    model.set_ref("output", layers[-1])
    return model


def set_outputs(model: Model[list[Doc], Floats2d], nO: int) -> None:
    """Set the number of scores a row of a model by `put_layers`, ahead of its initialization."""
    resize(model.get_ref("output"), nO=nO)
    model.set_dim("nO", nO, force=True)


def insert_outputs(model: Model[list[Doc], Floats2d], at: int, *, like: list[list[int]]) -> None:
    """Insert scores before number `at` into a model by `put_layers` that may be trained.

    like: For each new score, numbers of old ones. At first it is their mean, less `FAR_BELOW`: it
        is never the best, so that predictions stay.

    The layer is replaced, for an optimizer keeps moments of the old one, of its old size.
    """
    old = model.get_ref("output")
    new = Linear(old.get_dim("nO") + len(like), old.maybe_get_dim("nI"))
    new.init = old.init
    if old.has_param("W"):
        xp = model.ops.xp
        W, b = old.get_param("W"), old.get_param("b")
        means = xp.stack([W[numbers].mean(axis=0) for numbers in like])
        below = xp.stack([b[numbers].mean() for numbers in like]) - FAR_BELOW
        new.set_param("W", xp.concatenate([W[:at], means, W[at:]]))
        new.set_param("b", xp.concatenate([b[:at], below, b[at:]]))
    model.replace_node(old, new)
    model.set_ref("output", new)
    model.set_dim("nO", new.get_dim("nO"), force=True)


def forward(model: Model, docs: list[Doc], is_train: bool) -> tuple[Floats2d, Callable]:
    if not is_train and not any(len(doc) for doc in docs):
        # The listener of spacy-transformers fails on them; stock components do not ask it either.
        return model.ops.alloc2f(0, model.get_dim("nO")), lambda d_vectors: []
    return forward_layers(model, docs, is_train)


def init(model: Model, X: list[Doc] | None = None, Y: object = None) -> None:
    tok2vec = model.layers[0].initialize(X)
    if X:
        model.set_dim("nO", tok2vec.predict(X)[0].shape[1], force=True)
