"""What spaCy knows of a token for free, embedded: its shape and case, and the space before it.

Uncased encoders lose these, and names are hard to find without them.
"""

import numpy as np
from thinc.api import HashEmbed, Model, Relu, add, chain, expand_window, with_array
from thinc.types import Floats2d, Ints2d

from ..windows.doc_arrays import DocArrays, find_first

SHAPE_ROWS = 2000
CONTEXT_ROWS = 200  # for 40 combinations: collisions are rare


def OrthEmbed(width: int) -> Model[list[Ints2d], list[Floats2d]]:
    """Embed the features (N, 2) of each Doc: (N, width), with a window of three tokens."""
    embed = add(
        HashEmbed(width, SHAPE_ROWS, column=0, seed=0),
        HashEmbed(width, CONTEXT_ROWS, column=1, seed=1),
    )
    window = chain(expand_window(window_size=1), Relu(width, width * 3))
    # The padding keeps the windows of neighbouring Docs apart.
    return with_array(chain(embed, window), pad=1)


def orth_features(arrays: DocArrays) -> Ints2d:
    """Features of the N tokens of some Docs, uint64 (N, 2): shape; case and what stands before."""
    is_first = find_first(arrays.bounds)
    spaced = np.zeros(len(arrays.starts), dtype="uint64")
    newline = np.zeros(len(arrays.starts), dtype="uint64")
    spaced[1:] = arrays.spaced[:-1] | arrays.whitespace[:-1]
    newline[1:] = arrays.newline[:-1]
    spaced[is_first], newline[is_first] = 0, 1
    context = arrays.case + 8 * spaced + 16 * newline
    return np.stack([arrays.shape, context], axis=1)
