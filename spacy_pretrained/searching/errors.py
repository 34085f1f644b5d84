"""Messages of this folder, beside those that it shares with others."""

from ..errors import Errors as SharedErrors


class Errors(SharedErrors):
    EXTRA_MISSING = (
        "To search settings, optuna must be installed. Run: pip install 'spacy-pretrained[search]'"
    )
    SPACE_MISSING = (
        "There is no space '{path}'. Give a .cfg file with a block [search.space], or the name of "
        "one that comes with the package: {known}."
    )
    SPACE_BROKEN = "'{path}' is not a config that can be read: {error}"
    SPACE_NONE = (
        "'{path}' has no settings to search. Its block [search.space] has a line for each, such as "
        'training.dropout = {{"low": 0.0, "high": 0.4}}.'
    )
    SPACE_KEYS = (
        "'{path}': {setting} has {value}. It takes low and high, with step or log if wanted, or "
        "choices, a list; and beside them also, a list of settings that get the same value."
    )
    SPACE_RANGE = (
        "'{path}': {setting} goes from {low} to {high}. Both have to be numbers, the second the "
        "larger one and, with log, the first above 0."
    )
    SPACE_STEP = (
        "'{path}': the step of {setting} is {step}. It has to be a number above 0, a whole one if "
        "both ends of the range are, and it does not go with log."
    )
    SPACE_CHOICES = (
        "'{path}': the choices of {setting} have to be two or more numbers, strings, true, false "
        "or null, all different. They are {choices}."
    )
    SPACE_OPTION = "'{path}' has [search] {name}, which is unknown. Known are: {known}."
    SETTING_UNKNOWN = (
        "The config has no setting '{setting}', which the space names. The nearest is '{near}'. "
        "`python -m spacy pretrained config` writes configs with all settings."
    )
    SETTING_REFERENCE = (
        "The config takes '{setting}' from elsewhere ({value}). Let the space name that instead."
    )
    CONFIG_MISSING = "There is no config '{path}'. `python -m spacy pretrained config` writes one."
    CONFIG_BROKEN = "'{path}' is not a config that spaCy can read: {error}"
    OPTION_TOO_SMALL = "{name} has to be {least} or more, but it is {value}."
    OPTION_NOT_ABOVE = "{name} has to be more than 0, but it is {value}."
    SEEDS = "--seeds has to be 0, or from 2 to {most}, but it is {seeds}."
    STORAGE = "The storage '{storage}' cannot be opened: {error}"
    OTHER_SEARCH = (
        "'{out}', or the database of --storage, has a search with another {what}. Give the same "
        "one to go on with it, or another folder and another database."
    )
    OUT_TAKEN = "'{out}' is not empty, and what is in it is not from `search`. Give another folder."
    NO_SCORES = "the training ended without an evaluation"
    NO_METRIC = "its log has no score '{metric}', but {known}"
    OUT_OF_MEMORY = (
        "the process was killed (signal 9), most likely because the memory was not enough"
    )
    ALL_FAILED = (
        "All of the {n} trials failed. The last one: {reason}. '{path}' has all reasons. Does the "
        "config itself train?"
    )
    RUN_FAILED = "The training of the {which} config with seed {seed} failed: {reason}"
    NOT_COMPARED = (
        "The best config is not compared with the default, so its lead may be luck. {error}"
    )
    NONE_YET = (
        "No trial has a score yet. Other processes run all that are left; the one that ends last "
        "makes the comparison."
    )
    STOPPED = (
        "Stopped. '{out}' has all finished trials. Give the same command again to go on; what was "
        "running is tried again."
    )
    OTHERS_RUN = (
        "Other processes still run trials of this search. The one that ends last compares the best "
        "config with the default. If none does, one on another machine or in another container was "
        "killed, and its trial counts as running: begin again in another folder."
    )
