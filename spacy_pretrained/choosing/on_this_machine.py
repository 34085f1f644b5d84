"""Encoders that are on this machine: in the cache of the model hub, and as installed packages.

The cache is read as huggingface_hub lays it out, without that library: a folder
`models--owner--name` for each model, with its files in `blobs/` and, by revision, in `snapshots/`.
"""

from dataclasses import dataclass
from pathlib import Path

from ..checkpoints.catalogue import CATALOGUE, find_name
from ..sources.download import find_copy
from ..sources.find import find_in_package
from ..sources.hub_cache import cache_folder, find_shared, find_snapshot, size_of
from ..sources.hub_id import HubId

PREFIX = "models--"


@dataclass(frozen=True)
class Cached:
    source: str  # what a config may have as `source`
    name: str | None  # in the catalogue
    path: Path
    size: int  # bytes
    complete: bool  # all files that a source needs are there, and what came of them was checked


def find_cached() -> list[Cached]:
    """All that is here, packages first."""
    return [*_find_packages(), *_find_in_cache(cache_folder())]


def _find_packages() -> list[Cached]:
    found = []
    for name, entry in CATALOGUE.items():
        folder = find_in_package(entry["package"]) if entry["package"] else None
        if folder is not None:
            found.append(Cached(name, name, folder, size_of(folder), True))
    return found


def _find_in_cache(cache: Path) -> list[Cached]:
    found = []
    for folder in sorted(cache.glob(f"{PREFIX}*--*")):
        source = folder.name.removeprefix(PREFIX).replace("--", "/", 1)
        snapshots = [path for path in (folder / "snapshots").glob("*") if path.is_dir()]
        newest = max(snapshots, key=lambda path: path.stat().st_mtime, default=folder)
        chosen = find_snapshot(HubId(source)) or newest  # that of the main branch, as a source's
        complete = _is_complete(HubId(source, chosen.name))
        shared = find_shared((folder / "blobs").glob("*"), cache)
        size = size_of(folder) + sum(file.stat().st_size for file in shared)
        found.append(Cached(source, find_name(source), chosen, size, complete))
    return found


def _is_complete(commit: HubId) -> bool:
    try:
        return find_copy(commit) is not None
    except ValueError:  # of damaged files
        return False
