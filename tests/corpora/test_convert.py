"""convert.py, splits.py, kinds.py: which files are taken, and what is said of others."""

import gzip
import json
import os
import re
from pathlib import Path

import pytest
from spacy.lang.en import English
from spacy.tokens import DocBin
from spacy.vocab import create_vocab

from spacy_pretrained.corpora.convert import (
    convert_columns,
    convert_conllu,
    convert_dataset,
    convert_export,
    convert_folder,
    convert_span_dataset,
    convert_texts,
)
from spacy_pretrained.corpora.kinds import KINDS, find_kind
from spacy_pretrained.corpora.splits import SPLITS

SENTENCE = (
    "1\tHello\thello\tINTJ\tUH\t_\t0\troot\t_\t_\n2\tyou\tyou\tPRON\tPRP\t_\t1\tobj\t_\t_\n\n"
)
TOKENS = "Ada\tB-PER\nsleeps\tO\n\nHello\tO\n\n"


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "my files"
    folder.mkdir()
    for i, split in enumerate(SPLITS, 1):
        (folder / f"{split}.conllu").write_text(SENTENCE * i)
    return folder


def write(path: Path, content: str) -> Path:
    path.write_text(content, encoding="utf8")
    return path


def test_a_file(tmp_path):
    output = tmp_path / "a new folder" / "train.spacy"
    seen = []

    def track(docs, name):
        seen.append(name)
        return docs

    source = write(tmp_path / "train.conllu", SENTENCE * 3)
    report = convert_conllu(source, output, max_sentences=2, track=track)
    assert (report.documents, report.sentences, report.words) == (2, 3, 6)
    assert [len(list(doc.sents)) for doc in read(output)] == [2, 1] and seen == [str(source)]
    (tmp_path / "train.conllu.gz").write_bytes(gzip.compress(SENTENCE.encode()))
    assert convert_conllu(tmp_path / "train.conllu.gz", output).sentences == 1


def test_a_folder(folder, tmp_path):
    output = tmp_path / "corpus" / "mine"
    splits = convert_folder(folder, output, max_sentences=2)
    docs = read(output / "test.spacy")
    assert [len(list(doc.sents)) for doc in docs] == [2, 1]
    assert docs[0][0].norm_ == "hello" and docs[0][0].dep_ == "ROOT"
    assert {name: split.reports[0].words for name, split in splits.items()} == {
        "train": 2,
        "dev": 4,
        "test": 6,
    }


def test_a_folder_keeps_what_it_has_until_all_is_written(folder, tmp_path, monkeypatch):
    output = tmp_path / "corpus"
    convert_folder(folder, output)
    before = {path.name: path.read_bytes() for path in output.iterdir()}
    (folder / "train.conllu").write_text(SENTENCE * 9)
    write_bytes = Path.write_bytes

    def fill_the_disk(path, content):
        if "dev" in path.name:
            raise OSError(28, "No space left on device")
        return write_bytes(path, content)

    monkeypatch.setattr(Path, "write_bytes", fill_the_disk)
    with pytest.raises(OSError, match="No space left"):
        convert_folder(folder, output)
    assert {path.name: path.read_bytes() for path in output.iterdir()} == before


def test_a_folder_in_another_encoding(tmp_path):
    path = tmp_path / "in" / "train.conllu"
    path.parent.mkdir()
    path.write_bytes(SENTENCE.replace("Hello", "Grüezi").encode("latin-1"))
    (tmp_path / "in" / "train.iob2").write_bytes("Grüezi\tB-X\nyou\tO\n".encode("latin-1"))
    with pytest.raises(ValueError, match="--encoding"):
        convert_folder(tmp_path / "in", tmp_path / "out")
    convert_folder(tmp_path / "in", tmp_path / "out", encoding="latin-1")
    (doc,) = read(tmp_path / "out" / "train.spacy")
    assert doc.text == "Grüezi you " and [ent.text for ent in doc.ents] == ["Grüezi"]


