"""`doc._.trf_data` of Docs of a converted pipeline: what programs read there that were written for
the stock one. It is a view on `doc.tensor`; nothing is kept in `doc.user_data`.

The extension is installed when such a pipeline is loaded, unless a program has one of its own under
that name. It takes the place of that of the stock packages, which holds a value and nothing else: a
stock pipeline in the same process finds this extension instead. What it sets is kept as spaCy keeps
it, and comes back as it was.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from spacy.tokens import Doc
from thinc.types import Floats2d, Floats3d, Ragged

from .errors import Errors

NAME = "trf_data"
KEY = ("._.", NAME, None, None)  # spaCy's own, of an extension's value
# The default, method, getter and setter of the stock packages' extension.
STOCK = (None, None, None, None)

_widths: set[int] = set()  # of the encoders of converted pipelines in this process


def install(width: int) -> None:
    """Let Docs whose vectors have this width have `doc._.trf_data`."""
    _widths.add(width)
    if not Doc.has_extension(NAME) or Doc.get_extension(NAME) == STOCK:
        Doc.set_extension(NAME, getter=get_trf_data, setter=set_trf_data, force=True)


def get_trf_data(doc: Doc) -> Any:
    """A view on the Doc's vectors; None if it has none of a converted pipeline."""
    if KEY in doc.user_data:
        return doc.user_data[KEY]
    return TrfData(doc.tensor) if _has_vectors(doc) else None


def set_trf_data(doc: Doc, value: Any) -> None:
    """None drops the vectors: programs do that to free memory. A tensor of another encoder stays,
    such as of one beside a stock transformer."""
    if value is not None:
        doc.user_data[KEY] = value
        return
    doc.user_data.pop(KEY, None)
    if _has_vectors(doc):
        doc.tensor = np.zeros((0,), dtype="float32")


def _has_vectors(doc: Doc) -> bool:
    """Whether its tensor is of a converted pipeline, as far as its shape can tell."""
    tensor = doc.tensor
    if tensor is None:  # a `doc_cleaner` was there
        return False
    return tensor.ndim == 2 and len(tensor) == len(doc) and tensor.shape[1] in _widths


class _Missing:
    """Raises an error that says what is there, for what is not."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what Python asks for by itself
            raise AttributeError(name)
        raise AttributeError(Errors.TRF_DATA_MISSING.format(name=name))


class TrfData(_Missing):
    """The vectors of the N tokens of a Doc, of width D, by the names that both stock packages have;
    each token has one row, where they have one for each wordpiece."""

    last_layer_only = True
    embedding_layer = None
    num_outputs = 1

    def __init__(self, vectors: Floats2d):
        self._vectors = vectors

    # spacy-curated-transformers: rows for each token

    @property
    def last_hidden_layer_state(self) -> Ragged:
        return Ragged(self._vectors, np.ones(len(self._vectors), dtype="int32"))

    @property
    def all_outputs(self) -> list[Ragged]:
        return [self.last_hidden_layer_state]

    # spacy-transformers: arrays by span and piece, and which of these each token has

    @property
    def width(self) -> int:
        return self._vectors.shape[1]

    @property
    def tensors(self) -> "Tensors":
        return Tensors(self._vectors[None])

    @property
    def model_output(self) -> "ModelOutput":
        return ModelOutput(self._vectors[None])

    @property
    def align(self) -> Ragged:
        n_tokens = len(self._vectors)
        return Ragged(np.arange(n_tokens, dtype="int32"), np.ones(n_tokens, dtype="int32"))


class Tensors(Sequence):
    """One array (1, N, D). Where BERT has its pooler's output there is none, also at -1."""

    def __init__(self, vectors: Floats3d):
        self._vectors = vectors

    def __len__(self) -> int:
        return 1

    def __getitem__(self, number: int) -> Floats3d:
        if number != 0:
            raise IndexError(Errors.TRF_DATA_MISSING.format(name=f"tensors[{number}]"))
        return self._vectors

    def __iter__(self) -> Iterator[Floats3d]:
        return iter([self._vectors])


class ModelOutput(_Missing):
    """What transformers calls the output of a model."""

    def __init__(self, vectors: Floats3d):
        self.last_hidden_state = vectors

    def __contains__(self, name: str) -> bool:
        return name == "last_hidden_state"

    def __getitem__(self, name: str) -> Floats3d:
        return (
            getattr(self, name) if isinstance(name, str) else Tensors(self.last_hidden_state)[name]
        )
