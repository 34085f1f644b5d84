"""The config and the requirements of a pipeline that needs the stock packages no more."""

from collections.abc import Iterable
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from spacy.language import DEFAULT_CONFIG
from thinc.api import Config

from .errors import Errors
from .find import MODULES
from .listeners import replace_blocks
from .reader import Stock

ARCHITECTURE = "spacy-pretrained.TorchEncoder.v1"
# What only these packages need.
NOT_NEEDED = {*MODULES.values(), "curated-transformers", "curated-tokenizers", "spacy-alignments"}
MISSING = object()


def convert_config(config: Config, stock: Stock, windows: dict[str, Any]) -> Config:
    """The config of the pipeline with our encoder under the old name; every other block that names
    a registered function of the packages has spaCy's default, or is left out.

    windows: The setting `stock_windows`.
    RAISES: ValueError if the listeners in a component's model are not those of its config.
    """
    name = stock.pipe.name
    config = _without_references(config.copy(), f"${{components.{name}.")
    settings = {"window": 0, "stride": None, "orth_width": 0, "stock_windows": windows}
    model = {"@architectures": ARCHITECTURE, **settings}
    for component in {listener.component for listener in stock.listeners}:
        block = config["components"][component]
        config["components"][component], n_blocks = replace_blocks(block, stock.pipe, stock.width)
        n_nodes = sum(listener.component == component for listener in stock.listeners)
        if n_blocks != n_nodes:
            found = {"n_blocks": n_blocks, "n_nodes": n_nodes, "package": stock.pipe.package}
            raise ValueError(Errors.LISTENER_CONFIG.format(component=component, **found))
    config["components"][name] = {"factory": "pretrained_encoder", "model": model}
    # Which files it was initialized from, and settings that our encoder does not have.
    config.get("initialize", {}).get("components", {}).pop(name, None)
    return Config(_clean(config, DEFAULT_CONFIG))


def _without_references(config: Config, reference: str) -> Config:
    """The config with what refers to a block written out."""
    if not _mentions(config, reference):
        return config
    return Config(_write_out(config, config.interpolate(), reference))


def _mentions(block: Any, reference: str) -> bool:
    if isinstance(block, dict):
        return any(_mentions(value, reference) for value in block.values())
    return isinstance(block, str) and reference in block


def _write_out(block: Any, interpolated: Any, reference: str) -> Any:
    if isinstance(block, dict):
        return {k: _write_out(v, interpolated[k], reference) for k, v in block.items()}
    if isinstance(block, str) and reference in block:
        return interpolated
    return block


def _clean(block: Any, default: Any) -> Any:
    """A block without what is of the packages, at whatever depth: see `convert_config`."""
    if not isinstance(block, dict):
        return block
    cleaned = {}
    for key, value in block.items():
        instead = default.get(key, MISSING) if isinstance(default, dict) else MISSING
        if is_of_packages(value):
            if instead is not MISSING:
                cleaned[key] = instead
        else:
            cleaned[key] = _clean(value, instead)
    return cleaned


def is_of_packages(block: Any) -> bool:
    """Whether a block of a config names a registered function of the packages."""
    if not isinstance(block, dict):
        return False
    prefixes = tuple(f"{package}." for package in MODULES.values())
    return any(
        key.startswith("@") and isinstance(value, str) and value.startswith(prefixes)
        for key, value in block.items()
    )


def convert_requirements(requirements: Iterable[str]) -> list[str]:
    """The requirements of a package without the stock packages."""
    return [text for text in requirements if _name_of(text) not in NOT_NEEDED]


def _name_of(text: str) -> str:
    try:
        return Requirement(text).name.lower().replace("_", "-")
    except InvalidRequirement:  # spaCy takes what pip does not
        return text
