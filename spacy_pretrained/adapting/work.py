"""The folder of an unfinished training: what it was asked for, and how far it has come.

    OUT/adapt/settings.json   options and checksums, which a later run has to have, too
    OUT/adapt/progress.json   what was found on the way, such as the number of steps
    OUT/adapt/lock            held by the process that trains
    OUT/adapt/head/           checkpoints of the head alone
    OUT/adapt/all/            checkpoints of everything

The result lies beside it, in OUT itself, and is complete when OUT/adapt.json is there.
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..runtime.file_lock import try_lock
from ..runtime.whole_files import remove_unfinished, write_json
from ..saving.files import digest
from .errors import Errors
from .options import AdaptOptions
from .result import TOKENIZER_FILES
from .texts import find_files

WORK, REPORT = "adapt", "adapt.json"
SOURCE_FILES = ("config.json", "*.safetensors", *TOKENIZER_FILES)
SETTINGS, PROGRESS, LOCK = "settings.json", "progress.json", "lock"


class Work:
    """What is known of a training, on disk at once."""

    def __init__(self, out: Path):
        self.out = out
        self.folder = out / WORK

    @property
    def progress(self) -> dict[str, Any]:
        path = self.folder / PROGRESS
        return json.loads(path.read_text("utf8")) if path.is_file() else {}

    def note(self, **found: Any) -> None:
        """Add to the progress."""
        write_json(self.folder / PROGRESS, self.progress | found)

    def finish(self, report: dict[str, Any]) -> None:
        """The result is there: the checkpoints are not needed any more."""
        write_json(self.out / REPORT, report)
        shutil.rmtree(self.folder)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """RAISES: ValueError if another process trains here."""
        with (self.folder / LOCK).open("a") as file:
            if not try_lock(file):
                raise ValueError(Errors.OUT_IN_USE.format(folder=self.out))
            remove_unfinished(self.out)
            remove_unfinished(self.folder)
            yield


def begin(out: Path, source: str, folder: Path, texts: Path, options: AdaptOptions) -> Work:
    """Begin, or go on with what was begun with the same settings, and files with the same contents.

    folder: That of the source.
    RAISES: ValueError if the folder has something else.
    """
    if (out / REPORT).is_file():
        raise ValueError(Errors.OUT_DONE.format(folder=out))
    work = Work(out)
    path = work.folder / SETTINGS
    settings = _settings(source, folder, texts, options)
    if path.is_file():
        found = json.loads(path.read_text("utf8"))
        # Earlier versions did not note all of them.
        names = [name for name, value in settings.items() if found.get(name, value) != value]
        if names:
            raise ValueError(Errors.OUT_OTHER.format(folder=out, names=", ".join(names)))
        return work
    if out.exists() and any(one for one in out.iterdir() if one.name != WORK):
        raise ValueError(Errors.OUT_TAKEN.format(folder=out))
    work.folder.mkdir(parents=True, exist_ok=True)
    write_json(path, settings)
    return work


def _settings(source: str, folder: Path, texts: Path, options: AdaptOptions) -> dict[str, Any]:
    # Other files may lie there, too, such as a log of this very training.
    of_source = sorted(path for name in SOURCE_FILES for path in folder.glob(name))
    files = {
        "texts": find_files(texts),
        "labelled texts": [options.labelled] if options.labelled else [],
        "source files": [path for path in of_source if path.is_file()],
    }
    contents = {what: [digest(path) for path in paths] for what, paths in files.items()}
    return {"source": source} | contents | options.as_dict()
