"""Messages of this folder, beside those that it shares with others."""

from ..errors import Errors as SharedErrors


class Errors(SharedErrors):
    LABELS_UNKNOWN_ATTRIBUTE = (
        "The labels given for '{name}' are for '{attribute}', which is not among its attributes "
        "{attributes}."
    )
    ATTRIBUTE_UNKNOWN = (
        "'{attribute}' is no attribute that '{name}' can set. Choose from {attributes}."
    )
