"""`files.json`: what belongs to a pipeline's folder where we write all of it.

It lists every file but meta.json and config.cfg, which people edit. A component's folder that has
checksums of its own stands there with these alone: the component compares the rest. meta.json says
that there is such a list, so that a copy that lacks it is noticed.
"""

import json
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from spacy.language import Language

from .errors import Errors
from .files import compare, digest, list_files, read_list, write_list
from .save_mark import KEY, META

FILES = "files.json"
PROMISE = "files"  # the key in our entry of meta.json
CHECKSUMS = "checksums.json"
EDITABLE = {META, "config.cfg"}

# The components that each pipeline has loaded from a folder since its files were compared.
_loaded: WeakKeyDictionary[Language, tuple[Path, set[str]]] = WeakKeyDictionary()


def write_whole_folder(pipeline: Path) -> None:
    """List the files of a pipeline."""
    (pipeline / FILES).unlink(missing_ok=True)
    found = _list(pipeline)
    write_list(pipeline / FILES, {"files": {name: digest(path) for name, path in found.items()}})
    meta = _read_meta(pipeline)
    meta[KEY] = _entry(meta) | {PROMISE: FILES}
    _write_meta(pipeline, meta)


def forget_whole_folder(pipeline: Path) -> None:
    """For whoever writes a part of a pipeline. The meta of a pipeline that was loaded from a whole
    folder says so wherever spaCy writes it."""
    (pipeline / FILES).unlink(missing_ok=True)
    meta = _read_meta(pipeline)
    entry = _entry(meta)
    if PROMISE in entry:
        del entry[PROMISE]
        _write_meta(pipeline, meta)


def _read_meta(pipeline: Path) -> dict[str, Any]:
    """Empty if there is none, or it cannot be read."""
    try:
        meta = json.loads((pipeline / META).read_bytes())
    except (OSError, ValueError):
        return {}
    return meta if isinstance(meta, dict) else {}


def _entry(meta: dict[str, Any]) -> dict[str, Any]:
    entry = meta.get(KEY)
    return entry if isinstance(entry, dict) else {}


def _write_meta(pipeline: Path, meta: dict[str, Any]) -> None:
    (pipeline / META).write_text(json.dumps(meta, indent=2, ensure_ascii=False), "utf8")


def check_whole_folder(component: Path, nlp: Language | None) -> None:
    """Compare the files of a pipeline with their list, if there is one. This is called for each
    component that is loaded; the first one of each load compares.

    nlp: The pipeline that the component is loaded for, if that is known.
    RAISES: ValueError if a file is missing, was added or changed.
    """
    pipeline = component.parent
    listed = pipeline / FILES
    if not listed.is_file():
        if PROMISE in _entry(_read_meta(pipeline)):
            raise ValueError(Errors.WHOLE_LIST_MISSING.format(path=listed))
        return
    if nlp is not None:
        folder, names = _loaded.get(nlp, (None, set()))
        if folder == pipeline and component.name not in names:
            names.add(component.name)
            return
        _loaded[nlp] = pipeline, {component.name}
    digests = read_list(listed, {"files"})["files"]
    found = _list(pipeline)
    tops = {name.split("/")[0] for name in digests}
    # What else lies beside the listed files and folders, such as a README, nobody reads.
    found = {name: path for name, path in found.items() if name.split("/")[0] in tops}
    compare(pipeline, found, digests, listed)


def _list(pipeline: Path) -> dict[str, Path]:
    found = list_files(pipeline, pipeline, [FILES, *EDITABLE])
    checked = {name.split("/")[0] for name in found if name.split("/")[1:] == [CHECKSUMS]}
    return {
        name: path
        for name, path in found.items()
        if name.split("/")[0] not in checked or name.split("/")[1:] == [CHECKSUMS]
    }
