"""Build what is released of spacy-pretrained, an sdist and a wheel, and see that both are whole.

    python scripts/release.py

`make release` runs it. Both come into dist/: the sdist is built from the files that git tracks, the
wheel from the sdist. Their contents are compared with what git tracks, their metadata with what
this folder says. Each is installed in an empty environment, as users install it, with the pipeline
of `pipelines/`, and tried there.
Nothing is uploaded, and no tag is set: the last line says which.
"""

import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from email import message_from_string
from email.message import Message
from pathlib import Path

from quiet_pip import run_pip
from try_pipeline import PIPELINE, PIPELINES, ROOT, find_wheel, make_environment
from versions import find_release_faults, own_version, read_tags, tag_of
from wasabi import msg

from spacy_pretrained.packaging.wheel import build_wheel

DIST = ROOT / "dist"
NAME = "spacy-pretrained"
MODULE = "spacy_pretrained"
# Folders of the repository, and where the wheel has them; all of them are in the sdist.
PACKAGES = {f"{MODULE}/": f"{MODULE}/", "configs/": f"{MODULE}/configs/"}
BESIDE = ("CHANGELOG.md", "LICENSE", "MANIFEST.in", "README.md", "pyproject.toml", "setup.cfg")
BUILD_SDIST = "import sys; from setuptools.build_meta import *; print(build_sdist(sys.argv[1]))"
# All that is registered is imported, the pipeline of `pipelines/` annotates, the command answers,
# and nothing of it needs torch.
TRY = f"""
import sys, {MODULE}, spacy
from importlib.metadata import distribution
from importlib.util import find_spec

found = distribution("{NAME}")
assert found.version == {MODULE}.__version__ == sys.argv[1], found.version
assert find_spec("torch") is None
for entry in found.entry_points:
    entry.load()
doc = spacy.load("{PIPELINE}")("Ada Lovelace lives in London.")
assert doc.ents and doc.has_annotation("DEP") and doc.has_annotation("LEMMA"), doc.to_json()
from spacy.cli import setup_cli
sys.argv = ["spacy", "pretrained", "annotate", "{PIPELINE}", *sys.argv[2:]]
setup_cli()
"""


def main() -> None:
    try:
        make_release()
    except subprocess.CalledProcessError as error:
        lines = (error.stderr or "").strip().splitlines() or [f"exit code {error.returncode}"]
        # git says first what is wrong, Python last.
        line = next((line for line in lines if line.startswith("fatal: ")), lines[-1])
        sys.exit(f"{Path(error.cmd[0]).name} failed: {line}")
    except (ValueError, OSError) as error:
        sys.exit(str(error))


def make_release() -> None:
    version = own_version(ROOT)
    changelog = (ROOT / "CHANGELOG.md").read_text("utf8")
    here = read_tags(ROOT, "--points-at", "HEAD")
    stop_at(find_release_faults(version, changelog, read_tags(ROOT), here), "Not ready to release")
    tracked = list_tracked(ROOT)
    DIST.mkdir(exist_ok=True)
    for old in (*DIST.glob(f"{MODULE}-*.tar.gz"), *DIST.glob(f"{MODULE}-*.whl")):
        old.unlink()
    sdist, wheel = build(tracked, DIST)
    stop_at(check_sdist(sdist, tracked, version), sdist.name)
    stop_at(check_wheel(wheel, tracked, version), wheel.name)
    for built in (sdist, wheel):
        stop_at(try_installed(built, version), f"{built.name}, installed")
        msg.good(f"{built} ({built.stat().st_size / 1e6:.1f} MB)")
    print(f"Its tag: {here[0]}" if here else f"To set its tag: git tag {tag_of(version)}")


def stop_at(faults: list[str], title: str) -> None:
    if faults:
        msg.fail(title, "\n".join(faults), exits=1)


def list_tracked(root: Path) -> list[str]:
    """The files that git tracks and that are there."""
    command = ["git", "ls-files", "-z"]
    done = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True)
    return [name for name in done.stdout.split("\0") if name and (root / name).is_file()]


