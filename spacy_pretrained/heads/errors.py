"""Messages of this folder, beside those that it shares with others."""

from ..errors import Errors as SharedErrors


class Errors(SharedErrors):
    VECTORS_MISSING = (
        "Component '{name}' needs what '{upstream}' makes of a Doc, and this one has no vectors: "
        "'{upstream}' is excluded, disabled, or not in the pipeline. In a training with "
        "annotating_components, put it among these."
    )
    VECTORS_OF_OTHERS = (
        "Component '{name}' needs vectors of width {width} from '{upstream}', but this Doc has "
        "some of {found}: another tok2vec wrote over them. Put '{upstream}' behind it and all that "
        "listens to it."
    )
    NO_LABELS = (
        "No labels for component '{name}': none of the examples has {what}. Check the corpus, or "
        "give the labels in [initialize.components.{name}.labels] (see `spacy init labels`)."
    )
    NOT_TRAINED = "Component '{name}' has no labels yet: call `nlp.initialize()` first."
    LOSS_NOT_FINITE = (
        "The loss of '{name}' is {loss}: training diverged. Lower [training.optimizer.learn_rate], "
        "set mixed_precision = false, or look for broken examples in the corpus."
    )
    REHEARSAL_UPSTREAM = (
        "Component '{name}' cannot rehearse: its vectors come from '{upstream}', which is no "
        "`pretrained_encoder`. Leave it out: nlp.rehearse(examples, exclude=['{name}'])."
    )
