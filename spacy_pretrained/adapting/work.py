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

    def __init__(self, out: Path, settings: dict[str, Any] | None = None):
        self.out = out
        self.folder = out / WORK
        self._settings = settings or {}

    @property
    def progress(self) -> dict[str, Any]:
        path = self.folder / PROGRESS
        return json.loads(path.read_text("utf8")) if path.is_file() else {}

    def start(self) -> None:
        """Nothing can be refused any more: from now on, only the same command goes on here."""
        if not self.has_started:
            write_json(self.folder / SETTINGS, self._settings)

    @property
    def has_started(self) -> bool:
        return (self.folder / SETTINGS).is_file()

    def note(self, **found: Any) -> None:
        """Add to the progress."""
        write_json(self.folder / PROGRESS, self.progress | found)

    def finish(self, report: dict[str, Any]) -> None:
        """The result is there: the checkpoints are not needed any more."""
        write_json(self.out / REPORT, report)
        shutil.rmtree(self.folder)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """What was refused leaves nothing behind.

        RAISES: ValueError if another process trains here.
        """
        is_new = not self.out.exists()
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / LOCK).open("a") as file:
            if not try_lock(file):
                raise ValueError(Errors.OUT_IN_USE.format(folder=self.out))
            remove_unfinished(self.out)
            remove_unfinished(self.folder)
            try:
                yield
            finally:
                if not self.has_started:
                    shutil.rmtree(self.folder, ignore_errors=True)
                    if is_new and not any(self.out.iterdir()):
                        self.out.rmdir()


def begin(out: Path, source: str, folder: Path, texts: Path, options: AdaptOptions) -> Work:
    """Begin, or go on with what was begun with the same settings, and files with the same contents.
    Nothing is written before `Work.start`.

    folder: That of the source.
    RAISES: ValueError if the folder has something else.
    """
    if (out / REPORT).is_file():
        raise ValueError(Errors.OUT_DONE.format(folder=out))
    settings = _settings(source, folder, texts, options)
    work = Work(out, settings)
    if work.has_started:
        found = json.loads((work.folder / SETTINGS).read_text("utf8"))
        # Earlier versions did not note all of them.
        names = [name for name, value in settings.items() if found.get(name, value) != value]
        if names:
            raise ValueError(Errors.OUT_OTHER.format(folder=out, names=", ".join(names)))
        return work
    if out.exists() and any(one for one in out.iterdir() if one.name != WORK):
        raise ValueError(Errors.OUT_TAKEN.format(folder=out))
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
