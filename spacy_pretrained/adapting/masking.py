"""Dynamic masking: other pieces are masked each time that a block is read.

J. Devlin et al., BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding,
2019 (15 %, of which 80 % masked, 10 % replaced, 10 % kept); Y. Liu et al., RoBERTa, 2019 (dynamic).
"""

from dataclasses import dataclass

import numpy as np

CHOSEN, MASKED, REPLACED = 0.15, 0.8, 0.1
IGNORED = -100  # the label of pieces that are not to be predicted


@dataclass(frozen=True)
class Vocabulary:
    mask: int  # the piece that stands for a masked one
    ordinary: np.ndarray  # int64, pieces that may replace another one: all but special ones


def mask(
    ids: np.ndarray, units: np.ndarray, vocabulary: Vocabulary, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Mask the pieces of a block.

    ids: int (L,). units: int (L,), what is chosen together: numbers of words, or of pieces; -1 for
    pieces that are never chosen, special ones and padding.
    RETURNS: The ids that the model reads, and the labels, both int64 (L,). A label is the piece
        that was there, or IGNORED. At least one piece is chosen, if there is any to choose.
    """
    n_units = int(units.max(initial=-1)) + 1
    chosen_units = rng.random(n_units) < CHOSEN
    if n_units and not chosen_units[units[units >= 0]].any():
        chosen_units[rng.choice(units[units >= 0])] = True
    chosen = np.append(chosen_units, False)[units]  # the last one is that of -1
    labels = np.where(chosen, ids, IGNORED).astype("int64")
    dice = rng.random(len(ids))
    others = vocabulary.ordinary[rng.integers(len(vocabulary.ordinary), size=len(ids))]
    read = np.where(chosen & (dice < MASKED), vocabulary.mask, ids).astype("int64")
    is_replaced = chosen & (dice >= MASKED) & (dice < MASKED + REPLACED)
    return np.where(is_replaced, others, read), labels
