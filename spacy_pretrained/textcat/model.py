"""The text classifier's model: one linear layer on the mean of a Doc's vectors."""

from spacy.tokens import Doc
from thinc.api import Model, zero_init
from thinc.types import Floats2d

from ..heads.linear import Linear
from ..heads.token_vectors import put_layers
from .doc_vectors import DocVectors


def build_text_classifier(
    tok2vec: Model[list[Doc], list[Floats2d]], nO: int | None = None
) -> Model[list[Doc], Floats2d]:
    """Build a text classifier: B Docs to scores (B, nO), of which the component makes
    probabilities.

    tok2vec: Where vectors come from: a listener of the encoder, or any tok2vec of spaCy's.
    nO: Labels, known after initialization.
    """
    return put_layers(DocVectors(tok2vec), tok2vec, Linear(nO, init_W=zero_init))
