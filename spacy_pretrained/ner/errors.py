"""Messages of this folder, beside those that it shares with others."""

from ..errors import Errors as SharedErrors


class Errors(SharedErrors):
    SPANS_OVERLAP = (
        "The spans '{key}' overlap in the gold annotation: {one} and {other}, in: {text}. A token "
        "belongs to one entity at most; for nested or overlapping spans use spaCy's spancat."
    )
    ENTITIES_DO_NOT_FIT = (
        "Component '{name}': of {entities} entities to learn from, {trimmed} begin or end with "
        "white space, which is cut off, and {lost} do not begin and end with a token of the "
        "pipeline's or are nothing but white space: these are left out, and what their tokens are "
        "is not learnt. Check the corpus if these are many, or let its reader give gold tokens."
    )
    CALIBRATION_ONE_SIDED = (
        "The confidence of '{name}' cannot be calibrated: of {n} predicted entities {correct} are "
        "correct. It takes some of both kinds; give more development data."
    )
    CALIBRATION_ANNOTATED = (
        "Component '{name}' has annotated some of these examples already, and would keep what it "
        "said then. Calibrate on new ones: Example(nlp.make_doc(text), gold)."
    )
    CALIBRATION_RECOGNIZER = (
        "Entity recognizers made by pretrained_ner that the pipeline ({pipes}) has: {known}. One "
        "of them is to be calibrated; `component` (--component) says which, and is {component}."
    )
    CALIBRATION_NO_CONFIDENCE = (
        "Component '{name}' keeps no confidence to calibrate. Set confidence = true in its config."
    )
