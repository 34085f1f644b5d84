"""Attributes of the tokens of many Docs, as arrays: one call into spaCy for each Doc."""

import numpy as np
from spacy.tokens import Doc


def read_columns(docs: list[Doc], attributes: list[int]) -> np.ndarray:
    """Attributes of the N tokens of all Docs, laid end to end: uint64 (A, N).

    attributes: Numbers of `spacy.attrs`.
    """
    size = len(attributes)
    rows = [doc.to_array(attributes).reshape(len(doc), size) for doc in docs]
    return np.concatenate([np.zeros((0, size), dtype="uint64"), *rows]).T.copy()
