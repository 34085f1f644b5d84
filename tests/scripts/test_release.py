"""scripts/release.py: what it finds missing in an sdist and a wheel, and what should not be there.
That these install is for `make release` to show."""

import importlib
import io
import subprocess
import sys
import tarfile
import zipfile
from email import message_from_string
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TRACKED = ["setup.cfg", "README.md", "spacy_pretrained/a.py", "configs/b.cfg", "tests/test_c.py"]
README = (ROOT / "README.md").read_text("utf8")
METADATA = f"""\
Metadata-Version: 2.4
Name: spacy-pretrained
Version: 1.2.0
Summary: x
License: MIT
Requires-Python: >=3.11
Description-Content-Type: text/markdown
Requires-Dist: spacy<3.9,>=3.8.7
Requires-Dist: torch>=2.6; extra == "train"

{README}"""


@pytest.fixture
def release(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    return importlib.import_module("release")


@pytest.fixture
def make_sdist(tmp_path):
    def make(*names, info=METADATA):
        path = tmp_path / "spacy_pretrained-1.2.0.tar.gz"
        with tarfile.open(path, "w:gz") as archive:
            for name in (*names, "PKG-INFO", "spacy_pretrained.egg-info/SOURCES.txt"):
                content = info.encode() if name == "PKG-INFO" else b""
                member = tarfile.TarInfo(f"spacy_pretrained-1.2.0/{name}")
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        return path

    return make


@pytest.fixture
def make_wheel(tmp_path):
    def make(*names, info=METADATA):
        path = tmp_path / "spacy_pretrained-1.2.0-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as archive:
            for name in (*names, "spacy_pretrained-1.2.0.dist-info/licenses/LICENSE"):
                archive.writestr(name, "")
            archive.writestr("spacy_pretrained-1.2.0.dist-info/METADATA", info)
        return path

    return make


def test_whole_ones(release, make_sdist, make_wheel):
    sdist = make_sdist("setup.cfg", "README.md", "spacy_pretrained/a.py", "configs/b.cfg")
    assert release.check_sdist(sdist, TRACKED, "1.2.0") == []
    wheel = make_wheel("spacy_pretrained/a.py", "spacy_pretrained/configs/b.cfg")
    assert release.check_wheel(wheel, TRACKED, "1.2.0") == []


def test_files_that_are_missing_or_too_many(release, make_sdist, make_wheel):
    sdist = make_sdist("README.md", "spacy_pretrained/a.py", "configs/b.cfg", "tests/test_c.py")
    faults = release.check_sdist(sdist, TRACKED, "1.2.0")
    assert faults == ["setup.cfg is missing.", "tests/test_c.py should not be in it."]
    wheel = make_wheel("spacy_pretrained/a.py", "configs/b.cfg")
    faults = release.check_wheel(wheel, TRACKED, "1.2.0")
    assert faults == [
        "spacy_pretrained/configs/b.cfg is missing.",
        "configs/b.cfg should not be in it.",
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Version: 1.2.0", "Version: 1.1.0", "Version is '1.1.0'"),
        ("Summary: x\n", "", "Summary is missing"),
        ("License: MIT\n", "", "license is missing"),
        ('; extra == "train"', "", "runs without it: torch"),
        ("spacy<3.9,>=3.8.7", "spacy @ https://example.org/x.whl", "with an address: spacy"),
        ("# spacy-pretrained", "# other", "description is not README.md"),
        (">=3.11", ">=3.8", "Requires-Python is '>=3.8'"),
    ],
)
def test_metadata(release, old, new, message):
    assert release.check_metadata(message_from_string(METADATA), "1.2.0") == []
    changed = message_from_string(METADATA.replace(old, new, 1))
    (fault,) = release.check_metadata(changed, "1.2.0")
    assert message in fault


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["git", "-C", "/", "ls-files", "/no/such/folder"], r"git failed: fatal: "),
        (
            [sys.executable, "-c", "import no_such_module"],
            r"python\S* failed: ModuleNotFoundError: ",
        ),
        ([sys.executable, "-c", "raise SystemExit(3)"], r"python\S* failed: exit code 3"),
        (["no-such-program"], "no-such-program"),
    ],
)
def test_a_step_that_fails_is_told_in_a_line(release, monkeypatch, command, message):
    def fail(*_):
        subprocess.run(command, check=True, capture_output=True, text=True)

    monkeypatch.setattr(release, "read_tags", fail)
    assert_ends_with(release, message)


def test_a_wheel_that_cannot_be_built_or_tried_is_told(release, monkeypatch):
    def fail(*_):
        raise ValueError("pip could not build it")

    monkeypatch.setattr(release, "read_tags", fail)
    assert_ends_with(release, "pip could not build it")


def assert_ends_with(release, message: str) -> None:
    """A string as its code makes Python print it, and end with exit code 1."""
    with pytest.raises(SystemExit, match=f"^.*{message}.*$") as ended:
        release.main()
    assert isinstance(ended.value.code, str)


def test_every_package_of_setup_cfg_is_looked_for(release):
    lines = (ROOT / "setup.cfg").read_text("utf8").partition("package_dir =")[2].splitlines()
    folders = [line.partition("=")[2].strip() for line in lines[1:3]]
    assert sorted(f"{folder}/" for folder in folders) == sorted(release.PACKAGES)
    assert all((ROOT / name).exists() for name in release.BESIDE)
