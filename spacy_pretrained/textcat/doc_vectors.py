"""What a head begins with that says one thing of a whole Doc: the mean of its tokens' vectors."""

from collections.abc import Callable

import numpy as np
from spacy.tokens import Doc
from thinc.api import Dropout, Model, chain
from thinc.types import Floats2d

from ..annotation.gold import is_space
from ..heads.token_vectors import init


def DocVectors(tok2vec: Model[list[Doc], list[Floats2d]]) -> Model[list[Doc], Floats2d]:
    """Vectors (B, D) of B Docs, with dropout, whose rate is that of `[training]`."""
    return chain(MeanVectors(tok2vec), Dropout())


def MeanVectors(tok2vec: Model[list[Doc], list[Floats2d]]) -> Model[list[Doc], Floats2d]:
    """The mean (B, D) of the vectors of each Doc's tokens, white space left out. A Doc of nothing
    but white space, or of nothing at all, has zeros."""
    return Model("mean_vectors", forward, init=init, dims={"nO": None}, layers=[tok2vec])


def forward(model: Model, docs: list[Doc], is_train: bool) -> tuple[Floats2d, Callable]:
    ops = model.ops
    if not is_train and not any(len(doc) for doc in docs):
        # The listener of spacy-transformers fails on them; stock components do not ask it either.
        return ops.alloc2f(len(docs), model.get_dim("nO")), lambda d_means: []
    vectors, backprop_vectors = model.layers[0](docs, is_train)
    shares = [ops.asarray1f(_shares(doc)) for doc in docs]
    means = ops.alloc2f(len(docs), vectors[0].shape[1])
    for row, (share, doc_vectors) in enumerate(zip(shares, vectors)):
        means[row] = share @ doc_vectors

    def backprop(d_means: Floats2d) -> list[Doc]:
        return backprop_vectors([ops.xp.outer(s, d_mean) for s, d_mean in zip(shares, d_means)])

    return means, backprop


def _shares(doc: Doc) -> np.ndarray:
    """What each token (N,) has in the mean."""
    is_word = ~is_space(doc)
    return is_word / max(1, is_word.sum())
