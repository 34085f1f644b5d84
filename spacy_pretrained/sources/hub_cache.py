"""The model hub's cache on this machine, which all programs share that use huggingface_hub.

It is read here without that package: `models--OWNER--NAME/refs/BRANCH` has the name of a commit,
`snapshots/COMMIT/` the files of that commit, mostly as links to `blobs/`. These may be links in
turn: huggingface_hub 2.4 keeps files that came by Xet once for all models, in the cache's own
`blobs/`, as `PREFIX/HASH` with a list `HASH.refs`. In `models--OWNER--NAME/.unverified/COMMIT`
stand our own marks of files whose SHA-256 has not been compared yet.
"""

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .errors import Errors
from .hub_id import HubId


def cache_folder() -> Path:
    """Where huggingface_hub keeps models, by its environment variables."""
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if os.environ.get(name):
            return _expand(os.environ[name])
    if os.environ.get("HF_HOME"):
        return _expand(os.environ["HF_HOME"]) / "hub"
    return _expand(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface" / "hub"


def model_folder(hub: HubId) -> Path:
    """The folder of all revisions of a model, which need not be there."""
    return cache_folder() / f"models--{hub.name.replace('/', '--')}"


def find_snapshot(hub: HubId) -> Path | None:
    """The folder with the files of a model at a revision, if there is one. It may be incomplete."""
    folder = model_folder(hub)
    reference = folder / "refs" / hub.revision
    commit = reference.read_text().strip() if reference.is_file() else hub.revision
    snapshot = folder / "snapshots" / commit
    is_way = commit in ("", ".", "..") or "/" in commit or "\\" in commit  # to another folder
    return snapshot if snapshot.is_dir() and not is_way else None


def unverified_mark(hub: HubId, commit: str, name: str) -> Path:
    """The empty file that is there from before a file is downloaded until its SHA-256 has been
    compared: a process may be killed in between, when the file already has its place. Files that
    other programs have downloaded have no mark."""
    return _marks(model_folder(hub), commit) / name.replace("/", "--")


def has_unverified(hub: HubId, commit: str) -> bool:
    marks = _marks(model_folder(hub), commit)
    return marks.is_dir() and any(marks.iterdir())


def _marks(folder: Path, commit: str) -> Path:
    return folder / ".unverified" / commit


@dataclass(frozen=True)
class Removal:
    """Files and folders to delete, and how large they are."""

    paths: list[Path]
    n_bytes: int


def plan_removal(hub: HubId, *, all_revisions: bool) -> Removal:
    """What to delete of a model: the revision, or all of them.

    RAISES: ValueError if the cache does not have it, or has a link to another place instead.
    """
    folder = model_folder(hub)
    cache = cache_folder()
    if folder.is_symlink():
        raise ValueError(Errors.REMOVE_OUTSIDE.format(folder=folder, cache=cache))
    if not folder.is_dir():
        raise ValueError(Errors.REMOVE_NOTHING.format(hub=hub, cache=cache))
    snapshots = sorted(p for p in (folder / "snapshots").glob("*") if p.is_dir())
    chosen = find_snapshot(hub)
    if all_revisions or snapshots == [chosen]:
        locks = cache / ".locks" / folder.name
        shared = _find_unshared(set((folder / "blobs").glob("*")), cache)
        paths = [folder, *([locks] if locks.is_dir() else []), *_with_lists(shared)]
        return Removal(paths, size_of(folder) + sum(file.stat().st_size for file in shared))
    if chosen is None:
        raise ValueError(Errors.REMOVE_NO_REVISION.format(hub=hub.name, revision=hub.revision))
    if chosen.is_symlink():
        raise ValueError(Errors.REMOVE_OUTSIDE.format(folder=chosen, cache=cache))
    kept = {blob for other in snapshots if other != chosen for blob in _blobs(other, folder)}
    blobs = sorted(_blobs(chosen, folder) - kept)
    references = [
        path
        for path in (folder / "refs").rglob("*")
        if path.is_file() and path.read_text().strip() == chosen.name
    ]
    shared = _find_unshared(set(blobs), cache)
    files = [*(blob for blob in blobs if not blob.is_symlink()), *shared]
    n_bytes = size_of(chosen) + sum(file.stat().st_size for file in files)
    marks = [path for path in [_marks(folder, chosen.name)] if path.is_dir()]
    return Removal([chosen, *marks, *blobs, *references, *_with_lists(shared)], n_bytes)


def remove(removal: Removal) -> None:
    for path in removal.paths:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _blobs(snapshot: Path, folder: Path) -> set[Path]:
    """Files of `blobs/` that a snapshot links to."""
    blobs = folder / "blobs"
    links = (path for path in snapshot.rglob("*") if path.is_symlink())
    targets = [link.parent / os.readlink(link) for link in links]
    return {blobs / t.name for t in targets if t.exists() and t.parent.resolve() == blobs.resolve()}


def find_shared(blobs: Iterable[Path], cache: Path) -> set[Path]:
    """The files, which models of the cache share, that some of their blobs are links to."""
    store = (cache / "blobs").resolve()
    targets = {blob.resolve() for blob in blobs if blob.is_symlink() and blob.exists()}
    return {target for target in targets if target.is_relative_to(store)}


def _find_unshared(blobs: set[Path], cache: Path) -> list[Path]:
    """Those that no other blobs in the cache are links to."""
    others = set(cache.glob("*--*/blobs/*")) - blobs
    return sorted(find_shared(blobs, cache) - find_shared(others, cache))


def _with_lists(shared: list[Path]) -> list[Path]:
    return [path for file in shared for path in (file, file.with_name(f"{file.name}.refs"))]


def size_of(folder: Path) -> int:
    """Bytes of the files in a folder, without those that links lead to."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return sum(path.stat().st_size for path in files)


def _expand(path: str) -> Path:
    return Path(os.path.expandvars(path)).expanduser()
