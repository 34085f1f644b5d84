"""A pipeline is written whole or not at all, and over nothing but a pipeline."""

import json
import os
import socket
import subprocess
import sys

import pytest
import spacy
from saved_pipelines import SAVED

import spacy_pretrained
from spacy_pretrained.saving.checked_pipe import CheckedPipe
from spacy_pretrained.saving.pipeline_folder import NewFolder, check_output, megabytes


def contents(folder) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.fixture
def old(tmp_path):
    """A pipeline on disk."""
    path = tmp_path / "old"
    spacy.blank("de").to_disk(path)
    return path


def test_a_new_pipeline_takes_an_old_ones_place(old, tmp_path):
    nlp = spacy.blank("xx")
    (old / "left over").mkdir()
    with NewFolder(old) as folder:
        folder.save(nlp)
        assert spacy.load(old).lang == "de"
        nlp.meta["description"] = "new"
        folder.save_meta(nlp)
        folder.put_in_place()
    loaded = spacy.load(old)
    assert loaded.lang == "xx" and loaded.meta["description"] == "new"
    assert not (old / "left over").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["old"]


def test_folders_above_are_made(tmp_path):
    with NewFolder(tmp_path / "a" / "b") as folder:
        folder.save(spacy.blank("xx"))
        folder.put_in_place()
    assert spacy.load(tmp_path / "a" / "b").lang == "xx"


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
@pytest.mark.parametrize("exists", [True, False])
def test_nothing_half_written_is_left(old, tmp_path, error, exists):
    output = old if exists else tmp_path / "new"
    before = contents(tmp_path)
    with pytest.raises(error), NewFolder(output) as folder:
        folder.save(spacy.blank("xx"))
        raise error
    assert contents(tmp_path) == before


def test_only_pipelines_are_overwritten(old, tmp_path):
    check_output(old, "some_package")
    check_output(tmp_path / "not there", "some_package")
    (tmp_path / "empty").mkdir()
    check_output(tmp_path / "empty", "some_package")
    (tmp_path / "file").write_text("precious")
    for path in (tmp_path, tmp_path / "file"):
        with pytest.raises(ValueError, match="is not a folder of a pipeline"):
            check_output(path, "some_package")
    with pytest.raises(ValueError, match="pipeline that is read"):
        check_output(tmp_path / "empty" / ".." / "old", old)


def test_nothing_that_is_no_part_of_a_pipeline_is_lost(old, tmp_path):
    (old / "train.spacy").write_text("precious")
    (old / ".git").mkdir()
    with pytest.raises(ValueError, match=r"holds other things.*: \.git, train\.spacy\."):
        check_output(old, "some_package")


def test_neither_holds_the_other(old, tmp_path):
    inside = old / "ner" / "quantized"
    for output, model in ((inside, old), (old, old / "ner")):
        model.mkdir(exist_ok=True)
        with pytest.raises(ValueError, match="one holds the other"):
            check_output(output, model)


def test_where_nothing_can_be_written(tmp_path):
    (tmp_path / "file").write_text("precious")
    (tmp_path / "link").symlink_to(tmp_path / "file" / "nowhere")
    for output in (tmp_path / "file" / "a" / "b", tmp_path / "link"):
        with pytest.raises(
            ValueError, match=r"cannot be written: no files can be made in '.*file'"
        ):
            check_output(output, "some_package")


def test_a_link_stays_one(old, tmp_path):
    (tmp_path / "link").symlink_to(old)
    with NewFolder(tmp_path / "link") as folder:
        folder.save(spacy.blank("xx"))
        folder.put_in_place()
    assert (tmp_path / "link").is_symlink() and spacy.load(old).lang == "xx"


@pytest.mark.parametrize("error", [KeyboardInterrupt, PermissionError])
def test_the_old_one_comes_back_if_the_new_one_cannot_take_its_place(old, monkeypatch, error):
    rename = os.rename

    def fail(source, target):
        if source.name == "new":
            raise error
        rename(source, target)

    before = contents(old)
    monkeypatch.setattr("os.rename", fail)
    with pytest.raises(error), NewFolder(old) as folder:
        folder.save(spacy.blank("xx"))
        folder.put_in_place()
    assert contents(old) == before


