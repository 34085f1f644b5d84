"""optional_packages.py skips tests that fail for want of a package, and no others."""

from pathlib import Path

import optional_packages
import pytest
from optional_packages import find_wanted

ABSENT = "nowhere_to_be_found"
PACKAGE = Path(optional_packages.ROOT, "spacy_pretrained")


@pytest.fixture(autouse=True)
def optional(monkeypatch):
    monkeypatch.setattr(optional_packages, "OPTIONAL", {ABSENT, "numpy"})


def failure(code: str, *files: Path) -> BaseException:
    """What code raises that stands in the last of some files, each of which runs the next one."""
    compiled, names = compile(code, files[-1], "exec"), {}
    for file in reversed(files[:-1]):
        names = {"compiled": compiled, "names": names}
        compiled = compile("exec(compiled, names)", file, "exec")
    with pytest.raises(BaseException) as raised:
        exec(compiled, names)
    return raised.value


TEST, HELPER = optional_packages.ROOT / "tests/test_it.py", PACKAGE / "serving/app.py"
NAMED = PACKAGE / "backends/torch_backend.py"
IMPORT = f"import {ABSENT}.nn"
EXPLAINED = f"""
try:
    {IMPORT}
except ModuleNotFoundError as error:
    raise ModuleNotFoundError("Run: pip install it") from error
"""
WRAPPED = f"""
try:
    {IMPORT}
except ModuleNotFoundError as error:
    raise ValueError("The file is broken") from error
"""


@pytest.mark.parametrize(
    "code, files",
    [
        (IMPORT, [TEST]),
        (IMPORT, [TEST, NAMED]),
        (EXPLAINED, [TEST, HELPER]),
        (WRAPPED, [TEST]),
    ],
)
def test_for_want_of_a_package(code, files):
    assert find_wanted(failure(code, *files)) == ABSENT


@pytest.mark.parametrize(
    "code, files",
    [
        (IMPORT, [TEST, HELPER]),  # a user would see no word of what to install
        (IMPORT, [TEST, HELPER, NAMED]),
        (WRAPPED, [TEST, HELPER]),
        ("import another_one", [TEST]),
        ("import numpy.nowhere", [TEST]),  # numpy is there
        ("from numpy import nowhere", [TEST]),
        ("assert False", [TEST]),
        (f"raise ValueError('No module named {ABSENT}')", [TEST]),
    ],
)
def test_for_another_reason(code, files):
    assert find_wanted(failure(code, *files)) is None


def test_what_raises_an_error_of_its_own_afterwards():
    """A test that expects the want of a package, and fails while it looks at the message."""
    code = f"""
try:
    {IMPORT}
except ModuleNotFoundError:
    assert False
"""
    assert find_wanted(failure(code, TEST)) is None
