"""Messages of this folder, beside those that it shares with others."""

from ..errors import Errors as SharedErrors


class Errors(SharedErrors):
    SPANS_KEY_EMPTY = (
        "'{name}' has spans_key = \"\". Give the name of a group of spans, or null, so that it "
        "sets doc.ents."
    )
    SPANS_OVERLAP = (
        "The spans '{key}' overlap in the gold annotation: {one} and {other}, in: {text}. A token "
        "can belong to one entity only. For nested or overlapping spans, use spaCy's spancat."
    )
    ENTITIES_DO_NOT_FIT = (
        "Entities that '{name}' learns from: {entities}. Of {trimmed}, white space at the "
        "beginning or end is removed. Left out because they do not begin and end with tokens of "
        "the pipeline, or are only white space: {lost}. If these are many, check the corpus, or "
        "set gold_tokens = true in its reader."
    )
    CALIBRATION_ONE_SIDED = (
        "The confidence of '{name}' cannot be calibrated: it needs correct and wrong predictions, "
        "but of the predicted entities ({n}) {correct} are correct. Give more development data."
    )
    CALIBRATION_ANNOTATED = (
        "Component '{name}' has annotated some of these examples already, and would keep that "
        "annotation. Calibrate on new ones: Example(nlp.make_doc(text), gold)."
    )
    CALIBRATION_DROPPED = (
        "Component '{name}' is trained further, so the calibration of its confidences no longer "
        "holds, and is dropped. Calibrate again after the training: `python -m spacy pretrained "
        "calibrate`."
    )
    CALIBRATION_RECOGNIZER = (
        "The pipeline ({pipes}) has these entity recognizers made by pretrained_ner: {known}. Give "
        "the name of the one to calibrate: `component` (--component) is {component}."
    )
    CALIBRATION_NO_CONFIDENCE = (
        "Component '{name}' keeps no confidence to calibrate. Set confidence = true in its config."
    )
