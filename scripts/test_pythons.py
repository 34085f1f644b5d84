"""Run the tests that need no PyTorch with other versions of Python.

    python scripts/test_pythons.py 3.12 3.13

`make test-pythons` runs it. Each version gets an environment in `.venv-VERSION`: this package, the
pipeline of `pipelines/`, and the extras that do without PyTorch. A test that needs PyTorch or its
kin is skipped, and the reason printed (see `tests/conftest.py`). A version that does not start is
skipped as well. With --coverage (`make coverage-torch-free`) the lines are counted that tests run
in the modules which can be imported there.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path
from time import perf_counter

from quiet_pip import run_pip
from try_pipeline import PIPELINE, PIPELINES, ROOT, find_wheel

# All but those that bring PyTorch, Ray, or what only downloads.
EXTRAS = "quantize,serve,plot,search,datasets,parquet,test"
TOOLS = ["safetensors", "sentencepiece", "protobuf"]  # tests write files of theirs
# Side by side on all cores; what is slow shares what the others of its file have made.
PYTEST = ["-m", "pytest", "--numprocesses=auto", "--dist=loadfile", "-q", "-p", "no:cacheprovider"]
# As `make coverage` does, with the slow tests of what runs in processes of its own; and with those
# of quantizing, which are quick where small models stand in for torch's.
WITH_SLOW = ("serving", "bulk_annotation", "searching", "benchmarking", "quantization")
SLOW = [f"tests/{name}" for name in WITH_SLOW]
# The files of modules that cannot be imported for want of a package.
FIND_OMITTED = """
from importlib import import_module
from importlib.util import find_spec
from pkgutil import walk_packages
import spacy_pretrained

for module in walk_packages(spacy_pretrained.__path__, "spacy_pretrained."):
    try:
        import_module(module.name)
    except ModuleNotFoundError as error:
        if not error.name.startswith("spacy_pretrained"):
            print(find_spec(module.name).origin)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("versions", nargs="+", help="such as 3.12")
    parser.add_argument("--coverage", action="store_true", help="Count the lines that run")
    options = parser.parse_args()
    failed = []
    for version in options.versions:
        start = perf_counter()
        interpreter = find_python(version)
        if interpreter is None:
            print(f"Python {version}: skipped, for no interpreter of that version starts")
            continue
        python = make_environment(interpreter, version)
        if python is None or not (cover(python) if options.coverage else test(python)):
            failed.append(version)
        else:
            print(f"Python {version}: passed, in {perf_counter() - start:.0f} s", flush=True)
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


def make_environment(interpreter: str, version: str) -> Path | None:
    """RETURNS: Python of a new environment; None if it could not be made."""
    folder = ROOT / f".venv-{version}"
    if subprocess.run([interpreter, "-m", "venv", "--clear", str(folder)]).returncode:
        return None
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    command = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--no-compile"]
    command += ["--constraint", "constraints.txt"]
    # One after the other: an older pip looks for what the wheel needs on the index otherwise.
    package, wheel = ["--editable", f".[{EXTRAS}]", *TOOLS], [str(find_wheel(PIPELINES, PIPELINE))]
    is_made = run_pip(f"Python {version}", command + package, ROOT)
    return python if is_made and run_pip("Its pipeline", command + wheel, ROOT) else None


def test(python: Path) -> bool:
    return run(python, *PYTEST, "-rs")


def cover(python: Path) -> bool:
    counted = ["-m", "coverage"]
    run(python, *counted, "erase")
    passed = run(python, *counted, "run", *PYTEST)
    passed &= run(python, *counted, "run", *PYTEST, "-m", "slow", *SLOW)
    found = subprocess.run(
        [python, "-c", FIND_OMITTED], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    omitted = ",".join(found.stdout.split("\n"))
    run(python, *counted, "combine", "--quiet")
    return run(python, *counted, "report", f"--omit={omitted}") and passed


def run(python: Path, *arguments: str) -> bool:
    """RETURNS: Whether it ended well."""
    return subprocess.run([python, *arguments], cwd=ROOT).returncode == 0


if __name__ == "__main__":
    main()
