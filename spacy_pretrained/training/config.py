"""A complete config for a purpose, with the length of its training fitted to a corpus.

>>> config = complete_config("ner", train="train.spacy", dev="dev.spacy", lang="de").config
>>> config.to_disk("config.cfg")
"""

import shlex
from configparser import Error as ConfigParserError
from dataclasses import dataclass, field
from importlib.resources import as_file, files
from importlib.util import find_spec
from pathlib import Path

import spacy
from spacy.util import get_lang_class, get_sourced_components, load_config, load_model_from_config
from thinc.api import Config

from ..checkpoints.catalogue import describe_misfit
from ..errors import count_of
from ..sources.find import check_source
from .corpus_contents import find_idle, leave_out, read_contents
from .errors import Errors
from .length import WARMUP, count_epochs, fit_length

# The configs that are installed with the package, as `spacy_pretrained.configs`.
PURPOSES = {
    "ner": "named entities",
    "tagger": "tags, parts of speech and morphology",
    "parser": "dependencies and sentences",
    "tagger_parser": "tags and dependencies: a treebank without entities",
    "pipeline": "tags, dependencies, entities and lemmas on one encoder",
    "textcat": "categories of texts, from hundreds of examples or more",
    "few_shot": "categories of texts, from a few examples a label",
    "frozen": "tags and dependencies on a frozen encoder: quick to train, less accurate",
    "ner_stock": "named entities by spaCy's own recognizer, on the encoder",
    "pipeline_trf": "tags, dependencies and entities on the transformer of spacy-transformers",
    "train_on": "a trained pipeline (--model), trained further with all of its components",
}
STEPS_PER_EVALUATION = 0.1
# The others count texts, and keep their length.
COUNT_WORDS = {"spacy.batch_by_words.v1", "spacy.batch_by_padded.v1"}


@dataclass(frozen=True)
class CompleteConfig:
    config: Config
    n_words: int | None  # of the corpus, if it was given
    left_out: list[str] = field(default_factory=list)  # a line about each component
    idle: list[str] = field(default_factory=list)  # about each that has nothing to learn

    def describe_length(self) -> str:
        """
        >>> complete_config("ner", train="train.spacy").describe_length()
        '12,000 words, 500 steps of 360 words (about 15 epochs)'
        """
        training = self.config["training"]
        steps, batcher = training["max_steps"], training["batcher"]
        if batcher["@batchers"] not in COUNT_WORDS or not isinstance(batcher["size"], int):
            return count_of(steps, "step")
        length = f"{count_of(steps, 'step')} of {count_of(batcher['size'], 'word')}"
        if self.n_words is None:
            return length
        epochs = count_of(count_epochs(self.n_words, steps, batcher["size"]), "epoch")
        return f"{count_of(self.n_words, 'word')}, {length} (about {epochs})"


def complete_config(
    purpose: str,
    *,
    train: str | Path | None = None,
    dev: str | Path | None = None,
    lang: str | None = None,
    encoder: str | None = None,
    model: str | None = None,
    max_steps: int = 0,
) -> CompleteConfig:
    """Make a config that `spacy train` takes.

    purpose: One of `PURPOSES`, or the path of a short config (.cfg) of your own.
    train: `.spacy` file or folder of such files. The training's length is fitted to it. A
        recognizer or lemmatizer is left out if it has no entities or lemmas.
    dev: The same, to score on.
    lang: Code of the language, whose tokenizer is used; by default that of the short config.
    encoder: Where the encoder's weights come from: a name of the catalogue, a folder,
        "package:NAME", or "owner/name" on the model hub.
    model: The trained pipeline to begin with: a folder or an installed package. For "train_on",
        and other configs that have `paths.model`.
    max_steps: Steps to train; 0: by the size of the corpus.
    RAISES: ValueError or OSError, saying which of these does not fit.
    """
    if max_steps < 0:
        raise ValueError(Errors.CONFIG_STEPS.format(max_steps=max_steps))
    short = read_short(purpose)
    _check_packages(short)
    contents = None if train is None else read_contents(Path(train))
    if dev is not None and not Path(dev).exists():
        raise ValueError(Errors.CONFIG_CORPUS_MISSING.format(path=dev))
    for name, path in (("train", train), ("dev", dev)):
        if path is not None:
            short.setdefault("paths", {})[name] = str(path)
    _begin_with(short, model, purpose)
    if lang is not None:
        _set_lang(short, lang, model)
    if encoder is not None:
        _set_encoder(short, encoder, purpose)
    left_out = [] if contents is None else leave_out(short, contents)
    filled = _fill(short)
    # Before that, what sourced components learn is not known: a short config has only their source.
    idle = {} if contents is None else find_idle(filled, contents)
    sourced = get_sourced_components(short)
    # spaCy puts the settings of sourced components in the place of where they come from.
    filled["components"].update(sourced)
    n_words = None if contents is None else contents.words
    _set_length(filled["training"], n_words, max_steps)
    lines = [
        (Errors.CONFIG_IDLE_SOURCED if name in sourced else Errors.CONFIG_IDLE).format(
            name=name, what=layer
        )
        for name, layer in idle.items()
    ]
    return CompleteConfig(filled, n_words, left_out, lines)