def build(tracked: list[str], output: Path) -> tuple[Path, Path]:
    """RETURNS: The sdist of a copy of the tracked files, and the wheel of that sdist: what lies
    about in this folder gets into neither."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        for name in tracked:
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
        command = [sys.executable, "-c", BUILD_SDIST, str(output.resolve())]
        done = subprocess.run(command, cwd=copy, check=True, capture_output=True, text=True)
        sdist = output / done.stdout.splitlines()[-1]
        wheel = build_wheel(sdist, Path(folder) / "wheel")
        return sdist, Path(shutil.copy(wheel, output))


def check_sdist(sdist: Path, tracked: list[str], version: str) -> list[str]:
    """What is wrong with its contents and metadata."""
    top = f"{MODULE}-{version}/"
    with tarfile.open(sdist) as archive:
        names = [member.name for member in archive.getmembers() if member.isfile()]
        info = archive.extractfile(f"{top}PKG-INFO").read().decode("utf8")
    found = {name.removeprefix(top) for name in names}
    made = {name for name in found if name == "PKG-INFO" or f"{MODULE}.egg-info/" in name}
    wanted = {name for name in tracked if name.startswith(tuple(PACKAGES)) or name in BESIDE}
    return compare(found - made, wanted) + check_metadata(message_from_string(info), version)


def check_wheel(wheel: Path, tracked: list[str], version: str) -> list[str]:
    """The same of a wheel, which has the packages alone."""
    if not wheel.name.endswith("-py3-none-any.whl"):
        return ["It is not for every platform, and should be."]
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        info = archive.read(f"{MODULE}-{version}.dist-info/METADATA").decode("utf8")
    found = {name for name in names if ".dist-info/" not in name}
    wanted = {
        inside + name.removeprefix(folder)
        for name in tracked
        for folder, inside in PACKAGES.items()
        if name.startswith(folder)
    }
    faults = compare(found, wanted) + check_metadata(message_from_string(info), version)
    if not any(name.endswith("/LICENSE") for name in names - found):
        faults.append("LICENSE is missing.")
    return faults


def compare(found: set[str], wanted: set[str]) -> list[str]:
    faults = [f"{name} is missing." for name in sorted(wanted - found)]
    return faults + [f"{name} should not be in it." for name in sorted(found - wanted)]


def check_metadata(info: Message, version: str) -> list[str]:
    """What an index or pip would need and not find."""
    expected = {
        "Name": NAME,
        "Version": version,
        "Requires-Python": ">=3.11",
        "Description-Content-Type": "text/markdown",
    }
    faults = [
        f"{key} is {info[key]!r}, and should be {value!r}."
        for key, value in expected.items()
        if info[key] != value
    ]
    faults += [f"{key} is missing." for key in ("Summary",) if not info[key]]
    if "MIT" not in (info["License"], info["License-Expression"]):
        faults.append("The license is missing.")
    readme = (ROOT / "README.md").read_text("utf8").strip()
    if info.get_payload().strip() != readme:
        faults.append("The description is not README.md.")
    for line in info.get_all("Requires-Dist", []):
        if "@" in line:
            faults.append(f"An index takes no requirement with an address: {line}")
        if line.startswith(("torch", "transformers")) and "extra ==" not in line:
            faults.append(f"A quantized pipeline runs without it: {line}")
    return faults


def try_installed(built: Path, version: str) -> list[str]:
    """Install it in an empty environment, without constraints, and use it."""
    with tempfile.TemporaryDirectory() as folder:
        python = make_environment(Path(folder) / "venv")
        pipeline = find_wheel(PIPELINES, PIPELINE)
        command = [str(python), "-m", "pip", "install", "--no-compile"]
        command += [str(built.resolve()), str(pipeline)]
        if not run_pip(f"Installing {built.name}", command, Path(folder)):
            return ["pip cannot install it."]
        texts, annotated = Path(folder) / "texts.txt", Path(folder) / "annotated"
        texts.write_text("Robots never sleep in Zürich.\n", "utf8")
        command = [str(python), "-I", "-c", TRY, version, texts.name, annotated.name]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        written = (annotated / "part-000000.jsonl").is_file()
    return [] if done.returncode == 0 and written else [done.stdout + done.stderr]


if __name__ == "__main__":
    main()
