"""The lemmatizer's model: it scores letter cases and edit trees of the tokens that it is asked for,
by their vectors, their ends and their tags."""

from collections.abc import Callable

import numpy as np
from spacy.strings import hash_string
from spacy.tokens import Doc
from thinc.api import Dropout, HashEmbed, Model, concatenate
from thinc.types import Floats2d, Ints1d, Ints2d

from ..heads.linear import Linear, Relu
from ..heads.token_vectors import TokenVectors

SUFFIXES = (1, 2, 3, 4)
PREFIX = 2
N_FEATURES = len(SUFFIXES) + 3  # with the prefix, the case and the tag

ScoresIn = tuple[Floats2d, Ints2d]


def build_lemmatizer(
    tok2vec: Model[list[Doc], list[Floats2d]],
    hidden_width: int = 128,
    embed_width: int = 32,
    embed_rows: int = 2000,
    nO: int | None = None,
) -> Model[list[Doc], Floats2d]:
    """Build the model of a lemmatizer.

    The model's output are the vectors (N, D) of the N tokens of all Docs. The component asks the
    ref `scores` for those tokens whose lemma it does not know: vectors (M, D) and features
    (M, N_FEATURES), see `read_features`, to scores (M, nO).

    tok2vec: Where vectors come from: a listener of the encoder, or any tok2vec of spaCy's.
    hidden_width: Width of the layer between these and the scores.
    embed_width, embed_rows: Size of the table in which each feature is embedded.
    nO: Letter cases and edit trees, known after initialization.
    """
    vectors = TokenVectors(tok2vec)
    embed = concatenate(
        *(HashEmbed(embed_width, embed_rows, column=i, seed=i) for i in range(N_FEATURES))
    )
    output = Linear(nO)
    layers = [embed, Linear(hidden_width), Relu(), Dropout(), output]
    scores = Model("lemma_scores", forward_scores, init=init_scores, layers=layers)
    return Model(
        "lemmatizer",
        forward,
        init=init,
        dims={"nO": nO},
        layers=[vectors, scores],
        refs={"tok2vec": tok2vec, "vectors": vectors, "scores": scores, "output": output},
    )


def read_features(forms: list[str], tags: Ints1d) -> Ints2d:
    """Features (M, N_FEATURES), uint64, of M forms with tags (M,): the last letters, the first
    ones, the letter case, and the tag.

    A pretrained encoder sees pieces of a rare word and not its letters, which say how it is
    inflected.
    """
    features = np.empty((len(forms), N_FEATURES), dtype="uint64")
    for i, form in enumerate(forms):
        lower = form.lower()
        texts = [lower[-size:] for size in SUFFIXES]
        features[i, :-1] = [hash_string(t) for t in (*texts, lower[:PREFIX], _case(form))]
    features[:, -1] = tags
    return features


def _case(form: str) -> str:
    signs = (form.isupper(), form.islower(), form[:1].isupper(), form[1:] != form[1:].lower())
    return "".join("01"[sign] for sign in (*signs, not form.isalpha(), len(form) == 1))


def forward(model: Model, docs: list[Doc], is_train: bool) -> tuple[Floats2d, Callable]:
    return model.get_ref("vectors")(docs, is_train)


def init(model: Model, X: list[Doc] | None = None, Y: object = None) -> None:
    vectors = model.get_ref("vectors").initialize(X)
    sample = vectors.predict(X)[:1]
    features = model.ops.xp.zeros((len(sample), N_FEATURES), dtype="uint64")
    model.get_ref("scores").initialize((sample, features))


def forward_scores(model: Model, inputs: ScoresIn, is_train: bool) -> tuple[Floats2d, Callable]:
    X, features = inputs
    embed, *layers = model.layers
    E, backprop_embed = embed(features, is_train)
    Y = model.ops.xp.concatenate([X, E], axis=1)
    backprops = []
    for layer in layers:
        Y, backprop_layer = layer(Y, is_train)
        backprops.append(backprop_layer)

    def backprop(dY: Floats2d) -> Floats2d:
        for backprop_layer in reversed(backprops):
            dY = backprop_layer(dY)
        width = X.shape[1]
        backprop_embed(model.ops.xp.ascontiguousarray(dY[:, width:]))
        return dY[:, :width]

    return Y, backprop


def init_scores(model: Model, X: ScoresIn | None = None, Y: object = None) -> None:
    vectors, features = X
    embed, hidden, *_, output = model.layers
    joined = model.ops.xp.concatenate(
        [vectors, embed.initialize(features).predict(features)], axis=1
    )
    output.initialize(hidden.initialize(joined).predict(joined))
