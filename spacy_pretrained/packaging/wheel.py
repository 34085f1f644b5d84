"""Wheels, by pip."""

import subprocess
import sys
from pathlib import Path

from .errors import Errors

LAST_LINES = 10
BEHIND = "[end of output]"  # of the build; what follows are pip's general remarks


def build_wheel(source: Path, output: Path) -> Path:
    """Without isolation: that would fetch setuptools once more, for every wheel.

    output: Folder without other wheels, made if there is none.
    RETURNS: The wheel. ValueError with the end of what pip said, if it failed.
    """
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-cache-dir"]
    command += ["--no-build-isolation", "--wheel-dir", str(output), str(source)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        said = done.stdout.partition(BEHIND)[0].strip()
        said = "\n".join(said.splitlines()[-LAST_LINES:])
        raise ValueError(Errors.PACKAGE_PIP.format(said=said))
    (wheel,) = output.glob("*.whl")
    return wheel
