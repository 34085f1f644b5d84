"""The parser's model: one encoder of tokens, and three layers that score what it needs."""

from collections.abc import Callable

from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d

from ..heads.linear import Linear
from ..heads.token_vectors import TokenVectors
from .biaffine import BiaffineArcs, BiaffineLabels


def build_biaffine_parser(
    tok2vec: Model[list[Doc], list[Floats2d]],
    arc_width: int = 256,
    label_width: int = 64,
    dropout: float = 0.33,
    nO: int | None = None,
) -> Model[list[Doc], Floats2d]:
    """Build a deep biaffine parser (Dozat and Manning 2017).

    The model's output are the vectors (N, D) of the N tokens of all Docs. What is scored then
    depends on the sentences, and those on their scores; so the component asks the layers, refs of
    the model, one by one: `sentences` (N, D) to (N, 1), `arcs` and `labels`.

    tok2vec: Where vectors come from: a listener of the encoder, or any tok2vec of spaCy's.
    arc_width, label_width: Width of the layers between vectors and biaffine products.
    dropout: Dropout rate there; `[training.dropout]` is that of the vectors.
    nO: Number of labels, known after initialization.
    """
    vectors = TokenVectors(tok2vec)
    sentences = Linear(nO=1)
    arcs = BiaffineArcs(arc_width, dropout=dropout)
    labels = BiaffineLabels(label_width, nO=nO, dropout=dropout)
    return Model(
        "biaffine_parser",
        forward,
        init=init,
        layers=[vectors, sentences, arcs, labels],
        refs={
            "tok2vec": tok2vec,
            "vectors": vectors,
            "sentences": sentences,
            "arcs": arcs,
            "labels": labels,
        },
    )


def forward(model: Model, docs: list[Doc], is_train: bool) -> tuple[Floats2d, Callable]:
    return model.get_ref("vectors")(docs, is_train)


def init(model: Model, X: list[Doc] | None = None, Y: object = None) -> None:
    vectors = model.get_ref("vectors").initialize(X)
    sample = vectors.predict(X)[:1]
    none = model.ops.alloc1i(0)
    model.get_ref("sentences").initialize(sample)
    model.get_ref("arcs").initialize((sample, none.reshape((0, 0))))
    model.get_ref("labels").initialize((sample, none, none))
