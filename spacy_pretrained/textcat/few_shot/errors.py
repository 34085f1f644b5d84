"""Messages of this folder, beside those that it shares with others."""

from ..errors import Errors as SharedErrors


class Errors(SharedErrors):
    FEW_SHOT_NO_LABELS = (
        "Component '{name}' has no labels. Give some in its config (labels = [...]), with "
        "`set_labels([...])`, or examples with `cats`: `fit(examples)`, `nlp.initialize(...)`."
    )
    FIT_NOTHING = (
        "Component '{name}' cannot be fitted: no example (of {n}) has both a text and a "
        "category in `cats` that is known to hold, or not to."
    )
    FIT_ONE_LABEL = (
        "Component '{name}' was given examples of one label only, '{label}': there is nothing to "
        "tell apart. Give an example of another label, too, or set multi_label = true."
    )
    FIT_FROZEN = (
        "Component '{name}' cannot be fitted with fine_tune=True: its encoder is frozen or "
        "quantized. Leave fine_tune out, to fit the head alone; or set frozen = false in "
        "[components.{name}.model.encoder], and fit it before it is quantized."
    )
    FIT_SETTING = "To fit a classifier, {setting} has to be above 0, and finite, not {value}."
    CONTRAST = "contrast of '{name}' has to be 0 (none) or a positive number, but it is {contrast}."
