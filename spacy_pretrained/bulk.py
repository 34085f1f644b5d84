"""`Annotate`: a pipeline as a function from batches to batches, for Ray Data, Spark and whatever
else maps them.

    ds.map_batches(Annotate, fn_constructor_args=["en_my_pipeline"], concurrency=4,
                   batch_format="pyarrow")
    df.mapInPandas(lambda batches: Annotate("en_my_pipeline").map(batches), schema)
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import spacy
from spacy.tokens import Doc

from .bulk_annotation.annotator import MAX_CHARACTERS, Annotator
from .bulk_annotation.errors import Errors
from .bulk_annotation.items import Failure, Item, OnLong
from .records import PARTS, check_parts, schema, to_record

ERROR = "error"
Batch = Any  # a dict of columns, a pandas DataFrame, or an Arrow table or record batch


class Annotate:
    """Loads a pipeline and annotates batches with it. To each row it adds the columns of its record
    (see `records.py`) but for the text, which the row has, and `error`: why a text could not be
    annotated, else null. A text that fails leaves the other rows as they are.

    pipeline: A folder or an installed package.
    what: The parts of the records.
    text: The column of the texts.
    max_characters, on_long: The longest text, and what becomes of longer ones: "error", "skip"
        (an error, too: a row stays a row) or "cut". The offsets of a text that was cut are those of
        the whole text.
    exclude: Components that are not loaded.

    One thread at a time may use an object. Each object uses the threads that its process should
    (see `runtime/cores.py`): in Ray's and Dask's workers as many as these have cores.
    """

    def __init__(
        self,
        pipeline: str,
        *,
        what: Iterable[str] = PARTS,
        text: str = "text",
        max_characters: int = MAX_CHARACTERS,
        on_long: OnLong = "error",
        exclude: Iterable[str] = (),
    ):
        self.what = tuple(what)
        check_parts(self.what)
        self.text = text
        nlp = spacy.load(pipeline, exclude=list(exclude))
        self._annotator = Annotator(nlp, max_characters=max_characters, on_long=on_long)
        self._annotator.warm_up()

    def __call__(self, batch: Batch) -> Batch:
        """The batch with the annotation of its texts, in the same order and of the same type."""
        names, texts = _read(batch, self.text)
        columns: dict[str, list[Any]] = {name: [None] * len(texts) for name in self.columns}
        for name in columns:
            if name in names:
                raise ValueError(Errors.BATCH_TAKEN.format(column=name))
        items = list(map(self._to_item, range(len(texts)), texts))
        self._annotator.words.learn(item.text for item in items)
        with self._annotator.nlp.memory_zone():
            for item, found in self._annotator.annotate(items):
                self._fill(columns, item.number, found)
        return _add(batch, columns, self.what)

    def map(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """Each batch with the annotation of its texts."""
        return map(self, batches)

    @property
    def columns(self) -> list[str]:
        """The names of the columns that are added."""
        parts = {part for part in self.what if part != "deps"}
        if "deps" in self.what:
            parts.add("tokens")
        return [*(part for part in PARTS if part in parts), "truncated", ERROR]

    def _to_item(self, number: int, text: Any) -> Item:
        if isinstance(text, str):
            return Item(number=number, text=str(text))  # spaCy takes none of numpy.str_
        reason = Errors.ROW_TEXT.format(field=self.text, value=repr(text)[:80])
        return Item(number=number, error=reason)

    def _fill(self, columns: dict[str, list[Any]], row: int, found: Doc | Failure) -> None:
        if isinstance(found, Failure):
            columns[ERROR][row] = found.reason
            return
        for name, value in to_record(found, self.what).items():
            if name in columns:
                columns[name][row] = value


def _package(batch: Batch) -> str:
    """Of its type; nobody has to have pandas and pyarrow."""
    return type(batch).__module__.partition(".")[0]


def _read(batch: Batch, column: str) -> tuple[list[str], list[Any]]:
    """The names of a batch's columns, and the values of one."""
    if isinstance(batch, dict):
        names = list(batch)
    elif _package(batch) == "pandas":
        names = list(batch.columns)
    elif _package(batch) == "pyarrow":
        names = list(batch.schema.names)
    else:
        raise ValueError(Errors.BATCH_TYPE.format(type=type(batch).__name__))
    if column not in names:
        known = ", ".join(map(str, names))
        raise ValueError(Errors.BATCH_COLUMN.format(column=column, columns=known))
    if _package(batch) == "pyarrow":
        return names, batch.column(column).to_pylist()
    return names, list(batch[column])


def _add(batch: Batch, columns: dict[str, list[Any]], what: tuple[str, ...]) -> Batch:
    if _package(batch) == "pyarrow":
        return _add_to_arrow(batch, columns, what)
    arrays = {name: _to_objects(values) for name, values in columns.items()}
    if isinstance(batch, dict):
        return batch | arrays
    import pandas as pd

    # With this type, what is missing stays None, and does not become NaN.
    series = {name: pd.Series(a, batch.index, dtype=object) for name, a in arrays.items()}
    return batch.assign(**series)


def _to_objects(values: list[Any]) -> np.ndarray:
    array = np.empty(len(values), dtype=object)
    for i, value in enumerate(values):
        array[i] = value
    return array


def _add_to_arrow(batch: Batch, columns: dict[str, list[Any]], what: tuple[str, ...]) -> Batch:
    import pyarrow as pa

    types = schema(what).append(pa.field(ERROR, pa.string()))
    fields = [types.field(name) for name in columns]
    arrays = [pa.array(values, field.type) for values, field in zip(columns.values(), fields)]
    metadata = {**(batch.schema.metadata or {}), **types.metadata}
    whole = pa.schema([*batch.schema, *fields], metadata)
    return type(batch).from_arrays([*batch.columns, *arrays], schema=whole)
