"""Messages of this folder, beside those that it shares with others."""

from ..errors import Errors as SharedErrors


class Errors(SharedErrors):
    SCORES_SHAPE = (
        "Scores of arcs must have the shape (sentences, tokens, tokens + 1): for each dependent, "
        "the root and then each token as its head. These have {shape}."
    )
    SENTENCE_LENGTHS = (
        "Each sentence (of {sentences}) needs its number of tokens, from 0 to {longest}, but the "
        "lengths are {lengths}."
    )
    MAX_SENTENCE = "max_sentence of '{name}' must be at least 1, but it is {max_sentence}."
    HEAD_CROSSES = (
        "In the gold annotation, the head of token {i} ('{token}') is token {head} ('{other}'), "
        "which is in another sentence: {text}. Correct the heads or the sentence starts."
    )
    HEAD_CYCLE = (
        "In the gold annotation, the heads above token {i} ('{token}') lead in a circle and not to "
        "a root: {text}. Correct the heads: `python -m spacy pretrained check` counts such trees."
    )
