"""What a check finds, and how weighty it is."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from spacy.tokens import Doc

SHOWN = 10  # labels that a message lists
CHARACTERS = 60  # of a text that a message shows

Level = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class Finding:
    """
    level: "error" if training would fail, or a component would learn nothing or what is wrong;
        "warning" for what makes scores worse, or worth less; "note" for what was not looked at.
    """

    level: Level
    text: str


def list_some(names: Iterable[str]) -> str:
    """
    >>> list_some(["a", "b"])
    'a, b'
    """
    names = list(names)
    more = [f"and {len(names) - SHOWN} more"] if len(names) > SHOWN else []
    return ", ".join([*names[:SHOWN], *more])


def quote(doc: Doc, start: int = 0, end: int | None = None) -> str:
    """The text of some tokens, in quotes, shortened where it is long."""
    text = " ".join(doc[start : len(doc) if end is None else end].text.split())
    return repr(text if len(text) <= CHARACTERS else text[: CHARACTERS - 1] + "…")
