"""What goes through a job: a text on its way in, and what becomes of it if it fails."""

from dataclasses import dataclass, field
from typing import Any, Literal

OnLong = Literal["skip", "cut", "error"]


@dataclass(slots=True)
class Item:
    """A text, or tokens that are to be kept."""

    source: str = ""  # the input it is from, as it was given
    row: int = 0  # the line, row or document in there, from 1
    number: int = 0  # among all texts of the job, from 0
    text: str = ""
    words: list[str] | None = None  # tokens
    spaces: list[bool] | None = None  # None with words: it is not known where spaces are
    sentences: list[str] | None = None  # whose starts are kept
    name: str = ""  # of the document, in CoNLL-U
    kept: dict[str, Any] = field(default_factory=dict)  # fields that go beside the record
    error: str = ""  # why there is no text, or why it is not to be annotated


@dataclass(slots=True)
class Failure:
    """Why a text has no annotation."""

    status: Literal["skipped", "failed"]
    reason: str


def describe_failure(item: Item, failure: Failure) -> dict[str, Any]:
    """A line of the errors' file."""
    place = {"number": item.number, "source": item.source, "row": item.row}
    return {**place, **item.kept, "status": failure.status, "reason": failure.reason}
