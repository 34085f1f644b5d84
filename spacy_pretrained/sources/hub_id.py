"""Names of models on the hub."""

import re
from dataclasses import dataclass

from ..checkpoints.catalogue import CATALOGUE

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
    name, _, revision = source.partition("@")
    if name in CATALOGUE and not source.endswith("@"):
        return HubId(CATALOGUE[name]["hub"], revision or MAIN)
    match = HUB_ID.fullmatch(source)
    return HubId(match["name"], match["revision"] or MAIN) if match else None
