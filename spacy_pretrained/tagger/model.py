"""The tagger's model: scores of all labels of all attributes in one matrix product."""

from spacy.tokens import Doc
from thinc.api import Model, zero_init
from thinc.types import Floats2d

from ..heads.linear import Linear
from ..heads.token_vectors import TokenScores


def build_tagger(
    tok2vec: Model[list[Doc], list[Floats2d]], nO: int | None = None
) -> Model[list[Doc], Floats2d]:
    """Build a tagger: vectors of the N tokens of all Docs to scores (N, nO), one linear layer.

    tok2vec: Where vectors come from: a listener of the encoder, or any tok2vec of spaCy's.
    nO: Labels of all attributes together, known after initialization.
    """
    return TokenScores(tok2vec, Linear(nO, init_W=zero_init))
