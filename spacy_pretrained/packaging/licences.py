"""The licences of what a pipeline was made of: corpora, and the encoder."""

from os.path import expanduser
from pathlib import Path
from typing import Any

from ..checkpoints.catalogue import CATALOGUE, PACKAGE_PREFIX, find_name
from ..sources.find import find_in_package
from ..sources.hub_cache import find_snapshot
from ..sources.hub_id import parse_hub_id
from ..sources.licence import read_licence_text, read_package_licence
from ..sources.model_folder import find_model_folder

LICENCES = "LICENSES_SOURCES"  # the file's name, as spaCy's `package` has it
RULE = "-" * 80


def find_encoder_licence(encoder: str) -> str | None:
    """The text of an encoder's licence, if the encoder is on this machine and has it.

    encoder: The source of its weights, as configs have it.
    """
    package = CATALOGUE.get(find_name(encoder) or "", {}).get("package")
    if encoder.startswith(PACKAGE_PREFIX):
        package = encoder.removeprefix(PACKAGE_PREFIX)
    if package:
        folder = find_in_package(package)
        text = read_licence_text(folder) if folder else None
        return text or (read_package_licence(package) if folder else None)
    folder = Path(expanduser(encoder))
    if folder.is_dir():
        return read_licence_text(find_model_folder(folder))
    hub = parse_hub_id(encoder)
    snapshot = find_snapshot(hub) if hub else None
    return read_licence_text(find_model_folder(snapshot)) if snapshot else None


def list_licences(sources: list[dict[str, Any] | str]) -> list[str]:
    """Lines of Markdown: what each source is, and its licence.

    >>> list_licences([{"name": "UD", "url": "https://example.org", "license": "CC BY-SA 4.0"}])
    ['- [UD](https://example.org): CC BY-SA 4.0']
    """
    lines = []
    for source in map(as_object, sources):
        name = f"[{source['name']}]({source['url']})" if source.get("url") else source["name"]
        lines.append(f"- {name}: {source.get('license') or 'licence not known'}")
    return lines


def as_object(source: dict[str, Any] | str) -> dict[str, Any]:
    """Sources of a meta may be names alone."""
    return {"name": source} if isinstance(source, str) else source


def make_licences(sources: list[dict[str, Any] | str], texts: list[str | None]) -> str:
    """A file for the wheel: name, link and licence of each source.

    texts: Those of the licences of the last sources, which are the encoders; None if unknown.
    """
    blocks = [
        "\n".join(filter(None, (source["name"], source.get("url"), source.get("license"))))
        for source in map(as_object, sources)
    ]
    unknown = [None] * (len(blocks) - len(texts))
    parts = ["\n\n".join(filter(None, pair)) for pair in zip(blocks, [*unknown, *texts])]
    return f"\n{RULE}\n".join(parts) + "\n"
