"""Encoders that are on this machine: in the cache of the model hub, and as installed packages.

The cache is read as huggingface_hub lays it out, without that library: a folder
`models--owner--name` for each model, with its files in `blobs/` and, by revision, in `snapshots/`.
"""

from dataclasses import dataclass
from pathlib import Path

from ..checkpoints.catalogue import CATALOGUE, find_name
from ..sources.find import find_in_package
from ..sources.hub_cache import cache_folder, find_shared, size_of

PREFIX = "models--"
INCOMPLETE = ".incomplete"
WEIGHTS = ("*.safetensors", "pytorch_model*.bin")


@dataclass(frozen=True)
class Cached:
    source: str  # what a config may have as `source`
    name: str | None  # in the catalogue
    path: Path
    size: int  # bytes
    complete: bool


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
        has_weights = any(any(newest.glob(pattern)) for pattern in WEIGHTS)
        begun = any((folder / "blobs").glob(f"*{INCOMPLETE}"))
        complete = has_weights and (newest / "config.json").exists() and not begun
        shared = find_shared((folder / "blobs").glob("*"), cache)
        size = size_of(folder) + sum(file.stat().st_size for file in shared)
        found.append(Cached(source, find_name(source), newest, size, complete))
    return found