def test_sizes(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_bytes(bytes(1_500_000))
    (tmp_path / "c").write_bytes(bytes(500_000))
    assert megabytes(tmp_path) == 2.0
    assert megabytes(tmp_path / "c") == 0.5


# Saving from Python


@pytest.fixture
def trained():
    return spacy.load(SAVED / "v0.1.0" / "syntax_int8" / "pipeline")


def test_save_writes_a_list_of_all_files(trained, tmp_path):
    spacy_pretrained.save(trained, tmp_path / "pipeline")
    listed = json.loads((tmp_path / "pipeline" / "files.json").read_text("utf8"))["files"]
    assert {"vocab/strings.json", "tokenizer", "pretrained_ner/checksums.json"} <= listed.keys()
    assert not {"config.cfg", "meta.json", "files.json"} & listed.keys()
    assert [path.name for path in tmp_path.iterdir()] == ["pipeline"]
    spacy_pretrained.save(spacy.load(tmp_path / "pipeline"), tmp_path / "pipeline")
    spacy.load(tmp_path / "pipeline")


def load_all(nlp, folder) -> None:
    """The components of ours, as spaCy loads them after the tokenizer."""
    for name, pipe in nlp.components:
        if isinstance(pipe, CheckedPipe):
            pipe.from_disk(folder / name, exclude=["vocab"])


def test_no_file_of_a_whole_folder_is_lost_added_or_changed(trained, tmp_path):
    folder = tmp_path / "pipeline"
    spacy_pretrained.save(trained, folder)
    nlp = spacy.load(folder)
    for path in [p for p in folder.rglob("*") if p.is_file()]:
        if path.name in ("config.cfg", "meta.json", "files.json"):
            continue
        content = path.read_bytes()
        path.write_bytes(content[:-1] + b"?")
        with pytest.raises(ValueError, match=path.name):
            load_all(nlp, folder)
        path.unlink()
        with pytest.raises(ValueError, match=path.name):
            load_all(nlp, folder)
        path.write_bytes(content)
    (folder / "vocab" / "more").write_bytes(b"")
    with pytest.raises(ValueError, match="vocab/more"):
        spacy.load(folder)


def test_the_files_are_compared_with_each_load(trained, tmp_path):
    folder = tmp_path / "pipeline"
    spacy_pretrained.save(trained, folder)
    nlp = spacy.load(folder)
    strings = folder / "vocab" / "strings.json"
    strings.write_bytes(strings.read_bytes() + b" ")
    for _ in range(2):
        with pytest.raises(ValueError, match=r"strings\.json"):
            nlp.from_disk(folder)


def test_spacy_may_save_there_later(trained, tmp_path):
    folder = tmp_path / "pipeline"
    spacy_pretrained.save(trained, folder)
    trained.vocab.strings.add("a new string")
    trained.to_disk(folder)
    assert not (folder / "files.json").exists()
    assert "a new string" in spacy.load(folder).vocab.strings


def test_save_refuses_to_write_over_something_else(trained, tmp_path):
    (tmp_path / "notes.txt").write_text("keep")
    with pytest.raises(ValueError, match="not a folder of a pipeline"):
        spacy_pretrained.save(trained, tmp_path)


# After a kill


@pytest.fixture
def dead_process() -> int:
    """The number of a process that has ended."""
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    return done.pid


def leave(parent, name: str, pid: int, host: str | None = None):
    """What a process leaves beside the output `old` that is killed while it writes."""
    beside = parent / name
    (beside / "new").mkdir(parents=True)
    (beside / "writer").write_text(f"{pid} {host or socket.gethostname()}")
    return beside


def test_what_a_killed_process_left_is_removed(old, tmp_path, dead_process):
    gone = leave(tmp_path, ".old-1-abc", dead_process)
    kept = [
        leave(tmp_path, ".old-1-def", os.getppid()),  # still running
        leave(tmp_path, ".old-1-ghi", dead_process, "another host"),
        leave(tmp_path, ".other-1-jkl", dead_process),
    ]
    (tmp_path / ".old-notes").mkdir()
    before = contents(old)
    with NewFolder(old):
        assert not gone.exists()
    assert all(path.exists() for path in [*kept, tmp_path / ".old-notes"])
    assert contents(old) == before


def test_a_process_killed_as_it_began_has_its_number_in_a_name(old, tmp_path, dead_process):
    gone, half = tmp_path / f".old-{dead_process}-ab_1", tmp_path / f".old-{dead_process}-cd"
    running, full = tmp_path / f".old-{os.getppid()}-ab", tmp_path / f".old-{dead_process}-ef"
    for folder in (gone, half, running, full):
        folder.mkdir()
    (half / "writer").touch()
    (full / "precious").touch()
    with NewFolder(old) as new:
        assert new.path.parent.name.startswith(f".old-{os.getpid()}-")
        assert not gone.exists() and not half.exists() and running.exists() and full.exists()


def test_what_was_left_beside_another_output_is_not_touched(tmp_path, dead_process):
    """The only good copy of `old-int8`, whose writer was killed between two renames."""
    beside = leave(tmp_path, ".old-int8-1-abc", dead_process)
    (beside / "old").mkdir()
    with NewFolder(tmp_path / "old"):
        assert (beside / "old").is_dir() and not (tmp_path / "old").exists()


def test_a_name_that_is_a_pattern(old, tmp_path, dead_process):
    gone = leave(tmp_path, ".[o]-1-abc", dead_process)
    with NewFolder(tmp_path / "[o]"):
        assert not gone.exists()


def test_a_process_killed_between_two_renames_has_not_lost_the_old_one(old, tmp_path, dead_process):
    beside, before = leave(tmp_path, ".old-1-abc", dead_process), contents(old)
    old.rename(beside / "old")
    with NewFolder(old):
        assert contents(old) == before and not beside.exists()
