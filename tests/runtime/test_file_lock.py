"""A lock that another process holds, that the file system has not, and that fails."""

import errno

import pytest

from spacy_pretrained.runtime.file_lock import try_lock

fcntl = pytest.importorskip("fcntl", reason="nothing is locked on Windows")


def test_one_at_a_time(tmp_path):
    with (tmp_path / "lock").open("w") as one, (tmp_path / "lock").open("w") as two:
        assert try_lock(one) and not try_lock(two)
        one.close()
        assert try_lock(two)


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks(tmp_path, monkeypatch, number):
    fail_with(monkeypatch, number)
    with (tmp_path / "lock").open("w") as file:
        assert try_lock(file)


def test_a_lock_that_fails(tmp_path, monkeypatch):
    """The error names the file, and nobody is told of another process."""
    fail_with(monkeypatch, errno.EIO)
    with (tmp_path / "lock").open("w") as file, pytest.raises(OSError, match=r"error: '.*lock'"):
        try_lock(file)


def fail_with(monkeypatch, number: int) -> None:
    def flock(file, operation):
        raise OSError(number, "Input/output error")

    monkeypatch.setattr(fcntl, "flock", flock)
