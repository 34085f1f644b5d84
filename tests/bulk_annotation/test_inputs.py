"""inputs.py: texts of all formats, with the fields that are kept; what is broken is an error of its
own row."""

import gzip
import json
import pickle

import pytest
import spacy
from hard_texts import HARD_TEXTS
from spacy.tokens import DocBin
from tiny_pipelines import make_reference

from spacy_pretrained.bulk_annotation.inputs import Reading, check_input, read_items
from spacy_pretrained.corpora.conllu import write_conllu

TEXTS = [text for text in HARD_TEXTS if text.strip() and "\n" not in text and "\r" not in text]
KEEP = Reading(keep=("id",))


def texts_of(path, reading=Reading()) -> list[str]:  # noqa: B008
    check_input(path, reading)
    return [item.text for item in read_items(path, reading)]


@pytest.mark.parametrize("end", ["", ".gz"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_lines(tmp_path, end, bom):
    open_ = gzip.open if end else open
    lines = {"t.txt": TEXTS, "t.jsonl": [json.dumps({"text": text}) for text in TEXTS]}
    for name, rows in lines.items():
        path = tmp_path / f"{name}{end}"
        with open_(path, "wb") as file:
            file.write((bom + "\n\n".join(rows)).encode("utf8"))
        assert texts_of(path) == TEXTS
        rows = [item.row for item in read_items(path, Reading())]
        assert rows == list(range(1, 2 * len(TEXTS), 2))


def test_tables_and_fields(tmp_path):
    path = tmp_path / "t.csv"
    long = "x" * 200_000  # Python's own limit is less
    path.write_text(f'id,text,date\n1,"Ada, yes",now\n2,{long},\n', encoding="utf8")
    items = list(read_items(path, Reading(keep=("date", "id"))))
    assert [item.text for item in items] == ["Ada, yes", long]
    assert [item.kept for item in items] == [{"date": "now", "id": "1"}, {"date": "", "id": "2"}]
    assert [item.text for item in read_items(path, Reading(text_field="date"))] == ["now", ""]


def test_rows_of_json(write):
    rows = [{"text": "Ada", "id": 1}, "no JSON", {"text": 5, "id": 2}, {"id": 3}, "[1]", "NaN"]
    path = write("t.jsonl", [*rows, '{"text": NaN}', '{"text": "\\ud800", "id": null}'])
    items = list(read_items(path, KEEP))
    assert [item.row for item in items] == list(range(1, 9))
    errors = [item.error for item in items]
    assert not errors[0] and not errors[7]
    assert errors[1].startswith("The line is not a JSON object: Expecting value")
    assert errors[2] == "The field 'text' has to be a string, but it is 5."
    assert errors[3] == "The field 'text' has to be a string, but it is None."
    assert errors[4] == "The line is not a JSON object: list." and "NaN" in errors[6]
    assert [items[i].kept for i in (0, 2, 3, 7)] == [{"id": i} for i in (1, 2, 3, None)]
    assert items[7].text == "\ud800"


@pytest.mark.parametrize(("start", "end"), ["[]", ('{"a":', "}")])
def test_fields_of_many_levels(write, start, end):
    """Those that Python pickles are kept, and others are an error of their row."""
    rows = [f'{{"text": "Ada", "id": {start * n}1{end * n}}}' for n in (40, 41, 500, 900)]
    first, *others = read_items(write("t.jsonl", rows), KEEP)
    assert json.dumps(first.kept["id"], separators=(",", ":")) == f"{start * 40}1{end * 40}"
    assert not first.error and pickle.dumps(first)
    for item in others:
        assert item.error.startswith("The field 'id' has more than 40 lists or objects")
        assert item.kept == {"id": None}


@pytest.mark.parametrize(("row", "how"), [("Bob, too,2", "more"), ("Bob", "fewer")])
def test_rows_of_too_many_or_too_few_fields(write, row, how):
    path = write("t.csv", ["text,id", "Ada,1", row, "Eve,3"])
    items = list(read_items(path, KEEP))
    assert [(item.row, item.text) for item in items] == [(1, "Ada"), (2, ""), (3, "Eve")]
    assert f"t.csv, line 3: a row has {how} fields than the 2 columns" in items[1].error
    assert not items[0].error and not items[2].error


def test_a_table_that_cannot_be_read_on(write):
    """Nobody knows where the next row begins."""
    rows = read_items(write("t.csv", ["text", "Ada", '"Bob" too', "Eve"]), Reading())
    assert next(rows).text == "Ada"
    with pytest.raises(
        ValueError, match=r"t\.csv, line 3: the row that begins here cannot be read"
    ):
        next(rows)


def test_parquet(tmp_path):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet

    table = pa.table({"id": range(3), "text": ["Ada", None, "Bob"], "more": ["x"] * 3})
    pyarrow.parquet.write_table(table, tmp_path / "t.parquet")
    items = list(read_items(tmp_path / "t.parquet", KEEP))
    assert [(item.text, item.kept["id"]) for item in items] == [("Ada", 0), ("", 1), ("Bob", 2)]
    assert "but it is None" in items[1].error


def test_tokens_are_kept(tmp_path):
    vocab = spacy.blank("xx").vocab
    docs = [make_reference(vocab, numbers) for numbers in ([0, 1], [2])]
    DocBin(docs=docs).to_disk(tmp_path / "t.spacy")
    with (tmp_path / "t.conllu").open("w", encoding="utf8") as file:
        write_conllu(docs, file)
    for name in ("t.spacy", "t.conllu"):
        items = list(read_items(tmp_path / name, Reading()))
        assert [item.words for item in items] == [[t.text for t in doc] for doc in docs]
        assert [item.spaces for item in items] == [[bool(t.whitespace_) for t in d] for d in docs]


def test_whole_files_and_sentences(tmp_path):
    path = tmp_path / "t.txt"
    path.write_bytes(b"# newdoc id = letter\nAda sleeps.\nYes.\n\n\nBob\n")
    assert texts_of(path, Reading(whole=True)) == [path.read_bytes().decode()]
    items = list(read_items(path, Reading(sentences=True)))
    assert [(item.name, item.row) for item in items] == [("letter", 2), ("", 6)]
    assert [item.sentences for item in items] == [["Ada sleeps.", "Yes."], ["Bob"]]


def test_what_is_no_utf8(tmp_path):
    path = tmp_path / "t.txt"
    path.write_bytes(b"Ada\n\xff\xfe\nBob\n")
    items = list(read_items(path, Reading()))
    assert [item.text for item in items] == ["Ada", "", "Bob"]
    assert "t.txt, line 2: not UTF-8" in items[1].error
    (whole,) = read_items(path, Reading(whole=True))
    assert "not UTF-8" in whole.error
    (document,) = read_items(path, Reading(sentences=True))
    assert "line 2: not UTF-8" in document.error


def test_long_texts_are_cut_for_training(write, tmp_path):
    path = write("t.txt", ["word " * 500])
    parts = texts_of(path, Reading(silver=True))
    assert len(parts) > 1 and " ".join(parts) == ("word " * 500).strip()
    assert len(texts_of(path)) == 1


@pytest.mark.parametrize(
    ("name", "reading", "message"),
    [
        ("none.txt", Reading(), "There is no file"),
        ("t.pdf", Reading(), "of an unknown format. Texts are read from .jsonl, .txt"),
        ("t.txt", KEEP, "has no fields beside its texts, so 'id' cannot be kept"),
    ],
)
def test_bad_inputs(write, tmp_path, name, reading, message):
    for exists in ("t.txt", "t.pdf"):
        write(exists, ["Ada"])
    with pytest.raises(ValueError, match=message):
        check_input(tmp_path / name, reading)


@pytest.mark.parametrize("name", ["t.jsonl", "t.csv"])
def test_a_field_that_is_not_there(write, name):
    path = write(name, [{"text": "Ada", "date": 1}] if name == "t.jsonl" else ["text,date", "a,b"])
    with pytest.raises(ValueError, match="there is no field 'id'"):
        list(read_items(path, KEEP))


WHOLE = gzip.compress(b"Ada")


@pytest.mark.parametrize(
    "content",
    [WHOLE[:-9], WHOLE[:-8] + bytes(8), WHOLE[:10] + b"\xff" * 20, b"Ada"],
    ids=["cut short", "checksum", "content", "no gzip"],
)
def test_damaged_files_of_one_text(tmp_path, content):
    (tmp_path / "t.txt.gz").write_bytes(content)
    (item,) = read_items(tmp_path / "t.txt.gz", Reading(whole=True))
    assert "t.txt.gz' cannot be read: " in item.error


def test_damaged_files(tmp_path):
    (tmp_path / "t.txt.gz").write_bytes(gzip.compress(b"Ada\n" * 1000)[:-20])
    with pytest.raises(ValueError, match="cannot be uncompressed"):
        texts_of(tmp_path / "t.txt.gz")
    pytest.importorskip("pyarrow")
    (tmp_path / "t.parquet").write_bytes(b"PAR1")
    with pytest.raises(ValueError, match="cannot be"):
        texts_of(tmp_path / "t.parquet")
