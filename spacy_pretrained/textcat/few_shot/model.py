"""The few-shot classifier's model: a sentence encoder, and a linear head on normalized vectors.

The head begins as the labels' own vectors, as in zero-shot classification by similarity.
"""

from thinc.api import Model, chain
from thinc.types import Floats2d

from ...encoder.text_encoder import SentenceEncoder
from ...heads.linear import Linear
from ...heads.resizing import resize
from ..labels.label_set import LabelSet
from ..normalized import Normalize
from ..zero_shot.similarity_model import encode_labels
from .head import Head

FewShot = Model[list[str], Floats2d]


def build_few_shot_classifier(
    encoder: SentenceEncoder, scale: float = 10.0, middle: float = 0.2, nO: int | None = None
) -> FewShot:
    """Build a classifier of texts: T texts to logits (T, nO), one linear layer on their
    normalized vectors.

    encoder: Makes a vector of a text, and of a label's phrase.
    scale: The length of a label's vector in the head, before anything is learnt. Higher values
        make probabilities more extreme, and examples count for less.
    middle: With `multi_label`, the cosine at which a label's probability is 0.5 before anything is
        learnt.
    nO: Labels, known after initialization.
    """
    vectors = chain(encoder, Normalize())
    output = Linear(nO)
    model = chain(vectors, output)
    model.name = "few_shot_classifier"
    model.attrs.update(scale=scale, middle=middle)
    for name, layer in (("encoder", encoder), ("vectors", vectors), ("output", output)):
        model.set_ref(name, layer)
    model.set_ref("backbone", encoder.get_ref("backbone"))
    return model


def make_prior(model: FewShot, labels: LabelSet) -> Head:
    """The head that nothing was learnt of: labels' vectors, as the encoder is now."""
    ops, scale = model.ops, model.attrs["scale"]
    W = scale * ops.to_numpy(encode_labels(model.get_ref("encoder"), labels))
    b = ops.to_numpy(ops.alloc1f(len(labels)))
    return Head(W, b - scale * model.attrs["middle"] if labels.multi_label else b)


def get_head(model: FewShot) -> Head:
    """A copy of the head, which later training does not change."""
    output = model.get_ref("output")
    return Head(*(model.ops.to_numpy(output.get_param(name)).copy() for name in ("W", "b")))


def set_head(model: FewShot, head: Head) -> None:
    """Put a head in place, of whatever number of labels."""
    output = model.get_ref("output")
    resize(output, nO=head.W.shape[0], nI=head.W.shape[1])
    model.set_dim("nO", head.W.shape[0], force=True)
    output.set_param("W", model.ops.asarray2f(head.W))
    output.set_param("b", model.ops.asarray1f(head.b))


def drop_head(model: FewShot) -> None:
    """Make the head one without labels, as it was before it had any."""
    resize(model.get_ref("output"), nO=None, nI=None)
    model.set_dim("nO", None, force=True)


def has_head(model: FewShot) -> bool:
    """Whether it was initialized with labels."""
    return bool(model.get_ref("output").has_param("W"))


def read_head(model: FewShot, data: bytes) -> None:
    """Take a saved head, of whatever number of labels; or none, as one has without labels."""
    output = Linear().from_bytes(data)
    if output.has_param("W"):
        set_head(model, Head(*(output.get_param(name) for name in ("W", "b"))))
