"""Downloads from a stand-in for the model hub: what is fetched, and what goes wrong on the way."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections import namedtuple
from pathlib import Path

import pytest
from huggingface_hub import hf_hub_download, scan_cache_dir
from stand_in_hub import COMMIT

from spacy_pretrained import sources
from spacy_pretrained.sources import convert, disk_space, hub_client
from spacy_pretrained.sources import download as download_module
from spacy_pretrained.sources.download import download
from spacy_pretrained.sources.find import find_source
from spacy_pretrained.sources.hub_id import HubId

TINY, PICKLE = HubId("owner/tiny"), HubId("owner/pickle")
NEEDED = {"README.md", "config.json", "model.safetensors", "tokenizer.json"}
NEEDED |= {"tokenizer_config.json"}
WEIGHTS = "model.safetensors"


def test_only_what_is_needed_is_downloaded(hub, model, cache):
    found = download(TINY)
    assert found.folder == cache / "models--owner--tiny" / "snapshots" / COMMIT
    assert {path.name for path in found.folder.iterdir()} == NEEDED
    for name in NEEDED:
        assert (found.folder / name).read_bytes() == (model / name).read_bytes()
    assert found.licence == "apache-2.0" and not found.converted
    hub.requests.clear()
    assert download(TINY) == found
    assert hub.files_sent() == []
    assert find_source("owner/tiny") == found.folder


def test_pickles_are_not_downloaded_if_there_are_safetensors(hub, model):
    (model / "pytorch_model.bin").write_bytes(b"a pickle")
    download(TINY)
    assert "pytorch_model.bin" not in hub.files_sent()


def test_weights_in_parts(hub, model):
    (model / WEIGHTS).rename(model / "model-00001-of-00001.safetensors")
    index = model / "model.safetensors.index.json"
    index.write_text('{"weight_map": {"x": "model-00001-of-00001.safetensors"}}')
    folder = download(TINY).folder
    assert (folder / "model-00001-of-00001.safetensors").is_file() and (
        folder / index.name
    ).is_file()


def test_a_revision(hub, cache):
    other = "f" * 40
    hub.refs["v1"] = other
    assert download(HubId("owner/tiny", "v1")).folder.name == other
    assert find_source("owner/tiny@v1").name == other
    assert find_source(f"owner/tiny@{other}").name == other
    assert find_source("owner/tiny").name == COMMIT


def test_a_commit_that_is_there_needs_no_hub(hub):
    folder = download(TINY).folder
    hub.requests.clear()
    assert find_source(f"owner/tiny@{COMMIT}") == folder
    assert hub.requests == []


# What goes wrong


def test_broken_off_for_good_and_begun_again(hub, model, monkeypatch):
    monkeypatch.setattr(time, "sleep", lambda seconds: None)  # between the client's tries
    hub.break_at[WEIGHTS] = 50_000
    with pytest.raises(ValueError, match=r"failed to give 'owner/tiny': .*Run the command again"):
        download(TINY)
    with pytest.raises(ValueError, match="could not be downloaded"):
        find_source("owner/tiny")
    hub.break_at.clear()
    hub.requests.clear()
    folder = download(TINY).folder
    assert hub.files_sent() == [WEIGHTS]  # the others are kept
    assert not any("range" in headers for headers in hub.headers[-1:])
    assert (folder / WEIGHTS).read_bytes() == (model / WEIGHTS).read_bytes()


def test_broken_off_once(hub, model, monkeypatch):
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    hub.break_at[WEIGHTS], hub.breaks = 50_000, 1
    folder = download(TINY).folder
    assert (folder / WEIGHTS).read_bytes() == (model / WEIGHTS).read_bytes()


def test_a_copy_whose_weights_are_missing_is_none(hub, cache, monkeypatch):
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    hub.break_at[WEIGHTS] = 50_000
    with pytest.raises(ValueError, match="Run the command again"):
        download(TINY)
    hub.status = 503
    monkeypatch.setattr(hub_client, "PATIENCE", 0.2)
    with pytest.raises(ValueError, match=r"cannot be reached .*has no complete copy"):
        download(TINY)


@pytest.mark.parametrize(
    "fault, what", [("says_larger", "bytes instead of"), ("changes", "its SHA-256 differs")]
)
def test_a_file_that_is_not_what_the_hub_has(hub, fault, what):
    setattr(hub, fault, {WEIGHTS})
    with pytest.raises(ValueError, match=f"'{WEIGHTS}' of 'owner/tiny' did not arrive.*{what}"):
        download(TINY)
    setattr(hub, fault, set())
    hub.requests.clear()
    download(TINY)
    assert hub.files_sent() == [WEIGHTS]


@pytest.fixture
def killed_while_hashing(hub, monkeypatch):
    """A download that ended between a file's arrival, with one other byte, and its check."""

    def interrupt(path):
        raise KeyboardInterrupt

    hub.changes = {WEIGHTS}
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(hub_client, "_digest", interrupt)
        download(TINY)
    hub.changes = set()
    hub.requests.clear()


