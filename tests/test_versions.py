"""The package's version, the changelog and tags agree: scripts/versions.py says where not."""

import importlib
import re
import subprocess
from pathlib import Path

import pytest

import spacy_pretrained

ROOT = Path(__file__).parents[1]
HEAD, NEWS = "# Changelog\n\n", "## [Unreleased]\n\n- x\n\n"
RELEASE = f"{HEAD}## [0.2.0] - 2026-11-30\n\n- y\n\n## [0.1.0] - 2026-10-01\n"
CHANGELOG = RELEASE.replace(HEAD, HEAD + NEWS)


@pytest.fixture
def versions(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    return importlib.import_module("versions")


def test_here(versions):
    try:
        tags = versions.read_tags(ROOT)
    except (OSError, subprocess.CalledProcessError):  # no git, or no checkout
        tags = []
    own = versions.own_version(ROOT)
    assert own == spacy_pretrained.__version__
    assert versions.find_faults(own, (ROOT / "CHANGELOG.md").read_text("utf8"), tags) == []


def test_the_package_states_its_version_once():
    """Whoever raises it cannot forget a place."""
    lines = (ROOT / "setup.cfg").read_text("utf8").splitlines()
    assert "version = attr: spacy_pretrained.__version__" in lines
    lines += (ROOT / "pyproject.toml").read_text("utf8").splitlines()
    assert len([line for line in lines if re.match(r"version\s*=", line)]) == 1


@pytest.mark.parametrize("own", ["0.2.0", "0.3.0", "1.0.0"])
def test_what_agrees(versions, own):
    assert versions.find_faults(own, CHANGELOG, ["v0.1.0", "v0.2.0"]) == []


@pytest.mark.parametrize(
    ("own", "changelog", "tags", "message"),
    [
        ("0.1.0", CHANGELOG, [], "knows 0.2.0 already"),
        ("0.3.0", RELEASE, [], "no entry for it"),
        ("0.2.0", CHANGELOG, ["v0.4.0"], "v0.4.0 has no entry"),
        ("0.2.0", CHANGELOG.replace("0.1.0", "0.2.1"), [], "[0.2.0] stands above [0.2.1]"),
        ("0.2.0", CHANGELOG.replace(" - 2026-11-30", ""), [], "[0.2.0] has no date"),
        ("0.2.0", CHANGELOG.replace("0.1.0", "first"), [], "[first] is no version"),
    ],
)
def test_what_does_not(versions, own, changelog, tags, message):
    (fault,) = versions.find_faults(own, changelog, tags)
    assert message in fault


def test_what_can_be_released(versions):
    assert versions.find_release_faults("0.2.0", RELEASE, ["v0.1.0"], []) == []
    tagged = ["v0.1.0", "v0.2.0"]
    assert versions.find_release_faults("0.2.0", RELEASE, tagged, ["v0.2.0"]) == []


@pytest.mark.parametrize(
    ("own", "changelog", "tags", "message"),
    [
        ("0.3.0", CHANGELOG, [], "give what stands under [Unreleased] the heading ## [0.3.0]"),
        ("0.2.0", CHANGELOG, [], "[Unreleased] changes"),
        ("0.2.0", RELEASE, ["v0.2.0"], "set on another commit"),
    ],
)
def test_what_cannot(versions, own, changelog, tags, message):
    (fault,) = versions.find_release_faults(own, changelog, tags, [])
    assert message in fault
