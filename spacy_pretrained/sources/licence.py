"""Licences of models, by the cards that come with them."""

import re
from pathlib import Path

from .errors import Errors
from .hub_id import HubId

CARD = "README.md"
HEADER = re.compile(r"\A\s*---\s*\n(?P<fields>.*?)\n---\s*$", re.DOTALL | re.MULTILINE)
NON_COMMERCIAL = re.compile(r"\bnc\b|non-?commercial|research-only", re.IGNORECASE)
SAYS_NOTHING = re.compile(r"(other|unknown)\b", re.IGNORECASE)
PAGE = "https://huggingface.co/{name}"


def read_licence(folder: Path) -> str | None:
    """The licence that the card in a model's folder states, or that in the folder above. None if it
    has no card, or one that does not say it."""
    for place in (folder, folder.parent):
        card = place / CARD
        if card.is_file():
            return find_licence(card.read_text(encoding="utf8", errors="replace"))
    return None


def find_licence(card: str) -> str | None:
    """
    >>> find_licence("---\\nlicense: apache-2.0\\nlanguage: en\\n---\\n# A model")
    'apache-2.0'
    """
    header = HEADER.search(card)
    if header is None:
        return None
    licence = _read_field(header["fields"], "license")
    name = _read_field(header["fields"], "license_name")
    return f"{licence} ({name})" if licence and name else licence


def describe_licence(licence: str | None, hub: HubId) -> str | None:
    """A warning about a licence that is not known, or that forbids commercial use."""
    if licence and NON_COMMERCIAL.search(licence):
        return Errors.LICENCE_NON_COMMERCIAL.format(hub=hub, licence=licence)
    if not licence or SAYS_NOTHING.match(licence):
        page = PAGE.format(name=hub.name)
        return Errors.LICENCE_UNKNOWN.format(hub=hub, licence=licence or "not stated", page=page)
    return None


def _read_field(fields: str, name: str) -> str | None:
    """One of YAML's fields: a value, or the first of a list."""
    match = re.search(rf"^{name}:[ \t]*(?:\n\s*-[ \t]*)?(?P<value>[^\n]*)", fields, re.MULTILINE)
    return match["value"].strip(" \t\"'[]") or None if match else None
