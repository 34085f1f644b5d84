"""The formats of a part: how a text's annotation is encoded as soon as it is there, and how a part
is written of what was encoded."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import srsly
from spacy.tokens import Doc, DocBin

from ..corpora.clitics import join_clitics
from ..corpora.conllu import to_conllu
from ..records import schema, to_record
from .errors import Errors
from .items import Failure, Item

if TYPE_CHECKING:
    import pyarrow

KEPT = "kept"  # in the user data of a Doc, the fields that go beside it

# All that a component may learn from, and no vectors or confidences.
SILVER_ATTRIBUTES = (
    *("ORTH", "SPACY", "TAG", "POS", "MORPH", "LEMMA"),
    *("SENT_START", "HEAD", "DEP", "ENT_IOB", "ENT_TYPE"),
)


class Output(Protocol):
    """A format. Objects go to other processes."""

    suffix: str

    def encode(self, item: Item, doc: Doc) -> Any:
        """What is kept of a Doc until its part is written; a Failure if the format cannot hold it.
        Refers to no Doc and no vocabulary."""
        ...

    def write(self, path: Path, encoded: Iterable[Any]) -> None: ...


@dataclass(frozen=True)
class JsonLines:
    """A record a line, with the kept fields first."""

    what: tuple[str, ...]
    suffix: str = ".jsonl"

    def encode(self, item: Item, doc: Doc) -> bytes:
        record = to_record(doc, self.what)
        text = srsly.json_dumps(record)
        if item.kept:
            text = f"{_to_json(item.kept)[:-1]}, {text[1:]}"
        return text.encode("utf8") + b"\n"

    def write(self, path: Path, encoded: Iterable[bytes]) -> None:
        with path.open("wb") as file:
            file.writelines(encoded)


@dataclass(frozen=True)
class Parquet:
    """A record a row, with the kept fields as first columns.

    kept: Their types.
    """

    what: tuple[str, ...]
    kept: "dict[str, pyarrow.DataType]" = field(default_factory=dict)
    suffix: str = ".parquet"

    def encode(self, item: Item, doc: Doc) -> dict[str, Any] | Failure:
        import pyarrow as pa

        for name, value in item.kept.items():
            try:
                pa.scalar(value, self.kept[name])
            except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, ValueError, TypeError):
                value, kind = repr(value)[:80], self.kept[name]
                reason = Errors.ROW_KEPT.format(field=name, value=value, type=kind)
                return Failure("failed", reason)
        return item.kept | to_record(doc, self.what)

    def write(self, path: Path, encoded: Iterable[dict[str, Any]]) -> None:
        import pyarrow as pa
        import pyarrow.parquet

        own = schema(self.what)
        fields = [pa.field(name, kind) for name, kind in self.kept.items()]
        whole = pa.schema([*fields, *own], own.metadata)
        table = pa.Table.from_pylist(list(encoded), schema=whole)
        pyarrow.parquet.write_table(table, path, compression="zstd")


@dataclass(frozen=True)
class DocBins:
    """Docs, with confidences in their user data, and the kept fields there as "kept"."""

    suffix: str = ".spacy"

    def encode(self, item: Item, doc: Doc) -> DocBin:
        if item.kept:
            doc.user_data[KEPT] = json.loads(json.dumps(item.kept, default=str))
        return self._collect([doc])

    def write(self, path: Path, encoded: Iterable[DocBin]) -> None:
        whole = self._collect([])
        for one in encoded:
            whole.merge(one)
        whole.to_disk(path)

    def _collect(self, docs: list[Doc]) -> DocBin:
        return DocBin(store_user_data=True, docs=docs)


@dataclass(frozen=True)
class Silver(DocBins):
    """Docs to train on: what a component may learn from, and nothing else."""

    def encode(self, item: Item, doc: Doc) -> DocBin:
        doc.cats = {}  # they are probabilities, which nothing learns from
        return self._collect([doc])

    def _collect(self, docs: list[Doc]) -> DocBin:
        return DocBin(attrs=SILVER_ATTRIBUTES, docs=docs)


@dataclass(frozen=True)
class Conllu:
    """A document a text, with the kept fields as comments."""

    suffix: str = ".conllu"

    def encode(self, item: Item, doc: Doc) -> str | Failure:
        try:
            text = to_conllu(doc, item.name or f"doc{item.number + 1}")
        except ValueError as error:
            return Failure("failed", str(error))
        if not text:
            return Failure("skipped", Errors.TEXT_WITHOUT_WORDS)
        lines = text.splitlines()
        if doc.vocab.lang == "en":
            lines = list(join_clitics(lines))
        lines[1:1] = [f"# {name} = {_in_a_line(value)}" for name, value in item.kept.items()]
        return "\n".join([*lines, ""])

    def write(self, path: Path, encoded: Iterable[str]) -> None:
        with path.open("w", encoding="utf8", newline="\n") as file:
            file.writelines(text + "\n" for text in encoded)


def _in_a_line(value: Any) -> str:
    if isinstance(value, str) and value.isprintable():
        return value
    return _to_json(value)


def _to_json(value: Any) -> str:
    """Half a surrogate pair is written as an escape: UTF-8 has nothing for it."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    try:
        text.encode("utf8")
    except UnicodeEncodeError:
        return json.dumps(value, default=str)
    return text