@pytest.mark.usefixtures("killed_while_hashing")
@pytest.mark.parametrize("revision", ["main", COMMIT])
def test_a_file_is_checked_after_an_interruption(hub, model, revision):
    tiny = HubId("owner/tiny", revision)
    with pytest.raises(ValueError, match="its SHA-256 differs"):
        download(tiny)
    assert hub.files_sent() == []
    found = download(tiny)
    assert (found.folder / WEIGHTS).read_bytes() == (model / WEIGHTS).read_bytes()
    assert download_module.find_copy(tiny) == found


@pytest.mark.usefixtures("killed_while_hashing")
def test_without_a_network_a_file_that_was_not_checked_is_not_taken(hub, cache):
    hub.status = 503
    with pytest.raises(ValueError, match=r"cannot be reached .*has no complete copy"):
        download(TINY)
    assert scan_cache_dir(cache).warnings == []


def test_a_file_is_hashed_once_and_those_of_other_programs_never(hub, monkeypatch):
    hashed, digest = [], hub_client._digest
    monkeypatch.setattr(hub_client, "_digest", lambda path: hashed.append(path) or digest(path))
    hub.models["owner/other"] = hub.models["owner/tiny"]
    for name in NEEDED:
        hf_hub_download("owner/other", name)
    download(HubId("owner/other"))
    assert not hashed
    download(TINY)
    assert WEIGHTS in [path.name for path in hashed]
    hashed.clear()
    download(TINY)
    assert not hashed


def test_a_model_or_revision_that_is_not_there(hub):
    with pytest.raises(ValueError, match=r"has no model 'owner/none'.*Check the name.*HF_TOKEN"):
        download(HubId("owner/none"))
    with pytest.raises(ValueError, match="'owner/tiny' has no revision 'v7'"):
        download(HubId("owner/tiny", "v7"))
    with pytest.raises(ValueError, match="'owner/tiny--x' is neither"):
        download(HubId("owner/tiny--x"))


def test_no_permission(hub):
    hub.status = 401
    with pytest.raises(ValueError, match=r"refused to give 'owner/tiny' \(HTTP status 401\)"):
        download(TINY)
    hub.status, hub.code = 403, "GatedRepo"
    with pytest.raises(ValueError, match=f"accepted its terms.*{hub.endpoint}/owner/tiny, then"):
        download(TINY)


def test_a_token_is_sent_and_never_kept(hub, cache, monkeypatch, capfd, caplog):
    hub.token = "hf_a_secret_of_mine"
    with pytest.raises(ValueError, match="or it is private"):
        download(TINY)
    monkeypatch.setenv("HF_TOKEN", hub.token)
    download(TINY)
    assert any(h.get("authorization") == f"Bearer {hub.token}" for h in hub.headers)
    hub.status = 403
    with pytest.raises(ValueError, match="refused") as error:
        download(TINY)
    said = capfd.readouterr()
    texts = [str(error.value), said.out, said.err, caplog.text]
    texts += [p.read_bytes().decode("latin1") for p in cache.parent.rglob("*") if p.is_file()]
    assert not any(hub.token in text for text in texts)


