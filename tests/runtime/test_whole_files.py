"""A file that is replaced as a whole, or stays as it is."""

import json
import os
import re
import stat
from pathlib import Path

import pytest

from spacy_pretrained.runtime.whole_files import (
    check_place,
    remove_unfinished,
    whole_file,
    write_json,
)


def test_a_file_is_replaced_when_the_block_ends(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    with whole_file(path) as unfinished:
        unfinished.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new" and list(tmp_path.iterdir()) == [path]


def test_a_block_that_fails_leaves_the_file_as_it_is(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), whole_file(path) as unfinished:
        unfinished.write_text("new")
        raise ZeroDivisionError
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_the_error_is_that_of_the_block(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(NotADirectoryError) as raised, whole_file(tmp_path / "file" / "x") as new:
        new.write_text("new")
    assert raised.value.__context__ is None


def test_a_folder_that_cannot_be_synced(tmp_path, monkeypatch):
    """As on Windows, and on some shared file systems."""
    fsync = os.fsync

    def refuse(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(22, "Invalid argument")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", refuse)
    write_json(tmp_path / "file", {"a": [1]})
    assert json.loads((tmp_path / "file").read_text()) == {"a": [1]}


def test_a_place_is_checked_before_anything_is_made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    place = Path("new") / "folder" / "file"
    check_place(place)
    assert not list(tmp_path.iterdir())
    Path("file").write_text("old")
    check_place(Path("file"))
    with pytest.raises(NotADirectoryError, match="'file'"):
        check_place(Path("file") / "a" / "b")
    with pytest.raises(IsADirectoryError, match=re.escape(str(tmp_path))):
        check_place(tmp_path)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(PermissionError):
        check_place(place)


def test_what_one_process_left_is_removed_alone(tmp_path):
    for name in (".file.1.tmp", ".file.11.tmp", ".other.1.tmp", ".file.2.tmp"):
        (tmp_path / name).write_text("new")
    remove_unfinished(tmp_path, process=1)
    assert {path.name for path in tmp_path.iterdir()} == {".file.11.tmp", ".file.2.tmp"}


def test_what_a_killed_process_left_is_removed(tmp_path):
    with whole_file(tmp_path / "file") as unfinished:
        unfinished.write_text("new")
        (tmp_path / "other.tmp").write_text("of somebody else")
        os.link(unfinished, unfinished.with_name(".file.1.tmp"))
    remove_unfinished(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"file", "other.tmp"}


def test_what_is_removed_may_be_named(tmp_path):
    for name in (".file.1.tmp", ".file.2.tmp", ".other.1.tmp"):
        (tmp_path / name).touch()
    remove_unfinished(tmp_path, "file", "third")
    assert [path.name for path in tmp_path.iterdir()] == [".other.1.tmp"]
