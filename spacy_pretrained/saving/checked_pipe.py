"""What components of ours share that are saved: checksums, which are compared on load.

The folder of a component has `checksums.json`: the SHA-256 of each other file in it, and the mark
of the save (see `save_mark.py`). Its file `cfg` says that there is such a list, so that a lost one
is noticed. What versions before have saved has neither, and is not checked.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

from spacy.util import ensure_path

from . import save_mark
from .errors import Errors
from .files import compare, digest, list_files, read_list, write_list
from .whole_folder import check_whole_folder, forget_whole_folder

CHECKSUMS, CFG = "checksums.json", "cfg"
PROMISE = "checksums"  # the key in `cfg`
KEYS = {"files", save_mark.SAVE}


class CheckedPipe:
    """A base, which stands before one of spaCy's components."""

    name: str

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> None:
        """Save to a folder, with checksums."""
        folder, exclude = ensure_path(path), list(exclude)
        forget_whole_folder(folder.parent)
        self._write_folder(folder, exclude)
        write_checksums(folder, exclude)
        if (owner := save_mark.find_owner(self)) is not None:
            save_mark.renew(owner)

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> Self:
        """Load from a folder.

        RAISES: ValueError if a file is missing, was added, changed, or is of another save than the
            pipeline's meta.json.
        """
        folder, exclude = ensure_path(path), list(exclude)
        owner = save_mark.find_owner(self)
        check_whole_folder(folder, owner)
        is_marked = _check_checksums(folder, self.name, exclude)
        self._read_folder(folder, exclude)
        if isinstance(cfg := getattr(self, "cfg", None), dict):
            cfg.pop(PROMISE, None)
        if owner is not None:
            (save_mark.renew if is_marked else save_mark.remove)(owner)
        return self

    def _write_folder(self, folder: Path, exclude: list[str]) -> None:
        raise NotImplementedError

    def _read_folder(self, folder: Path, exclude: list[str]) -> None:
        """The inverse of `_write_folder`."""
        raise NotImplementedError


def write_checksums(folder: Path, exclude: Iterable[str] = ()) -> None:
    """List the files of a component's folder."""
    if CFG not in exclude:
        cfg = json.loads((folder / CFG).read_bytes()) if (folder / CFG).is_file() else {}
        (folder / CFG).write_text(json.dumps(cfg | {PROMISE: CHECKSUMS}, indent=2), "utf8")
    found = list_files(folder, folder.parent, [*exclude, CHECKSUMS])
    digests = {name: digest(path) for name, path in found.items()}
    has_meta = (folder.parent / save_mark.META).is_file()
    mark = save_mark.read_mark(folder.parent) if has_meta else None
    write_list(folder / CHECKSUMS, {save_mark.SAVE: mark, "files": digests})


def _check_checksums(folder: Path, name: str, exclude: list[str]) -> bool:
    """RETURNS: Whether the component is of a marked save."""
    pipeline, listed = folder.parent, folder / CHECKSUMS
    found = list_files(folder, pipeline, [*exclude, CHECKSUMS])
    mark = None
    if listed.is_file():
        value = read_list(listed, KEYS)
        mark, digests = value[save_mark.SAVE], value["files"]
        wanted = {n: d for n, d in digests.items() if n.split("/")[0] not in exclude}
        compare(folder, found, wanted, listed)
    elif _promises_checksums(folder / CFG):
        raise ValueError(Errors.LIST_MISSING.format(path=listed))
    if (pipeline / save_mark.META).is_file():
        expected = save_mark.read_mark(pipeline)
        if expected != mark:
            entry = json.dumps({save_mark.SAVE: mark} if mark else {})
            texts = {"expected": expected or "without a mark", "found": mark or "without a mark"}
            raise ValueError(
                Errors.TWO_HALVES.format(folder=pipeline, name=name, entry=entry, **texts)
            )
    return mark is not None


def _promises_checksums(path: Path) -> bool:
    try:
        return PROMISE in json.loads(path.read_bytes())
    except (OSError, ValueError, TypeError):  # there is none, or reading it will fail
        return False


def describe_part_error(folder: Path, part: str, name: str, error: Exception) -> str:
    """What is wrong with a part of a component that cannot be read."""
    reason = str(error) or type(error).__name__
    return Errors.PART_BROKEN.format(path=folder / part, name=name, error=reason)


def check_labels(name: str, n_labels: int, expected: int, found: int | None) -> None:
    """Refuse labels that do not fit the weights of a component.

    expected, found: Scores that the labels take, and that the model has; None if it is not
        initialized yet.
    """
    if found is not None and found != expected:
        sizes: dict[str, Any] = {"n_labels": n_labels, "expected": expected, "found": found}
        raise ValueError(Errors.LABELS_MISFIT.format(name=name, **sizes))
