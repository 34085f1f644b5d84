"""Weights in pickles to safetensors, by a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

from ..runtime.whole_files import remove_unfinished
from .errors import Errors
from .hub_client import TOKENS
from .hub_id import HubId
from .installed import is_installed
from .model_folder import find_bin

KILLED = -9  # the exit code of a process that got SIGKILL


def convert_bin(folder: Path, hub: HubId) -> None:
    """Write pytorch_model.bin, or its parts, as safetensors beside them. Only tensors are read: a
    pickle of anything else is refused. See `torch_convert`, the program.

    RAISES: ValueError if that fails; there are no incomplete files then.
    """
    if not is_installed("torch"):
        name = find_bin(folder)
        raise ValueError(Errors.CONVERT_NEEDS_TORCH.format(hub=hub, name=name))
    command = [sys.executable, "-m", f"{__package__}.torch_convert", str(folder)]
    environment = {name: value for name, value in os.environ.items() if name not in TOKENS}
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=environment, **pipes) as process:
        try:
            _, said = process.communicate()
        finally:
            process.kill()  # it has ended, unless this process was interrupted
            process.wait()
            remove_unfinished(folder, process=process.pid)
    if code := process.returncode:
        lines = said.strip().splitlines() or [f"exit code {code}"]
        reason = Errors.CONVERT_KILLED if code == KILLED else lines[-1]
        raise ValueError(Errors.CONVERT_FAILED.format(hub=hub, error=reason))
