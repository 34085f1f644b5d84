"""scripts/convert.py: which files it takes, and what it says of those it does not."""

import hashlib
import importlib
from pathlib import Path

import pytest
from spacy.lang.en import English
from spacy.tokens import DocBin
from spacy.vocab import create_vocab

SCRIPTS = Path(__file__).parents[1] / "scripts"
SENTENCE = (
    "1\tHello\thello\tINTJ\tUH\t_\t0\troot\t_\t_\n2\tyou\tyou\tPRON\tPRP\t_\t1\tobj\t_\t_\n\n"
)


@pytest.fixture
def convert(monkeypatch):
    monkeypatch.syspath_prepend(SCRIPTS)
    return importlib.import_module("convert")


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "my files"
    folder.mkdir()
    for i, split in enumerate(("train", "dev", "test"), 1):
        (folder / f"{split}.conllu").write_text(SENTENCE * i)
    return folder


@pytest.fixture
def project(tmp_path, folder):
    checksum = hashlib.md5((folder / "dev.conllu").read_bytes()).hexdigest()
    path = tmp_path / "project.yml"
    path.write_text(f"assets:\n  - dest: 'my files/dev.conllu'\n    checksum: '{checksum}'\n")
    return path


def test_converts_and_counts(convert, folder, project, tmp_path, capsys):
    output = tmp_path / "corpus" / "mine"
    convert.main(folder, output, project, max_sentences=2)
    vocab = create_vocab("en", English.Defaults)
    docs = list(DocBin().from_disk(output / "test.spacy").get_docs(vocab))
    assert [len(list(doc.sents)) for doc in docs] == [2, 1]
    assert docs[0][0].norm_ == "hello" and docs[0][0].dep_ == "ROOT"
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines if line.startswith("words")] == [
        ["words", "2", "4", "6"]
    ]


def test_names_of_universal_dependencies(convert, folder, tmp_path):
    (folder / "test.conllu").rename(folder / "en_x-ud-test.conllu")
    (folder / "train.conllu").unlink()
    reports = convert.convert(folder, tmp_path / "out", None, 10)
    assert [path.name for path in reports] == ["dev.spacy", "test.spacy"]
    (folder / "en_y-ud-test.conllu").write_text(SENTENCE)
    with pytest.raises(ValueError, match=r"several files for test: en_x-ud.*en_y-ud"):
        convert.convert(folder, tmp_path / "out", None, 10)


def test_listed_files_are_checked(convert, folder, project, tmp_path, capsys):
    dev = folder / "dev.conllu"
    expected = hashlib.md5(dev.read_bytes()).hexdigest()
    dev.write_text(SENTENCE)
    found = hashlib.md5(dev.read_bytes()).hexdigest()
    with pytest.raises(ValueError, match=rf"dev\.conllu .* {found}, not {expected}\. .*assets"):
        convert.convert(folder, tmp_path / "out", project, 10)
    dev.unlink()
    with pytest.raises(ValueError, match=r"dev\.conllu is not there\. .*spacy project assets"):
        convert.convert(folder, tmp_path / "out", project, 10)
    assert not (tmp_path / "out").exists()
    with pytest.raises(SystemExit):
        convert.main(folder, tmp_path / "out", project)
    assert "make corpus" in " ".join(capsys.readouterr().out.split())


def test_nothing_to_convert(convert, tmp_path):
    with pytest.raises(ValueError, match=r"has no train\.conllu"):
        convert.convert(tmp_path, tmp_path / "out", None, 10)
