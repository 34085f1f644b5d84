"""Models of the hub, downloaded to its cache on this machine."""

import logging
import re
from dataclasses import dataclass, replace
from pathlib import Path

from .convert import convert_bin
from .disk_space import check_space
from .errors import Errors
from .hub_cache import cache_folder, find_snapshot, has_unverified, model_folder
from .hub_files import HubFiles, choose_files
from .hub_id import HubId
from .installed import is_installed
from .licence import read_licence
from .model_folder import (
    ADAPTER_CONFIG,
    CONFIG,
    check_descriptions,
    check_weights,
    find_bin,
    find_model_folder,
    has_tokenizer,
    has_weights,
)

COMMIT = re.compile(r"[0-9a-f]{40}")
logger = logging.getLogger("spacy")


@dataclass(frozen=True)
class Download:
    folder: Path  # in Hugging Face layout, in the hub's cache
    licence: str | None
    pickle: str | None = None  # a file with the only weights that there are, if that is a pickle
    converted: bool = False  # whether its weights were a pickle before this call


def download(hub: HubId) -> Download:
    """Download what an encoder needs of a model, unless it is there. Weights in pickles are
    converted to safetensors, in a process of their own.

    RAISES: ValueError or ImportError, saying what is wrong and what to do. Finished files are kept,
        and the next call goes on with the others.
    """
    found = fetch(hub, take_bin=True)
    if found.pickle is not None:
        convert_bin(found.folder, hub)
        found = replace(found, pickle=None, converted=True)
    check_weights(found.folder)
    return found


def fetch(hub: HubId, *, take_bin: bool = False) -> Download:
    """The folder of a model in the hub's cache, downloaded as far as it is not there. If the hub
    cannot be reached, a complete copy in the cache is taken, and a warning says so.

    take_bin: Whether to download weights in pickles, too, where there are no others.
    RETURNS: A folder with weights, unless `pickle` says that the hub has a pickle only.
    RAISES: ValueError or ImportError, saying what is wrong and what to do.
    """
    if COMMIT.fullmatch(hub.revision) and (found := find_copy(hub)):
        return found  # a commit never changes
    try:
        from . import hub_client

        endpoint = hub_client.endpoint()
    except ModuleNotFoundError as error:
        if found := find_copy(hub):
            return found
        raise ModuleNotFoundError(Errors.HUB_CLIENT) from error
    try:
        listing = hub_client.list_files(hub)
    except hub_client.Unreachable as reason:
        if found := find_copy(hub):
            logger.warning(Errors.HUB_OLD_COPY.format(endpoint=endpoint, reason=reason))
            return found
        known = {"hub": hub, "endpoint": endpoint, "reason": reason}
        if isinstance(reason, hub_client.TooBusy):
            raise ValueError(Errors.HUB_BUSY.format(**known)) from reason
        known |= {"folder": model_folder(hub).name, "cache": cache_folder()}
        raise ValueError(Errors.HUB_UNREACHABLE.format(**known)) from reason

    files = choose_files(listing.sizes)
    if not {Path(name).name for name in files.descriptions} & {CONFIG, ADAPTER_CONFIG}:
        raise ValueError(Errors.HUB_NO_MODEL.format(hub=hub))
    paths = {name: hub_client.fetch_file(hub, name, listing) for name in files.descriptions}
    snapshot = min((path.parent for path in paths.values()), key=lambda path: len(path.parts))
    folder = find_model_folder(snapshot)
    check_descriptions(folder)
    is_complete = has_weights(folder) and not has_unverified(hub, listing.commit)
    if not is_complete and (take_bin or not files.is_bin):
        _check_weights_listed(files, hub)
        check_space(hub, _bytes_to_fetch(files, listing.sizes, snapshot))
        for name in files.weights:
            hub_client.fetch_file(hub, name, listing)
    config = (folder / CONFIG).relative_to(snapshot).as_posix()
    hub_client.note_revision(hub, config, listing)
    pickle = files.weights[0] if files.is_bin and not has_weights(folder) else None
    return Download(folder, read_licence(folder) or listing.licence, pickle)


def find_copy(hub: HubId) -> Download | None:
    """A copy in the cache that has all that is needed, as the hub has it."""
    snapshot = find_snapshot(hub)
    if snapshot is None or has_unverified(hub, snapshot.name):
        return None
    folder = find_model_folder(snapshot)
    pickle = None if has_weights(folder) else find_bin(folder)
    has_descriptions = (folder / CONFIG).is_file() and has_tokenizer(folder)
    if has_descriptions and (has_weights(folder) or pickle):
        return Download(folder, read_licence(folder), pickle)
    return None


def _check_weights_listed(files: HubFiles, hub: HubId) -> None:
    if not files.weights:
        raise ValueError(Errors.HUB_NO_WEIGHTS.format(hub=hub))
    if files.is_bin and not is_installed("torch"):
        raise ValueError(Errors.CONVERT_NEEDS_TORCH.format(hub=hub, name=files.weights[0]))


def _bytes_to_fetch(files: HubFiles, sizes: dict[str, int | None], snapshot: Path) -> int:
    missing = [name for name in files.weights if not (snapshot / name).is_file()]
    copies = 1 if not files.is_bin else 2  # pickles are converted to as much again
    return sum(sizes.get(name) or 0 for name in missing) * copies
