"""Which device the backbone runs on."""

import warnings

import torch
from thinc.api import get_torch_default_device

from .errors import Errors

DEVICE_TYPES = ("cpu", "cuda", "mps")


def choose_device(wanted: str, *, training: bool) -> torch.device:
    """The device for a backbone whose config says `device = wanted`.

    "auto" follows spaCy: the CPU unless spaCy is on the GPU. A device that is not there is an
    error in training and, in a pipeline that was trained elsewhere, a warning and the CPU.
    """
    if wanted == "auto":
        device = get_torch_default_device()
    else:
        device = _parse(wanted)
        if not _is_there(device):
            if training:
                raise ValueError(Errors.DEVICE_MISSING.format(device=wanted))
            # Python shows a warning once for each place and text.
            warnings.warn(Errors.DEVICE_FALLBACK.format(device=wanted), stacklevel=2)
            device = torch.device("cpu")
    if device.type == "cuda" and device.index is None:
        # Each thread has a current GPU of its own, and streams are predicted in several.
        device = torch.device("cuda", torch.cuda.current_device())
    return device


def check_device(wanted: str, device: torch.device) -> None:
    """Refuse to train on the device that a loaded pipeline fell back to."""
    if wanted != "auto" and _parse(wanted).type != device.type:
        raise ValueError(Errors.DEVICE_MISSING.format(device=wanted))


def _parse(wanted: str) -> torch.device:
    try:
        device = torch.device(wanted)
    except RuntimeError:
        device = None
    if device is None or device.type not in DEVICE_TYPES:
        raise ValueError(Errors.DEVICE_UNKNOWN.format(device=wanted))
    return device


def _is_there(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count()
    if device.type == "mps":
        return torch.backends.mps.is_available()
    return True
