"""Writing a pipeline to disk, all of it or nothing."""

import os
import tempfile
from pathlib import Path

import srsly
from spacy.language import Language

from .errors import Errors


def check_output(output: Path, model: str | Path) -> None:
    """Refuse to write over what is no pipeline, or is the one that is read."""
    if not output.exists():
        return
    if Path(model).exists() and output.samefile(model):
        raise ValueError(Errors.OUTPUT_IS_MODEL.format(path=output))
    is_pipeline = (output / "meta.json").is_file() and (output / "config.cfg").is_file()
    if not is_pipeline and not (output.is_dir() and not any(output.iterdir())):
        raise ValueError(Errors.OUTPUT_NO_PIPELINE.format(path=output))


class NewFolder:
    """A pipeline in a folder beside its place, which takes that place in one step. Whatever
    happens before, an older pipeline stays there as it was.

    >>> with NewFolder(output) as folder:
    ...     folder.save(nlp)
    ...     folder.put_in_place()
    """

    def __init__(self, output: Path):
        self._output = output

    def __enter__(self) -> "NewFolder":
        parent = self._output.absolute().parent
        parent.mkdir(parents=True, exist_ok=True)
        self._beside = tempfile.TemporaryDirectory(prefix=f".{self._output.name}-", dir=parent)
        self.path = Path(self._beside.name) / "new"
        return self

    def __exit__(self, *exc_info) -> None:
        self._beside.cleanup()

    def save(self, nlp: Language) -> None:
        nlp.to_disk(self.path)

    def save_meta(self, nlp: Language) -> None:
        srsly.write_json(self.path / "meta.json", nlp.meta)

    def put_in_place(self) -> None:
        if self._output.exists():
            os.rename(self._output, Path(self._beside.name) / "old")
        os.rename(self.path, self._output)


def megabytes(path: Path) -> float:
    """What a file, or all files of a folder, take up, in 10^6 bytes."""
    files = [path] if path.is_file() else filter(Path.is_file, path.rglob("*"))
    n_bytes = sum(file.stat().st_size for file in files)
    return round(n_bytes / 1e6, 2)
