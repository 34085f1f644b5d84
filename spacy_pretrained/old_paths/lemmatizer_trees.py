from .old_paths import warn_of
from .training.lemmatizer_trees import restore_lemmatizer_trees

__all__ = ["restore_lemmatizer_trees"]

warn_of(__name__, "`restore_lemmatizer_trees`")
