"""Several encoders side by side: the vector of a token is the concatenation of theirs."""

import itertools
from collections.abc import Callable

from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d

from .errors import Errors
from .token_encoder import EncoderModel, set_width

NAMES = "encoders"  # the attr with the names of the layers


def build_concat_encoder(encoders: dict[str, Model | dict]) -> EncoderModel:
    """Build an encoder of others, each with its own source, windows, and way to train.

    encoders: Models by their names, two or more. (spaCy checks the type before it has made models
        of their blocks, hence the dict.) They stand in alphabetical order: a saved config keeps no
        other.
    """
    if len(encoders) < 2:
        raise ValueError(Errors.CONCAT_FEW.format(n=len(encoders)))
    for name, encoder in encoders.items():
        if not name.isidentifier():
            raise ValueError(Errors.CONCAT_NAME.format(encoder=name))
        if not is_encoder(encoder):
            model = getattr(encoder, "name", encoder)
            raise ValueError(Errors.CONCAT_MODEL.format(encoder=name, model=model))
    names = sorted(encoders)
    return Model(
        "concat_encoder",
        forward,
        init=init,
        dims={"nO": None},
        layers=[encoders[name] for name in names],
        attrs={NAMES: names, "is_pretrained": False},
    )


def forward(
    model: EncoderModel, docs: list[Doc], is_train: bool
) -> tuple[list[Floats2d], Callable[[list[Floats2d]], list]]:
    """One array (tokens, nO) a Doc: the encoders' vectors side by side. The backward pass gives
    each encoder its share of the gradients."""
    ops = model.ops
    runs = [encoder(docs, is_train) for encoder in model.layers]
    widths = [encoder.get_dim("nO") for encoder in model.layers]
    bounds = list(itertools.pairwise(itertools.accumulate(widths, initial=0)))
    vectors = [ops.xp.concatenate(arrays, axis=1) for arrays in zip(*(found for found, _ in runs))]

    def backprop(d_vectors: list[Floats2d]) -> list:
        for (low, high), (_, backprop_encoder) in zip(bounds, runs):
            backprop_encoder([ops.as_contig(d_doc[:, low:high]) for d_doc in d_vectors])
        return []

    return vectors, backprop


def init(model: EncoderModel, X: list[Doc] | None = None, Y=None) -> None:
    for encoder in model.layers:
        encoder.initialize(X=X)
    set_widths(model)


def is_encoder(model: object) -> bool:
    """Whether it is a model of a single encoder of Docs."""
    return isinstance(model, Model) and model.name == "pretrained_encoder"


def find_named(model: Model) -> dict[str, EncoderModel]:
    """The encoders that stand side by side in a model, by their names; none in one that is a single
    encoder."""
    return dict(zip(model.attrs.get(NAMES, ()), model.layers))


def find_encoders(model: Model) -> list[EncoderModel]:
    """The encoders of a model that have a backbone each: those side by side in it, or itself."""
    return list(find_named(model).values()) or [model]


def set_widths(model: EncoderModel) -> None:
    """Derive nO from the widths of the backbones."""
    named = find_named(model)
    if not named:
        set_width(model)
        return
    for encoder in named.values():
        set_widths(encoder)
    if all(encoder.has_dim("nO") for encoder in named.values()):
        width = sum(encoder.get_dim("nO") for encoder in named.values())
        model.set_dim("nO", width, force=True)


def name_layers(model: EncoderModel) -> EncoderModel:
    """Name the layers of a copy of an encoder's model: Thinc's copies have none of its refs."""
    for encoder in find_encoders(model):
        for name, layer in zip(("backbone", "orth"), encoder.layers):
            encoder.set_ref(name, layer)
    return model
