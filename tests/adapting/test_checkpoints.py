"""Checkpoints that were cut short by a kill are none; and what the work folder remembers."""

import json

import pytest

from spacy_pretrained.adapting.checkpoints import MARK, find_whole, keep_only, mark_whole
from spacy_pretrained.adapting.options import AdaptOptions
from spacy_pretrained.adapting.work import Work, begin


@pytest.fixture
def write(tmp_path):
    def write_checkpoint(step, whole=True):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        (folder / "model.safetensors").write_bytes(b"x")
        if whole:
            mark_whole(folder)
        return folder

    return write_checkpoint


def test_only_whole_ones_count(write, tmp_path):
    nine, ten = write(9), write(10)
    write(11, whole=False)
    assert find_whole(tmp_path) == [nine, ten]  # by number, not by name
    keep_only(tmp_path, {9, 11})
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-9"]


def test_one_that_is_half_removed_is_none(write, tmp_path, monkeypatch):
    """The mark goes first."""
    write(9)
    monkeypatch.setattr("shutil.rmtree", lambda *_, **__: None)  # killed here
    keep_only(tmp_path, set())
    assert not (tmp_path / "checkpoint-9" / MARK).exists()
    assert find_whole(tmp_path) == []


@pytest.fixture
def texts(tmp_path):
    path = tmp_path / "texts.txt"
    path.write_text("One.\n", "utf8")
    return path


@pytest.fixture
def source(tmp_path_factory):
    """The folder of a source."""
    folder = tmp_path_factory.mktemp("source")
    for name in ("config.json", "model.safetensors", "nohup.out"):
        (folder / name).write_text("one")
    return folder


def start(*begun) -> Work:
    """Begin, and write it down."""
    work = begin(*begun)
    assert not work.folder.exists()
    work.folder.mkdir(parents=True)
    work.start()
    return work


def test_what_was_noted_is_there_again(tmp_path, source, texts):
    work = start(tmp_path / "out", "a", source, texts, AdaptOptions())
    work.note(before=3.5)
    again = begin(tmp_path / "out", "a", source, texts, AdaptOptions())
    assert again.progress == {"before": 3.5}
    again.finish({"after": 2.0})
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["adapt.json"]
    assert json.loads((tmp_path / "out" / "adapt.json").read_text()) == {"after": 2.0}
    with pytest.raises(ValueError, match="has an adapted encoder already"):
        begin(tmp_path / "out", "a", source, texts, AdaptOptions())


def test_other_settings_and_other_texts_are_refused(tmp_path, source, texts):
    start(tmp_path / "out", "a", source, texts, AdaptOptions())
    with pytest.raises(ValueError, match="other settings: source, epochs"):
        begin(tmp_path / "out", "b", source, texts, AdaptOptions(epochs=9))
    texts.write_text("Two.\n", "utf8")
    with pytest.raises(ValueError, match="other settings: texts"):
        begin(tmp_path / "out", "a", source, texts, AdaptOptions())


def test_a_source_and_labelled_texts_that_were_changed_are_refused(tmp_path, source, texts):
    """The one would be trained on with old weights, the others be measured before and not after."""
    labelled = tmp_path / "labelled.spacy"
    labelled.write_bytes(b"one")
    begun = tmp_path / "out", "a", source, texts, AdaptOptions(labelled=labelled)
    start(*begun)
    (source / "nohup.out").write_text("more")  # is not of the model
    begin(*begun)
    labelled.write_bytes(b"two")
    with pytest.raises(ValueError, match=r"other settings: labelled texts\."):
        begin(*begun)
    (source / "model.safetensors").write_text("two")
    with pytest.raises(ValueError, match=r"other settings: labelled texts, source files\."):
        begin(*begun)


def test_a_training_of_an_earlier_version_goes_on(tmp_path, source, texts):
    """It did not note what the files of the source were."""
    work = start(tmp_path / "out", "a", source, texts, AdaptOptions())
    path = work.folder / "settings.json"
    settings = json.loads(path.read_text("utf8"))
    for name in ("source files", "labelled texts"):
        del settings[name]
    path.write_text(json.dumps(settings), "utf8")
    begin(tmp_path / "out", "a", source, texts, AdaptOptions())


def test_what_is_of_others_stays(tmp_path, source, texts):
    with pytest.raises(ValueError, match="not from `adapt`"):
        begin(tmp_path, "a", source, texts, AdaptOptions())
