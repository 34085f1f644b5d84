"""Writing a pipeline to disk, all of it or nothing."""

import glob
import os
import shutil
import socket
import tempfile
import threading
from pathlib import Path

import srsly
from spacy.language import Language
from spacy.util import ensure_path, load_config

from .errors import Errors
from .save_mark import KEY, META
from .whole_folder import FILES, write_whole_folder

WRITER = "writer"  # the file that says which process writes here
STOPPED = threading.Event()  # while it is set nothing is put in its place
_SWAP = threading.Lock()  # held by who renames or removes folders
_OPEN: list["NewFolder"] = []


def save(nlp: Language, path: str | Path) -> None:
    """Save a pipeline to a folder, all of it or nothing, in place of an older one there.

    Where `nlp.to_disk` writes over an older pipeline file by file, this writes beside it, and puts
    the whole in its place. `files.json` lists what belongs to the pipeline, so that a file that is
    lost, added or changed later is noticed when it is loaded.

    RAISES: ValueError if the folder holds something else than a pipeline, which would be lost.
    """
    output = ensure_path(path)
    check_replaceable(output)
    with NewFolder(output) as folder:
        folder.save(nlp)
        folder.put_in_place()


def check_output(output: Path, model: str | Path) -> None:
    """Refuse to write over what is no pipeline, or more than one, or holds the one that is read,
    and where nothing can be written."""
    output = output.resolve()  # links followed, also those that lead nowhere
    model = Path(model).resolve()
    if model.exists() and output == model:
        raise ValueError(Errors.OUTPUT_IS_MODEL.format(path=output))
    if output.exists() and not _is_empty(output) and not _is_pipeline(output):
        raise ValueError(Errors.OUTPUT_NO_PIPELINE.format(path=output))
    if model.exists() and (output in model.parents or model in output.parents):
        raise ValueError(Errors.OUTPUT_AND_MODEL.format(path=output, model=model))
    check_replaceable(output)


def check_replaceable(output: Path) -> None:
    """Refuse to write over what is no pipeline, or more than one, or where nothing can be made."""
    output = output.resolve()
    is_old = output.exists() and not _is_empty(output)
    if is_old and not _is_pipeline(output):
        raise ValueError(Errors.OUTPUT_NO_PIPELINE.format(path=output))
    if is_old and (others := _find_others(output)):
        names = ", ".join(sorted(others))
        raise ValueError(Errors.OUTPUT_HAS_MORE.format(path=output, names=names))
    above = next(folder for folder in output.parents if folder.exists())
    if not above.is_dir() or not os.access(above, os.W_OK):
        raise ValueError(Errors.OUTPUT_NOT_WRITABLE.format(path=output, above=above))


def _is_empty(path: Path) -> bool:
    return path.is_dir() and not any(path.iterdir())


def _is_pipeline(path: Path) -> bool:
    return (path / "meta.json").is_file() and (path / "config.cfg").is_file()


def _find_others(path: Path) -> set[str]:
    """What is in the folder of a pipeline and no part of it: it would be lost."""
    parts = {META, "config.cfg", "tokenizer", "vocab", FILES}
    components = load_config(path / "config.cfg", interpolate=False).get("components", {})
    return {child.name for child in path.iterdir()} - parts - set(components)


class NewFolder:
    """A pipeline in a folder beside its place, which takes that place in one step. Whatever
    happens before, an older pipeline stays there as it was.

    >>> with NewFolder(output) as folder:
    ...     folder.save(nlp)
    ...     folder.put_in_place()
    """

    def __init__(self, output: Path):
        self._output = output.resolve()

    def __enter__(self) -> "NewFolder":
        parent = self._output.parent
        parent.mkdir(parents=True, exist_ok=True)
        _clean_up(self._output)
        # The number is for who is killed before the next line.
        prefix = f".{self._output.name}-{os.getpid()}-"
        self._beside = tempfile.TemporaryDirectory(prefix=prefix, dir=parent)
        _write_writer(Path(self._beside.name))
        self.path = Path(self._beside.name) / "new"
        _OPEN.append(self)
        return self

    def __exit__(self, *exc_info) -> None:
        try:
            self._beside.cleanup()
        finally:  # until then `abandon_folders` removes it, too
            _OPEN.remove(self)

    def save(self, nlp: Language) -> None:
        nlp.to_disk(self.path)

    def save_meta(self, nlp: Language) -> None:
        """Save the meta once more. It keeps the mark of the save: that of the pipeline itself is
        for the next one."""
        meta = {key: value for key, value in nlp.meta.items() if key != KEY}
        saved = srsly.read_json(self.path / META)
        meta |= {KEY: saved[KEY]} if KEY in saved else {}
        srsly.write_json(self.path / META, meta)

    def put_in_place(self) -> None:
        """RAISES: KeyboardInterrupt if the process is to stop."""
        write_whole_folder(self.path)
        old = Path(self._beside.name) / "old"
        with _SWAP:
            if STOPPED.is_set():
                raise KeyboardInterrupt
            try:
                if self._output.exists():
                    os.rename(self._output, old)
                os.rename(self.path, self._output)
            except BaseException:  # Ctrl-C may come after either of the two
                if old.exists() and not self._output.exists():
                    os.rename(old, self._output)
                raise

    def abandon(self) -> None:
        """Remove what is written, from another thread than the one that writes."""
        shutil.rmtree(self._beside.name, ignore_errors=True)


def abandon_folders() -> None:
    """Remove what this process is writing, just before it ends: nothing takes its place later."""
    _SWAP.acquire()
    for folder in _OPEN:
        folder.abandon()


def _write_writer(beside: Path) -> None:
    (beside / WRITER).write_text(f"{os.getpid()} {socket.gethostname()}", "utf8")


def _clean_up(output: Path) -> None:
    """Remove what processes have left beside an output that were killed while they wrote it. One
    that was killed between two renames has left no output: then the old one returns."""
    for beside in output.parent.glob(f".{glob.escape(output.name)}-*-*"):
        if beside.name.rsplit("-", 2)[0] != f".{output.name}":  # of `model-int8` beside `model`
            continue
        try:
            pid, host = _read_writer(beside)
        except (OSError, ValueError):  # not ours
            continue
        if host != socket.gethostname() or _is_running(pid):
            continue
        if (beside / "old").is_dir() and not output.exists():
            os.rename(beside / "old", output)
        shutil.rmtree(beside, ignore_errors=True)


def _read_writer(beside: Path) -> tuple[int, str]:
    """The number of the process that writes there, and its host."""
    writer = beside / WRITER
    if not any(beside.iterdir()) or (writer.exists() and not writer.stat().st_size):
        # It was killed before it had said so: only the name tells.
        return int(beside.name.split("-")[-2]), socket.gethostname()
    pid, host = writer.read_text("utf8").split()
    return int(pid), host


def _is_running(pid: int) -> bool:
    if pid == os.getpid() or os.name == "nt":  # where signal 0 is Ctrl-C
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # of another user
        return True
    return True


def megabytes(path: Path) -> float:
    """What a file, or all files of a folder, take up, in 10^6 bytes."""
    files = [path] if path.is_file() else filter(Path.is_file, path.rglob("*"))
    n_bytes = sum(file.stat().st_size for file in files)
    return round(n_bytes / 1e6, 2)
