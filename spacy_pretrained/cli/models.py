"""`python -m spacy pretrained models`."""

import json
from typing import Annotated, Any

import typer
from wasabi import msg

from .clear_errors import clear_errors

MOST_CHARACTERS = 40  # in a column


def models(
    task: Annotated[str | None, typer.Option(help="Only those for a task, such as ner")] = None,
    lang: Annotated[str | None, typer.Option(help="Only those for a language, such as es")] = None,
    family: Annotated[str | None, typer.Option(help="Only those of a family, such as bert")] = None,
    size: Annotated[
        str | None, typer.Option(help="Only those of a size: tiny, small, base or large")
    ] = None,
    cached: Annotated[
        bool, typer.Option("--cached", help="List what is on this machine, with sizes and paths")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON")] = False,
) -> None:
    """List pretrained encoders: the catalogue, or what is on this machine.

    Example: python -m spacy pretrained models --task ner --lang es
    """
    from ..choosing.models import list_models
    from ..choosing.on_this_machine import find_cached
    from ..sources.hub_cache import cache_folder

    with clear_errors():
        rows = list(list_models(task, lang, family, size))
        if cached:
            names = {row["name"] for row in rows}
            is_asked = any(value is not None for value in (task, lang, family, size))
            here = [one for one in find_cached() if not is_asked or one.name in names]
            rows = [vars(one) | {"path": str(one.path)} for one in here]
    if as_json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))
    elif cached:
        show_cached(rows)
        print(f"The hub's cache: {cache_folder()}")
    else:
        show_models(rows)


def show_models(rows: list[dict[str, Any]]) -> None:
    table = [
        (
            row["name"],
            row["kind"],
            ", ".join(row["languages"] or ["?"]),
            name_number(row["parameters_millions"], "{:,.0f} M"),
            name_number(row["relative_cost"], "{:.2f}"),
            name_number(row["training_gb"], "~{:.1f} GB" if row["estimated"] else "{:.1f} GB"),
            row["licence"] or "?",
            {"bin": ".bin", None: "?"}.get(row["weights"], row["weights"]),
            "" if row["checked"] else "unchecked",
        )
        for row in rows
    ]
    header = ("NAME", "KIND", "LANGUAGES", "SIZE", "COST", "TRAINING", "LICENCE", "WEIGHTS", "")
    aligns = ("l", "l", "l", "r", "r", "r", "l", "l", "l")
    msg.table(table, header=header, divider=True, aligns=aligns, max_col=MOST_CHARACTERS)
    if not rows:
        print("No encoder in the catalogue matches all options. Leave an option out.")
        return
    print(
        f"{len(rows)} encoders. COST: FLOPs per wordpiece, BERT base is 1. TRAINING: memory of "
        "full fine-tuning in batches of 1,500 words. ?: not known. `info NAME` says more."
    )


def show_cached(rows: list[dict[str, Any]]) -> None:
    table = [
        (
            row["source"],
            row["name"] or "",
            f"{row['size'] / 1e6:,.0f} MB",
            "" if row["complete"] else "incomplete",
            row["path"],
        )
        for row in rows
    ]
    header = ("SOURCE", "NAME", "SIZE", "", "PATH")
    msg.table(table, header=header, divider=True, aligns=("l", "l", "r", "l", "l"), max_col=200)


def name_number(number: float | None, form: str) -> str:
    return "?" if number is None else form.format(number)
