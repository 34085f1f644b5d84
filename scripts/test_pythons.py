"""Run the tests of the torch-free side with other versions of Python.

    python scripts/test_pythons.py 3.12 3.13

`make test-pythons` runs it. Each version gets an environment in `.venv-VERSION` with what a
quantized pipeline needs at run time, the pipeline of `pipelines/`, and pytest; no PyTorch. Tests
that make encoders are left out there (see `tests/conftest.py`). A version that does not start is
skipped, and so it says.
"""

import argparse
import os
import subprocess
import sys
from time import perf_counter

from quiet_pip import run_pip
from try_pipeline import PIPELINE, PIPELINES, ROOT, find_wheel

TOOLS = ("pytest", "pytest-xdist")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("versions", nargs="+", help="such as 3.12")
    failed = []
    for version in parser.parse_args().versions:
        start = perf_counter()
        interpreter = find_python(version)
        if interpreter is None:
            print(f"Python {version}: skipped, for no interpreter of that version starts")
        elif not test(interpreter, version):
            failed.append(version)
        else:
            print(f"Python {version}: passed, in {perf_counter() - start:.0f} s")
    if failed:
        sys.exit(f"Failed with Python {', '.join(failed)}")


def find_python(version: str) -> str | None:
    """The path of an interpreter that starts: a command `python3.12` may only say that pyenv has
    none selected. Then each one that pyenv has is tried."""
    for patch in (None, *pyenv_versions(version)):
        environment = os.environ | ({"PYENV_VERSION": patch} if patch else {})
        command = [f"python{version}", "-c", "import sys; print(sys.executable)"]
        try:
            found = subprocess.run(command, env=environment, capture_output=True, text=True)
        except OSError:
            return None
        if found.returncode == 0:
            return found.stdout.strip()
    return None


def pyenv_versions(version: str) -> list[str]:
    try:
        said = subprocess.run(["pyenv", "versions", "--bare"], capture_output=True, text=True)
    except OSError:
        return []
    return [line.strip() for line in said.stdout.splitlines() if line.startswith(f"{version}.")]


def test(interpreter: str, version: str) -> bool:
    """RETURNS: Whether all went well."""
    folder = ROOT / f".venv-{version}"
    made = subprocess.run([interpreter, "-m", "venv", "--clear", str(folder)])
    if made.returncode:
        return False
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    wheel = find_wheel(PIPELINES, PIPELINE)
    command = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--no-compile"]
    command += ["--constraint", "constraints.txt", str(wheel), ".", *TOOLS]
    if not run_pip(f"Python {version}: {wheel.name}", command, ROOT):
        return False
    # From the checkout, whose folder comes first, but with what the package has as metadata.
    tests = [str(python), "-m", "pytest", "--numprocesses=auto", "--dist=loadfile", "-q"]
    return subprocess.run([*tests, "-p", "no:cacheprovider"], cwd=ROOT).returncode == 0


if __name__ == "__main__":
    main()
