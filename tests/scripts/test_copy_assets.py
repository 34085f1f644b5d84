"""scripts/copy_assets.py: finds the project's files by their checksums, and copies no others."""

import gzip
import hashlib
import importlib
from pathlib import Path

import pytest
from typer import Exit

SCRIPTS = Path(__file__).parents[2] / "scripts"
CONTENTS = {"a.conllu": b"first file\n", "b.conllu": b"second file\n"}


@pytest.fixture
def copy_assets(monkeypatch):
    monkeypatch.syspath_prepend(SCRIPTS)
    return importlib.import_module("copy_assets")


@pytest.fixture
def project(tmp_path):
    """A project file with two assets, in a folder with a space in its name."""
    lines = ["assets:"]
    for name, contents in CONTENTS.items():
        lines += [
            f"  - dest: 'assets/mine/{name[0]}.txt'",
            f"    url: 'https://example.org/x/{name}'",
            f"    checksum: '{hashlib.md5(contents).hexdigest()}'",
        ]
    path = tmp_path / "my project" / "project.yml"
    path.parent.mkdir()
    path.write_text("\n".join(lines))
    return path


@pytest.fixture
def data(tmp_path):
    """The files, one of them compressed, and another of the same name."""
    for folder in ("one", "two", "three"):
        (tmp_path / "data" / folder).mkdir(parents=True)
    (tmp_path / "data" / "one" / "a.conllu").write_bytes(b"another file\n")
    (tmp_path / "data" / "two" / "a.conllu").write_bytes(CONTENTS["a.conllu"])
    compressed = gzip.compress(CONTENTS["b.conllu"])
    (tmp_path / "data" / "three" / "b.conllu.gz").write_bytes(compressed)
    return tmp_path / "data"


def test_copies_by_checksum(copy_assets, project, data, capsys):
    copy_assets.main(data, project)
    for name, contents in CONTENTS.items():
        assert (project.parent / "assets" / "mine" / f"{name[0]}.txt").read_bytes() == contents
    assert capsys.readouterr().out.count("copied from") == 2
    copy_assets.main(data, project)
    assert capsys.readouterr().out.count("there already") == 2


def test_replaces_a_wrong_file(copy_assets, project, data):
    copy_assets.main(data, project)
    dest = project.parent / "assets" / "mine" / "a.txt"
    dest.write_bytes(b"damaged")
    copy_assets.main(data, project)
    assert dest.read_bytes() == CONTENTS["a.conllu"]


def test_refuses_wrong_files(copy_assets, project, data, capsys):
    (data / "two" / "a.conllu").unlink()
    (data / "three" / "b.conllu.gz").write_bytes(b"not gzip")
    with pytest.raises(Exit):
        copy_assets.main(data, project)
    said = " ".join(capsys.readouterr().out.split())
    assert (
        f"no a.conllu with the MD5 checksum {hashlib.md5(CONTENTS['a.conllu']).hexdigest()}" in said
    )
    assert "Remove it" not in said.partition("cannot be uncompressed")[0]  # it may be another's
    assert "cannot be uncompressed" in said
    assert not (project.parent / "assets").exists()


def test_a_wrong_file_in_its_place_is_named(copy_assets, project, data, capsys):
    (data / "two" / "a.conllu").unlink()
    dest = project.parent / "assets" / "mine" / "a.txt"
    dest.parent.mkdir(parents=True)
    dest.write_bytes(b"damaged")
    with pytest.raises(Exit):
        copy_assets.main(data, project)
    said = " ".join(capsys.readouterr().out.split())
    assert hashlib.md5(b"damaged").hexdigest() in said and "Remove it" in said


def test_a_folder_is_no_file_of_that_name(copy_assets, project, data):
    (data / "one" / "a.conllu").unlink()
    (data / "one" / "a.conllu").mkdir()
    copy_assets.main(data, project)
    dest = project.parent / "assets" / "mine" / "a.txt"
    assert dest.read_bytes() == CONTENTS["a.conllu"]


def test_says_what_is_not_there(copy_assets, project, data, capsys):
    (data / "three" / "b.conllu.gz").unlink()
    with pytest.raises(Exit):
        copy_assets.main(data, project)
    said = " ".join(capsys.readouterr().out.split())
    assert "no b.conllu with the MD5 checksum" in said and said.count("copied from") == 1
    with pytest.raises(SystemExit):
        copy_assets.main(data / "nowhere", project)


def test_files_stand_for_their_archive(copy_assets, project, data, capsys):
    """Until it is there itself; checksums are those of the files."""
    checksum = hashlib.md5(CONTENTS["a.conllu"]).hexdigest()
    asset = f"""
  - dest: 'assets/packed/all.zip'
    url: 'https://example.org/x/all.zip'
    checksum: '{hashlib.md5(b"an archive").hexdigest()}'
    files: {{a.conllu: '{checksum}'}}
"""
    project.write_text(project.read_text() + asset)
    copy_assets.main(data, project)
    folder = project.parent / "assets" / "packed"
    assert (folder / "a.conllu").read_bytes() == CONTENTS["a.conllu"]
    (archive,) = (asset for asset in copy_assets.read_assets(project) if asset.name == "all.zip")
    assert [(part.name, part.checksum) for part in archive.parts()] == [("a.conllu", checksum)]
    (data / "all.zip").write_bytes(b"an archive")
    copy_assets.main(data, project)
    assert archive.parts() == (archive,)


def test_a_missing_file_of_an_archive_is_missed(copy_assets, project, data, capsys):
    asset = """
  - dest: 'assets/packed/folds'
    git: {repo: 'https://example.org/x', path: ''}
    files: {a.conllu: %s, none.conllu: %s}
"""
    checksum = hashlib.md5(CONTENTS["a.conllu"]).hexdigest()
    project.write_text(project.read_text() + asset % (checksum, checksum))
    with pytest.raises(Exit):
        copy_assets.main(data, project)
    assert "no folds in" in " ".join(capsys.readouterr().out.split())
