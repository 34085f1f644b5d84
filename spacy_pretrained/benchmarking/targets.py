"""What a benchmark is of: an encoder or a pipeline that is on this machine."""

import re
from dataclasses import dataclass
from os.path import expanduser
from pathlib import Path

from ..checkpoints.catalogue import CATALOGUE, PACKAGE_PREFIX
from ..choosing.folder_info import read_object
from ..choosing.info import find_pipeline
from ..packaging.meta import kind_of
from ..sources.download import find_copy
from ..sources.find import find_source
from ..sources.hub_id import parse_hub_id
from ..sources.installed import is_installed
from .cases import BFLOAT16, FP32
from .errors import Errors

REDUCED = re.compile(r"^mixed_precision\s*=\s*true", re.MULTILINE)
ENCODER = "encoder"
ON_TORCH, PLAIN = "torch", "plain"


@dataclass(frozen=True)
class Target:
    name: str  # as it was given
    folder: Path
    kind: str  # ENCODER; of a pipeline ON_TORCH, PLAIN, or its precision on OpenVINO
    precision: str = FP32

    @property
    def is_encoder(self) -> bool:
        return self.kind == ENCODER

    @property
    def needs_torch(self) -> bool:
        return self.kind in (ENCODER, ON_TORCH)

    @property
    def is_on_openvino(self) -> bool:
        return not (self.needs_torch or self.kind == PLAIN)


def find_target(source: str) -> Target:
    """Find what a name stands for. Nothing is downloaded.

    source: The folder of a pipeline, an installed pipeline, or what `find_source` takes.
    RAISES: ValueError, naming the source and what to do.
    """
    folder = Path(expanduser(source))
    if not source or not (folder / "meta.json").is_file():
        folder = _find_encoder(source) or find_pipeline(source)
    if folder is None:
        raise ValueError(Errors.NOT_KNOWN.format(source=source))
    if (folder / "meta.json").is_file():
        meta = read_object(folder / "meta.json", Errors.META_BROKEN)
        if not (folder / "config.cfg").is_file():
            raise ValueError(Errors.PIPELINE_INCOMPLETE.format(folder=folder))
        kind = kind_of(folder, meta)
        return Target(source, folder, kind, find_precision(folder, kind))
    if not (is_installed("torch") and is_installed("transformers")):
        raise ValueError(Errors.ENCODER_NEEDS_TORCH.format(source=source))
    return Target(source, folder, ENCODER)


def find_precision(folder: Path, kind: str) -> str:
    """That in which a pipeline computes."""
    if kind == ON_TORCH:
        return BFLOAT16 if REDUCED.search((folder / "config.cfg").read_text("utf8")) else FP32
    return FP32 if kind == PLAIN else kind


def _find_encoder(source: str) -> Path | None:
    hub = parse_hub_id(source)
    is_package = source.startswith(PACKAGE_PREFIX) or CATALOGUE.get(source, {}).get("package")
    if is_package or (source and Path(expanduser(source)).is_dir()):
        return find_source(source)
    if hub is None:
        return None
    copy = find_copy(hub)
    if copy is None or copy.pickle:  # `download` converts a pickle, too
        message = Errors.NOT_HERE if source in CATALOGUE else Errors.NO_FOLDER
        raise ValueError(message.format(source=source))
    return find_source(str(copy.folder))
