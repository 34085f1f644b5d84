"""Names of models on the hub."""

import difflib
import re
from dataclasses import dataclass

from ..checkpoints.catalogue import CATALOGUE
from .errors import Errors

MAIN = "main"
HUB_ID = re.compile(r"(?P<name>[\w-][\w.-]*/[\w.-]+)(@(?P<revision>[\w][\w./-]*))?")


@dataclass(frozen=True)
class HubId:
    """A model on the hub, at a revision: a branch, a tag or a commit."""

    name: str  # owner/name
    revision: str = MAIN

    def __str__(self) -> str:
        return self.name if self.revision == MAIN else f"{self.name}@{self.revision}"


def parse_hub_id(source: str) -> HubId | None:
    """
    >>> parse_hub_id("owner/name@v1.0")
    HubId(name='owner/name', revision='v1.0')
    >>> parse_hub_id("roberta-base")  # of the catalogue
    HubId(name='FacebookAI/roberta-base', revision='main')

    RETURNS: None if the source is neither an id on the hub nor a name in the catalogue.
    """
    name = source.partition("@")[0]
    if name in CATALOGUE:
        source = f"{CATALOGUE[name]['hub']}{source.removeprefix(name)}"
    match = HUB_ID.fullmatch(source)
    if match and ".." in (match["revision"] or "").split("/"):
        return None  # it would lead to another folder
    return HubId(match["name"], match["revision"] or MAIN) if match else None


def read_hub_id(source: str) -> HubId:
    """RAISES: ValueError where `parse_hub_id` finds nothing."""
    hub = parse_hub_id(source)
    if hub is None:
        raise ValueError(describe_unknown(source))
    return hub


def describe_unknown(name: str) -> str:
    """What to say of a name that is neither in the catalogue nor an id on the hub."""
    return Errors.HUB_NAME.format(name=name, near=", ".join(find_nearest(name)))


def find_nearest(name: str) -> list[str]:
    """The names in the catalogue that are most like a name; the default, where none is."""
    folded = name.rpartition("/")[2].lower()
    near = difflib.get_close_matches(folded, CATALOGUE, n=3, cutoff=0.6)
    return near or [next(iter(CATALOGUE))]
