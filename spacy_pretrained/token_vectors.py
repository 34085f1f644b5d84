"""What all heads begin with: one row a token, of all Docs of a batch."""

from spacy.tokens import Doc
from thinc.api import Dropout, Model, chain, list2array
from thinc.types import Floats2d


def TokenVectors(tok2vec: Model[list[Doc], list[Floats2d]]) -> Model[list[Doc], Floats2d]:
    """Vectors (N, D) of the N tokens of all Docs. The dropout is that of `[training]`."""
    return chain(tok2vec, list2array(), Dropout())
