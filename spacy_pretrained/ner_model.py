"""The entity recognizer's model: scores of BIOES states, one linear layer on the token vectors."""

from spacy.tokens import Doc
from thinc.api import Model, chain, zero_init
from thinc.types import Floats2d

from .linear import Linear
from .token_vectors import TokenVectors


def build_ner(
    tok2vec: Model[list[Doc], list[Floats2d]], nO: int | None = None
) -> Model[list[Doc], Floats2d]:
    """Build an entity recognizer: vectors of the N tokens of all Docs to scores (N, nO).

    tok2vec: Where vectors come from: a listener of the encoder, or any tok2vec of spaCy's.
    nO: States: 1 + 4 for each label (see `bioes.py`), known after initialization.
    """
    vectors = TokenVectors(tok2vec)
    output = Linear(nO, init_W=zero_init)
    model = chain(vectors, output)
    model.set_ref("tok2vec", tok2vec)
    model.set_ref("vectors", vectors)
    model.set_ref("output", output)
    return model


def add_outputs(model: Model[list[Doc], Floats2d], count: int) -> None:
    """Append so many states to a model that may be trained; their scores are 0 at first.

    The layer is replaced, for an optimizer keeps moments of the old one, of its old size.
    """
    old = model.get_ref("output")
    nO = old.get_dim("nO") + count
    new = Linear(nO, old.maybe_get_dim("nI"), init_W=zero_init)
    if old.has_param("W"):
        new.initialize()
        new.get_param("W")[:-count] = old.get_param("W")
        new.get_param("b")[:-count] = old.get_param("b")
    model.replace_node(old, new)
    model.set_ref("output", new)
    model.set_dim("nO", nO, force=True)
