"""A lock that another process holds, that the file system has not, and that fails."""

import errno
import sys
import threading

import pytest

from spacy_pretrained.runtime.file_lock import NoLocks, is_locked, lock, try_lock

fcntl = pytest.importorskip("fcntl", reason="nothing is locked on Windows")


def test_one_at_a_time(tmp_path):
    with (tmp_path / "lock").open("w") as one, (tmp_path / "lock").open("w") as two:
        assert try_lock(one) and not try_lock(two)
        one.close()
        assert try_lock(two)


def test_asking_whether_it_is_locked_does_not_lock_others_out_of_asking(tmp_path):
    path = tmp_path / "lock"
    with path.open("w") as held, path.open() as one, path.open() as two:
        assert not is_locked(one) and not is_locked(two)
        one.close()
        two.close()
        assert try_lock(held)
        with path.open() as three:
            assert is_locked(three)


def test_waiting_for_another(tmp_path):
    is_locked_by_us = threading.Event()

    def wait():
        with (tmp_path / "lock").open("w") as file:
            lock(file)
            is_locked_by_us.set()

    with (tmp_path / "lock").open("w") as held:
        assert try_lock(held)
        thread = threading.Thread(target=wait)
        thread.start()
        assert not is_locked_by_us.wait(0.1)
    thread.join(10)
    assert is_locked_by_us.is_set()


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks(tmp_path, monkeypatch, number):
    fail_with(monkeypatch, number)
    with (tmp_path / "lock").open("w") as file:
        assert_that_it_has_no_locks(file)


def test_windows(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "fcntl", None)
    with (tmp_path / "lock").open("w") as file:
        assert_that_it_has_no_locks(file)


def test_a_lock_that_fails(tmp_path, monkeypatch):
    """The error names the file, and nobody is told of another process."""
    fail_with(monkeypatch, errno.EIO)
    with (tmp_path / "lock").open("w") as file:
        for work in (try_lock, lock, is_locked):
            with pytest.raises(OSError, match=r"error: '.*lock'") as raised:
                work(file)
            assert not isinstance(raised.value, NoLocks)


def assert_that_it_has_no_locks(file) -> None:
    """Work goes on, unless it is wrong without the lock."""
    assert try_lock(file)
    lock(file)
    with pytest.raises(NoLocks, match=r": '.*lock'"):
        try_lock(file, required=True)
    with pytest.raises(NoLocks, match=r": '.*lock'"):
        is_locked(file)


def fail_with(monkeypatch, number: int) -> None:
    def flock(file, operation):
        raise OSError(number, "Input/output error")

    monkeypatch.setattr(fcntl, "flock", flock)
