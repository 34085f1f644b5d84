"""The categories that the reference of an Example has, as arrays."""

from collections.abc import Iterable

import numpy as np
from spacy.training import Example
from thinc.types import Floats2d, Ints1d, Ints2d

from ..annotation.gold import NO_GOLD
from ..heads.losses import to_targets
from .errors import Errors


def collect_cats(examples: Iterable[Example], name: str, *, multi_label: bool) -> list[str]:
    """All labels of `doc.cats`, sorted. RAISES: as `read_cats`."""
    labels: set[str] = set()
    for example in examples:
        _check(example.reference.cats, name, multi_label)
        labels.update(example.reference.cats)
    return sorted(labels)


def read_cats(
    examples: list[Example], labels: list[str], name: str, *, multi_label: bool
) -> Ints2d:
    """What is known of each of B examples and K labels (B, K): 1 it holds, -1 it does not, 0
    unknown, which is each label that `doc.cats` has no value of.

    name: The component's, for error messages.
    RAISES: ValueError for a label that is none of `labels`, a value that is not 0 or 1, and, unless
        multi_label, for an example with two labels.
    """
    columns = {label: column for column, label in enumerate(labels)}
    known = np.zeros((len(examples), len(labels)), dtype="int64")
    for row, example in enumerate(examples):
        cats = example.reference.cats
        _check(cats, name, multi_label)
        for label, value in cats.items():
            if label not in columns:
                raise ValueError(
                    Errors.CATS_UNKNOWN.format(name=name, label=label, labels=", ".join(labels))
                )
            known[row, columns[label]] = 1 if value else -1
    return known


def find_the_one(known: Ints2d) -> Ints1d:
    """The label (B,) that holds where only one can, -1 where it is not known.

    known: As `read_cats` gives it. That a label does not hold does not say which one does.
    """
    return np.where((known == 1).any(axis=1), known.argmax(axis=1), NO_GOLD)


def make_targets(known: Ints2d, *, multi_label: bool) -> Ints1d | Floats2d:
    """What `cross_entropy` takes as targets.

    known: As `read_cats` gives it.
    """
    return to_targets(known) if multi_label else find_the_one(known)


def _check(cats: dict[str, float], name: str, multi_label: bool) -> None:
    for label, value in cats.items():
        if value not in (0, 1):
            raise ValueError(Errors.CATS_VALUE.format(name=name, label=label, value=value))
    holding = [label for label, value in cats.items() if value]
    if len(holding) > 1 and not multi_label:
        raise ValueError(Errors.CATS_SEVERAL.format(name=name, labels=", ".join(holding)))
