"""A ranked short list of encoders for a task, with reasons.

Each entry of the catalogue that fits the task and the language gets points for what speaks for it
and against it (`weigh`). What a point is worth stands in one table, `POINTS`: they are rules of
thumb, and the table of queries in the tests holds what follows from them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import log2
from typing import Any

from ..checkpoints.catalogue import CATALOGUE, MULTILINGUAL
from .errors import Errors
from .families import find_traits, gives_offsets
from .plan import FEW_EXAMPLES, FULL, Plan, make_plan
from .query import WITHOUT_TRAINING, Query
from .sizes import Sizes, find_sizes

SHORT_LIST = 3
ANY_LANGUAGE = {"xx", "mul"}
LANGUAGES = "Languages: "  # before the note of an entry that says how many
# Kinds of encoders that a task may have. A few-shot classifier and similarity need vectors of
# texts; zero-shot classification can do with these, or with a model trained for entailment.
OF_TOKENS = ("encoder", "sentence encoder")
OF_TEXTS = ("sentence encoder",)
KINDS = {"zero-shot": ("entailment", *OF_TEXTS), "similarity": OF_TEXTS}
# FLOPs a wordpiece, 1 being BERT base, that suit a device and a wish.
TARGETS = {
    "cpu": {"fast": 0.125, "balanced": 0.5, "accurate": 1.0},
    "cuda": {"fast": 0.25, "balanced": 1.0, "accurate": 3.5},
}
FEW, FEWER_FLOPS = 1_000, 0.5  # up to so many examples, so large an encoder in place of the target
SHARES_LAYERS = {"albert"}  # one layer's weights for all
OF_LONG_TEXTS = {"longformer", "big_bird", "xlnet"}
CASED_TASKS = {"ner", "tagging"}
POINTS = {
    "cost": -1.0,  # for each doubling or halving beside the target
    "above": -0.5,  # more, where it is above
    "own language": 1.8,
    "domain": 3.0,
    "keeps case": 0.4,
    "drops case": -0.4,
    "package": 1.0,
    "safetensors": 0.1,
    "bin": -0.3,
    "licence unknown": -0.4,
    "estimated": -0.1,
    "unchecked": -1.0,
    "long texts": -1.5,
    "shared layers": -0.5,  # Z. Lan et al., ALBERT, 2020: below BERT at the same cost
    "of sentences": -0.6,
    "entailment": 0.3,
    "discriminator": 0.25,
    "year": 0.1,  # for each after 2018, up to three
    "described": 0.1,
    "one window a row": -0.3,
    "frozen": -2.5,
    "checkpointing": -0.5,
}


@dataclass(frozen=True)
class Recommendation:
    task: str
    name: str
    entry: dict[str, Any]
    sizes: Sizes
    plan: Plan
    points: float
    reasons: list[str]


def recommend(query: Query, most: int = SHORT_LIST) -> list[Recommendation]:
    """The best entries of the catalogue, the best first.

    RAISES: ValueError if there is none, with the reason.
    """
    candidates = [(name, entry) for name, entry in CATALOGUE.items() if is_for(query, entry)]
    if not candidates:
        reason = f"none is known for {query.task} in '{query.lang}'"
        raise ValueError(Errors.NOTHING_FITS.format(reason=reason))
    found = []
    for name, entry in candidates:
        sizes = find_sizes(entry)
        plan = make_plan(query, sizes) if sizes else None
        if plan is not None:
            weighed = list(weigh(query, entry, sizes, plan))
            points = sum(POINTS[key] * amount for key, amount, _ in weighed)
            reasons = [reason for _, _, reason in weighed if reason]
            points = round(points, 3)
            found.append(Recommendation(query.task, name, entry, sizes, plan, points, reasons))
    if not found:
        what = "running" if query.task in WITHOUT_TRAINING else "training"
        reason = f"{what} takes more than {query.memory / 1e9:g} GB on the smallest of them"
        raise ValueError(Errors.NOTHING_FITS.format(reason=reason))
    return sorted(found, key=lambda one: (-one.points, one.name))[:most]


def is_for(query: Query, entry: dict[str, Any]) -> bool:
    """Whether an entry may be taken at all: by its kind, its language, its domain and its
    tokenizer."""
    kinds = KINDS.get(query.task, OF_TOKENS)
    if query.task == "textcat" and query.examples <= FEW_EXAMPLES:
        kinds = OF_TEXTS
    languages = entry["languages"] or []
    wanted = {MULTILINGUAL} if query.lang in ANY_LANGUAGE else {MULTILINGUAL, query.lang}
    return (
        entry["kind"] in kinds
        and not wanted.isdisjoint(languages)
        and entry["domain"] in ("general", query.domain)
        and gives_offsets(entry)
    )


def weigh(
    query: Query, entry: dict[str, Any], sizes: Sizes, plan: Plan
) -> Iterator[tuple[str, float, str]]:
    """Keys of `POINTS`, how often each counts, and what to say of it, if anything."""
    yield from _weigh_cost(query, sizes, plan)
    if query.lang in (entry["languages"] or []):
        yield "own language", 1, f"trained on '{query.lang}' alone"
    elif query.lang not in ANY_LANGUAGE:
        yield "own language", 0, describe_languages(entry, query.lang)
    if entry["domain"] == query.domain and query.domain:
        yield "domain", 1, f"trained on {query.domain} texts"
    elif query.domain:
        yield "domain", 0, f"trained on texts in general, not on {query.domain} ones"
    if query.task in CASED_TASKS and entry["cased"] is not None:
        if entry["cased"]:
            yield "keeps case", 1, "keeps letter case, which names show by"
        else:
            yield "drops case", 1, "drops letter case, which names show by"
    if entry["package"]:
        yield "package", 1, "comes as a package, and was measured with this project"
    if entry["weights"] == "safetensors":
        yield "safetensors", 1, ""
    elif entry["weights"] == "bin":
        yield "bin", 1, "its weights are a .bin file, which `download` converts"
    if entry["licence"] is None:
        yield "licence unknown", 1, "its licence was not found: read its model card"
    if sizes.estimated:
        yield "estimated", 1, "its sizes are estimates"
    if not entry["checked"]:
        yield "unchecked", 1, "nobody could look it up"
    if entry["family"] in OF_LONG_TEXTS:
        yield "long texts", 1, "made for long documents"
    if entry["family"] in SHARES_LAYERS:
        yield "shared layers", 1, "all layers have the same weights: a small file, no less work"
    of_texts = query.task in KINDS or (query.examples <= FEW_EXAMPLES and query.task == "textcat")
    if entry["kind"] == "sentence encoder" and not of_texts:
        yield "of sentences", 1, ""
    if entry["kind"] == "entailment":
        yield "entailment", 1, "trained for entailment, so it reads the labels' names"
    if "replaced token" in (entry["objective"] or ""):
        yield "discriminator", 1, ""
    if entry["year"]:
        yield "year", min(3, entry["year"] - 2018), ""
    if entry["good_for"]:
        yield "described", 1, ""
    traits = find_traits(entry["family"], causal=entry["kind"] == "decoder")
    if query.device == "cpu" and traits["packed"] is False:
        yield "one window a row", 1, "short texts cannot share a row, which costs speed on a CPU"
    if plan.frozen:
        yield "frozen", 1, "too large to be fine-tuned in that memory: it stays frozen"
    if plan.gradient_checkpointing:
        yield "checkpointing", 1, "fits with gradient checkpointing, which costs time"


def _weigh_cost(query: Query, sizes: Sizes, plan: Plan) -> Iterator[tuple[str, float, str]]:
    target = TARGETS[query.device][query.speed]
    if query.examples <= FEW and plan.method == FULL:
        target *= FEWER_FLOPS
        yield (
            "cost",
            0,
            "few examples: a small encoder learns more from them; augment them, too",
        )
    octaves = log2(max(sizes.relative_cost, 1e-3) / target)
    yield "cost", abs(octaves), describe_speed(sizes.relative_cost)
    yield "above", max(0.0, octaves), ""


def describe_languages(entry: dict[str, Any], lang: str) -> str:
    """Of a multilingual encoder. The catalogue has no list of its languages, but a note that counts
    them."""
    notes = (n.removeprefix(LANGUAGES) for n in entry["notes"] if n.startswith(LANGUAGES))
    counted = next(notes, None)
    text = f"multilingual ({counted})" if counted else "multilingual"
    return f"{text}: its model card says whether '{lang}' is among them"


def describe_speed(cost: float) -> str:
    """Of computation, not of time: a small encoder uses a machine less well.

    >>> describe_speed(0.125), describe_speed(1.0)
    ('computes 8 times less than BERT base', 'computes as much as BERT base')
    >>> describe_speed(3.55)
    'computes 3.5 times as much as BERT base'
    """
    if 0.9 < cost < 1.12:
        return "computes as much as BERT base"
    times, word = (1 / cost, "less than") if cost < 1 else (cost, "as much as")
    number = f"{times:.0f}" if times >= 9.5 else f"{times:.1f}".removesuffix(".0")
    return f"computes {number} times {word} BERT base"