def test_a_token_in_a_reason_is_left_out(monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_a_secret_of_mine")
    assert hub_client._first_line(OSError("bad token hf_a_secret_of_mine")) == "bad token …."


def test_no_weights_and_no_config(hub, model):
    (model / WEIGHTS).unlink()
    with pytest.raises(ValueError, match=r"has neither .* nor pytorch_model\.bin"):
        download(TINY)
    (model / "config.json").unlink()
    hub.refs["main"] = "e" * 40
    with pytest.raises(ValueError, match=r"no config\.json"):
        download(TINY)


def test_what_is_not_supported_is_refused_before_its_weights_are_fetched(hub, model):
    (model / "config.json").write_text(
        '{"model_type": "bert", "quantization_config": {"quant_method": "gptq"}}'
    )
    with pytest.raises(ValueError, match="quantized by GPTQ"):
        download(TINY)
    assert WEIGHTS not in hub.files_sent()


# Weights in pickles, and a program that stands in for the one that converts them


CONVERT = """
import os, pathlib, sys
assert not any("secret" in value for value in os.environ.values())
folder = pathlib.Path(sys.argv[1])
(folder / "model.safetensors").write_bytes((folder / "pytorch_model.bin").read_bytes())
"""
FAIL = "import sys; sys.exit('Traceback\\nValueError: it holds a list')"


@pytest.fixture
def pickle(hub, model, monkeypatch):
    """A model on the hub with a pickle only; and a function that says which program there is."""
    folder = Path(shutil.copytree(model, model.with_name("pickle")))
    (folder / WEIGHTS).rename(folder / "pytorch_model.bin")
    hub.models["owner/pickle"] = folder
    popen = subprocess.Popen

    def use(program: str) -> None:
        def start(command: list[str], **kwargs):
            *_, module, folder = command
            assert module == "spacy_pretrained.sources.torch_convert"
            return popen([sys.executable, "-c", program, folder], **kwargs)

        for module in (download_module, convert):
            monkeypatch.setattr(module, "is_installed", lambda package: True)
        monkeypatch.setattr(convert.subprocess, "Popen", start)

    return use


def test_a_pickle_is_converted_by_a_process_without_the_token(hub, pickle, model, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_a_secret_of_mine")
    pickle(CONVERT)
    found = download(PICKLE)
    assert found.converted and found.pickle is None
    assert (found.folder / WEIGHTS).read_bytes() == (model / WEIGHTS).read_bytes()
    assert not download(PICKLE).converted
    assert find_source("owner/pickle") == found.folder


def test_pickles_of_a_commit_that_another_program_has_begun_to_download(hub, pickle):
    folder = hub.models["owner/pickle"]
    part = "pytorch_model-00001-of-00001.bin"
    (folder / "pytorch_model.bin").rename(folder / part)
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps({"weight_map": {"x": part}}))
    pickle(CONVERT.replace("pytorch_model.bin", part))
    for name in ("config.json", "pytorch_model.bin.index.json"):
        hf_hub_download("owner/pickle", name, revision=COMMIT)
    assert download(HubId("owner/pickle", COMMIT)).converted


def test_a_pickle_that_cannot_be_converted(hub, pickle):
    pickle(FAIL)
    with pytest.raises(ValueError, match=r"'owner/pickle' could not be .*: .*it holds a list"):
        download(PICKLE)
    pickle("raise SystemExit(3)")
    with pytest.raises(ValueError, match=r"'owner/pickle' could not be .*: exit code 3"):
        download(PICKLE)
    with pytest.raises(ValueError, match="python -m spacy pretrained download owner/pickle"):
        find_source("owner/pickle")


def test_a_pickle_without_torch(hub, pickle, monkeypatch):
    monkeypatch.setattr(download_module, "is_installed", lambda package: package != "torch")
    with pytest.raises(ValueError, match=r"pytorch_model\.bin\) that has to be converted"):
        download(PICKLE)
    assert "pytorch_model.bin" not in hub.files_sent()
    pickle(FAIL)
    with pytest.raises(ValueError, match="it holds a list"):
        download(PICKLE)
    monkeypatch.setattr(convert, "is_installed", lambda package: package != "torch")
    with pytest.raises(ValueError, match=r"pytorch_model\.bin\) that has to be converted"):
        download(PICKLE)  # it was downloaded before


# The disk


def test_too_little_space_is_said_before(hub, monkeypatch):
    Usage = namedtuple("Usage", "total used free")
    monkeypatch.setattr(disk_space.shutil, "disk_usage", lambda folder: Usage(0, 0, 60_000))
    with pytest.raises(ValueError, match=r"disk is full: 'owner/tiny' needs 104\.7 kB in .* 60\.0"):
        download(TINY)
    assert WEIGHTS not in hub.files_sent()


PROGRAM = """
import resource, signal, sys
from spacy_pretrained.sources.download import download
from spacy_pretrained.sources.hub_id import HubId
if sys.argv[2:]:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
try:
    print(download(HubId(sys.argv[1])).folder)
except ValueError as error:
    print(error)
"""


def start(hub, *args: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *args],
        env=os.environ | {"HF_ENDPOINT": hub.endpoint},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_the_disk_is_full_while_it_writes(hub, cache):
    """A limit of the size of files stands for the disk: writing fails for good in the middle."""
    process = start(hub, "owner/tiny", "50000")
    said, _ = process.communicate(timeout=60)
    assert "The disk is full: 'owner/tiny' needs more space in" in said and str(cache) in said
    assert download(TINY).folder.is_dir()


def test_two_processes_at_once(hub, model):
    both = [start(hub, "owner/tiny") for _ in range(2)]
    folders = {process.communicate(timeout=60)[0].strip() for process in both}
    (folder,) = folders
    assert (Path(folder) / WEIGHTS).read_bytes() == (model / WEIGHTS).read_bytes()


@pytest.mark.usefixtures("needs_torch")
@pytest.mark.slow
def test_two_processes_convert_at_once(hub):
    both = [start(hub, "owner/bin") for _ in range(2)]
    (folder,) = {process.communicate(timeout=120)[0].strip() for process in both}
    assert find_source("owner/bin") == Path(folder)
    assert not any(path.suffix == ".tmp" for path in Path(folder).iterdir())


# Without the client


def test_without_the_client_a_copy_is_taken_or_it_says_what_to_install(hub, monkeypatch):
    folder = download(TINY).folder
    monkeypatch.delattr(sources, "hub_client")
    monkeypatch.setitem(sys.modules, "spacy_pretrained.sources.hub_client", None)
    hub.requests.clear()
    assert download(TINY).folder == folder and hub.requests == []
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'spacy-pretrained\[hub\]'"):
        download(HubId("owner/other"))


# Without a network


@pytest.fixture
def nobody(monkeypatch):
    """An address where nobody listens."""
    from huggingface_hub import constants

    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{unused.getsockname()[1]}"
        monkeypatch.setattr(constants, "ENDPOINT", endpoint)
        yield endpoint


@pytest.mark.parametrize("status", [408, 429])
def test_a_hub_that_is_too_busy(hub, caplog, status):
    """A training goes on with the copy; without one, it says when to ask again."""
    hub.status = status
    with pytest.raises(ValueError, match=rf"HTTP status {status}.* no complete copy.*Try again l"):
        download(TINY)
    hub.status = 0
    folder = download(TINY).folder
    hub.status = status
    assert find_source("owner/tiny") == folder
    assert "the copy on this machine is taken" in caplog.text


def test_a_copy_without_a_tokenizer_is_none(hub):
    folder = download(TINY).folder
    hub.status = 429
    for path in folder.glob("tokenizer*"):
        path.unlink()
    with pytest.raises(ValueError, match="no complete copy"):
        find_source("owner/tiny")


def test_no_network_says_what_to_copy_where(cache, nobody):
    with pytest.raises(ValueError, match="cannot be reached") as error:
        download(TINY)
    for part in (nobody, "download owner/tiny", "models--owner--tiny", str(cache), "config.json"):
        assert part in str(error.value)


def test_a_copied_folder_of_the_cache_is_taken_without_network(hub, cache, nobody, caplog):
    """What the message of the test above advises."""
    from huggingface_hub import constants

    constants.ENDPOINT = hub.endpoint
    folder = download(TINY).folder
    kept = cache.with_name("copied")
    shutil.copytree(cache / "models--owner--tiny", kept / "models--owner--tiny", symlinks=True)
    shutil.rmtree(cache)
    shutil.move(kept, cache)
    constants.ENDPOINT = nobody
    assert download(TINY).folder == folder == find_source("owner/tiny")
    assert "the copy on this machine is taken" in caplog.text


def test_offline(cache, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ValueError, match=r"cannot be reached \(HF_HUB_OFFLINE is set\)"):
        download(TINY)


def test_a_hub_that_never_answers(cache, monkeypatch):
    from huggingface_hub import constants

    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setattr(constants, "ENDPOINT", endpoint)
        monkeypatch.setattr(hub_client, "PATIENCE", 0.2)
        began = time.perf_counter()
        with pytest.raises(ValueError, match="cannot be reached"):
            download(TINY)
        assert time.perf_counter() - began < 3


@pytest.mark.slow
def test_the_command_ends_in_ten_seconds_without_a_network(cache):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "spacy", "pretrained", "download", "owner/tiny"],
            env=os.environ | {"HF_ENDPOINT": endpoint},
            capture_output=True,
            text=True,
        )
        seconds = time.perf_counter() - began
    assert done.returncode == 1 and "cannot be reached" in " ".join(done.stdout.split())
    assert seconds < 10 + seconds_to_start()


def seconds_to_start() -> float:
    """What `python -m spacy` takes to begin, which is not the network's."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "spacy", "pretrained", "--help"], capture_output=True)
    return time.perf_counter() - began
