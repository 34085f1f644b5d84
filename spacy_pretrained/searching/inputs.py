"""What trainings read beside the config: a code file and corpora."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from thinc.api import Config

from ..saving.files import digest, digest_folder


def digest_inputs(config: Config, code: Path | None) -> dict[str, str]:
    """Checksums, by what they are of. Contents count, not times: corpora that are made again, or
    copied, are the same ones.

    RAISES: ValueError if a reference in the config leads nowhere; OSError without the code file.
    """
    paths = _find_paths(config.interpolate().get("corpora", {}))
    corpora = [digest_folder(path) if path.is_dir() else digest(path) for path in paths]
    return {"code file": digest(code) if code else "", "corpus": " ".join(corpora)}


def _find_paths(value: Any) -> Iterator[Path]:
    """The files and folders that settings name, those of readers of one's own, too."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _find_paths(one)
    # Path's own methods raise for strings that cannot be names.
    elif isinstance(value, str) and (os.path.isfile(value) or os.path.isdir(value)):
        yield Path(value)
