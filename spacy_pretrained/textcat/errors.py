"""Messages of this folder, beside those that it shares with others."""

from ..errors import Errors as SharedErrors


class Errors(SharedErrors):
    CATS_UNKNOWN = (
        "Component '{name}': an example has the category '{label}', which is not one of the "
        "labels: {labels}. Correct it, or initialize the component with this label, too."
    )
    CATS_VALUE = (
        "Component '{name}': an example's category '{label}' is {value!r}; it has to be 1 (it "
        "holds) or 0 (it does not). Leave a label out of `cats` if it is not known."
    )
    CATS_SEVERAL = (
        "Component '{name}' treats labels as mutually exclusive, but an example has several: "
        "{labels}. Set multi_label = true, or correct the corpus."
    )
    CATS_ONE_LABEL = (
        "Component '{name}' has one label, '{label}', which would apply to every text. Give a "
        "second label for all other texts, or set multi_label = true."
    )
    THRESHOLD = "threshold of '{name}' has to be from 0 to 1, but it is {threshold}."
    MIXING_ALPHA = (
        "mixing_alpha of '{name}' has to be 0 (no mixup) or a positive number, but it is "
        "{mixing_alpha}."
    )
