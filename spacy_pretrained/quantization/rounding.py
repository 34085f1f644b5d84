"""Weights of task heads with fewer bits, so that a wheel compresses them to about half."""

import numpy as np
from spacy.language import Language

KEPT_BITS = 10  # of the mantissa: those of float16, where float32 has 23


def round_heads(nlp: Language) -> None:
    """Round the weights of all Thinc layers of a pipeline by 0.05 % at most; they stay float32."""
    for _, pipe in nlp.components:
        model = getattr(pipe, "model", None)
        for layer in model.walk() if hasattr(model, "walk") else ():
            for name in layer.param_names:
                if layer.has_param(name):
                    values = layer.ops.to_numpy(layer.get_param(name))
                    layer.set_param(name, layer.ops.asarray(round_mantissa(values)))


def round_mantissa(values: np.ndarray) -> np.ndarray:
    """Round float32 to the nearest numbers with as many bits in the mantissa as float16 has; other
    types stay.

    >>> round_mantissa(np.array([1.0, 1.0001, 1e-30], dtype="float32")).tolist()[:2]
    [1.0, 1.0]
    """
    if values.dtype != np.float32:
        return values
    fraction, exponent = np.frexp(values)  # the fraction is from 0.5 to 1
    scale = np.float32(2 ** (KEPT_BITS + 1))
    return np.ldexp(np.round(fraction * scale) / scale, exponent).astype("float32")
