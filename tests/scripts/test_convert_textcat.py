"""scripts/convert_textcat.py and textcat_labels.py: what becomes of a set, and the project's own
label files."""

import hashlib
import importlib
from pathlib import Path

import pytest
from spacy.tokens import DocBin
from spacy.vocab import Vocab

ROOT = Path(__file__).parents[2]
LABELS = """
title: Made up
task: what
template: "On {}."
names: {greeting: saying hello}
descriptions: {saying hello: Hello., good bye: Bye.}
"""


@pytest.fixture
def convert(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "scripts")
    return importlib.import_module("convert_textcat")


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "assets" / "textcat"
    (folder / "clinc150").mkdir(parents=True)
    (folder / "clinc150.yml").write_text(LABELS)
    data = '{"train": [["Hi, you", "greeting"], ["", "good_bye"]], "test": [["Bye", "good_bye"]]}'
    (folder / "clinc150" / "data_full.json").write_text(data)
    return folder


def read(path):
    return [(doc.text, doc.cats) for doc in DocBin().from_disk(path).get_docs(Vocab())]


def test_names_the_labels(convert, source, tmp_path, capsys):
    convert.main(source, tmp_path / "corpus")
    assert "banking77" in capsys.readouterr().out  # said to be left out
    assert read(tmp_path / "corpus" / "clinc150" / "train.spacy") == [
        ("Hi, you", {"saying hello": 1.0, "good bye": 0.0}),
        ("", {"saying hello": 0.0, "good bye": 1.0}),
    ]
    assert len(read(tmp_path / "corpus" / "clinc150" / "test.spacy")) == 1


def test_a_label_without_description_is_refused(convert, source, tmp_path, capsys):
    (source / "clinc150.yml").write_text(LABELS.replace("good bye", "farewell"))
    with pytest.raises(SystemExit):
        convert.main(source, tmp_path / "corpus")
    assert "'good_bye' is called 'good bye'" in " ".join(capsys.readouterr().out.split())


def test_no_set_at_all(convert, tmp_path, capsys):
    with pytest.raises(SystemExit):
        convert.main(tmp_path, tmp_path / "corpus")
    assert "make corpus" in capsys.readouterr().out


def test_checksums_are_checked(convert, source, tmp_path, capsys):
    project = tmp_path / "project.yml"
    dest = source / "clinc150" / "data_full.json"
    checksum = hashlib.md5(dest.read_bytes()).hexdigest()
    project.write_text(
        f"assets:\n  - dest: assets/textcat/clinc150/data_full.json\n    checksum: '{checksum}'\n"
    )
    convert.main(source, tmp_path / "corpus", project)
    dest.write_text("{}")
    with pytest.raises(SystemExit):
        convert.main(source, tmp_path / "corpus", project)
    assert checksum in capsys.readouterr().out


def test_label_files_of_the_project(convert):
    """Each set has one; its template takes a name, and no two names have one description."""
    for name in convert.READERS:
        labels = convert.read_labels(ROOT / "assets" / "textcat" / f"{name}.yml")
        assert "{}" in labels.template and len(labels.names) >= 2
        assert set(labels.renamed.values()) <= set(labels.names)
        texts = list(labels.descriptions.values())
        assert len(set(texts)) == len(texts) and all(text.endswith((".", "?")) for text in texts)
