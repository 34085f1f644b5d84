"""What all heads begin with: one row a token, of all Docs of a batch."""

from collections.abc import Callable

from spacy.tokens import Doc
from thinc.api import Dropout, Model, list2array
from thinc.layers.chain import forward as forward_layers
from thinc.layers.chain import init
from thinc.types import Floats2d


def TokenVectors(tok2vec: Model[list[Doc], list[Floats2d]]) -> Model[list[Doc], Floats2d]:
    """Vectors (N, D) of the N tokens of all Docs. The dropout is that of `[training]`."""
    layers = [tok2vec, list2array(), Dropout()]
    return Model("token_vectors", forward, init=init, dims={"nO": None}, layers=layers)


def forward(model: Model, docs: list[Doc], is_train: bool) -> tuple[Floats2d, Callable]:
    if not is_train and not any(len(doc) for doc in docs):
        # The listener of spacy-transformers fails on them; stock components do not ask it either.
        return model.ops.alloc2f(0, model.get_dim("nO")), lambda d_vectors: []
    return forward_layers(model, docs, is_train)
