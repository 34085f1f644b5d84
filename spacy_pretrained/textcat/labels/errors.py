"""Messages of this folder, beside those that it shares with others."""

from ..errors import Errors as SharedErrors


class Errors(SharedErrors):
    NOT_A_LIST = (
        "Component '{name}' takes a list of {what}, not one string: ['{value}'], not '{value}'."
    )
    ZERO_SHOT_NO_LABELS = (
        "Component '{name}' has no labels. Give some in its config (labels = [...]), with "
        '`set_labels([...])`, or for one call: nlp(text, component_cfg={{"{name}": '
        '{{"labels": [...]}}}}).'
    )
    LABEL_EMPTY = "A {what} of '{name}' has to be a string that is not empty, but it is {text!r}."
    LABELS_TWICE = "Component '{name}' was given the same labels twice: {labels}."
    DESCRIPTIONS_UNKNOWN = (
        "Component '{name}' has descriptions of '{unknown}', which is not one of its labels: "
        "{labels}."
    )
    DESCRIPTION_KEY = (
        "Component '{name}' has a description of {label!r} in its config. There, the name of a "
        "setting cannot have ':', '=', '$' or a line break in it, nor begin or end with white "
        "space: the pipeline could be saved, but not loaded. Rename the label, or describe it "
        "later: `set_labels(labels, descriptions=...)`."
    )
    TEMPLATE = (
        "Component '{name}' has the template {template!r}. A template has {{}} where the label "
        'goes, such as "This text is about {{}}."; give at least one.'
    )
