"""`python -m spacy pretrained info`."""

import json
from typing import Annotated, Any

import typer
from wasabi import msg

from .clear_errors import clear_errors

MOST_LABELS = 15
# What an encoder need not have: nothing is shown of it, and no question mark.
OPTIONAL = {"package", "install", "author", "embedding_width", "decoder_layers", "fine_tuned_from"}
OPTIONAL |= {"parameters_outside_millions"}


def info(
    source: Annotated[
        str, typer.Argument(help="Name in the catalogue, folder of an encoder, or pipeline")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON")] = False,
) -> None:
    """Describe an encoder or a pipeline: sizes, precision, licence, windows, labels.

    It reads files only, and loads no model.

    Example: python -m spacy pretrained info roberta-base
    """
    from ..choosing.info import find_info

    with clear_errors():
        sections = find_info(source)
    if as_json:
        print(json.dumps(sections, indent=2, ensure_ascii=False))
        return
    for title, section in sections.items():
        rows = [
            (key.replace("_", " "), name_value(key, value))
            for key, value in section.items()
            if not (key in OPTIONAL and value is None)
        ]
        if rows:
            msg.divider(title)
            msg.table(rows, max_col=100)
    encoder = sections.get("encoder", {})
    if encoder.get("checked") is False:
        msg.warn("Nobody could look this entry up: check it before you rely on it.")
    if encoder.get("weights") == []:
        msg.warn("The folder has no weights, so it cannot be a source.")
    if encoder and encoder.get("licence") is None:
        msg.warn("Its licence is not known: read its model card before you use it.")


def name_value(key: str, value: Any) -> str:
    if value is None:
        return "?"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if key == "bytes":
        return f"{value / 1e6:,.1f} MB"
    if value == []:
        return "none"
    if isinstance(value, list):
        shown = ", ".join(map(str, value[:MOST_LABELS]))
        return shown + (f" and {len(value) - MOST_LABELS} more" if len(value) > MOST_LABELS else "")
    return f"{value:,}" if isinstance(value, int) and value >= 10_000 else str(value)
