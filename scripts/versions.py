"""The versions of spacy-pretrained that have to agree: of the package, the changelog and tags.

The package's version is in spacy_pretrained/__init__.py and nowhere else: setup.cfg reads it there.
"""

import re
import subprocess
from itertools import pairwise
from pathlib import Path

from packaging.version import Version

UNRELEASED = "Unreleased"
# "## [0.2.0] - 2026-12-01", as Keep a Changelog has it, or "## [Unreleased]"
HEADING = re.compile(r"^## \[(?P<name>[^\]]+)\](?: - (?P<date>\d{4}-\d\d-\d\d))?$", re.M)
OWN = re.compile(r'^__version__ = "(?P<version>[^"]+)"$', re.M)

NO_DATE = "CHANGELOG.md: [{name}] has no date: write ## [{name}] - YYYY-MM-DD."
NO_VERSION = "CHANGELOG.md: [{name}] is no version."
ORDER = "CHANGELOG.md: [{first}] stands above [{second}], which is no older version."
BEHIND = (
    "spacy_pretrained/__init__.py says {own}, and CHANGELOG.md knows {newest} already: raise "
    "__version__."
)
NOTHING_NEW = (
    "spacy_pretrained/__init__.py says {own}, and CHANGELOG.md has no entry for it: write one, "
    "## [{own}] - YYYY-MM-DD, or ## [Unreleased] until it is released."
)
NOT_DATED = (
    "CHANGELOG.md has no entry for {own}: give what stands under [Unreleased] the heading "
    "## [{own}] - YYYY-MM-DD."
)
STILL_UNRELEASED = "CHANGELOG.md has [Unreleased] changes above {own}: put them under its heading."
NO_ENTRY = "The tag {tag} has no entry in CHANGELOG.md."
TAGGED = "{tag} is set on another commit: that version is released. Raise __version__."


def own_version(root: Path) -> str:
    return OWN.search((root / "spacy_pretrained" / "__init__.py").read_text("utf8"))["version"]


def tag_of(version: str) -> str:
    """
    >>> tag_of("0.2.0")
    'v0.2.0'
    """
    return f"v{version}"


def find_faults(own: str, changelog: str, tags: list[str]) -> list[str]:
    """What does not agree, at any commit; nothing if all does."""
    faults, released = [], []
    for entry in HEADING.finditer(changelog):
        name, date = entry["name"], entry["date"]
        if name == UNRELEASED:
            continue
        if not re.fullmatch(r"\d+(\.\d+)+\w*", name):
            faults.append(NO_VERSION.format(name=name))
            continue
        if date is None:
            faults.append(NO_DATE.format(name=name))
        released.append(name)
    for first, second in pairwise(released):
        if Version(first) <= Version(second):
            faults.append(ORDER.format(first=first, second=second))
    faults += [NO_ENTRY.format(tag=tag) for tag in tags if tag not in map(tag_of, released)]
    has_news = any(entry["name"] == UNRELEASED for entry in HEADING.finditer(changelog))
    if released and Version(own) < Version(released[0]):
        faults.append(BEHIND.format(own=own, newest=released[0]))
    elif own not in released and not has_news:
        faults.append(NOTHING_NEW.format(own=own))
    return faults


def find_release_faults(own: str, changelog: str, tags: list[str], here: list[str]) -> list[str]:
    """What does not agree at a commit that is to be released.

    tags: All tags of versions.
    here: Those of this commit.
    """
    faults = find_faults(own, changelog, tags)
    names = [entry["name"] for entry in HEADING.finditer(changelog)]
    if own not in names:
        faults.append(NOT_DATED.format(own=own))
    elif UNRELEASED in names:
        faults.append(STILL_UNRELEASED.format(own=own))
    if tag_of(own) in tags and tag_of(own) not in here:
        faults.append(TAGGED.format(tag=tag_of(own)))
    return faults


def read_tags(root: Path, *options: str) -> list[str]:
    """The tags of versions, such as v0.2.0.

    options: Of `git tag`, such as --points-at HEAD.
    """
    command = ["git", "tag", "--list", "v[0-9]*", *options]
    done = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True)
    return done.stdout.split()
