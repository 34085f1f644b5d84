"""Licences of models, by the cards that come with them."""

import re
from fnmatch import fnmatch
from importlib.metadata import files, packages_distributions
from pathlib import Path

from .errors import Errors
from .hub_files import TRANSFORMER
from .hub_id import HubId

CARD = "README.md"
HEADER = re.compile(r"\A\s*---\s*\n(?P<fields>.*?)\n---\s*$", re.DOTALL | re.MULTILINE)
NON_COMMERCIAL = re.compile(r"\bnc\b|non-?commercial|research-only", re.IGNORECASE)
SAYS_NOTHING = re.compile(r"(other|unknown)\b", re.IGNORECASE)
TEXTS = ("LICEN[CS]E*", "COPYING*", "NOTICE*")
MODULES = "modules.json"  # of a sentence-transformers model
PAGE = "https://huggingface.co/{name}"


def read_licence(folder: Path) -> str | None:
    """The licence that the card in a model's folder states; of a sentence-transformers model, also
    that in the folder above. None if it has no card, or one that does not say it."""
    for place in _places(folder):
        card = place / CARD
        if card.is_file():
            return find_licence(card.read_text(encoding="utf8", errors="replace"))
    return None


def read_licence_text(folder: Path) -> str | None:
    """The text of the licence that comes with a model: a file in its folder or, of a
    sentence-transformers model, in the folder above. None if there is none."""
    for place in _places(folder):
        paths = sorted(path for name in TEXTS for path in place.glob(name) if path.is_file())
        if paths:
            return "\n\n".join(path.read_text("utf8", "replace").strip() for path in paths)
    return None


def read_package_licence(package: str) -> str | None:
    """The text of the licence that an installed package comes with."""
    for name in packages_distributions().get(package, []):
        texts = [
            file.read_text().strip()
            for file in files(name) or []
            if any(fnmatch(file.name, pattern) for pattern in TEXTS) and file.locate().is_file()
        ]
        if texts:
            return "\n\n".join(texts)
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


def _places(folder: Path) -> list[Path]:
    """Where a model's card and licence may be."""
    is_part = (folder.parent / MODULES).is_file() or folder.name == TRANSFORMER.rstrip("/")
    return [folder, folder.parent] if is_part else [folder]


def _read_field(fields: str, name: str) -> str | None:
    """One of YAML's fields: a value, or the first of a list."""
    match = re.search(rf"^{name}:[ \t]*(?:\n\s*-[ \t]*)?(?P<value>[^\n]*)", fields, re.MULTILINE)
    return match["value"].strip(" \t\"'[]") or None if match else None
