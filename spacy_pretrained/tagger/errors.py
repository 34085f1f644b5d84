"""Messages of this folder, beside those that it shares with others."""

from ..errors import Errors as SharedErrors


class Errors(SharedErrors):
    LABELS_UNKNOWN_ATTRIBUTE = (
        "The labels given for '{name}' are for '{attribute}', which is not among its attributes "
        "{attributes}."
    )
    LABEL_FORM = (
        "A label of '{name}' begins with its attribute, such as '{attribute}=X', and '{label}' "
        "does not. Its attributes are {attributes}; one that the training data lacked takes no "
        "labels until the component is initialized anew."
    )
    LABEL_FEATURES = (
        "'{label}', which '{name}' was given as a label of 'morph', is no list of features. Write "
        "them as in 'Case=Nom|Number=Sing', or '_' for none."
    )
    LABEL_POS = (
        "'{label}', which '{name}' was given as a label of 'pos', is no part of speech that spaCy "
        "knows. Use one of these: {known}. Other names belong in 'tag'."
    )
    ATTRIBUTE_UNKNOWN = (
        "'{attribute}' is not an attribute that '{name}' can set. Choose from {attributes}."
    )
    ATTRIBUTES_NONE = (
        "'{name}' has attributes = [], so there is nothing that it could set. Choose from "
        "{attributes}."
    )
