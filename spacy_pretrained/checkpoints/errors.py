"""Messages of this folder, beside those that it shares with others."""

from ..errors import Errors as SharedErrors


class Errors(SharedErrors):
    TOKENIZER_BROKEN = (
        "The tokenizer definition (tokenizer.json) cannot be read: {error}. Copy it again from the "
        "model's original files, or update the package `tokenizers`."
    )
    TOKENIZER_BLOWS_UP = (
        "The tokenizer makes {n_pieces:,} wordpieces of a text of {n_characters:,} characters, "
        "which begins with {text!r}. Its tokenizer.json is damaged, or has a normalizer that blows "
        "texts up. Copy it again from the model's original files."
    )
    TOKENIZER_IGNORANT = (
        "The tokenizer of '{source}' knows no letter and no digit of any script; it has {n_pieces} "
        "pieces. Probably its vocabulary is not of the kind that transformers expects for the "
        "model_type in config.json. Copy tokenizer.json from the model's original files, or name "
        "the kind in tokenizer_config.json: for a vocab.txt, "
        '"tokenizer_class": "BertTokenizer".'
    )
    TOKENIZER_UNKNOWN = (
        "The tokenizer of '{source}' does not know {share:.0%} of the characters in the first "
        "{n_texts} training texts; at most {bound:.0%} are accepted. Words with unknown "
        "characters: {examples}. Use an encoder for the language of the texts, or check that "
        "tokenizer.json is the one that belongs to this model."
    )
    VOCABULARY_SIZE = (
        "vocabulary_size = {size} is too small for a vocabulary of wordpieces. Set at least "
        "{least}; some thousands are usual."
    )
    VOCABULARY_NO_TEXTS = (
        "No vocabulary of wordpieces can be learnt, because the training texts have no words. "
        "Check the training corpus, or set `tokenizer` to a tokenizer.json."
    )
    TOKENIZER_CASE = (
        "tokenizer_config.json of '{source}' says do_lower_case = {said}, but tokenizer.json "
        "{does} text into lower case. tokenizer.json counts. If that is wrong, save the tokenizer "
        "again: `AutoTokenizer.from_pretrained(...).save_pretrained(folder)`."
    )
    TOKENIZER_PIECES = (
        "tokenizer_config.json of '{source}' names special pieces that tokenizer.json does not "
        "have: {pieces}. tokenizer.json counts. Probably one of the two files belongs to another "
        "model: copy both from the model's original files."
    )
    TOKENIZER_FRAME = (
        "tokenizer_config.json of '{source}' names special pieces that tokenizer.json does not put "
        "around a text: {pieces}. tokenizer.json counts. If that is wrong, save the tokenizer "
        "again: `AutoTokenizer.from_pretrained(...).save_pretrained(folder)`."
    )
    TOKENIZER_NO_PAIRS = (
        "The tokenizer does not separate two texts, so its model cannot have learnt whether one "
        "follows from the other. Use a model that was trained for entailment."
    )
    KEEP_PIECES_KIND = (
        "Pieces can be left out of a vocabulary of the kind Unigram only, as XLM-RoBERTa and "
        "multilingual E5 have; this tokenizer is of the kind {kind}. Leave out --keep-pieces."
    )
    KEEP_PIECES_NOTHING = (
        "The texts whose pieces are to be kept have no pieces. Give a file with texts of the kind "
        "the pipeline is for."
    )
    KEEP_PIECES_PADDING = (
        "The pieces of '{model_type}' cannot be renumbered, because its positions depend on the "
        "id of the padding piece, which would change. Leave out --keep-pieces."
    )
    SOURCE_LANGUAGE = (
        "'{name}' loads '{source}', a model for another language ({languages}) than the pipeline's "
        "({lang}). Expect poor results, with high probabilities all the same. In "
        "[initialize.components.{name}], set `source` to a model for this language or a "
        "multilingual one: a folder, 'package:NAME', or 'owner/name' on the model hub."
    )
    NOT_CONVERTED = (
        "'{name}' loads a model ('{model_type}') that trains and runs on torch, but cannot be "
        "converted to OpenVINO: `quantize` will refuse the trained pipeline. Use another encoder "
        "if the pipeline is to run in INT8 or without torch."
    )
    FILE_BROKEN = (
        "The saved encoder's {name} is damaged or changed: {error}. Copy or install the pipeline "
        "again."
    )
    PIECES_BEYOND = (
        "The saved encoder's tokenizer.json has {n_pieces:,} pieces, but by its config.json "
        "(vocab_size) the model has vectors of {n_vectors:,}. They are of two models, or one of "
        "them was changed. Copy or install the pipeline again."
    )
    CHECKPOINT_FOLDER = (
        "The saved encoder's folder '{folder}' is not there: the pipeline's folder is "
        "incomplete, or was not saved by spacy-pretrained."
    )
    CHECKSUM = (
        "The saved encoder's {name} is not the file that was saved: its SHA-256 differs from the "
        "one in checksums.json. It was damaged or changed. Copy or install the pipeline again."
    )
    ENTAILMENT_LABELS = (
        "The config.json of the model ({name}) does not say which of its classes is entailment: "
        "its id2label has {labels}. Exactly one name must begin with 'entail', and at most one "
        "with 'contra'. Use another model, or correct id2label by what the model's authors say."
    )
