"""Messages of this folder, beside those that it shares with others."""

from ..errors import Errors as SharedErrors


class Errors(SharedErrors):
    CONLL18_HEAD = (
        "{at}: the word '{form}' has no head ('_'). To train on, that is fine; to score a parse, "
        "every gold word needs a head and a relation."
    )
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
    EVALUATE_FORMAT = (
        "'{path}' is no gold annotation. Give .conllu or .conllu.gz files (treebanks) and .spacy "
        "files (entities, categories): `python -m spacy pretrained convert` makes the latter."
    )
    EVALUATE_NO_SCORER = (
        "Categories cannot be scored: of the text classifiers ({names}) none has a scorer of "
        'categories. Set scorer = {{"@scorers": "spacy-pretrained.textcat_scorer.v1"}} in '
        "[components.NAME] of the pipeline's config.cfg."
    )
    EVALUATE_BROKEN = "'{path}' cannot be read as a .spacy file. Convert it again. ({error})"
