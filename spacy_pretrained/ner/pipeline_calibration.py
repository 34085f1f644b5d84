"""Calibrate the entity recognizer of a pipeline, and see what that changed.

>>> before, after = calibrate_pipeline(nlp, examples)
>>> before.error(), after.error()
(0.081, 0.012)
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from spacy.language import Language
from spacy.training import Example
from thinc.types import Floats1d

from . import calibration
from .errors import Errors
from .pipe import PretrainedNer

N_BINS, LEAST_IN_BIN = 10, 10
EDGES = (0.0, 0.5, 0.7, 0.9, 0.97, 1.0)


@dataclass(frozen=True)
class Reliability:
    """How confident a recognizer was of S predicted entities, and which of them are right."""

    confidences: Floats1d  # (S,)
    is_right: np.ndarray  # (S,) bool

    def error(self) -> float:
        """The expected calibration error: how far, on average, the confidence of a tenth of the
        entities is from their accuracy, from 0 to 1 (C. Guo et al., On Calibration of Modern Neural
        Networks, 2017; with bins of equal size). Fewer than 100 entities have fewer bins."""
        P, right = self.confidences, self.is_right
        n_bins = max(1, min(N_BINS, len(P) // LEAST_IN_BIN))
        bins = np.array_split(np.argsort(P), n_bins)
        return float(sum(len(b) * abs(P[b].mean() - right[b].mean()) for b in bins) / len(P))

    def bands(self) -> list[tuple[float, float, int, float, float]]:
        """For each band of confidences that has entities: its edges, how many they are, their mean
        confidence, and the share of them that is right."""
        found = []
        for low, high in pairwise(EDGES):
            inside = (self.confidences >= low) & ((self.confidences < high) | (high == 1))
            if inside.any():
                means = (float(x[inside].mean()) for x in (self.confidences, self.is_right))
                found.append((low, high, int(inside.sum()), *means))
        return found


def calibrate_pipeline(
    nlp: Language, examples: Iterable[Example], component: str | None = None
) -> tuple[Reliability, Reliability]:
    """Make a recognizer's confidences mean how often it is right (see `PretrainedNer.calibrate`).

    examples: Gold entities that it was not trained on. The predicted Docs have nothing but tokens.
    component: Name of the recognizer; it may be left out where the pipeline has one.
    RETURNS: Its predictions before and after. The pipeline is changed, but not saved.
    RAISES: ValueError if there is no such recognizer, or nothing to calibrate by.
    """
    ner = find_recognizer(nlp, component)
    examples = list(examples)
    slope, offset = ner.calibrate(nlp, examples)
    # `calibrate` has annotated the examples without calibration.
    outcomes = [outcome for example in examples for outcome in ner.outcomes(example)]
    confidences, is_right = map(np.asarray, zip(*outcomes))
    calibrated = calibration.apply(confidences, slope, offset)
    return Reliability(confidences, is_right), Reliability(calibrated, is_right)


def find_recognizer(nlp: Language, component: str | None = None) -> PretrainedNer:
    found = {name: pipe for name, pipe in nlp.pipeline if isinstance(pipe, PretrainedNer)}
    if component is None and len(found) == 1:
        return next(iter(found.values()))
    if component not in found:
        names = {"pipes": ", ".join(nlp.pipe_names), "known": ", ".join(found) or "none"}
        raise ValueError(Errors.CALIBRATION_RECOGNIZER.format(component=component, **names))
    return found[component]
