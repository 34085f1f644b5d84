"""Wheels, by pip."""

import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from .errors import Errors

LAST_LINES = 10
FIRST_ALONE = 71  # the major version of setuptools from which it needs no package `wheel`
BEHIND = "[end of output]"  # of the build; what follows are pip's general remarks


def build_wheel(source: Path, output: Path) -> Path:
    """Without isolation where that will do: pip would fetch setuptools once more, for every wheel.

    output: Folder without other wheels, made if there is none.
    RETURNS: The wheel. ValueError with the end of what pip said, if it failed.
    """
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-cache-dir"]
    command += ["--wheel-dir", str(output), str(source)]
    if builds_wheels():
        command.append("--no-build-isolation")
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        said = done.stdout.partition(BEHIND)[0].strip()
        said = "\n".join(said.splitlines()[-LAST_LINES:])
        raise ValueError(Errors.PACKAGE_PIP.format(said=said))
    (wheel,) = output.glob("*.whl")
    return wheel


def builds_wheels() -> bool:
    """Whether this environment has what wheels are built by. A fresh one may have an old setuptools
    without `wheel`, or none."""
    try:
        major = int(version("setuptools").partition(".")[0])
    except PackageNotFoundError:
        return False
    return major >= FIRST_ALONE or find_spec("wheel") is not None
