"""The parser's model: one encoder of tokens, and three layers that score what it needs."""

from collections.abc import Callable

from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d

from ..heads.token_vectors import TokenVectors
from .biaffine import BiaffineArcs, BiaffineLabels
from .sentence_starts import LinearStarts, StartsIn, WindowStarts


def build_biaffine_parser(
    tok2vec: Model[list[Doc], list[Floats2d]],
    arc_width: int = 256,
    label_width: int = 64,
    dropout: float = 0.33,
    nO: int | None = None,
) -> Model[list[Doc], Floats2d]:
    """Build a deep biaffine parser (Dozat and Manning 2017), as version 0.1 had it: sentence starts
    are scored from the vector of one token.

    tok2vec: Where vectors come from: a listener of the encoder, or any tok2vec of spaCy's.
    arc_width, label_width: Width of the layers between vectors and biaffine products.
    dropout: Dropout rate there; `[training.dropout]` is that of the vectors.
    nO: Number of labels, known after initialization.
    """
    return _build(tok2vec, LinearStarts(), arc_width, label_width, dropout, nO)


def build_biaffine_parser_v2(
    tok2vec: Model[list[Doc], list[Floats2d]],
    arc_width: int = 256,
    label_width: int = 64,
    sentence_width: int = 64,
    dropout: float = 0.33,
    nO: int | None = None,
) -> Model[list[Doc], Floats2d]:
    """Build a deep biaffine parser that scores sentence starts with a hidden layer, from the
    vectors of a token and of the words before and after it.

    tok2vec: Where vectors come from: a listener of the encoder, or any tok2vec of spaCy's.
    arc_width, label_width: Width of the layers between vectors and biaffine products.
    sentence_width: Width of the layer between vectors and scores of sentence starts.
    dropout: Dropout rate before biaffine products; `[training.dropout]` is that of the vectors.
    nO: Number of labels, known after initialization.
    """
    return _build(tok2vec, WindowStarts(sentence_width), arc_width, label_width, dropout, nO)


def _build(
    tok2vec: Model[list[Doc], list[Floats2d]],
    sentences: Model[StartsIn, Floats2d],
    arc_width: int,
    label_width: int,
    dropout: float,
    nO: int | None,
) -> Model[list[Doc], Floats2d]:
    """The model's output are the vectors (N, D) of the N tokens of all Docs. What is scored then
    depends on the sentences, and those on their scores; so the component asks the layers, refs of
    the model, one by one: `sentences` gives scores (N, 1), see `sentence_starts.py`; `arcs` and
    `labels`.
    """
    vectors = TokenVectors(tok2vec)
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
    model.get_ref("sentences").initialize((sample, model.ops.alloc2i(len(sample), 2) - 1))
    model.get_ref("arcs").initialize((sample, none.reshape((0, 0))))
    model.get_ref("labels").initialize((sample, none, none))
