"""Messages of this folder, beside those that it shares with others."""

from ..errors import Errors as SharedErrors


class Errors(SharedErrors):
    CONLL18_COLUMNS = (
        "{path}, line {line}: a CoNLL-U line has 10 columns with tabs between them, this one has "
        "{found}."
    )
    CONLL18_ID = (
        "{path}, line {line}: the ID is '{id}', but the next word of the sentence is {expected}. "
        "IDs count from 1 in every sentence; a multiword token's (like 3-4) comes before its words."
    )
    CONLL18_HEAD = (
        "{path}, line {line}: the head is '{head}', but must be 0 or one of the sentence's "
        "{length} words. To score a parse, every gold word needs a head."
    )
    CONLL18_EMPTY = "{path} has no words: is it a CoNLL-U file?"
    CONLL18_TEXTS_DIFFER = (
        "The gold text and the system's text differ (whitespace apart) at character {at}: gold has "
        "'{gold}', the system '{system}'. Give the pipeline the text of the same file, in the same "
        "order."
    )
    CONLL18_WORDS_DIFFER = (
        "The Docs are not made of the gold words: word {at} is '{gold}' in the gold file and "
        "'{system}' in the Docs. Make them of the same file, in the same order."
    )
    CONLL18_WORD_COUNT = (
        "The Docs are not made of the gold words: the gold file has {gold} of them, the Docs have "
        "{system} (whitespace apart). Make them of the same file, in the same order."
    )
