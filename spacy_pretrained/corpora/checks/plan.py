"""What a config says of a training, as far as a corpus has to fit it. Nothing of it is built but
the tokenizer."""

from configparser import Error as ConfigParserError
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import spacy
import srsly
from spacy.language import Language
from spacy.util import load_config, load_model_from_config
from thinc.api import Config

from ...ner.errors import Errors as NerErrors
from .errors import Errors
from .finding import Finding

# What components learn from, by their factories: attributes of tokens, "ents" and "cats". That of
# those with other settings is in `find_layers`.
LAYERS = {
    "tagger": ["tag"],
    "morphologizer": ["pos", "morph"],
    "trainable_lemmatizer": ["lemma"],
    "pretrained_lemmatizer": ["lemma"],
    "biaffine_parser": ["dep"],
    "parser": ["dep"],
    "ner": ["ents"],
    "pretrained_textcat": ["cats"],
    "few_shot_textcat": ["cats"],
    "textcat": ["cats"],
    "textcat_multilabel": ["cats"],
}
TAGGER_ATTRIBUTES = ["tag", "pos", "morph"]
SPANS_KEY = "sc"  # of spancat
ENCODER = "pretrained_encoder"
DEFAULT_SOURCE = "minilm-l6"
HAVE_SOURCE = {ENCODER, "zero_shot_textcat", "few_shot_textcat"}
# Models of encoders that are not pretrained, or not with one source.
WITHOUT_SOURCE = {
    "spacy-pretrained.TransformerFromScratch.v1",
    "spacy-pretrained.ConcatEncoder.v1",
}


@dataclass(frozen=True)
class Component:
    name: str
    factory: str
    settings: dict[str, Any]  # those that the config has; defaults may be left out
    source: str | None  # of pretrained weights; None if it has none or several, or is sourced
    learns: bool  # not frozen
    labels: list[str] | None = None  # that a trained one knows; None if there is none, or unknown

    @property
    def layers(self) -> list[str]:
        return find_layers(self.factory, self.settings) if self.learns else []


@dataclass(frozen=True)
class Plan:
    """
    nlp: Without components; with the config's tokenizer.
    gold_tokens: Whether examples have the tokens of the annotation, rather than the tokenizer's.
    """

    nlp: Language
    components: list[Component] = field(default_factory=list)
    gold_tokens: bool = True
    has_config: bool = False
    findings: list[Finding] = field(default_factory=list)

    def find(self, *factories: str) -> list[Component]:
        """The components of some factories that learn."""
        return [c for c in self.components if c.learns and c.factory in factories]

    @property
    def layers(self) -> set[str]:
        """All that components learn from; empty without a config."""
        return {layer for component in self.components for layer in component.layers}


def find_layers(factory: str, settings: dict[str, Any]) -> list[str]:
    """What a component learns from; "spans:KEY" is a group of spans."""
    if factory == "pretrained_tagger":
        return list(settings.get("attributes", TAGGER_ATTRIBUTES))
    if factory == "pretrained_ner":
        key = settings.get("spans_key")
        return ["ents" if key is None else f"spans:{key}"]
    if factory == "spancat":
        return [f"spans:{settings.get('spans_key', SPANS_KEY)}"]
    return LAYERS.get(factory, [])


def read_plan(path: str | Path | None) -> Plan:
    """Read a config, short or complete. None gives a plan that knows nothing.

    RAISES: ValueError if there is none, or it is malformed; ImportError for an unknown language.
    """
    if path is None:
        return Plan(spacy.blank("xx"))
    if not Path(path).is_file():
        raise ValueError(Errors.PLAN_FILE.format(path=path))
    try:
        config = load_config(path, interpolate=True)
        nlp = _make_nlp(config["nlp"])
        components, findings = _read_components(config)
    except (ValueError, KeyError, TypeError, AttributeError, ConfigParserError) as error:
        raise ValueError(Errors.PLAN_BROKEN.format(path=path, error=error)) from error
    reader = config.get("corpora", {}).get("train", {})
    return Plan(nlp, components, _gives_gold_tokens(reader), True, findings)


def _make_nlp(settings: dict[str, Any]) -> Language:
    kept = {name: settings[name] for name in ("lang", "tokenizer") if name in settings}
    return load_model_from_config(Config({"nlp": kept | {"pipeline": []}}), auto_fill=True)


def _gives_gold_tokens(reader: dict[str, Any]) -> bool:
    if reader.get("@readers") == "spacy.Corpus.v1":
        return bool(reader.get("gold_preproc", False))
    return bool(reader.get("gold_tokens", True))


def _read_components(config: Config) -> tuple[list[Component], list[Finding]]:
    frozen = config.get("training", {}).get("frozen_components", [])
    sources = config.get("initialize", {}).get("components", {})
    components, findings = [], []
    for name in config["nlp"].get("pipeline", []):
        if name not in config.get("components", {}):
            findings.append(Finding("error", Errors.PLAN_NO_COMPONENT.format(name=name)))
            continue
        settings, labels = config["components"][name], None
        is_sourced = "source" in settings
        if is_sourced:
            folder, its_name = settings["source"], settings.get("component", name)
            settings, labels, finding = _read_sourced(folder, its_name, name)
            if finding is not None and (finding.level == "error" or name not in frozen):
                findings.append(finding)
        factory = settings.get("factory", "")
        if factory == "pretrained_ner" and settings.get("spans_key") == "":
            findings.append(Finding("error", NerErrors.SPANS_KEY_EMPTY.format(name=name)))
            continue
        source, architecture = None, settings.get("model", {}).get("@architectures")
        has_source = factory in HAVE_SOURCE and architecture not in WITHOUT_SOURCE
        if has_source and not is_sourced and not settings.get("upstream"):
            source = sources.get(name, {}).get("source") or DEFAULT_SOURCE
        learns = name not in frozen
        components.append(Component(name, factory, settings, source, learns, labels))
    return components, findings


def _read_sourced(
    source: str | None, component: str, name: str
) -> tuple[dict[str, Any], list[str] | None, Finding | None]:
    """The settings of a component of a trained pipeline and the labels that it knows, of its
    meta.json; a finding if there is no such component, or the pipeline is no folder here.

    component, name: What it is called there, and here.
    """
    folder = Path(source or "")
    if not source or not (folder / "config.cfg").is_file():
        return {}, None, Finding("note", Errors.PLAN_SOURCED.format(name=name, source=source))
    components = load_config(folder / "config.cfg")["components"]
    if component not in components:
        text = Errors.PLAN_NOT_IN_SOURCE.format(
            name=name, source=source, component=component, known=", ".join(components)
        )
        return {}, None, Finding("error", text)
    labels = None
    if (folder / "meta.json").is_file():
        labels = srsly.read_json(folder / "meta.json").get("labels", {}).get(component)
    return components[component], labels, None
