"""Configs with other values in them."""

import difflib
from pathlib import Path
from typing import Any

from thinc.api import Config

from .errors import Errors
from .space import Space, Values

LOGGER = "spacy-pretrained.TrainingLogger.v1"


def read_config(path: Path) -> Config:
    """A complete config, its references as they stand.

    RAISES: ValueError if it is not there, or broken.
    """
    if not path.is_file():
        raise ValueError(Errors.CONFIG_MISSING.format(path=path))
    try:
        return Config().from_disk(path, interpolate=False)
    except ValueError as error:
        raise ValueError(Errors.CONFIG_BROKEN.format(path=path, error=error)) from error


def check_settings(config: Config, space: Space) -> None:
    """RAISES: ValueError if a setting of the space is none of the config's, or is a reference."""
    for path in (path for s in space.settings for path in (s.path, *s.also)):
        block, name = _find_block(config, path)
        if block is None or name not in block or isinstance(block[name], dict):
            near = difflib.get_close_matches(path, list_settings(config), n=1, cutoff=0.0)
            raise ValueError(
                Errors.SETTING_UNKNOWN.format(
                    setting=path, near=near[0] if near else "(it has none)"
                )
            )
        if isinstance(block[name], str) and block[name].startswith("${"):
            raise ValueError(Errors.SETTING_REFERENCE.format(setting=path, value=block[name]))


def list_settings(config: dict[str, Any], prefix: str = "") -> list[str]:
    """The dotted paths of all settings."""
    found = []
    for name, value in config.items():
        if isinstance(value, dict):
            found += list_settings(value, f"{prefix}{name}.")
        else:
            found.append(f"{prefix}{name}")
    return found


def read_values(config: Config, space: Space) -> Values:
    """The values that a config has for the settings of a space."""
    found = {}
    for setting in space.settings:
        block, name = _find_block(config, setting.path)
        found[setting.path] = block[name]
    return found


def with_values(config: Config, values: Values) -> Config:
    """A copy that has other values."""
    copy = config.copy()
    for path, value in values.items():
        block, name = _find_block(copy, path)
        block[name] = value
    return copy


def read_seed(config: Config) -> int:
    """That of a training's random numbers."""
    return config.interpolate()["training"].get("seed") or 0


def find_warmup(config: Config) -> int:
    """Steps in which the learning rate still rises; 0 if it has no such schedule."""
    rate = config.interpolate()["training"].get("optimizer", {}).get("learn_rate")
    steps = rate.get("warmup_steps") if isinstance(rate, dict) else None
    return steps if isinstance(steps, int) else 0


def with_seed(config: Config, seed: int) -> Config:
    """A copy that begins with other random numbers."""
    copy = config.copy()
    copy.setdefault("system", {})["seed"] = seed
    copy["training"]["seed"] = seed
    return copy


def with_log(config: Config, log: Path) -> Config:
    """A copy that writes its scores into a file, and nothing to the screen."""
    copy = config.copy()
    settings = {"path": str(log), "progress_bar": None, "console_output": False}
    copy["training"]["logger"] = {"@loggers": LOGGER} | settings
    return copy


def _find_block(config: dict[str, Any], path: str) -> tuple[dict[str, Any] | None, str]:
    """The block that has a setting, and its name in there."""
    *blocks, name = path.split(".")
    found: Any = config
    for block in blocks:
        found = found.get(block) if isinstance(found, dict) else None
    return (found if isinstance(found, dict) else None), name
