"""What spaCy forgets of a `trainable_lemmatizer` that is loaded, so that its training can continue.

[initialize.after_init]
@callbacks = "spacy-pretrained.restore_lemmatizer_trees.v1"
"""

from collections.abc import Callable

from spacy.language import Language
from spacy.pipeline import EditTreeLemmatizer


def build_restore_lemmatizer_trees() -> Callable[[Language], Language]:
    """See restore_lemmatizer_trees. For configs whose lemmatizer comes from a trained pipeline."""
    return restore_lemmatizer_trees


def restore_lemmatizer_trees(nlp: Language) -> Language:
    """Tell each lemmatizer again which of its labels stands for which edit tree.

    spaCy (3.8.18) saves the trees of the labels, but not the way back, `tree2label`, which only
    `update` needs. Without it every token is taught the first label, and what the lemmatizer knew
    is lost. Lemmatizers that were not loaded are left as they are.

    RETURNS (Language): The same pipeline.
    """
    for _, component in nlp.components:
        if isinstance(component, EditTreeLemmatizer):
            trees = component.cfg["labels"]
            component.tree2label = {tree: label for label, tree in enumerate(trees)}
    return nlp
