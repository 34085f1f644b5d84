"""The entity recognizer's model: scores of BIOES states, two layers on the token vectors."""

import numpy as np
from spacy.tokens import Doc
from thinc.api import Dropout, Model
from thinc.types import Floats2d

from ..heads.linear import Linear, Relu
from ..heads.token_vectors import TokenScores, insert_outputs
from .bioes import OUTSIDE

# The share of tokens that are no entity, to begin with.
OUTSIDE_SHARE = 0.9


def build_ner(
    tok2vec: Model[list[Doc], list[Floats2d]], hidden_width: int = 128, nO: int | None = None
) -> Model[list[Doc], Floats2d]:
    """Build an entity recognizer: vectors of the N tokens of all Docs to scores (N, nO).

    tok2vec: Where vectors come from: a listener of the encoder, or any tok2vec of spaCy's.
    hidden_width: Width of the layer between vectors and scores, with ReLU.
    nO: States: 1 + 4 for each label (see `bioes.py`), known after initialization.
    """
    return TokenScores(tok2vec, Linear(hidden_width), Relu(), Dropout(), Linear(nO))


def expect_outside(model: Model[list[Doc], Floats2d]) -> None:
    """Set the biases of a new model so that a token is most probably no entity.

    Else it has to learn that first, from all tokens (T. Lin et al., Focal Loss for Dense Object
    Detection, 2017, section 4.1). On WNUT-17 that took 125 of 500 steps.
    """
    b = model.get_ref("output").get_param("b")
    b[:] = np.log((1 - OUTSIDE_SHARE) / (len(b) - 1))
    b[OUTSIDE] = np.log(OUTSIDE_SHARE)


def add_outputs(model: Model[list[Doc], Floats2d]) -> None:
    """Append the states of a label to a model that may be trained. At first the score of each is
    far below the mean of its kind, so that predictions stay: with every label, B has another B that
    is better.

    So training begins from what entities have in common. If the states began like O, all that looks
    like the first entities of the new label would be drawn to O, old entities among it.
    """
    n_old = model.get_ref("output").get_dim("nO")
    kinds = [list(range(kind, n_old, 4)) for kind in range(1, 5)]
    insert_outputs(model, n_old, like=kinds if n_old > 1 else [[OUTSIDE]] * 4)
