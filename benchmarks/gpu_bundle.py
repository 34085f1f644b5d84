"""Fill gpu-bundle/ with what `make bench-gpu` needs on a machine without a network that has Python
3.12, PyTorch, transformers and CuPy.

    python benchmarks/gpu_bundle.py

That is spaCy and all it needs, as wheels of the versions in constraints.txt, and MiniLM's
tokenizer. Wheels are packed anew, by LZMA, which pip reads as well: together with the tree they are
to stay below the size that such machines take. gpu_python.sh installs them there.
"""

import shutil
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path
from typing import Annotated
from zipfile import ZIP_LZMA, ZipFile

import typer
from gpu_encoders import IN_BUNDLE, ROOT, TOKENIZER_FILES, TOKENIZER_PACKAGE
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from wasabi import msg

from spacy_pretrained.sources.find import find_in_package

BUNDLE = ROOT / "gpu-bundle"
WHEELS = BUNDLE / "wheels"
PYTHON = "3.12"
# Newest first: pip takes exactly what is named, and wheels name the oldest that they run on.
PLATFORMS = [f"manylinux_2_{minor}_x86_64" for minor in range(28, 4, -1)]
PLATFORMS += ["manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64"]
WANTED = ("spacy", "threadpoolctl")
THERE = {"numpy", "setuptools"}  # of what these need; numpy comes with PyTorch
AWAY = ("pipelines",)  # what is moved away while the tree is carried
MEBIBYTE = 2**20


def main(
    limit: Annotated[int, typer.Option(help="MiB of the tree and the bundle")] = 64,
) -> None:
    """Fill gpu-bundle/ with what `make bench-gpu` needs on a machine without a network."""
    shutil.rmtree(BUNDLE, ignore_errors=True)
    WHEELS.mkdir(parents=True)
    names = sorted(find_needed())
    download(names)
    before = measure(WHEELS.iterdir())
    for wheel in sorted(WHEELS.iterdir()):
        repack(wheel)
    IN_BUNDLE.mkdir()
    for name in TOKENIZER_FILES:
        shutil.copy(find_in_package(TOKENIZER_PACKAGE) / name, IN_BUNDLE)
    bundle, tree = measure(BUNDLE.rglob("*")), measure(list_tree())
    msg.info(f"{len(names)} wheels: {before:.1f} MiB, packed anew {bundle:.1f} MiB in {BUNDLE}")
    msg.info(f"The tree without {', '.join(AWAY)}: {tree:.1f} MiB")
    if bundle + tree > limit:
        msg.fail(f"Together these are over {limit} MiB.", exits=1)
    msg.good(f"Together {bundle + tree:.1f} MiB of {limit}. See docs/gpu.md.")


def find_needed() -> set[str]:
    """The packages to carry, by what those that are installed here say of Python 3.12."""
    environment = {"python_version": PYTHON, "python_full_version": f"{PYTHON}.0", "extra": ""}
    needed: set[str] = set()
    waiting = list(WANTED)
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name in needed | THERE:
            continue
        needed.add(name)
        for requirement in map(Requirement, requires(name) or []):
            if requirement.marker is None or requirement.marker.evaluate(environment):
                waiting.append(requirement.name)
    return needed


def download(names: list[str]) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--only-binary", ":all:", "--implementation", "cp"]
    command += ["--python-version", PYTHON, "--constraint", str(ROOT / "constraints.txt")]
    for platform in PLATFORMS:
        command += ["--platform", platform]
    if subprocess.run([*command, "--dest", str(WHEELS), *names]).returncode:
        msg.fail("pip could not download the wheels.", exits=1)


def repack(wheel: Path) -> None:
    """The same files, compressed better."""
    smaller = wheel.with_suffix(".new")
    with ZipFile(wheel) as source, ZipFile(smaller, "w", ZIP_LZMA) as target:
        for entry in source.infolist():
            content = source.read(entry)
            entry.compress_type = ZIP_LZMA
            target.writestr(entry, content)
    smaller.replace(wheel)


def list_tree() -> list[Path]:
    """The files that are carried: those that git does not ignore."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    paths = [Path(name) for name in found.stdout.split("\0") if name]
    return [ROOT / path for path in paths if path.parts[0] not in AWAY]


def measure(paths) -> float:
    """Mebibytes of files."""
    return sum(path.stat().st_size for path in paths if path.is_file()) / MEBIBYTE


if __name__ == "__main__":
    typer.run(main)
