"""The files of a backbone: in and out of folders and bytes, and what is missing is named."""

import hashlib
import json

import pytest
from tiny_models import TOKENIZERS

from spacy_pretrained.checkpoints.checkpoint import (
    Checkpoint,
    Layout,
    pack,
    read_checkpoint,
    read_folder,
    unpack,
    with_checksums,
    write_folder,
)
from spacy_pretrained.checkpoints.wordpieces import PieceTokenizer


@pytest.fixture
def checkpoint() -> Checkpoint:
    tokenizer = PieceTokenizer(TOKENIZERS["unigram"]().to_str())
    return Checkpoint({"model_type": "bert", "name": "módel"}, tokenizer, Layout(32, 64, 1))


def test_files_are_the_inverse_of_reading(checkpoint):
    files = checkpoint.to_files()
    assert read_checkpoint(files) == checkpoint
    assert read_checkpoint(files).to_files() == files


def test_folders_and_bytes_hold_the_same_files(checkpoint, tmp_path):
    files = checkpoint.to_files() | {"weights.bin": bytes(range(256))}
    write_folder(tmp_path / "not" / "yet there", files)
    assert read_folder(tmp_path / "not" / "yet there") == files
    assert unpack(pack(files)) == files


def test_a_folder_that_is_written_again_keeps_nothing_old(checkpoint, tmp_path):
    write_folder(tmp_path, {"model.safetensors": b"old", "config.json": b"old"})
    (tmp_path / "folder of others").mkdir()
    write_folder(tmp_path, checkpoint.to_files())
    assert read_folder(tmp_path) == checkpoint.to_files()
    assert (tmp_path / "folder of others").is_dir()


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "layout.json"])
def test_a_missing_file_is_named(checkpoint, name):
    files = checkpoint.to_files()
    del files[name]
    with pytest.raises(ValueError, match=f"has no {name}"):
        read_checkpoint(files)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(ValueError, match="backbone' is not there"):
        read_folder(tmp_path / "backbone")


def test_checksums_are_sha256_and_travel_with_the_files(checkpoint, tmp_path):
    files = with_checksums(checkpoint.to_files() | {"model.bin": b"weights"})
    listed = json.loads(files["checksums.json"])
    assert listed.keys() == files.keys() - {"checksums.json"}
    assert listed["model.bin"] == hashlib.sha256(b"weights").hexdigest()
    write_folder(tmp_path, files)
    assert read_checkpoint(read_folder(tmp_path)) == checkpoint


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.bin"])
def test_a_file_that_changed_is_named(checkpoint, name):
    files = with_checksums(checkpoint.to_files() | {"model.bin": b"weights"})
    changed = bytes([files[name][0] ^ 1]) + files[name][1:]
    with pytest.raises(ValueError, match=f"{name} is not the file that was saved"):
        read_checkpoint(files | {name: changed})
    del files[name]
    with pytest.raises(ValueError, match=f"has no {name}"):
        read_checkpoint(files)


@pytest.mark.parametrize("content", [b"", b"no json", b"[]"])
def test_broken_checksums_are_named(checkpoint, content):
    with pytest.raises(ValueError, match=r"checksums\.json"):
        read_checkpoint(checkpoint.to_files() | {"checksums.json": content})
