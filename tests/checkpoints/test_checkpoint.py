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
    without_kernels,
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


def with_checksums(files):
    """As 0.1.0 saved quantized backbones."""
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    return files | {"checksums.json": json.dumps(digests).encode("utf8")}


def test_checksums_of_0_1_0_travel_with_the_files(checkpoint, tmp_path):
    files = with_checksums(checkpoint.to_files() | {"model.bin": b"weights"})
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


# What is wrong in a file is said of that file


@pytest.mark.parametrize(
    "layout, match",
    [
        ({}, "lacks 'max_window'; it lacks 'pad'; it lacks 'width'"),
        ({"width": 32, "max_window": 64, "pad": 1, "new": 1}, "unknown 'new'"),
        ({"width": "32", "max_window": 64, "pad": 1}, "'width' is '32', not of the kind int"),
        ({"width": 32, "max_window": 64, "pad": True}, "'pad' is True, not of the kind int"),
        ({"width": 32, "max_window": 64, "pad": 1, "packed": 1}, "'packed' is 1"),
        ({"width": 0, "max_window": 64, "pad": 1}, "'width' is 0"),
        ({"width": 32, "max_window": 0, "pad": 1}, "'max_window' is 0, and has to be at least 4"),
        ({"width": 32, "max_window": 3, "pad": 1}, "'max_window' is 3"),
        ({"width": 32, "max_window": 64, "pad": -1}, "'pad' is -1"),
        ({"width": 32, "max_window": 64, "pad": 10**6}, "'pad' is 1000000"),
        ([], "it has to be an object"),
    ],
)
def test_a_layout_with_other_keys_or_values(checkpoint, layout, match):
    checkpoint.config["vocab_size"] = checkpoint.tokenizer.n_pieces
    files = checkpoint.to_files()
    read_checkpoint(files)
    with pytest.raises(ValueError, match=r"layout\.json is damaged or changed.*" + match):
        read_checkpoint(files | {"layout.json": json.dumps(layout).encode()})


@pytest.mark.parametrize("name", ["config.json", "layout.json", "tokenizer.json"])
@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[]"])
def test_a_file_that_cannot_be_read(checkpoint, name, content):
    with pytest.raises(ValueError, match=name.replace(".", r"\.")):
        read_checkpoint(checkpoint.to_files() | {name: content})


def test_a_tokenizer_with_more_pieces_than_the_model_has_vectors(checkpoint):
    checkpoint.config["vocab_size"] = checkpoint.tokenizer.n_pieces - 1
    with pytest.raises(ValueError, match=r"tokenizer\.json has .* pieces, but by its config\.json"):
        read_checkpoint(checkpoint.to_files())


def test_a_config_does_not_choose_program_code(checkpoint):
    config = {"vocab_size": 1000, "text_config": {"hidden_size": 8}}
    code = {"attn_implementation": "owner/name", "_attn_implementation": "owner/name"}
    more = {"_attn_implementation_internal": "owner/name", "experts_implementation": "a/b"}
    hostile = config | code | more | {"text_config": {"hidden_size": 8} | code}
    assert without_kernels(hostile) == config
    checkpoint.config = hostile
    assert read_checkpoint(checkpoint.to_files()).config == config
