"""Install a pipeline of pipelines/ in an environment of its own, and annotate a paragraph with it.

    python3 scripts/try_pipeline.py

`make try` runs it. Needs nothing but Python 3.11 with its module venv, and a network or a folder
that pip installs from. The environment is made anew, in `.venv-try`, and stays for you to try.
There is no PyTorch in it. Python compiles there what is imported.
"""

import argparse
import hashlib
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from time import perf_counter

from quiet_pip import run_pip

ROOT = Path(__file__).resolve().parents[1]
PIPELINES = ROOT / "pipelines"
SUMS = "SHA256SUMS"
PIPELINE = "en_ewt_minilm_int8"
DEMO = Path(__file__).with_name("demo.py")
# What the seconds of the first annotation are of: modules are compiled, the pipeline is loaded.
FIRST = "import sys, spacy; spacy.load(sys.argv[1])('Ada Lovelace lived in London.')"

NO_WHEEL = (
    "{folder} has no wheel of {name}. One that was trained can be shipped with `make pipelines` "
    "(pipelines/README.md says how it is trained); `make demo` trains a small one, in minutes."
)
MANY_WHEELS = "{folder} has {n} wheels of {name}, and should have one: {names}. Remove the others."
NO_SUM = "{sums} says nothing of {name}. `make pipelines` writes both."
OTHER_SUM = "{wheel} is not what {sums} says: it is damaged or not complete. Get both files again."
NO_VENV = (
    "Python could not make an environment with pip in it. On Debian and Ubuntu, install the "
    "package python3-venv; or name another Python: make try PYTHON=python3.12. It said: {said}"
)
NOT_AN_ENVIRONMENT = (
    "{path} is no environment of Python, and would be deleted. Name another folder: --environment."
)
NO_PACKAGES = "Without a network, see docs/install.md: pip can install from a folder."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pipeline", default=PIPELINE, help="Name of one in pipelines/")
    parser.add_argument(
        "--environment", type=Path, default=ROOT / ".venv-try", help="Folder to make anew"
    )
    parser.add_argument("--page", type=Path, default=ROOT / "training/try/demo.html")
    options = parser.parse_args()
    try:
        wheel = find_wheel(PIPELINES, options.pipeline)
        start = perf_counter()
        python = make_environment(options.environment.absolute())
        seconds = {"environment": perf_counter() - start}
    except ValueError as error:
        sys.exit(f"{error}")
    start = perf_counter()
    if not install(python, wheel):
        sys.exit(NO_PACKAGES)
    seconds["packages"] = perf_counter() - start
    start = perf_counter()
    run(python, "-I", "-c", FIRST, options.pipeline)
    seconds["first annotation"] = perf_counter() - start
    run(python, DEMO, options.pipeline, "--page", options.page.absolute())
    print("Seconds: " + ", ".join(f"{name} {found:.0f}" for name, found in seconds.items()))
    print(f"To go on: {python}, and in it spacy.load({options.pipeline!r})")


def run(*command: str | Path) -> None:
    """Run a command, whose own message is all that is said if it fails."""
    if code := subprocess.run(command).returncode:
        sys.exit(code)


def find_wheel(folder: Path, name: str) -> Path:
    """The wheel of a pipeline, which is what SHA256SUMS says. ValueError if not."""
    wheels = sorted(folder.glob(f"{name}-*.whl"))
    if not wheels:
        raise ValueError(NO_WHEEL.format(folder=folder, name=name))
    if len(wheels) > 1:
        names = ", ".join(wheel.name for wheel in wheels)
        raise ValueError(MANY_WHEELS.format(folder=folder, n=len(wheels), name=name, names=names))
    (wheel,), sums = wheels, folder / SUMS
    lines = sums.read_text("utf8").splitlines() if sums.exists() else []
    known = {file: found for found, file in (line.split() for line in lines)}
    if wheel.name not in known:
        raise ValueError(NO_SUM.format(sums=sums, name=wheel.name))
    if hashlib.sha256(wheel.read_bytes()).hexdigest() != known[wheel.name]:
        raise ValueError(OTHER_SUM.format(wheel=wheel, sums=sums))
    return wheel


def make_environment(path: Path) -> Path:
    """RETURNS: Python of a new environment with pip and nothing else, in place of an older one.
    ValueError without one, or if the folder holds anything else."""
    if path.is_dir() and any(path.iterdir()) and not (path / "pyvenv.cfg").is_file():
        raise ValueError(NOT_AN_ENVIRONMENT.format(path=path))
    shutil.rmtree(path, ignore_errors=True)
    try:
        venv.create(path, with_pip=True)
    except (subprocess.CalledProcessError, OSError) as error:
        raise ValueError(NO_VENV.format(said=error)) from error
    return path / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def install(python: Path, wheel: Path) -> bool:
    """Install a pipeline, this package from this folder, and what both ask for.
    RETURNS: Whether pip worked."""
    shutil.rmtree(ROOT / "build", ignore_errors=True)  # setuptools packs what an old one left there
    command = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--no-compile"]
    # The constraints are those of the folder: another path would need a URL if it has spaces.
    command += ["--constraint", "constraints.txt", str(wheel.absolute()), "."]
    return run_pip(f"Installing {wheel.name}", command, ROOT)


if __name__ == "__main__":
    main()
