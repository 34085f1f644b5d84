"""The catalogue of pretrained encoders, and the languages that they are for."""

import json
import re
from pathlib import Path

from .errors import Errors

CATALOGUE = json.loads(Path(__file__).with_suffix(".json").read_text("utf8"))
PACKAGE_PREFIX = "package:"
MULTILINGUAL = "multilingual"
REVISION = re.compile(r"@[^@]+$")
ANY_LANGUAGE = {"", "xx", "mul"}  # of a pipeline; "" is that of a vocab without a language


def find_languages(source: str) -> list[str]:
    """Codes of the languages that a source is for, as its model card says; none if that is not
    known, or if it is for any. A model of the catalogue is known by its package and hub, too."""
    name = find_name(source)
    languages = CATALOGUE[name]["languages"] if name else None
    return [] if not languages or MULTILINGUAL in languages else languages


def find_name(source: str) -> str | None:
    """The name in the catalogue of a source: that name, its package or its id on the hub. A name
    and an id may have a revision behind them.

    >>> find_name("FacebookAI/roberta-base@v1")
    'roberta-base'
    """
    if not source.startswith(PACKAGE_PREFIX):
        source = REVISION.sub("", source)
    for name, entry in CATALOGUE.items():
        package = entry["package"] and PACKAGE_PREFIX + entry["package"]
        if source in (name, entry["hub"], package):
            return name
    return None


def describe_misfit(source: str, lang: str, name: str) -> str | None:
    """A warning, if a source is known not to be for a pipeline's language.

    lang: Code of that language. name: The component that takes the weights.
    """
    languages = find_languages(source)
    if not languages or lang in ANY_LANGUAGE or lang in languages:
        return None
    return Errors.SOURCE_LANGUAGE.format(
        name=name, source=source, languages=", ".join(languages), lang=lang
    )
