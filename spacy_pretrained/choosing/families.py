"""What is known of families of encoders: by the tests of families, which run on OpenVINO, and pack
windows in rows; and whose tokenizers can be read."""

from typing import Any

from ..checkpoints.families import FAMILIES, runs_on_openvino
from ..sources.model_folder import SLOW


def find_traits(family: str, *, causal: bool) -> dict[str, bool | None]:
    """Whether encoders of a family run on OpenVINO, and whether several windows share a row there;
    None if that was not tried, or if the family is refused.

    family: The `model_type` of a config.json.
    """
    for found in FAMILIES.values():
        is_it = found["model_type"] == family and found.get("causal", False) == causal
        if is_it and "refused" not in found:
            return {"openvino": runs_on_openvino(found), "packed": found.get("packed")}
    return {"openvino": None, "packed": None}


def gives_offsets(entry: dict[str, Any]) -> bool:
    """Whether the tokenizer of an entry of the catalogue can be read. Those that are Python
    programs give no offsets of characters; where the family does not say that one is, the notes
    name it."""
    notes = " ".join(entry["notes"])
    return entry["family"] not in SLOW and not any(name in notes for name in SLOW.values())
