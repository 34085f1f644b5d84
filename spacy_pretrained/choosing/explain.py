"""A recommendation in words, and as plain data."""

from dataclasses import asdict
from typing import Any

from .memory import GIGABYTE, Memory
from .plan import FEW_SHOT, NONE
from .query import WITHOUT_TRAINING
from .recommend import Recommendation

NO_TRAINING = {
    "zero-shot": "tells categories of texts apart by their names",
    "similarity": "in a pipeline of its own, with frozen = true and orth_width = 0, makes the "
    "vectors that doc.similarity compares",
}


def explain(one: Recommendation) -> list[str]:
    """Lines of text, as a colleague would say it."""
    lines = [f"Why: {'; '.join(one.reasons)}."]
    if one.entry["good_for"]:
        lines.append(f"Good for: {one.entry['good_for']}")
    lines.append(f"How: {describe_plan(one)}.")
    lines.append(f"Memory: {describe_memory(one)}.")
    lines.append(f"Licence: {one.entry['licence'] or 'not known; read its model card'}.")
    if not one.entry["checked"]:
        lines.append("Unchecked: nobody could look this entry up.")
    lines.append(f"Get it: {get_command(one)}")
    return lines


def describe_plan(one: Recommendation) -> str:
    plan = one.plan
    if plan.method == NONE:
        return f"no training is needed: {WITHOUT_TRAINING[one.task]} {NO_TRAINING[one.task]}"
    if plan.method == FEW_SHOT:
        encoder = " on a frozen encoder" if plan.frozen else ""
        return (
            f"few-shot learning (few_shot_textcat){encoder}, which makes more of few texts than "
            "full fine-tuning; name the labels so that they say what is meant"
        )
    rate = "the task heads'" if plan.frozen else "the encoder's"
    text = (
        f"{plan.method}, {plan.epochs} epochs, batches of {plan.batch_words:,} words "
        f"(some {plan.steps:,} steps), {rate} learning rate {plan.learn_rate:g} after a warm-up "
        f"of {plan.warmup:.0%}"
    )
    extras = [
        (plan.mixed_precision, "mixed_precision"),
        (plan.gradient_checkpointing, "gradient_checkpointing"),
    ]
    names = [name for is_on, name in extras if is_on]
    return text + (f", with {' and '.join(names)}" if names else "")


def describe_memory(one: Recommendation) -> str:
    plan, about = one.plan, "about " if not one.sizes.estimated else "roughly "
    running = f"{in_gigabytes(plan.inference)} to run, {in_gigabytes(plan.inference_int8)} in INT8"
    if plan.training is None:
        return about + running
    return f"{about}{in_gigabytes(plan.training)} to train, {running}"


def in_gigabytes(memory: Memory) -> str:
    return f"{memory.peak / GIGABYTE:.1f} GB"


def get_command(one: Recommendation) -> str:
    return one.entry["install"] or f"python -m spacy pretrained download {one.name}"


def as_dict(one: Recommendation) -> dict[str, Any]:
    """As plain data, for JSON; memory in bytes."""
    plan = asdict(one.plan)
    for name in ("training", "inference", "inference_int8"):
        memory = getattr(one.plan, name)
        plan[name] = memory and plan[name] | {"peak": memory.peak}
    return {
        "name": one.name,
        "hub": one.entry["hub"],
        "points": one.points,
        "reasons": one.reasons,
        "relative_cost": one.sizes.relative_cost,
        "estimated": one.sizes.estimated,
        "licence": one.entry["licence"],
        "checked": one.entry["checked"],
        "get": get_command(one),
        "plan": plan,
    }
