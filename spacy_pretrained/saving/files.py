"""The files of a folder: which there are, and their checksums."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .errors import Errors

BLOCK = 1_000_000  # bytes


def list_files(folder: Path, root: Path, exclude: Iterable[str] = ()) -> dict[str, Path]:
    """All files below a folder, by their names in it ("backbone/config.json"), but hidden ones.

    root: Links may lead to places in it only.
    exclude: Names at the top of the folder that are left out.
    RAISES: ValueError for a link that leaves the root.
    """
    exclude = set(exclude)
    found: dict[str, Path] = {}
    _refuse_link(folder, root)
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.name.startswith(".") or path.name in exclude:
            continue
        _refuse_link(path, root)
        if path.is_dir():
            inner = list_files(path, root)
            found |= {f"{path.name}/{name}": file for name, file in inner.items()}
        else:
            found[path.name] = path
    return found


def _refuse_link(path: Path, root: Path) -> None:
    if path.is_symlink() and not path.resolve().is_relative_to(root.resolve()):
        raise ValueError(Errors.LINK_LEAVES.format(path=path, target=path.resolve()))


def digest(path: Path) -> str:
    """The SHA-256 of a file, as `sha256sum` gives it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_folder(folder: Path) -> str:
    """The SHA-256 of the names, sizes and contents of all files of a pipeline, read in blocks."""
    found = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        if "__pycache__" not in path.parts:
            name = path.relative_to(folder).as_posix()
            found.update(f"{name}\0{path.stat().st_size}\0".encode())
            with path.open("rb") as file:
                while block := file.read(BLOCK):
                    found.update(block)
    return found.hexdigest()


def compare(folder: Path, found: dict[str, Path], digests: dict[str, str], listed: Path) -> None:
    """Compare files of a folder with the checksums that they were saved with.

    listed: The file that the checksums are from, for messages.
    RAISES: ValueError for a file that is missing, was added, or was changed.
    """
    for names, message in (
        (digests.keys() - found.keys(), Errors.FILES_MISSING),
        (found.keys() - digests.keys(), Errors.FILES_ADDED),
    ):
        if names:
            names = ", ".join(sorted(names))
            raise ValueError(message.format(folder=folder, names=names, listed=listed.name))
    for name, path in found.items():
        if digest(path) != digests[name]:
            raise ValueError(Errors.FILE_CHANGED.format(path=path, listed=listed.name))


def write_list(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", "utf8")


def read_list(path: Path, keys: set[str]) -> dict[str, Any]:
    """What `write_list` wrote. RAISES: ValueError if it does not have these keys, with checksums
    among them under "files"."""
    try:
        value = json.loads(path.read_bytes())
        if not isinstance(value, dict) or set(value) != keys:
            raise ValueError(f"it has to be an object with {', '.join(sorted(keys))}")
        digests = value["files"]
        if not isinstance(digests, dict) or not all(isinstance(d, str) for d in digests.values()):
            raise ValueError('"files" has to be an object of checksums')
    except ValueError as error:
        raise ValueError(Errors.LIST_BROKEN.format(path=path, error=error)) from error
    return value
