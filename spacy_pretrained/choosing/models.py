"""The catalogue as rows of a table, all of it or what was asked for."""

from collections.abc import Iterator
from typing import Any

from ..checkpoints.catalogue import CATALOGUE, MULTILINGUAL
from .errors import Errors
from .families import find_traits
from .memory import GIGABYTE, PIECES_PER_WORD, estimate_training
from .plan import BATCH_WORDS
from .query import TASKS, read_lang, read_task
from .recommend import KINDS, OF_TOKENS
from .sizes import find_sizes

# By FLOPs a wordpiece, BERT base being 1.
SPEEDS = {"fast": 0.35, "medium": 0.7, "base": 1.5, "slow": float("inf")}
# By millions of parameters outside the embeddings.
SIZES = {"tiny": (0, 15), "small": (15, 60), "base": (60, 200), "large": (200, float("inf"))}


def list_models(
    task: str | None = None,
    lang: str | None = None,
    family: str | None = None,
    size: str | None = None,
) -> Iterator[dict[str, Any]]:
    """Rows of the entries that fit; None means any. An entry whose languages are not known is only
    there if no language is asked for.

    size: One of `SIZES`, by parameters outside the embeddings.
    RAISES: ValueError for a task, a family or a size that there is not, or no code of a language.
    """
    task = None if task is None else read_task(task)
    lang = None if lang is None else read_lang(lang)
    families = sorted({entry["family"] for entry in CATALOGUE.values()})
    choices = (("task", task, list(TASKS)), ("family", family, families), ("size", size, SIZES))
    for name, value, known in choices:
        if value is not None and value not in known:
            known = ", ".join(known)
            raise ValueError(Errors.CHOICE.format(name=name, value=value, known=known))
    for name, entry in CATALOGUE.items():
        row = describe(name, entry)
        fits = (
            task is None or entry["kind"] in KINDS.get(task, OF_TOKENS),
            lang is None or not {lang, MULTILINGUAL}.isdisjoint(entry["languages"] or []),
            family in (None, entry["family"]),
            size is None or row["size"] == size,
        )
        if all(fits):
            yield row


def describe(name: str, entry: dict[str, Any]) -> dict[str, Any]:
    """What follows from an entry, beside what is in it. Numbers that are not known are None."""
    sizes = find_sizes(entry)
    training = sizes and estimate_training(sizes, round(BATCH_WORDS * PIECES_PER_WORD))
    known = sizes if sizes and not sizes.estimated else None
    return {
        "name": name,
        "hub": entry["hub"],
        "kind": entry["kind"],
        "family": entry["family"],
        "languages": entry["languages"],
        "domain": entry["domain"],
        "parameters_millions": round(known.parameters / 1e6, 1)
        if known
        else entry["parameters_millions"],
        "size": sizes and name_size(sizes.outside),
        "relative_cost": known and known.relative_cost,
        "speed": sizes and name_speed(sizes.relative_cost),
        "training_gb": training and round(training.peak / GIGABYTE, 1),
        "estimated": bool(sizes and sizes.estimated),
        "longest_input": entry["longest_input"],
        "cased": entry["cased"],
        "licence": entry["licence"],
        "weights": entry["weights"],
        **find_traits(entry["family"], causal=entry["kind"] == "decoder"),
        "checked": entry["checked"],
        "good_for": entry["good_for"],
    }


def name_speed(cost: float) -> str:
    """The class of an encoder's speed, in training and after it: both follow its cost.

    >>> name_speed(0.125), name_speed(0.5), name_speed(1.0), name_speed(3.56)
    ('fast', 'medium', 'base', 'slow')
    """
    return next(name for name, most in SPEEDS.items() if cost <= most)


def name_size(outside: int) -> str:
    """
    >>> name_size(10_600_000), name_size(85_000_000)
    ('tiny', 'base')
    """
    return next(name for name, (low, high) in SIZES.items() if low <= outside / 1e6 < high)
