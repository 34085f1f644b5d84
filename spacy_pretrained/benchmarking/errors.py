"""Messages of this folder, beside those that it shares with others."""

from ..errors import Errors as SharedErrors


class Errors(SharedErrors):
    NO_SOURCES = (
        "There is nothing to benchmark. Name an encoder, the folder of one, or a pipeline, such as "
        "minilm-l6 or training/model-best."
    )
    NUMBERS = (
        "{name} takes whole numbers of at least 1, with commas between them, such as 16,64. It is "
        "'{text}'."
    )
    NOT_HERE = (
        "The encoder '{source}' is not on this machine. Run: python -m spacy pretrained download "
        "{source}"
    )
    NO_FOLDER = (
        "There is no folder '{source}' here, and no encoder of that name on this machine. Check "
        "the path. For a model of the hub, run: python -m spacy pretrained download {source}"
    )
    NOT_KNOWN = (
        "'{source}' is no name in the catalogue, no folder of an encoder or of a pipeline, and no "
        "installed pipeline. `python -m spacy pretrained models --cached` lists the encoders that "
        "are on this machine."
    )
    PIPELINE_INCOMPLETE = (
        "The pipeline in '{folder}' has no config.cfg, so its folder is incomplete. Copy or "
        "install the pipeline again."
    )
    ENCODER_NEEDS_TORCH = (
        "To benchmark the encoder '{source}', torch and transformers must be installed. Run: pip "
        "install 'spacy-pretrained[train]' - or benchmark a quantized pipeline. It needs neither."
    )
    NO_TRAINING = (
        "The encoder of '{source}' runs on OpenVINO, which does not train. Leave --train out, or "
        "name the pipeline that this one was quantized from."
    )
    OUT_OF_MEMORY = (
        "the process was killed (signal 9), most likely because the memory was not enough"
    )
    NOTHING_MEASURED = "Nothing could be measured. {notes}"
