"""What the families of encoders can do, as tests of this project have found with each."""

import json
from pathlib import Path

from .errors import Errors

# By the name of a family: the model_type of its config.json, whether it is "refused" (and why),
# and else whether it converts to OpenVINO, packs several windows into a row, and so on.
FAMILIES = json.loads(Path(__file__).with_suffix(".json").read_text("utf8"))


def converts(model_type: str) -> bool:
    """Whether models of a kind run on OpenVINO. Those that were never tried are thought to."""
    tried = [family for family in FAMILIES.values() if family["model_type"] == model_type]
    return all(family.get("openvino", True) for family in tried)


def describe_conversion(model_type: str, name: str) -> str | None:
    """A warning, if models of a kind are known not to run on OpenVINO.

    name: The component that takes the weights.
    """
    if converts(model_type):
        return None
    return Errors.NOT_CONVERTED.format(name=name, model_type=model_type)
