"""Data sets in the formats of Hugging Face `datasets`: opened from a folder, a file or the hub."""

import re
from collections.abc import Iterable
from os.path import expanduser
from pathlib import Path
from typing import Any

from .errors import Errors

FORMATS = {".parquet": "parquet", ".json": "json", ".jsonl": "json", ".arrow": "arrow"}
COMPRESSED = (".gz", ".zst", ".xz", ".bz2")
HUB_ID = re.compile(r"[\w.-]+(/[\w.-]+)?")

Row = dict[str, Any]
Rows = Iterable[Row]  # a datasets.Dataset or IterableDataset


def open_dataset(
    path: str | Path | None,
    split: str = "train",
    *,
    name: str | None = None,
    streaming: bool = False,
    revision: str | None = None,
) -> Rows:
    """Open a split; see `dataset.build_dataset` for the arguments.

    RAISES: ValueError if it is not there, or cannot be read.
    """
    if path is None:
        raise ValueError(Errors.CORPUS_PATH)
    path = expanduser(path)
    try:
        import datasets
    except ImportError as error:
        raise ValueError(Errors.DATASET_NOT_INSTALLED) from error
    is_saved = any((Path(path) / file).exists() for file in ("dataset_dict.json", "state.json"))
    # A folder of files may have several configurations, which its README.md names.
    if Path(path).exists() and (revision or (name and (is_saved or Path(path).is_file()))):
        raise ValueError(Errors.DATASET_NOT_ON_HUB.format(path=path))
    if is_saved:
        return _open_saved(path, split, streaming)
    if Path(path).is_file():
        kind = FORMATS.get(_suffix(Path(path)))
        if kind is None:
            raise ValueError(Errors.DATASET_FORMAT.format(path=path, known=", ".join(FORMATS)))
        source: dict[str, Any] = {"path": kind, "data_files": {split: str(path)}}
    elif Path(path).is_dir() or _may_be_on_hub(path):
        source = {"path": str(path), "name": name, "revision": revision}
    else:
        raise ValueError(Errors.DATASET_NOT_THERE.format(path=path))
    try:
        return datasets.load_dataset(**source, split=split, streaming=streaming)
    except Exception as error:  # there is no common base class
        raise _not_opened(path, split, error) from error


def _open_saved(path: str | Path, split: str, streaming: bool) -> Rows:
    import datasets

    try:
        saved = datasets.load_from_disk(str(path))
    except Exception as error:
        raise _not_opened(path, split, error) from error
    if isinstance(saved, datasets.DatasetDict):
        if split not in saved:
            raise ValueError(
                Errors.DATASET_SPLIT.format(path=path, split=split, splits=", ".join(saved))
            )
        saved = saved[split]
    if not len(saved):  # which cannot be made a stream
        raise ValueError(Errors.DATASET_EMPTY)
    return saved.to_iterable_dataset() if streaming else saved


def _not_opened(path: str | Path, split: str, error: Exception) -> ValueError:
    # What `datasets` raises at an empty file, and at an empty data set that was saved.
    if isinstance(error, (StopIteration, IndexError)):
        return ValueError(Errors.DATASET_EMPTY)
    # `datasets` says of its own error what the file's was.
    error = error.__cause__ if isinstance(error.__cause__, Exception) else error
    reason = str(error).strip().split("\n")[0] or type(error).__name__
    return ValueError(Errors.DATASET_OPEN.format(path=path, split=split, error=reason))


def check_columns(rows: Rows, columns: Iterable[str]) -> None:
    """ValueError if a column is not there, or there are no rows to tell."""
    known = rows.column_names
    if known is None:  # a stream may not know before its first row
        first = next(iter(rows), None)
        if first is None:
            raise ValueError(Errors.DATASET_EMPTY)
        known = list(first)
    for column in columns:
        if column not in known:
            raise ValueError(Errors.DATASET_COLUMN.format(column=column, columns=", ".join(known)))


def _may_be_on_hub(path: str | Path) -> bool:
    """Not so the name of a file that is not there."""
    return bool(HUB_ID.fullmatch(str(path))) and _suffix(Path(path)) not in FORMATS


def _suffix(path: Path) -> str:
    return Path(path.stem).suffix if path.suffix in COMPRESSED else path.suffix
