"""Messages of this folder, beside those that it shares with others."""

from ..errors import Errors as SharedErrors


class Errors(SharedErrors):
    VECTORS_MISSING = (
        "Component '{name}' needs the vectors of '{upstream}', but this Doc has none: "
        "'{upstream}' is excluded, disabled, not in the pipeline, or stands behind '{name}' in it. "
        "Put it before '{name}'. If you train with annotating_components (in Python: "
        "annotates=[...]), add it there."
    )
    VECTORS_REMOVED = (
        "Component '{name}' needs the vectors of '{upstream}', but a component before it has "
        "removed them from this Doc, as spaCy's `doc_cleaner` does: doc.tensor is None. Put that "
        "component last in the pipeline."
    )
    VECTORS_OF_OTHERS = (
        "Component '{name}' needs vectors of width {width} from '{upstream}', but those of this "
        "Doc have width {found}: another tok2vec has overwritten them. Move '{upstream}' behind "
        "that tok2vec and all components that listen to it."
    )
    VECTORS_OF_OTHER_DOCS = (
        "Component '{name}' cannot be updated: '{upstream}' was not updated on these documents, "
        "so there are no vectors of them. If it is excluded from the update, have it annotate: "
        "nlp.update(examples, exclude=['{upstream}'], annotates=['{upstream}'], ...). In a config, "
        "add it to annotating_components of [training]."
    )
    NO_LABELS = (
        "No labels for component '{name}': none of the examples has {what}. Check the corpus, or "
        "give the labels in [initialize.components.{name}.labels] (see `spacy init labels`)."
    )
    NOT_TRAINED = "Component '{name}' has no labels yet: call `nlp.initialize()` first."
    NOT_INITIALIZED = (
        "Component '{name}' has no weights yet: call `nlp.initialize(lambda: examples)` first. In "
        "a pipeline that is trained already, enable no other trained component meanwhile "
        "(nlp.select_pipes), or it would forget what it has learnt."
    )
    LOSS_NOT_FINITE = (
        "The loss of '{name}' is {loss}: training diverged. Lower [training.optimizer.learn_rate], "
        "set mixed_precision = false, or look for broken examples in the corpus."
    )
    GRADIENT_NOT_FINITE = (
        "A gradient of '{name}' is not finite: training diverged. Lower "
        "[training.optimizer.learn_rate], set mixed_precision = false, or look for broken examples "
        "in the corpus."
    )
    DISTILL_WEIGHT = (
        "distill_weight of '{name}' has to be from 0 (gold alone) to 1 (the teacher alone), but it "
        "is {weight}."
    )
    NO_TEACHER = (
        "Component '{name}' has distill_weight = {weight}, but no example so far has soft labels "
        "of a teacher for it, so it learns from gold annotation alone. Read the corpus with "
        "spacy-pretrained.Taught.v1, whose `components` must not leave this one out, or set "
        "distill_weight = 0."
    )
    TEACHER_LABELS = (
        "The teacher has labels of '{kind}' that component '{name}' lacks: {labels}. Give the "
        "component all labels in [initialize.components.{name}.labels], or add them with "
        "nlp.get_pipe('{name}').add_label(...). Or leave the teacher's component out of "
        "`components` of the corpus reader spacy-pretrained.Taught.v1."
    )
    REHEARSAL_UPSTREAM = (
        "Component '{name}' cannot rehearse: its vectors come from '{upstream}', which is no "
        "`pretrained_encoder` that stands before it in the pipeline. Leave it out: "
        "nlp.rehearse(examples, exclude=['{name}'])."
    )