def test_names_of_universal_dependencies(folder, tmp_path):
    (folder / "test.conllu").rename(folder / "en_x-ud-test.conllu")
    (folder / "train.conllu").unlink()
    assert list(convert_folder(folder, tmp_path / "out")) == ["dev", "test"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["dev.spacy", "test.spacy"]
    (folder / "en_y-ud-test.conllu").write_text(SENTENCE)
    with pytest.raises(ValueError, match=r"several files for test: en_x-ud.*en_y-ud"):
        convert_folder(folder, tmp_path / "out")


def test_nothing_to_convert(tmp_path):
    with pytest.raises(ValueError, match=r"has no train\.conllu"):
        convert_folder(tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["validation", "valid", "val", "en_x-ud-validation"])
def test_other_names_of_dev(folder, tmp_path, name):
    (folder / "dev.conllu").rename(folder / f"{name}.conllu")
    assert list(convert_folder(folder, tmp_path / "out")) == list(SPLITS)
    assert len(read(tmp_path / "out" / "dev.spacy")[0]) == 4
    for split in ("train", "test"):
        (folder / f"{split}.conllu").unlink()
    assert find_kind(folder) == "conllu"
    (folder / "dev.conllu").touch()
    (folder / f"{name}.conllu").rename(folder / "val.conllu")
    with pytest.raises(ValueError, match=r"several files for dev: dev.conllu, val.conllu"):
        convert_folder(folder, tmp_path / "out")


def test_outputs_that_nothing_would_read(folder, tmp_path):
    source = write(tmp_path / "a.conll", TOKENS)
    for convert in (convert_columns, convert_dataset, convert_span_dataset, convert_texts):
        given = source
        if convert is not convert_columns:
            pytest.importorskip("datasets")
            given = write(tmp_path / "a.jsonl", '{"tokens": ["a"], "ner_tags": ["O"], "text": "a"}')
        settings = {} if convert is not convert_texts else {"label": "text"}
        settings |= {"spans": "ner_tags"} if convert is convert_span_dataset else {}
        with pytest.raises(ValueError, match=r"out' has to be a \.spacy file"):
            convert(given, tmp_path / "out", **settings)
    with pytest.raises(ValueError, match=r"is a folder, and .* a file"):
        convert_folder(folder, tmp_path / "out.spacy")
    assert not list(tmp_path.glob("out*"))


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.conllu", SENTENCE, "conllu"),
        ("a.conllu.gz", "", "conllu"),
        ("a.iob2", TOKENS, "columns"),
        ("a.conll", TOKENS, "columns"),
        ("a.csv", "text,label\na,b\n", "texts"),
        ("a.tsv", "text\tlabel\nAda\tB-PER\nsleeps\tO\n", "texts"),
        # What is called .conll may be CoNLL-U, a table may have a token a line.
        ("b.conll", SENTENCE, None),
        ("b.tsv", TOKENS, None),
        ("a.jsonl", "{}", None),
        (
            "a.jsonl",
            '{"text": "Ada", "label": []}\n{"text": "Ada", "label": [[0, 3, "PER"]]}',
            "spans",
        ),
        ("a.json", '[{"data": {"text": "Ada"}, "annotations": []}]', "spans"),
        ("a.jsonl", '{"text": "Ada", "spans": [{"start": 0, "end": 3, "label": "A"}]}', "spans"),
        ("a.json", '[{"text": "A", "ner": [{"start": 0, "end": 1, "labels": ["X"]}]}]', "spans"),
        ("a.jsonl", '{"text": "Ada", "label": ["sport"]}', None),
        ("a.jsonl", '{"tokens": ["Ada"], "ner_tags": ["O"]}', None),
        ("a.txt", TOKENS, None),
    ],
)
def test_kinds_of_files(tmp_path, name, content, kind):
    path = write(tmp_path / name, content)
    if kind:
        assert find_kind(path) == kind
    else:
        with pytest.raises(ValueError, match=f"{re.escape(name)}' .* {', '.join(KINDS)}"):
            find_kind(path)


def test_kinds_of_folders_and_names(folder, tmp_path):
    assert find_kind(folder) == "conllu"
    for path in folder.iterdir():
        path.rename(folder / f"x-{path.stem}.iob2")
    assert find_kind(folder) == "conllu"
    for source in (tmp_path, "owner/name", "conlu"):
        with pytest.raises(ValueError, match="does not show what it holds"):
            find_kind(source)
    assert find_kind(tmp_path / "none.csv") == "texts"
    with pytest.raises(OSError, match=r"none\.conll"):
        find_kind(tmp_path / "none.conll")


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


def test_layer_is_joined_and_every_tenth_document_held_out(tmp_path):
    folder, output = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    write_treebank(
        folder / "train.conllu", [f"Ada{i} sleeps here" for i in range(21)] + ["Alone ."]
    )
    write_treebank(folder / "dev.conllu", ["Nobody knows"])
    # In another order, and the last one of the treebank is missing.
    layer = [f"Ada{i}/B-PER sleeps/O here/O" for i in reversed(range(21))]
    write_layer(folder / "train.iob2", layer)
    splits = convert_folder(folder, output)
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
    report = splits["train"].reports[-1]
    assert (report.joined_sentences, report.joined_entities) == (21, 21)


