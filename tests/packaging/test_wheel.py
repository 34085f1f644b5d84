"""Where wheels are built: here, if this environment can."""

from importlib.metadata import PackageNotFoundError

import pytest

from spacy_pretrained.packaging import wheel


@pytest.mark.parametrize(
    ("setuptools", "has_wheel", "expected"),
    [("65.5.0", False, False), ("65.5.0", True, True), ("82.0.1", False, True)],
)
def test_an_old_setuptools_needs_wheel(monkeypatch, setuptools, has_wheel, expected):
    monkeypatch.setattr(wheel, "version", lambda name: setuptools)
    monkeypatch.setattr(wheel, "find_spec", lambda name: object() if has_wheel else None)
    assert wheel.builds_wheels() is expected


def test_no_setuptools(monkeypatch):
    def fail(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(wheel, "version", fail)
    assert not wheel.builds_wheels()