def read_short(purpose: str) -> Config:
    """The short config of a purpose, or of a file."""
    if purpose in PURPOSES:
        with as_file(files("spacy_pretrained.configs") / f"{purpose}.cfg") as path:
            return load_config(path)
    if not purpose.endswith(".cfg"):
        names = ", ".join(PURPOSES)
        raise ValueError(Errors.CONFIG_PURPOSE.format(purpose=purpose, names=names))
    if not Path(purpose).is_file():
        raise ValueError(Errors.CONFIG_FILE_MISSING.format(path=purpose))
    try:
        return load_config(purpose)
    except (ValueError, ConfigParserError) as error:  # of confection's own, or not in UTF-8
        raise ValueError(Errors.CONFIG_FILE_BROKEN.format(path=purpose, error=error)) from error


def describe_misfits(config: Config) -> list[str]:
    """Warnings of encoders that are for other languages than the pipeline."""
    lang = config["nlp"]["lang"]
    blocks = config.get("initialize", {}).get("components", {}).items()
    found = [describe_misfit(b["source"], lang, name) for name, b in blocks if "source" in b]
    return [warning for warning in found if warning]


def train_command(path: Path, config: Config) -> str:
    """What to type next. Words in capitals stand for the files that the config does not name."""
    command = f"python -m spacy train {shlex.quote(str(path))} --output training"
    for name in ("train", "dev"):
        if not config.get("paths", {}).get(name):
            command += f" --paths.{name} {name.upper()}.spacy"
    return command


def _check_packages(short: Config) -> None:
    factories = {block.get("factory") for block in short.get("components", {}).values()}
    if "transformer" in factories and find_spec("spacy_transformers") is None:
        raise ValueError(Errors.CONFIG_SPACY_TRANSFORMERS)


def _begin_with(short: Config, model: str | None, purpose: str) -> None:
    """Take all components, their language and what their scores weigh from a trained pipeline."""
    takes_model = "model" in short.get("paths", {})
    if model is None:
        if takes_model and not short["paths"]["model"]:
            raise ValueError(Errors.CONFIG_MODEL_NEEDED.format(purpose=purpose))
        return
    if not takes_model:
        raise ValueError(Errors.CONFIG_MODEL_UNUSED.format(purpose=purpose))
    file = Path(model) / "config.cfg"
    trained = load_config(file) if file.is_file() else spacy.load(model).config
    names = trained["nlp"]["pipeline"]
    short["paths"]["model"] = model
    short.setdefault("nlp", {}).update({"lang": trained["nlp"]["lang"], "pipeline": names})
    short["components"] = {name: {"source": "${paths.model}"} for name in names}
    if weights := trained.get("training", {}).get("score_weights"):
        short.setdefault("training", {})["score_weights"] = weights


def _set_lang(short: Config, lang: str, model: str | None) -> None:
    found = short.setdefault("nlp", {}).get("lang")
    if model is not None and lang != found:  # spaCy's E150, when the training begins
        raise ValueError(Errors.CONFIG_MODEL_LANG.format(model=model, found=found, lang=lang))
    short["nlp"]["lang"] = lang
    try:
        defaults = get_lang_class(lang).Defaults.config
    except ImportError as error:
        is_unknown = "E048" in str(error)  # and not one that needs another package
        message = Errors.CONFIG_LANG.format(lang=lang) if is_unknown else str(error)
        raise ValueError(message) from error
    if "tokenizer" in defaults.get("nlp", {}):  # of a language without spaces, such as Chinese
        short["nlp"].pop("tokenizer", None)


def _set_encoder(short: Config, encoder: str, purpose: str) -> None:
    if not encoder.strip():
        raise ValueError(Errors.CONFIG_ENCODER_EMPTY)
    for block in short.get("initialize", {}).get("components", {}).values():
        if "source" in block:
            check_source(encoder)
            block["source"] = encoder
            return
    for block in short.get("components", {}).values():
        if block.get("factory") == "transformer":
            block["model"]["name"] = encoder
            return
    raise ValueError(Errors.CONFIG_ENCODER_UNUSED.format(purpose=purpose))


def _fill(short: Config) -> Config:
    """All defaults added, as `spacy init fill-config` does, and the result validated. Sourced
    components have their settings in the trained pipeline."""
    try:
        filled = load_model_from_config(short, auto_fill=True, validate=False).config
        return load_model_from_config(filled).config
    except ImportError as error:  # of an unknown language, or one whose tokenizer is not installed
        raise ValueError(str(error)) from error


def _set_length(training: dict, n_words: int | None, max_steps: int) -> None:
    batcher, rate = training["batcher"], training["optimizer"].get("learn_rate")
    steps = max_steps
    if n_words is not None and batcher["@batchers"] in COUNT_WORDS:
        steps, size = fit_length(n_words, max_steps)
        if isinstance(batcher["size"], int):  # and no schedule
            batcher["size"] = size
    if not steps:
        return
    training["max_steps"] = steps
    training["eval_frequency"] = max(1, round(STEPS_PER_EVALUATION * steps))
    if isinstance(rate, dict) and "total_steps" in rate:
        rate["total_steps"] = steps
        rate["warmup_steps"] = max(1, round(WARMUP * steps))
