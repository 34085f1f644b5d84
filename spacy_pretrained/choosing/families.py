"""What the tests of families found: which encoders run on OpenVINO, and pack windows in rows."""

from ..checkpoints.families import FAMILIES


def find_traits(family: str, *, causal: bool) -> dict[str, bool | None]:
    """Whether encoders of a family run on OpenVINO, and whether several windows share a row there;
    None if that was not tried, or if the family is refused.

    family: The `model_type` of a config.json.
    """
    for found in FAMILIES.values():
        is_it = found["model_type"] == family and found.get("causal", False) == causal
        if is_it and "refused" not in found:
            return {"openvino": found.get("openvino"), "packed": found.get("packed")}
    return {"openvino": None, "packed": None}
