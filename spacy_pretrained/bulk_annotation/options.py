"""What a job is to do."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..records import PARTS, check_parts
from .annotator import MAX_CHARACTERS
from .errors import Errors
from .inputs import Reading
from .items import Item, OnLong

if TYPE_CHECKING:
    from .outputs import Output

Format = Literal["jsonl", "parquet", "spacy", "conllu"]
StdinFormat = Literal["jsonl", "txt", "csv", "tsv"]  # which can be read as they come


@dataclass(frozen=True)
class Options:
    """All of them decide what is written, so a job that goes on must have the same."""

    format: Format = "jsonl"
    what: tuple[str, ...] = PARTS
    text_field: str = "text"
    keep: tuple[str, ...] = ()
    whole: bool = False
    sentences: bool = False
    stdin: StdinFormat = "jsonl"
    shard: int = 1000
    exclude: tuple[str, ...] = ()
    code: str | None = None
    max_characters: int = MAX_CHARACTERS
    on_long: OnLong = "error"
    silver: bool = False
    draw: int = 0
    seed: int = 0
    gpu_id: int = -1

    def __post_init__(self):
        """ValueError if they do not go together."""
        check_parts(self.what)
        names = {"text", *PARTS, "truncated", "number", "source", "row", "status", "reason"}
        for field in self.keep:
            if field in names - {"deps"}:
                raise ValueError(Errors.KEPT_NAME.format(field=field))
        if self.silver and self.format != "spacy":
            raise ValueError(Errors.SILVER_FORMAT.format(format=f".{self.format}"))

    @property
    def reading(self) -> Reading:
        return Reading(
            self.text_field, self.keep, self.whole, self.sentences, self.silver, self.stdin
        )


def make_output(options: Options, paths: list[Path], first: Iterable[Item]) -> "Output":
    """The format of the parts.

    paths, first: The inputs and the first texts: of which types fields are that are kept.
    """
    from . import outputs

    if options.silver:
        return outputs.Silver()
    if options.format == "jsonl":
        return outputs.JsonLines(options.what)
    if options.format == "parquet":
        return outputs.Parquet(options.what, _kept_types(options, paths, list(first)))
    return outputs.DocBins() if options.format == "spacy" else outputs.Conllu()


def _kept_types(options: Options, paths: list[Path], first: list[Item]) -> dict:
    """Those that a file gives, or else those of the first texts; of nothing but nulls, strings."""
    from ..records import schema

    schema(options.what)  # which says what is missing without pyarrow
    import pyarrow as pa

    from .inputs import kept_types

    known: dict[str, pa.DataType] = {}
    for path in paths:
        known |= kept_types(path, options.reading)
    for name in options.keep:
        if name not in known:
            values = [item.kept[name] for item in first if item.kept.get(name) is not None]
            try:
                known[name] = pa.infer_type(values[:1]) if values else pa.string()
                known[name] = pa.infer_type(values) if values else pa.string()
            except (pa.ArrowInvalid, pa.ArrowTypeError):
                pass  # values of several types: those are right that are as the first
    return {name: known[name] for name in options.keep}
