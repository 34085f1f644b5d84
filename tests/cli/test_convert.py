"""`spacy pretrained convert`: each kind with each option, exit codes, the kind that is guessed."""

import gzip
import json
import re

import pytest
import spacy
from spacy.tokens import Doc, DocBin
from typer.testing import CliRunner

from spacy_pretrained.cli import pretrained_cli
from spacy_pretrained.cli.convert import show_report
from spacy_pretrained.corpora.column_rows import ColumnsReport
from spacy_pretrained.corpora.kinds import KINDS

SENTENCE = (
    "1\tHello\thello\tINTJ\tUH\t_\t0\troot\t_\t_\n2\tyou\tyou\tPRON\tPRP\t_\t1\tobj\t_\t_\n\n"
)
CONLL2003 = "EU NNP I-ORG\nrejects VBZ O\n\nBonn NNP I-LOC\nUlm NNP B-LOC\n"
ROWS = [
    {"tokens": ["The", "EU"], "ner_tags": [0, 1], "pos": ["DET", "PROPN"], "xpos": ["DT", "NNP"]},
    {"tokens": ["It"], "ner_tags": [0], "pos": ["PRON"], "xpos": ["PRP"]},
]
SPANS = [{"body": "Die EU.", "spans": [{"start": 4, "end": 6, "label": "ORG"}]}]


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs the command in a folder of its own; words may be file names there."""
    monkeypatch.chdir(tmp_path)

    def run(*args: str, code: int = 0) -> str:
        result = CliRunner().invoke(pretrained_cli, ["convert", *args])
        assert result.exit_code == code, result.output
        return " ".join(result.output.split())  # lines are broken anywhere

    return run


@pytest.fixture
def datasets(monkeypatch, tmp_path):
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    datasets.disable_progress_bars()


def write_lines(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf8")


def read(path) -> list[Doc]:
    return list(DocBin().from_disk(path).get_docs(spacy.blank("xx").vocab))


def entities(docs) -> list[tuple[str, str]]:
    return [(ent.text, ent.label_) for doc in docs for ent in doc.ents]


@pytest.mark.parametrize("kind", [["conllu"], []])
def test_conllu(run, tmp_path, kind):
    (tmp_path / "a.conllu").write_text(SENTENCE * 3)
    said = run(*kind, "a.conllu", "out/a.spacy", "--max-sentences", "2")
    assert "sentences 3" in said and "Written to out/a.spacy" in said
    assert [len(doc) for doc in read(tmp_path / "out" / "a.spacy")] == [4, 2]


@pytest.mark.parametrize("kind", [["conllu"], []])
def test_a_folder(run, tmp_path, kind):
    (tmp_path / "in").mkdir()
    for i, split in enumerate(("train", "dev"), 1):
        (tmp_path / "in" / f"{split}.conllu").write_text(SENTENCE * i)
    (tmp_path / "in" / "train.iob2").write_text("Hello\tB-X\nyou\tO\n")
    said = run(*kind, "in", "out", "--max-sentences", "2")
    assert "train dev documents 1 1" in said and "joined entities 1" in said
    assert entities(read(tmp_path / "out" / "train.spacy")) == [("Hello", "X")]


def test_a_folder_beside_a_split_of_an_earlier_conversion(run, tmp_path):
    """Scores on it could be scores on what is learnt from."""
    for name in ("in", "out"):
        (tmp_path / name).mkdir()
    (tmp_path / "in" / "train.conllu").write_text(SENTENCE, encoding="latin-1")
    assert "was there before" not in run("in", "out", "--encoding", "latin-1")
    (tmp_path / "out" / "dev.spacy").touch()
    said = run("in", "out")
    assert "dev.spacy was there before" in said and "train.spacy was there" not in said


def test_files_of_a_folder_that_are_not_read_are_named(run, tmp_path):
    (tmp_path / "in").mkdir()
    for name in ("train", "en-ud-train", "evaluation"):
        (tmp_path / "in" / f"{name}.conllu").write_text(SENTENCE)
    (tmp_path / "in" / "README.txt").touch()
    said = run("in", "out")
    assert "in/en-ud-train.conllu is not read" in said and "in/evaluation.conllu is not" in said
    assert said.count("is not read") == 2


def test_columns(run, tmp_path):
    (tmp_path / "eng.conll").write_text(CONLL2003)
    said = run("eng.conll", "a.spacy")
    assert "entities 3" in said and "LOC 2" in said
    options = [
        "--word",
        "0",
        "--tag",
        "-1",
        "--xpos",
        "1",
        "--scheme",
        "iob1",
        "--doc-sentences",
        "1",
    ]
    run("columns", "eng.conll", "a.spacy", *options)
    docs = read(tmp_path / "a.spacy")
    assert [len(doc) for doc in docs] == [2, 2] and docs[0][0].tag_ == "NNP"
    assert entities(docs) == [("EU", "ORG"), ("Bonn", "LOC"), ("Ulm", "LOC")]
    (tmp_path / "upos.conll").write_text("Ada PROPN B-PER\nsleeps VERB O\n")
    run("columns", "upos.conll", "a.spacy", "--upos", "1")
    assert [token.pos_ for token in read(tmp_path / "a.spacy")[0]] == ["PROPN", "VERB"]


def test_dataset_of_words(run, datasets, tmp_path):
    (tmp_path / "data").mkdir()
    write_lines(tmp_path / "data" / "test.jsonl", [dict(zip("wxyz", r.values())) for r in ROWS])
    options = [
        "--split",
        "test",
        "--words",
        "w",
        "--tags",
        "x",
        "--upos",
        "y",
        "--xpos",
        "z",
        "--label-names",
        "O,B-ORG",
    ]
    options += ["--scheme", "iob2", "--limit", "1", "--streaming"]
    said = run("dataset", "data", "a.spacy", *options)
    assert "entities 1" in said and "ORG 1" in said
    (doc,) = read(tmp_path / "a.spacy")
    assert entities([doc]) == [("EU", "ORG")]
    assert [(token.pos_, token.tag_) for token in doc] == [("DET", "DT"), ("PROPN", "NNP")]
    said = run("dataset", "data", "a.spacy", "--split", "dev", code=1)
    assert "'dev'" in said
    # Without entities.
    run(
        "dataset",
        "data",
        "a.spacy",
        *["--split", "test", "--words", "w", "--tags"],
        "",
        "--xpos",
        "z",
    )
    assert not read(tmp_path / "a.spacy")[0].has_annotation("ENT_IOB")


def test_dataset_of_texts(run, datasets, tmp_path):
    write_lines(tmp_path / "a.jsonl", [*SPANS, SPANS[0] | {"body": " "}])
    options = ["--spans", "spans", "--text", "body", "--lang", "de"]
    assert "empty documents 1" in run("dataset", "a.jsonl", "a.spacy", *options)
    (doc,) = read(tmp_path / "a.spacy")
    assert doc.text == "Die EU." and entities([doc]) == [("EU", "ORG")]
    said = run("dataset", "a.jsonl", "a.spacy", "--spans", "spans", "--lang", "xq", code=1)
    assert "xq" in said


@pytest.mark.parametrize(
    "options, message",
    [
        (
            ["--spans", "x", "--words", "w", "--scheme", "auto"],
            "--words, --scheme: this would have",
        ),
        (["--lang", "de"], "--lang: this would have no effect without --spans"),
    ],
)
def test_options_of_datasets_that_have_no_effect_are_refused(run, options, message):
    assert message in run("dataset", "a.jsonl", "a.spacy", *options, code=1)


@pytest.mark.parametrize("kind", ["dataset", "texts"])
def test_name_and_revision_go_to_the_hub(run, datasets, monkeypatch, kind):
    import datasets

    asked = {}

    def load_dataset(**arguments):
        asked.update(arguments)
        raise ConnectionError("no hub here")

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    options = ["--name", "small", "--revision", "abc", "--split", "test"]
    assert "no hub here" in run(kind, "owner/name", "a.spacy", *options, code=1)
    assert (asked["path"], asked["name"], asked["revision"]) == ("owner/name", "small", "abc")
    assert asked["split"] == "test"


@pytest.mark.parametrize("option", ["--name", "--revision"])
def test_name_and_revision_of_a_file_are_refused(run, datasets, tmp_path, option):
    write_lines(tmp_path / "a.jsonl", [{"text": "One", "label": "b"}])
    for kind in ("dataset", "texts"):
        said = run(kind, "a.jsonl", "a.spacy", option, "abc", code=1)
        assert "'a.jsonl' is on this machine" in said


def test_texts(run, tmp_path):
    (tmp_path / "a.csv").write_text("text,label\nOne,b\nTwo,a\n")
    said = run("a.csv", "a.spacy")
    assert "documents 2" in said and "b 1" in said
    (tmp_path / "b.tsv").write_text("b|a\tA title\tA text\nb\tOther\t\nb\tThird\t\n")
    options = ["--columns", "stars,title,body", "--text", "title,body", "--label", "stars"]
    options += ["--separator", "|", "--labels", "a, b,c", "--lang", "de", "--limit", "2"]
    run("texts", "b.tsv", "a.spacy", *options)
    assert [(doc.text, doc.cats) for doc in read(tmp_path / "a.spacy")] == [
        ("A title A text", {"a": 1.0, "b": 1.0, "c": 0.0}),
        ("Other", {"a": 0.0, "b": 1.0, "c": 0.0}),
    ]


@pytest.mark.parametrize(
    "name, options",
    [
        ("a.jsonl", ["--columns", "text,label"]),
        ("a.jsonl", ["--quoting", "none"]),
        ("folder", ["--encoding", "cp1252"]),
        ("a.csv", ["--split", "test"]),
        ("a.csv", ["--name", "small"]),
        ("a.csv.gz", ["--revision", "abc"]),
    ],
)
def test_options_of_texts_that_have_no_effect_are_refused(run, tmp_path, name, options):
    said = run("texts", name, "a.spacy", *options, code=1)
    assert f"{options[0]} would have no effect" in said


def test_there_is_no_table_of_labels_without_labels(capsys):
    show_report(ColumnsReport(words=1))
    assert "\n\n\n" not in capsys.readouterr().out


def test_failures_are_one_line_and_write_nothing(run, tmp_path):
    (tmp_path / "a.conllu").write_text("1\tone column\n")
    assert "a.conllu, line 1: a CoNLL-U line has 10 columns" in run("a.conllu", "a.spacy", code=1)
    for kind, name in (("conllu", "n.conllu"), ("columns", "n.conll"), ("texts", "n.csv")):
        assert f"There is no file or folder '{name}'" in run(kind, name, "a.spacy", code=1)
    assert "There is no file" in run("n.conll", "a.spacy", code=1)
    (tmp_path / "b.conllu").write_text(SENTENCE)
    assert "has to be a .spacy file" in run("b.conllu", "out", code=1)
    assert {path.name for path in tmp_path.iterdir()} == {"a.conllu", "b.conllu"}


def test_an_output_that_cannot_be_written_is_told_of_before_the_work(run, tmp_path):
    (tmp_path / "a.conllu").write_text("1\tone column\n")  # which would be told of, too
    (tmp_path / "file").write_text("")
    (tmp_path / "folder.spacy").mkdir()
    for kind in ([], ["columns"]):
        said = run(*kind, "a.conllu", "file/a.spacy", code=1)
        assert "'file' cannot be a folder" in said and "columns" not in said
        assert "'folder.spacy' is a folder" in run(*kind, "a.conllu", "folder.spacy", code=1)


def test_what_was_not_met_is_not_counted(run, tmp_path):
    (tmp_path / "b.conllu").write_text(SENTENCE)
    said = run("b.conllu", "b.spacy")
    assert "sentences" in said and not re.search(r"\s0\s*$", said, re.MULTILINE)


def test_a_folder_of_compressed_files(run, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "train.conllu.gz").write_bytes(gzip.compress(SENTENCE.encode()))
    run("in", "out")
    assert (tmp_path / "out" / "train.spacy").is_file()


def test_a_compressed_table(run, tmp_path):
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"text,label\nGood.,yes\nBad.,no\n"))
    assert "documents" in run("a.csv.gz", "a.spacy")
    (tmp_path / "a.csv.gz").write_bytes(b"not compressed")
    assert "cannot be uncompressed" in run("texts", "a.csv.gz", "b.spacy", code=1)


@pytest.mark.parametrize("kind", [["spans"], []])
def test_spans(run, tmp_path, kind):
    rows = [
        {"text": "Die EU.", "label": [[4, 6, "ORG"], [4, 6, "ORG"]]},
        {"text": "Nein.", "label": []},
    ]
    write_lines(tmp_path / "admin.jsonl", rows)
    said = run(*kind, "admin.jsonl", "a.spacy", "--lang", "de")
    assert "documents 2" in said and "repeated spans 1" in said and "--lang de" in said
    assert entities(read(tmp_path / "a.spacy")) == [("EU", "ORG")]
    write_lines(tmp_path / "b.jsonl", [{"body": "Die EU.", "ner": [[4, 6, "ORG"]]}])
    run("spans", "b.jsonl", "b.spacy", "--text", "body", "--spans", "ner")
    assert entities(read(tmp_path / "b.spacy")) == [("EU", "ORG")]


FAULTY = {
    "a.conllu": (SENTENCE.replace("INTJ", "INT") + SENTENCE.replace("\t1\tobj", "\t7\tobj")) * 2,
    "a.iob2": "Ada\tB-PER\nis\tO\nhere\tO\n\nAda\tPER\nis\tO\tO\n \tB-X\n\nand\tNO\n",
    "a.csv": "text,label\na,b,c\na,b\nd,e,f\na,b,c\na,b,c\n",
    "a.jsonl": '{"text": "a", "label": [[0, 1, "A"]]}\n'
    + '{"text": "a", "label": [[0, 9, "A"]]}\n' * 4,
}


@pytest.mark.parametrize("name", FAULTY)
def test_all_faults_of_a_file_are_told_and_nothing_is_written(run, tmp_path, name):
    (tmp_path / name).write_text(FAULTY[name])
    (tmp_path / "out.spacy").write_text("as before")
    assert run(name, "out.spacy", code=1).count(f"{name}, line ") == 4
    (tmp_path / name).write_text(FAULTY[name] * 10)
    said = run(name, "out.spacy", code=1)
    assert said.count(f"{name}, line ") == 20 and "20 faults; there may be more" in said
    assert (tmp_path / "out.spacy").read_text() == "as before"


def test_bad_usage(run, tmp_path):
    (tmp_path / "a.jsonl").write_text("{}\n")
    assert ", ".join(KINDS) in run("a.jsonl", "a.spacy", code=2)
    run("conllu", "a.conllu", code=2)
    run("conllu", "a.conllu", "a.spacy", "--max-sentences", "0", code=2)
    run("columns", str(tmp_path), "a.spacy", code=2)
    run("texts", "a.csv", "a.spacy", "--stars", code=2)


@pytest.mark.parametrize("kind", [None, *KINDS])
def test_help_has_an_example(run, kind):
    said = run(*([kind] if kind else []), "--help")
    assert f"Example: python -m spacy pretrained convert {kind or ''}" in said


def test_help_names_options_once(run):
    assert run("--help").count("[OPTIONS]") == 1


def test_the_next_command_names_the_language(run, tmp_path):
    hint = "pretrained config pipeline config.cfg --train out.spacy --dev DEV.spacy"
    for name, lang in (("de_gsd-ud-train.conllu", " --lang de"), ("en_ewt-ud-train.conllu", "")):
        (tmp_path / name).write_text(SENTENCE)
        assert run(name, "out.spacy").endswith(hint + lang)
    (tmp_path / "mine.conllu").write_text(SENTENCE)
    assert run("mine.conllu", "out.spacy").endswith(
        f"{hint} If the texts are not English, add --lang, such as --lang de."
    )
    (tmp_path / "a.csv").write_text("text,label\nGut.,yes\nNein.,no\n")
    assert run("a.csv", "out.spacy", "--lang", "de").endswith("--dev DEV.spacy --lang de")
    assert run("a.csv", "out.spacy").endswith("--dev DEV.spacy")


ENCODED = {
    "news.csv": ("text,label\nSchöner Tag,gut\n", "cp1252", "Schöner Tag"),
    "news.conll": ("Zürich B-LOC\nist O\n\nschön O\n", "cp1252", "Zürich ist schön"),
    "news.jsonl": (
        '{"text": "In Zürich.", "entities": [[3, 9, "LOC"]]}\n',
        "utf-16",
        "In Zürich.",
    ),
}


@pytest.mark.parametrize("name", ENCODED)
@pytest.mark.parametrize("form", ["--encoding={}", "--encoding {}"])
def test_the_kind_is_guessed_in_the_encoding_that_is_given(run, tmp_path, name, form):
    text, encoding, expected = ENCODED[name]
    (tmp_path / name).write_text(text, encoding=encoding)
    run(name, "out.spacy", code=2)
    run(name, "out.spacy", *form.format(encoding).split())
    assert " ".join(doc.text.strip() for doc in read(tmp_path / "out.spacy")) == expected
