"""Messages of this folder, beside those that it shares with others."""

from ..errors import Errors as SharedErrors


class Errors(SharedErrors):
    EXTENSION_TAKEN = (
        "Component '{component}' leaves the extension {owner}._.{name} as it is: it was there "
        "already, with {theirs}, and is not that of spacy-pretrained. The component's confidences "
        "are in {call}."
    )
    CONFIDENCE_OF_WHAT = (
        "A token has a confidence of its {kinds}: call confidence(token, kind), not with {kind!r}."
    )
    CONFIDENCE_OF_OTHERS = "Confidences are those of a Span or a Token, not of {type}."
