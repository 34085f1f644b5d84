"""What the families of encoders can do, as tests of this project have found with each."""

import json
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from .errors import Errors

# By the name of a family: the model_type of its config.json, whether it is "refused" (and why),
# and else whether it converts to OpenVINO, packs several windows into a row, and so on. Where
# transformers 4 differs as to OpenVINO, "openvino_4" says how.
FAMILIES = json.loads(Path(__file__).with_suffix(".json").read_text("utf8"))


def converts(model_type: str) -> bool:
    """Whether models of a kind run on OpenVINO. Those that were never tried are thought to."""
    tried = [family for family in FAMILIES.values() if family["model_type"] == model_type]
    return not any(runs_on_openvino(family) is False for family in tried)


def runs_on_openvino(family: dict[str, Any]) -> bool | None:
    """Whether a family of `FAMILIES` converts to OpenVINO, with the transformers that are
    installed; without any, with the current ones. None if that was not tried."""
    if "openvino_4" in family and has_transformers_4():
        return family["openvino_4"]
    return family.get("openvino")


def has_transformers_4() -> bool:
    """By the version that is installed: nothing is imported."""
    try:
        return version("transformers").startswith("4.")
    except PackageNotFoundError:
        return False


def describe_conversion(model_type: str, name: str) -> str | None:
    """A warning, if models of a kind are known not to run on OpenVINO.

    name: The component that takes the weights.
    """
    if converts(model_type):
        return None
    return Errors.NOT_CONVERTED.format(name=name, model_type=model_type)
