"""Room for downloads."""

import shutil
from pathlib import Path

from .errors import Errors
from .hub_cache import cache_folder
from .hub_id import HubId

UNITS = ("bytes", "kB", "MB", "GB", "TB")


def check_space(hub: HubId, needed: int) -> None:
    """RAISES: ValueError if the cache's disk has less than the needed bytes."""
    if _free() < needed:
        raise ValueError(describe_full_disk(hub, needed))


def describe_full_disk(hub: HubId, needed: int | None = None) -> str:
    room = "more space" if needed is None else format_bytes(needed)
    free = format_bytes(_free())
    return Errors.HUB_DISK_FULL.format(hub=hub, needed=room, cache=cache_folder(), free=free)


def format_bytes(n_bytes: int) -> str:
    """
    >>> format_bytes(90_868_376)
    '90.9 MB'
    """
    size = float(n_bytes)
    for unit in UNITS:
        if size < 1000 or unit == UNITS[-1]:
            return f"{size:.0f} {unit}" if unit == UNITS[0] else f"{size:.1f} {unit}"
        size /= 1000
    raise AssertionError


def _free() -> int:
    folder: Path = cache_folder().absolute()
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free
