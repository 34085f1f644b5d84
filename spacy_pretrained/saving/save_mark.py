"""The mark of a save: a random number that says which save the parts of a pipeline are from.

spaCy writes meta.json before the components, one after the other, over what is there. Where that is
interrupted, the folder holds parts of two saves. The mark is in `nlp.meta`, so that spaCy writes it
to meta.json; each component of ours writes the mark that it finds there into its own folder, and
compares the two when it is loaded. After each save and each load the pipeline gets another mark,
for the next save.
"""

import json
import secrets
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakKeyDictionary, ref

from spacy.language import Language

KEY, SAVE = "spacy_pretrained", "save"  # where meta.json has it
META = "meta.json"

Pipe = TypeVar("Pipe")

# The pipeline that each component was made for. A component refers to none itself.
_owners: WeakKeyDictionary[Any, ref[Language]] = WeakKeyDictionary()


def own(nlp: Language, pipe: Pipe) -> Pipe:
    """The same component, which knows the pipeline that it is made for from now on; that gets a
    mark."""
    _owners[pipe] = ref(nlp)
    if SAVE not in nlp.meta.get(KEY, {}):
        renew(nlp)
    return pipe


def find_owner(pipe: Any) -> Language | None:
    owner = _owners.get(pipe)
    return owner and owner()


def renew(nlp: Language) -> None:
    """Give a pipeline the mark of its next save."""
    nlp.meta[KEY] = {**nlp.meta.get(KEY, {}), SAVE: secrets.token_hex(8)}


def renew_after_bytes(pipe: Any) -> None:
    """Give the pipeline of a component that was loaded from bytes a mark of its own."""
    owner = find_owner(pipe)
    if owner is not None and SAVE in owner.meta.get(KEY, {}):
        renew(owner)


def remove(nlp: Language) -> None:
    """Take the mark of a pipeline away: its parts were saved without one, and `spacy package`
    writes its meta beside them."""
    nlp.meta.pop(KEY, None)


def read_mark(pipeline: Path) -> str | None:
    """The mark in the meta.json of a pipeline's folder; None if it has none."""
    entry = json.loads((pipeline / META).read_bytes()).get(KEY)
    mark = entry.get(SAVE) if isinstance(entry, dict) else None
    return mark if isinstance(mark, str) else None
