"""A pipeline is written whole or not at all, and over nothing but a pipeline."""

import os

import pytest
import spacy

from spacy_pretrained.quantization.pipeline_folder import NewFolder, check_output, megabytes


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
    nlp = spacy.blank("en")
    (old / "left over").mkdir()
    with NewFolder(old) as folder:
        folder.save(nlp)
        assert spacy.load(old).lang == "de"
        nlp.meta["description"] = "new"
        folder.save_meta(nlp)
        folder.put_in_place()
    loaded = spacy.load(old)
    assert loaded.lang == "en" and loaded.meta["description"] == "new"
    assert not (old / "left over").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["old"]


def test_folders_above_are_made(tmp_path):
    with NewFolder(tmp_path / "a" / "b") as folder:
        folder.save(spacy.blank("en"))
        folder.put_in_place()
    assert spacy.load(tmp_path / "a" / "b").lang == "en"


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
@pytest.mark.parametrize("exists", [True, False])
def test_nothing_half_written_is_left(old, tmp_path, error, exists):
    output = old if exists else tmp_path / "new"
    before = contents(tmp_path)
    with pytest.raises(error), NewFolder(output) as folder:
        folder.save(spacy.blank("en"))
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
    with pytest.raises(ValueError, match="pipeline to quantize"):
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
        folder.save(spacy.blank("en"))
        folder.put_in_place()
    assert (tmp_path / "link").is_symlink() and spacy.load(old).lang == "en"


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
        folder.save(spacy.blank("en"))
        folder.put_in_place()
    assert contents(old) == before


def test_sizes(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_bytes(bytes(1_500_000))
    (tmp_path / "c").write_bytes(bytes(500_000))
    assert megabytes(tmp_path) == 2.0
    assert megabytes(tmp_path / "c") == 0.5
