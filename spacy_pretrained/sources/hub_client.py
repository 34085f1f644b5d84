"""Calls of huggingface_hub, with errors that say what to do. It heeds its own environment variables
(HF_ENDPOINT, HF_HUB_OFFLINE, HF_TOKEN and others); a token is neither read nor shown here."""

import errno
import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .disk_space import describe_full_disk
from .errors import Errors
from .hub_cache import unverified_mark
from .hub_id import HubId, describe_unknown

PATIENCE = 5.0  # seconds for the hub's first answer; importing what a command needs takes others
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
SERVER_FAULT = 500  # of HTTP statuses, the first that says that the hub itself failed
TRY_LATER = (408, 429)  # the hub was too slow, or asked too often
TOKENS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")


class Unreachable(Exception):
    """The hub gives no answer. Its text is the reason, to be put behind "cannot be reached"."""


class TooBusy(Unreachable):
    """The hub answers that one should ask later."""


@dataclass(frozen=True)
class Listing:
    """What the hub says of a model at a revision."""

    commit: str
    sizes: dict[str, int | None]  # bytes of each file
    digests: dict[str, str]  # SHA-256 of the large ones
    licence: str | None


def endpoint() -> str:
    from huggingface_hub import constants

    return constants.ENDPOINT


def list_files(hub: HubId) -> Listing:
    """Ask the hub for the files of a model.

    RAISES: Unreachable if there is no answer in `PATIENCE` seconds, or the hub itself fails;
        ValueError if the hub has no such model, or does not give it.
    """
    from huggingface_hub import HfApi, errors

    results = []

    def ask() -> None:
        try:
            api = HfApi()
            results.append(
                api.model_info(
                    hub.name, revision=hub.revision, files_metadata=True, timeout=PATIENCE
                )
            )
        except Exception as error:  # the client's errors have no common base class
            results.append(error)

    # Looking up a host's name has no timeout, so that the whole question is given one.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    if not results:
        raise Unreachable(f" (no answer in {PATIENCE:.0f} s)")
    (info,) = results
    if isinstance(info, errors.HFValidationError):
        raise ValueError(describe_unknown(str(hub))) from info
    if isinstance(info, errors.OfflineModeIsEnabled):
        raise Unreachable(" (HF_HUB_OFFLINE is set)") from info
    if isinstance(info, Exception):
        status = _status(info)
        if status in TRY_LATER:
            raise TooBusy(f" (HTTP status {status}: it is too busy)") from info
        if status is None or status >= SERVER_FAULT:
            raise Unreachable(f" ({_first_line(info).rstrip('.')})") from info
        raise ValueError(_explain(info, hub)) from info
    files = info.siblings or []
    return Listing(
        commit=info.sha,
        sizes={file.rfilename: file.size for file in files},
        digests={file.rfilename: file.lfs.sha256 for file in files if file.lfs},
        licence=(info.card_data or {}).get("license"),
    )


def fetch_file(hub: HubId, name: str, listing: Listing) -> Path:
    """Download a file of a model, unless the cache has it, and compare its size and, once, its
    SHA-256 with what the hub says of it.

    RAISES: ValueError if it cannot be had. Files that are there already stay there.
    """
    from huggingface_hub import hf_hub_download, try_to_load_from_cache

    size, digest = listing.sizes.get(name), listing.digests.get(name)
    mark = unverified_mark(hub, listing.commit, name)
    with clear_hub_errors(hub):
        known = isinstance(try_to_load_from_cache(hub.name, name, revision=listing.commit), str)
        if digest is not None and not known:
            mark.parent.mkdir(parents=True, exist_ok=True)
            mark.touch()
        path = Path(hf_hub_download(hub.name, name, revision=listing.commit))
    what = None
    if size is not None and path.stat().st_size != size:
        what = f"it has {path.stat().st_size:,} bytes instead of {size:,}"
    elif digest is not None and mark.exists() and _digest(path) != digest:
        what = "its SHA-256 differs"
    if what is not None:
        path.resolve().unlink()
        path.unlink(missing_ok=True)
        raise ValueError(Errors.HUB_DAMAGED.format(file=name, hub=hub, what=what))
    mark.unlink(missing_ok=True)
    return path


def note_revision(hub: HubId, name: str, listing: Listing) -> None:
    """Let the cache know which commit a branch or tag is at, after the commit's files are there.

    name: One of these files.
    """
    from huggingface_hub import hf_hub_download

    with clear_hub_errors(hub):
        path = Path(hf_hub_download(hub.name, name, revision=hub.revision))
    if listing.commit not in path.parts:
        raise ValueError(Errors.HUB_CHANGED.format(hub=hub))


@contextmanager
def clear_hub_errors(hub: HubId) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # the client's errors have no common base class
        raise ValueError(_explain(error, hub)) from error


def _explain(error: Exception, hub: HubId) -> str:
    from huggingface_hub import errors

    known = {"hub": hub, "endpoint": endpoint()}
    status = _status(error)
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        return describe_full_disk(hub)
    if isinstance(error, errors.GatedRepoError):
        return Errors.HUB_GATED.format(**known | {"hub": hub.name})
    if isinstance(error, errors.RevisionNotFoundError):
        return Errors.HUB_NO_REVISION.format(hub=hub.name, revision=hub.revision)
    if isinstance(error, errors.RepositoryNotFoundError):
        return Errors.HUB_NOT_FOUND.format(**known)
    if status in (401, 403):
        return Errors.HUB_REFUSED.format(status=status, **known)
    return Errors.HUB_FAILED.format(error=_first_line(error), **known)


def _status(error: Exception) -> int | None:
    """The HTTP status that the hub answered with; None if it did not answer."""
    return getattr(getattr(error, "response", None), "status_code", None)


def _first_line(error: Exception) -> str:
    """A sentence of an error's message, without a token."""
    line = str(error).strip().split("\n")[0] or type(error).__name__
    for name in TOKENS:
        if token := os.environ.get(name):
            line = line.replace(token, "…")
    return line if line[-1] in ".!?" else f"{line}."


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
