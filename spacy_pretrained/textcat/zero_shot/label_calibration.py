"""Move the vectors of labels to where texts are that seem to be about them.

Labels' vectors lie apart from those of texts, some nearer to all texts than others: that is a bias.
Texts without labels show it. They are taken to be drawn from as many von Mises-Fisher distributions
as there are labels, which EM fits (Banerjee et al., Clustering on the Unit Hypersphere using von
Mises-Fisher Distributions, 2005: soft spherical k-means), beginning from the labels' vectors. How
frequent labels are is estimated, too, so that unlike ones stay so. Vectors stay near where they
were: the mean of texts counts for less than the label itself, and for little where texts are few.

The constants below were chosen on texts to train on of AG News (with all four topics as frequent,
with frequencies of 20 : 8 : 3 : 1, and with two topics alone), BANKING77, CLINC150, HWU64 and
SIB-200.
"""

import numpy as np
from thinc.types import Floats1d, Floats2d

from ..normalized import normalize

CONCENTRATION = 40.0  # of the distributions: texts are assigned by the softmax of so many cosines
TEXTS_SHARE = 0.3  # what texts count in a label's vector, at most
TEXTS_NEEDED = 2  # texts a label, with which they count for half of that
PRIOR_TEXTS = 0.25  # texts, as a share of those that there are, taken to be equally frequent
ROUNDS = 4


def calibrate_labels(labels: Floats2d, texts: Floats2d) -> Floats2d:
    """Of the normalized vectors of K labels (K, D) and T texts (T, D), T > 0, the labels' new ones
    (K, D).

    Takes the time of some matrix products of (T, D) by (D, K).
    """
    n_texts, n_labels = len(texts), len(labels)
    share = TEXTS_SHARE * n_texts / (n_texts + TEXTS_NEEDED * n_labels)
    vectors = labels
    frequencies = np.full(n_labels, 1 / n_labels, dtype="float32")
    for _ in range(ROUNDS):
        assigned = _assign(texts @ vectors.T, frequencies)
        frequencies = _estimate(assigned)
        vectors = normalize((1 - share) * labels + share * normalize(assigned.T @ texts))
    return vectors


def _assign(cosines: Floats2d, frequencies: Floats1d) -> Floats2d:
    """How much each text (T, K) belongs to each label."""
    logits = CONCENTRATION * cosines + np.log(frequencies)
    logits -= logits.max(axis=1, keepdims=True)
    weights = np.exp(logits)
    return weights / weights.sum(axis=1, keepdims=True)


def _estimate(assigned: Floats2d) -> Floats1d:
    """How frequent labels (K,) are, with some texts beside those seen that have all alike."""
    seen = assigned.mean(axis=0)
    return (seen + PRIOR_TEXTS / len(seen)) / (1 + PRIOR_TEXTS)
