"""Messages of this folder, beside those that it shares with others."""

from ..errors import Errors as SharedErrors


class Errors(SharedErrors):
    UPSTREAM_OF_PAIRS = (
        "Component '{name}' has an entailment model, which cannot run on the weights of the "
        "encoder '{upstream}'. Take upstream out of its config, and give the model as source."
    )
    ENTAILMENT_NO_CALIBRATION = (
        "An entailment model cannot be calibrated. Compare descriptions and templates "
        "on some labelled texts, or take spacy-pretrained.SimilarityClassifier.v1."
    )
    CALIBRATION_FEW_TEXTS = (
        "Component '{name}' cannot be calibrated on fewer texts ({n}) than it has labels ({k}). "
        "Give more, better some hundreds."
    )
    ZERO_SHOT_NO_GRADIENT = (
        "The model of a zero-shot classifier learns nothing. To learn from examples use the "
        "factory 'few_shot_textcat' or 'pretrained_textcat'."
    )
    ZERO_SHOT_MODEL = (
        "Component '{name}' wants a model of spacy-pretrained.SimilarityClassifier.v1, "
        "spacy-pretrained.EntailmentClassifier.v1 or another one that tells labels apart by their "
        "names, not '{model}'."
    )
