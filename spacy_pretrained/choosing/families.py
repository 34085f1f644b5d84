"""What the tests of families found: which encoders run on OpenVINO, and pack windows in rows."""

import json
from pathlib import Path

from .. import checkpoints

PATH = Path(checkpoints.__file__).with_name("families.json")
FOUND = json.loads(PATH.read_text("utf8")) if PATH.is_file() else {}


def find_traits(family: str, *, causal: bool) -> dict[str, bool | None]:
    """Whether encoders of a family run on OpenVINO, and whether several windows share a row there;
    None if that was not tried, or if the family is refused.

    family: The `model_type` of a config.json.
    """
    for found in FOUND.values():
        is_it = found["model_type"] == family and found.get("causal", False) == causal
        if is_it and "refused" not in found:
            return {"openvino": found.get("openvino"), "packed": found.get("packed")}
    return {"openvino": None, "packed": None}