def test_a_layer_too_small_to_hold_anything_out_makes_no_empty_dev(tmp_path):
    write_treebank(tmp_path / "train.conllu", ["Ada sleeps"])
    write_layer(tmp_path / "train.iob2", ["Ada/B-PER sleeps/O"])
    assert list(convert_folder(tmp_path, tmp_path / "out")) == ["train"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["train.spacy"]


@pytest.mark.parametrize("ending", [".iob2", ".iob", ".bio", ".bioes", ".biluo", ".conll"])
def test_no_layer_is_passed_over(tmp_path, ending):
    write_treebank(tmp_path / "train.conllu", ["Ada sleeps", "Ada"])
    write_layer(tmp_path / f"train{ending}", ["Ada/B-PER sleeps/O", "Ada/O"])
    (first, _) = convert_folder(tmp_path, tmp_path / "out")["train"].docs
    assert entities(first) == [("Ada", "PER")]


def test_documents_that_one_of_two_files_marks(tmp_path):
    """In the other, ten sentences are one."""
    folder, output = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for split in SPLITS:
        write_treebank(folder / f"{split}.conllu", [f"Ada{i} sleeps" for i in range(25)])
        write_layer(folder / f"{split}.iob2", [f"Ada{i}/B-PER sleeps/O" for i in range(25)])
    whole = re.sub("# newdoc .*\n", "", (folder / "dev.conllu").read_text())
    write(folder / "dev.conllu", f"# newdoc id = 1\n{whole}# newdoc id = 2\n{SENTENCE}")
    layer = (folder / "dev.iob2").read_text()
    write(folder / "dev.iob2", re.sub("# newdoc .*\n", "", layer))
    convert_folder(folder, output)
    first, _ = read(output / "dev.spacy")
    assert entities(first) == [(f"Ada{i}", "PER") for i in range(25)]


def test_layers_of_all_splits_hold_nothing_out(tmp_path):
    folder, output = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for split in SPLITS:
        write_treebank(folder / f"{split}.conllu", [f"Ada{i} sleeps" for i in range(10)])
        write_layer(folder / f"{split}.iob2", [f"Ada{i}/B-PER sleeps/O" for i in range(10)])
    convert_folder(folder, output)
    for split in SPLITS:
        docs = read(output / f"{split}.spacy")
        assert [entities(doc) for doc in docs] == [[(f"Ada{i}", "PER")] for i in range(10)]


def test_entities_alone(tmp_path):
    folder, output = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    lines = "Ada\tB-person\nsleeps\tO\n\nHello\tO\n\n"
    for split in SPLITS:
        (folder / f"{split}.conll").write_text(lines, encoding="utf8")
    convert_folder(folder, output, max_sentences=1)
    for split in SPLITS:
        docs = read(output / f"{split}.spacy")
        assert [entities(doc) for doc in docs] == [[("Ada", "person")], []]
        assert not docs[0].has_annotation("DEP") and docs[1].has_annotation("ENT_IOB")


@pytest.mark.parametrize(
    "convert",
    [
        convert_columns,
        convert_conllu,
        convert_dataset,
        convert_export,
        convert_span_dataset,
        convert_texts,
    ],
)
def test_an_output_that_cannot_be_written_is_refused_before_anything_is_read(
    tmp_path, monkeypatch, convert
):
    """The source is not even there."""
    (tmp_path / "file").write_text("")
    (tmp_path / "folder.spacy").mkdir()
    (tmp_path / "link.spacy").symlink_to(tmp_path / "file" / "x.spacy")
    source = tmp_path / "no such source"
    with pytest.raises(NotADirectoryError, match=r"file'$"):
        convert(source, tmp_path / "file" / "new" / "out.spacy")
    with pytest.raises(NotADirectoryError, match=r"file'$"):
        convert(source, tmp_path / "link.spacy")
    with pytest.raises(IsADirectoryError, match=r"folder\.spacy'$"):
        convert(source, tmp_path / "folder.spacy")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(PermissionError, match=re.escape(f"'{tmp_path}'")):
        convert(source, tmp_path / "new" / "out.spacy")
    assert not (tmp_path / "new").exists()


def test_so_is_a_folder(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("spacy_pretrained.corpora.convert.read_splits", None)
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError, match=r"file'$"):
        convert_folder(folder, tmp_path / "file")
    (tmp_path / "out" / "dev.spacy").mkdir(parents=True)
    with pytest.raises(IsADirectoryError, match=r"dev\.spacy'$"):
        convert_folder(folder, tmp_path / "out")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(PermissionError):
        convert_folder(folder, tmp_path / "new")


def test_the_output_is_named_as_it_was_given(tmp_path):
    """And not the file beside it that is written first."""
    (tmp_path / "a file").write_text("")
    (tmp_path / "a.conllu").write_text(SENTENCE)
    output = tmp_path / "a file" / "out.spacy"
    with pytest.raises(OSError) as raised:
        convert_conllu(tmp_path / "a.conllu", output)
    assert raised.value.filename == str(output.parent)


def test_a_text_longer_than_a_pipeline_takes(tmp_path):
    """spaCy's tokenizer refuses more than a million characters (E088), for the sake of parsers."""
    text, output = "Ada sleeps " * 100_000, tmp_path / "out.spacy"
    write(tmp_path / "a.csv", f"text,label\n{text},x\n")
    convert_texts(tmp_path / "a.csv", output)
    assert len(read(output)[0]) == 200_000
    record = {"text": text, "entities": [{"start": 0, "end": 3, "label": "PER"}]}
    source = write(tmp_path / "a.jsonl", json.dumps(record))
    assert convert_export(source, output).entities == 1
    pytest.importorskip("datasets")
    assert convert_span_dataset(source, output).entities == 1


def test_a_link_stays_one(tmp_path):
    (tmp_path / "a.conllu").write_text(SENTENCE)
    target = tmp_path / "elsewhere.spacy"
    target.write_bytes(b"")
    (tmp_path / "out.spacy").symlink_to(target)
    convert_conllu(tmp_path / "a.conllu", tmp_path / "out.spacy")
    assert (tmp_path / "out.spacy").is_symlink() and target.stat().st_size
