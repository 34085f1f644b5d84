"""Messages of this folder, beside those that it shares with others."""

from ..errors import Errors as SharedErrors


class Errors(SharedErrors):
    TASK = (
        "Unknown task '{task}'. Tasks are: {tasks}. For what spaCy pipelines do not do "
        "({elsewhere}), `recommend` says which kind of model does."
    )
    CHOICE = "Unknown {name} '{value}'. Use one of: {known}."
    MEMORY = "'{memory}' is no amount of memory. Write it like 8GB, 512MB or 6.5GB."
    EXAMPLES = "The number of examples is at least 0, but it is {examples}."
    NO_EXAMPLES = (
        "There is nothing to train '{task}' on without examples. Annotate some, at least a few "
        "dozen; categories of texts can also be found by their names alone: --task zero-shot."
    )
    NOTHING_TO_LEARN = (
        "'{path}' has no {what}, so there is nothing to learn '{task}' from. Give a corpus that "
        "has them, or another task."
    )
    LANG = (
        "'{lang}' is no code of a language. Give one such as en for English, es for Spanish, or xx "
        "for many languages."
    )
    NOTHING_FITS = (
        "No encoder of the catalogue fits: {reason}. Allow more memory, or look for an encoder "
        "elsewhere: any folder in Hugging Face layout and any 'owner/name' on the model hub is "
        "taken as `--encoder` of `python -m spacy pretrained config`."
    )
    NO_CONFIG_FILE = (
        "--{name} is for the config that --config writes. Add --config with the file's name, or "
        "leave --{name} out."
    )
    NO_CONFIG = (
        "There is no config for '{task}': it needs no training. Add the component {component} to a "
        'pipeline, with source = "{source}" for its weights.'
    )
    NOT_FOR_PIPELINES = "No config is written: '{task}' is no task of a spaCy pipeline."
    UNKNOWN_NAME = (
        "'{name}' is no name in the catalogue, no folder, no installed pipeline and no model in "
        "the hub's cache. Known names: {near}, and others that `python -m spacy pretrained models` "
        "lists."
    )
    CONFIG_BROKEN = (
        "'{path}' is not the config of an encoder: {error}. Copy or download the folder again."
    )
    PIPELINE_CONFIG = (
        "'{path}' is not the config of a pipeline: {error}. Copy or install the pipeline again."
    )
    FOLDER_UNKNOWN = (
        "The folder '{folder}' has neither a meta.json, as a pipeline has, nor a config.json, as "
        "an encoder in Hugging Face layout has."
    )
