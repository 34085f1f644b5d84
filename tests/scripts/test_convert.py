"""scripts/convert.py: which files it takes, and what it says of those it does not."""

import hashlib
import importlib
from pathlib import Path

import pytest
from spacy.lang.en import English
from spacy.tokens import DocBin
from spacy.vocab import create_vocab

SCRIPTS = Path(__file__).parents[2] / "scripts"
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
    splits = convert.convert(folder, tmp_path / "out", None, 10)
    assert list(splits) == ["dev", "test"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["dev.spacy", "test.spacy"]
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


def write_layer(path, sentences):
    """Sentences of UNER's format, a document each."""
    lines = []
    for number, sentence in enumerate(sentences):
        words = [token.split("/") for token in sentence.split()]
        lines.append(f"# newdoc id = {number}\n# sent_id = {number}-1")
        lines.append(f"# text = {' '.join(word for word, _ in words)}")
        lines += [f"{i}\t{word}\t{tag}\t-\t-" for i, (word, tag) in enumerate(words, 1)]
        lines.append("")
    path.write_text("\n".join(lines) + "\n", encoding="utf8")


def write_treebank(path, sentences):
    lines = []
    for number, words in enumerate(sentences):
        lines.append(f"# newdoc id = {number}")
        for i, word in enumerate(words.split(), 1):
            head, dep = (0, "root") if i == 1 else (1, "dep")
            lines.append(f"{i}\t{word}\t{word}\tNOUN\tNN\t_\t{head}\t{dep}\t_\t_")
        lines.append("")
    path.write_text("\n".join(lines) + "\n", encoding="utf8")


def read(path):
    return list(DocBin().from_disk(path).get_docs(create_vocab("en", English.Defaults)))


def entities(doc):
    return [(entity.text, entity.label_) for entity in doc.ents]


def test_layer_is_joined_and_every_tenth_document_held_out(convert, tmp_path, capsys):
    folder, output = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    write_treebank(
        folder / "train.conllu", [f"Ada{i} sleeps here" for i in range(21)] + ["Alone ."]
    )
    write_treebank(folder / "dev.conllu", ["Nobody knows"])
    # In another order, and the last one of the treebank is missing.
    layer = [f"Ada{i}/B-PER sleeps/O here/O" for i in reversed(range(21))]
    write_layer(folder / "train.iob2", layer)
    convert.main(folder, output, None)
    train, dev = read(output / "train.spacy"), read(output / "dev.spacy")
    held_out = [doc for doc in train[:21] if not doc.has_annotation("ENT_IOB")]
    assert [doc[0].text for doc in held_out] == ["Ada1", "Ada11"]  # 20 - 19 and 20 - 9
    assert all(doc.has_annotation("DEP") for doc in train)
    assert [entities(doc) for doc in train if doc not in held_out] == [
        *([(f"Ada{i}", "PER")] for i in range(21) if i not in (1, 11)),
        [],
    ]
    assert not train[21].has_annotation("ENT_IOB")
    assert [entities(doc) for doc in dev] == [[], [("Ada1", "PER")], [("Ada11", "PER")]]
    assert [doc.has_annotation("DEP") for doc in dev] == [True, False, False]
    assert [doc.has_annotation("ENT_IOB") for doc in dev] == [False, True, True]
    said = capsys.readouterr().out
    rows = [line.split() for line in said.splitlines() if line.startswith("joined ")]
    assert [row[-1] for row in rows] == ["21", "21"]


def test_layers_of_all_splits_hold_nothing_out(convert, tmp_path):
    folder, output = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for split in convert.SPLITS:
        write_treebank(folder / f"{split}.conllu", [f"Ada{i} sleeps" for i in range(10)])
        write_layer(folder / f"{split}.iob2", [f"Ada{i}/B-PER sleeps/O" for i in range(10)])
    convert.convert(folder, output, None, 10)
    for split in convert.SPLITS:
        docs = read(output / f"{split}.spacy")
        assert [entities(doc) for doc in docs] == [[(f"Ada{i}", "PER")] for i in range(10)]


def test_entities_alone(convert, tmp_path):
    folder, output = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    lines = "Ada\tB-person\nsleeps\tO\n\nHello\tO\n\n"
    for split in convert.SPLITS:
        (folder / f"{split}.conll").write_text(lines, encoding="utf8")
    convert.main(folder, output, None, max_sentences=1)
    for split in convert.SPLITS:
        docs = read(output / f"{split}.spacy")
        assert [entities(doc) for doc in docs] == [[("Ada", "person")], []]
        assert not docs[0].has_annotation("DEP") and docs[1].has_annotation("ENT_IOB")
