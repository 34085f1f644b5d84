"""scripts/check_assets.py: the files that the project lists, and no others."""

import hashlib
import importlib
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.fixture
def check_assets(monkeypatch):
    monkeypatch.syspath_prepend(SCRIPTS)
    return importlib.import_module("check_assets")


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "my files"
    folder.mkdir()
    for split in ("train", "dev"):
        (folder / f"{split}.conllu").write_text(split)
    return folder


@pytest.fixture
def project(tmp_path, folder):
    checksum = hashlib.md5((folder / "dev.conllu").read_bytes()).hexdigest()
    path = tmp_path / "project.yml"
    path.write_text(
        f"assets:\n  - dest: 'my files/dev.conllu'\n    checksum: '{checksum}'\n"
        "  - dest: 'my files/on trust.txt'\n"
        "  - dest: 'other/none.txt'\n    checksum: '0'\n"
    )
    return path


def test_listed_files_are_checked(check_assets, folder, project, capsys):
    check_assets.main(folder, project)
    assert "1 listed files" in capsys.readouterr().out
    dev = folder / "dev.conllu"
    expected = hashlib.md5(dev.read_bytes()).hexdigest()
    dev.write_text("another")
    found = hashlib.md5(dev.read_bytes()).hexdigest()
    with pytest.raises(ValueError, match=rf"dev\.conllu .* {found}, not {expected}\. .*assets"):
        check_assets.check_assets(folder, project)
    dev.unlink()
    with pytest.raises(ValueError, match=r"dev\.conllu is not there\. .*spacy project assets"):
        check_assets.check_assets(folder, project)
    with pytest.raises(SystemExit) as raised:
        check_assets.main(folder, project)
    assert raised.value.code == 1
    assert "make corpus" in " ".join(capsys.readouterr().out.split())


def test_folders_that_are_not_listed_may_hold_anything(check_assets, project, tmp_path):
    assert check_assets.check_assets(tmp_path, project) == 0
