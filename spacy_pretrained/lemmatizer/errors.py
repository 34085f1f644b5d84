"""Messages of this folder, beside those that it shares with others."""

from ..errors import Errors as SharedErrors


class Errors(SharedErrors):
    NO_TAGGER = (
        "Component '{name}' needs tags, but no component before it sets them: the pipeline is "
        "{pipeline}. Put a tagger, such as `pretrained_tagger`, before it."
    )
    NO_TAGS = (
        "Component '{name}' looks lemmas up by form and tag, but the examples have no token with "
        "both a lemma and a tag or part of speech. Add tags to the corpus."
    )
    LABEL_FORM = (
        "A label of '{name}' is a form and its lemma with a tab between them, such as "
        "'dogs\\tdog', not {label!r}."
    )
    LABELS_FORM = (
        "The labels given for '{name}' need the keys 'trees', 'table' and 'tag', as "
        "`spacy init labels` writes them, but they have {keys}."
    )
