"""Messages of this folder, beside those that it shares with others."""

from ..errors import Errors as SharedErrors


class Errors(SharedErrors):
    TOKENIZER_SETTINGS = (
        "The settings of the tokenizer are min_count = {min_count}, min_share = {min_share}, "
        "max_special_cases = {max_special_cases}. min_count has to be at least 1, min_share from "
        "0.5 to 1, and max_special_cases at least 0."
    )
    TOKENIZER_OF_LANGUAGE = (
        "spacy-pretrained.TreebankTokenizer.v1 learns to split what stands between spaces. The "
        "language '{lang}' has a tokenizer of its own: set @tokenizers = \"{own}\" in "
        "[nlp.tokenizer]."
    )
    TOKENIZER_NO_SPACES = (
        "No document of the training corpus says where there are spaces, so the tokenizer learns "
        "nothing and keeps the rules of the language. Convert the corpus from a format with "
        "spaces (CoNLL-U has SpaceAfter=No), or take spacy.Tokenizer.v1 in [nlp.tokenizer]."
    )
    TOKENIZER_NO_LESSONS = (
        "The tokenizer has nothing to learn from: `nlp.initialize` was given no examples. It keeps "
        "the rules of the language, and learns when it is given the training corpus: "
        "nlp.initialize(lambda: examples)."
    )
