"""A job in one process: formats, fields, errors, and how it goes on. test_processes.py has what
takes several."""

import json
import os
import threading
from collections.abc import Callable
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest
import spacy
from doc_blocks import ROOT, read_blocks
from spacy.tokens import Doc, DocBin, Span

from spacy_pretrained.bulk_annotation import job, run, stdin_copy, worker
from spacy_pretrained.bulk_annotation.options import Options
from spacy_pretrained.bulk_annotation.outputs import KEPT, JsonLines
from spacy_pretrained.corpora.conllu import read_conllu
from spacy_pretrained.records import from_record, to_record

ROWS = [{"id": i, "text": f"Ada sees river {i}. Yes!", "date": f"2026-01-{i:02}"} for i in range(9)]


@pytest.fixture
def expected(pipeline) -> list[dict]:
    return [to_record(doc) for doc in spacy.load(pipeline).pipe(row["text"] for row in ROWS)]


def read_docs(path: Path) -> list[Doc]:
    return list(DocBin().from_disk(path).get_docs(spacy.blank("en").vocab))


# Formats


def test_records_in_parts(annotate, write, read, tmp_path, expected):
    progress = annotate(write("t.jsonl", ROWS), shard=4)
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    parts = [f"part-00000{i}.jsonl" for i in range(3)]
    assert names == [".lock", "errors.jsonl", "job.json", *parts]
    assert [len(read(name)) for name in parts] == [4, 4, 1]
    assert read() == expected and read("errors.jsonl") == []
    assert (progress.texts, progress.found, progress.failed) == (9, 0, 0)
    assert progress.words == sum(len(record["tokens"]) for record in expected)
    assert progress.share == 1.0


def test_annotating_goes_on_while_a_part_is_written(annotate, write, read, monkeypatch):
    goes_on, write_part, encode = threading.Event(), job.write_part, JsonLines.encode
    waited = []

    def encode_and_tell(self, item, doc):
        if item.number == 4:
            goes_on.set()
        return encode(self, item, doc)

    def write_slowly(folder, number, *part):
        waited.append(goes_on.wait(20))
        write_part(folder, number, *part)

    monkeypatch.setattr(JsonLines, "encode", encode_and_tell)
    monkeypatch.setattr(job, "write_part", write_slowly)
    annotate(write("t.jsonl", ROWS), shard=4)
    assert waited == [True, True, True] and len(read()) == len(ROWS)


def test_fields_that_are_kept(annotate, write, read, expected):
    annotate(write("t.jsonl", ROWS), keep=("date", "id"), what=("ents",))
    for row, record, given in zip(read(), expected, ROWS, strict=True):
        assert list(row) == ["date", "id", "text", "ents", "truncated"]
        assert (row["id"], row["date"]) == (given["id"], given["date"])
        assert row["ents"] == record["ents"]


@pytest.mark.slow
def test_parquet(annotate, write, tmp_path, expected):
    pq = pytest.importorskip("pyarrow.parquet")
    rows = [*ROWS[:8], {"id": "eight", "text": "Bob", "date": None}]
    progress = annotate(write("t.jsonl", rows), shard=4, keep=("id", "date"), format="parquet")
    parts = sorted((tmp_path / "out").glob("*.parquet"))
    table = pq.read_table(parts)
    assert table.column_names[:3] == ["id", "date", "text"]
    rows = table.to_pylist()
    assert [row["id"] for row in rows] == list(range(8)) and progress.failed == 1
    back = [to_record(from_record(spacy.blank("en").vocab, row)) for row in rows]
    assert back == expected[:8]
    (error,) = (tmp_path / "out" / "errors.jsonl").read_text().splitlines()
    assert json.loads(error)["reason"].startswith("The field 'id' is 'eight', but the texts")
    # And of such a file again: the types are those of the file.
    annotate(
        *sorted((tmp_path / "out").glob("*.parquet")), out="two", keep=("id",), format="parquet"
    )
    again = pq.read_table(tmp_path / "two" / "part-000000.parquet")
    assert again["id"].to_pylist() == list(range(8))


def test_parts_are_read_as_the_page_says(annotate, write, tmp_path, monkeypatch):
    """The block of docs/annotate.md."""
    pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    annotate(write("t.jsonl", ROWS), shard=4, keep=("id",), format="parquet", out="annotated")
    monkeypatch.chdir(tmp_path)
    (block,) = (b for b in read_blocks(ROOT / "docs" / "annotate.md", "python") if b.mark)
    namespace: dict = {}
    exec(block.code, namespace)
    assert list(namespace["table"]["id"]) == list(range(9))


def test_docs(annotate, write, tmp_path, expected):
    annotate(write("t.jsonl", ROWS), format="spacy", keep=("id",))
    docs = read_docs(tmp_path / "out" / "part-000000.spacy")
    assert [to_record(doc) for doc in docs] == expected
    assert [doc.user_data[KEPT] for doc in docs] == [{"id": i} for i in range(9)]


LETTER = """\
# newdoc id = letter
Ada can't sleep.
It's Bob's.

We cannot go!
"""


def test_conllu_of_sentences(annotate, write, tmp_path):
    """The first step of a treebank of one's own."""
    annotate(write("t.txt", LETTER.splitlines()), format="conllu", sentences=True)
    path = tmp_path / "out" / "part-000000.conllu"
    letter, other = read_conllu(path, spacy.blank("en").vocab)
    assert [sentence.text for sentence in letter.sents] == ["Ada can't sleep.", "It's Bob's."]
    assert [(ent.text, ent.label_) for ent in letter.ents] == [("Ada", "PER")]
    assert other.text.strip() == "We cannot go!"
    text = path.read_text(encoding="utf8")
    assert "# newdoc id = letter" in text and "# newdoc id = doc2" in text
    rows = [line.split("\t") for line in text.splitlines()]
    assert all("SpaceAfter" not in r[-1] for r in rows if r[1:2] in (["ca"], ["n't"], ["'s"]))
    ranges = {row[1]: (row[0], row[-1]) for row in rows if "-" in row[0] and len(row) == 10}
    assert ranges == {
        "can't": ("2-3", "_"),
        "It's": ("1-2", "_"),
        "Bob's": ("3-4", "SpaceAfter=No"),
        "cannot": ("2-3", "_"),
    }


def test_conllu_of_texts(annotate, write, read, tmp_path):
    rows = [{"text": "Ada", "id": "a\nb"}, {"text": " ", "id": 1}, {"text": "Bob\tx", "id": 2}]
    progress = annotate(write("t.jsonl", rows), format="conllu", keep=("id",))
    text = (tmp_path / "out" / "part-000000.conllu").read_text(encoding="utf8")
    assert '# newdoc id = doc1\n# id = "a\\nb"\n# sent_id = doc1-1' in text
    assert len(list(read_conllu(tmp_path / "out" / "part-000000.conllu", spacy.blank("en").vocab)))
    assert (progress.texts, progress.skipped, progress.failed) == (2, 1, 0)
    (error,) = read("errors.jsonl")
    assert error["row"] == 2 and error["id"] == 1 and "no words" in error["reason"]


@pytest.mark.parametrize("form", ["jsonl", "conllu"])
def test_kept_fields_that_utf8_cannot_hold(annotate, write, tmp_path, form):
    """They harm nobody."""
    rows = ['{"text": "Ada", "id": "\\ud800"}', '{"text": "Bob", "id": "ü"}']
    progress = annotate(write("t.jsonl", rows), format=form, keep=("id",))
    assert (progress.texts, progress.failed) == (2, 0)
    text = (tmp_path / "out" / f"part-000000.{form}").read_text(encoding="utf8")
    assert '"\\ud800"' in text and "ü" in text


def test_kept_numbers_that_json_cannot_hold(annotate, read, tmp_path):
    """Also of texts that fail: a job that goes on reads them."""
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet

    numbers = [float("nan"), float("-inf"), 0.5]
    table = {"text": ["Ada", "RAISE", "Bob"], "n": numbers, "all": [numbers] * 3}
    pyarrow.parquet.write_table(pa.table(table), tmp_path / "t.parquet")
    for _ in range(2):
        annotate(tmp_path / "t.parquet", keep=("n", "all"))
        assert [row["n"] for row in read()] == [None, 0.5]
        (error,) = read("errors.jsonl")
        assert error["n"] is None and error["all"] == [None, None, 0.5]


def test_kept_numbers_above_64_bits(annotate, write, read):
    """Also of texts that fail: a job that goes on reads them."""
    rows = [{"id": 2**70, "text": "Ada"}, {"id": 2**70, "text": 5}]
    for _ in range(2):
        progress = annotate(write("t.jsonl", rows), keep=("id",))
        assert progress.failed == 1
        assert read()[0]["id"] == read("errors.jsonl")[0]["id"] == 2**70


def test_tokens_are_kept_and_annotation_is_not(annotate, tmp_path):
    nlp = spacy.blank("en")
    doc = Doc(nlp.vocab, words=["A", "da", "Bob"], spaces=[False, True, False])
    doc.set_ents([Span(doc, 2, 3, "LOC")])
    DocBin(docs=[doc]).to_disk(tmp_path / "t.spacy")
    annotate(tmp_path / "t.spacy", format="spacy", silver=True)
    (found,) = read_docs(tmp_path / "out" / "part-000000.spacy")
    assert [token.text_with_ws for token in found] == ["A", "da ", "Bob"]
    assert not found.ents and found.has_annotation("ENT_IOB")


# Silver data


def test_silver(annotate, write, tmp_path):
    texts = ["Ada sleeps. Bob reads 🙂.", "", "Ada"]
    annotate(write("t.txt", texts), format="spacy", silver=True)
    docs = {doc.text: doc for doc in read_docs(tmp_path / "out" / "part-000000.spacy")}
    assert set(docs) == {"Ada sleeps. Bob reads 🙂.", "Ada"}
    doc = docs["Ada sleeps. Bob reads 🙂."]
    assert [(ent.text, ent.label_) for ent in doc.ents] == [("Ada", "PER")]
    assert [sentence.text for sentence in doc.sents] == ["Ada sleeps.", "Bob reads 🙂."]
    assert not doc.has_annotation("DEP") and not doc.has_annotation("LEMMA")
    assert not doc.user_data


def test_probabilities_of_categories_are_left_out(annotate, write, tmp_path, tiny_bert):
    nlp = spacy.blank("en")
    nlp.add_pipe("zero_shot_textcat", config={"labels": ["sport", "law"]})
    nlp.config["initialize"]["components"]["zero_shot_textcat"] = {"source": tiny_bert}
    nlp.initialize()
    nlp.to_disk(tmp_path / "teacher")
    path = write("t.txt", ["Ada sleeps."])
    annotate(path, pipeline=str(tmp_path / "teacher"), format="spacy", silver=True)
    annotate(path, pipeline=str(tmp_path / "teacher"), format="spacy", out="all")
    (silver,) = read_docs(tmp_path / "out" / "part-000000.spacy")
    (whole,) = read_docs(tmp_path / "all" / "part-000000.spacy")
    assert not silver.cats and whole.cats


def test_what_is_excluded_is_missing(annotate, write, tmp_path):
    annotate(write("t.txt", ["Ada"]), format="spacy", silver=True, exclude=("entity_ruler",))
    (doc,) = read_docs(tmp_path / "out" / "part-000000.spacy")
    assert not doc.has_annotation("ENT_IOB") and doc.has_annotation("SENT_START")


def test_what_there_is_not_cannot_be_excluded(annotate, write):
    with pytest.raises(ValueError, match="no component 'ner' to --exclude"):
        annotate(write("t.txt", ["Ada"]), exclude=("ner",))


def test_so_many_are_drawn(annotate, write, read):
    path = write("t.txt", [f"Text {i}" for i in range(50)])
    shares = []
    for out in ("out", "again"):
        annotate(path, draw=7, shard=3, seed=1, out=out)
    annotate(path, draw=7, shard=3, seed=2, out="other")
    found = [[row["text"] for row in read(out=out)] for out in ("out", "again", "other")]
    assert found[0] == found[1] != found[2]
    assert len(set(found[0])) == 7 and found[0] == sorted(found[0], key=lambda t: int(t[5:]))
    assert shares == sorted(shares)


# Errors


BAD = [
    {"id": 0, "text": "Ada"},
    {"id": 1, "text": "RAISE"},
    {"id": 2, "text": "\ud800"},
    {"id": 3, "text": None},
    {"id": 4, "text": "x" * 50},
    {"id": 5, "text": "Bob"},
]


def test_texts_that_fail_are_listed(annotate, write, read):
    path = write("t.jsonl", BAD)
    progress = annotate(path, keep=("id",), max_characters=40, shard=4)
    assert [row["id"] for row in read()] == [0, 5]
    errors = read("errors.jsonl")
    assert [(row["id"], row["number"], row["row"]) for row in errors] == [
        (i, i, i + 1) for i in range(1, 5)
    ]
    assert {row["source"] for row in errors} == {str(path)}
    assert {row["status"] for row in errors} == {"failed"}
    assert (progress.texts, progress.skipped, progress.failed) == (2, 0, 4)


@pytest.mark.parametrize("on_long", ["skip", "cut"])
def test_long_texts(annotate, write, read, on_long):
    path = write("t.txt", ["Ada", "Ada sees the river", "Bob"])
    progress = annotate(path, max_characters=10, on_long=on_long)
    assert progress.failed == 0
    texts = {row["text"]: row["truncated"] for row in read()}
    if on_long == "cut":
        assert texts == {"Ada": False, "Ada sees": True, "Bob": False}
        assert read("errors.jsonl") == []
    else:
        assert texts == {"Ada": False, "Bob": False} and progress.skipped == 1
        assert read("errors.jsonl")[0]["status"] == "skipped"


# Going on


@pytest.mark.slow
def test_it_goes_on_where_it_was(annotate, write, read, tmp_path, expected):
    rows = [*ROWS[:3], {"id": 99, "text": "RAISE", "date": ""}, *ROWS[3:]]
    path = write("t.jsonl", rows)
    annotate(path, shard=2)
    out = tmp_path / "out"
    first, times = read(), {p.name: p.stat().st_mtime_ns for p in out.iterdir()}
    for lost in ("part-000001.jsonl", "part-000003.jsonl", "errors.jsonl"):
        (out / lost).unlink()
    (out / ".part-000003.jsonl.4711.tmp").write_text("half a li")
    # A part without its errors is what is not left of a killed process, but errors without it are.
    progress = annotate(path, shard=2)
    assert read() == first == expected
    assert (progress.found, progress.texts, progress.failed) == (6, 3, 1)
    assert [row["number"] for row in read("errors.jsonl")] == [3]
    assert not list(out.glob("*.tmp")) and not list(out.glob(".*.tmp"))
    assert (out / "part-000000.jsonl").stat().st_mtime_ns == times["part-000000.jsonl"]
    again = annotate(path, shard=2)
    assert (again.found, again.texts, again.failed) == (9, 0, 1)


def test_errors_of_a_part_that_is_written_anew_go(annotate, write, read, tmp_path):
    path = write("t.txt", ["Ada"])
    annotate(path)
    out = tmp_path / "out"
    (out / "part-000000.errors.jsonl").write_text('{"status": "failed"}\n')
    (out / "part-000000.jsonl").unlink()
    assert annotate(path).failed == 0 and read("errors.jsonl") == []


def test_another_job_is_refused(annotate, write, tmp_path, pipeline):
    path = write("t.jsonl", ROWS)
    annotate(path, keep=("id",))
    with pytest.raises(ValueError, match="another job: --keep was id, and is id,date; --shard was"):
        annotate(path, keep=("id", "date"), shard=5)
    with pytest.raises(ValueError, match=r"the inputs were .*t.jsonl, and are .*u.jsonl"):
        annotate(write("u.jsonl", ROWS), keep=("id",))
    write("t.jsonl", ROWS[1:])
    with pytest.raises(ValueError, match=r"the input .*t.jsonl has changed"):
        annotate(path, keep=("id",))
    write("t.jsonl", ROWS)
    nlp = spacy.load(pipeline)
    nlp.meta["version"] = "2.0"
    nlp.to_disk(tmp_path / "other")
    with pytest.raises(ValueError, match=r"the pipeline was .*obedient \(0.0.0\), and is .*other"):
        annotate(path, keep=("id",), pipeline=str(tmp_path / "other"))
    annotate(path, keep=("id",))  # which is still what it was


def test_code_that_has_changed(annotate, write, code, tmp_path):
    """A job that was begun before digests of code were there goes on."""
    path, mine = write("t.txt", ["Ada"]), tmp_path / "mine.py"
    mine.write_text(Path(code).read_text())
    annotate(path, code=str(mine))
    mine.write_text(mine.read_text() + "# mended\n")
    with pytest.raises(ValueError, match=r"another job: the code .*mine.py has changed\."):
        annotate(path, code=str(mine))
    described = tmp_path / "out" / "job.json"
    old = json.loads(described.read_text())
    del old["code"]
    described.write_text(json.dumps(old))
    assert annotate(path, code=str(mine)).found == 1


def test_a_job_of_any_number_and_file_name(annotate, write, tmp_path):
    path = tmp_path / os.fsdecode(b"\xff.txt")
    try:
        write(path.name, ["Ada"])
    except OSError:
        pytest.skip("this file system has names in UTF-8 alone")
    for _ in range(2):
        annotate(path, draw=1, seed=2**70)


def test_folders_that_are_no_job(annotate, write, tmp_path):
    path = write("t.txt", ["Ada"])
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "part-000000.jsonl").write_text("{}")
    with pytest.raises(ValueError, match=r"files such as 'part-000000.jsonl', but no job.json"):
        annotate(path)
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "job.json").write_text("[]")
    with pytest.raises(ValueError, match=r"job.json' cannot be read"):
        annotate(path, out="two")


def test_without_a_job_to_go_on_with(annotate, write, read, tmp_path):
    path = write("t.txt", ["Ada", "Bob"])
    annotate(path, resume=False)
    assert len(read()) == 2 and not (tmp_path / "out" / "job.json").exists()
    with pytest.raises(ValueError, match="Give an empty folder"):
        annotate(path, resume=False)


def test_parts_of_another_job_are_not_those_of_one_that_has_none(annotate, write, tmp_path):
    """Which was stopped before its first part."""
    path = write("t.txt", ["Ada"])
    annotate(path)
    (tmp_path / "out" / "part-000000.jsonl").unlink()
    annotate(write("u.txt", ["Bob"]), resume=False)
    with pytest.raises(ValueError, match=r"but no job\.json"):
        annotate(path)


@pytest.fixture
def annotate_stdin(annotate, monkeypatch) -> Callable:
    def annotate_stdin(content: bytes | None) -> run.Progress:
        stdin = None if content is None else TextIOWrapper(BytesIO(content))
        monkeypatch.setattr(run.sys, "stdin", stdin)
        monkeypatch.setattr(stdin_copy, "BLOCK", 5)
        return annotate("-", stdin="txt")

    return annotate_stdin


@pytest.mark.parametrize("again", [b"Ada\nBob\n", b"", None], ids=["same", "none", "closed"])
def test_standard_input_that_goes_on(annotate_stdin, read, again):
    annotate_stdin(b"Ada\nBob\n")
    assert annotate_stdin(again).found == len(read()) == 2


@pytest.mark.parametrize(
    "other", ["Ada\nEve\n", "Eve\nBob\n", "Ada\n", "Ada\nB", "Ada\nBob\nEve\n"]
)
def test_another_standard_input_is_refused(annotate_stdin, other):
    annotate_stdin(b"Ada\nBob\n")
    with pytest.raises(ValueError, match=r"not what it was when .*, or none \(< /dev/null\)"):
        annotate_stdin(other.encode())


def test_standard_input_of_nothing_is_no_job(annotate_stdin):
    with pytest.raises(ValueError, match="There are no texts in the standard input"):
        annotate_stdin(b"")
    assert annotate_stdin(b"Ada\n").texts == 1


def test_a_terminal_is_not_waited_for(tmp_path):
    class Terminal(BytesIO):
        def isatty(self):
            return True

        def read(self, size=-1):
            pytest.fail("it waits")

    (tmp_path / "stdin.txt").write_text("Ada\n")
    stdin_copy.copy_or_compare(Terminal(), tmp_path / "stdin.txt")


def test_two_at_a_time(annotate, write, tmp_path):
    pytest.importorskip("fcntl")
    with (
        job.claim(tmp_path / "out"),
        pytest.raises(ValueError, match="Another process is at work"),
    ):
        annotate(write("t.txt", ["Ada"]))
    annotate(write("t.txt", ["Ada"]))


# Bad arguments


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"keep": ("text",)}, "'text' cannot be kept, because records have"),
        ({"keep": ("tokens",)}, "'tokens' cannot be kept"),
        ({"what": ("words",)}, "no part 'words'"),
        ({"silver": True, "format": "jsonl"}, "--silver writes .spacy files, and no .jsonl"),
    ],
)
def test_options_that_do_not_go(options, message):
    with pytest.raises(ValueError, match=message):
        Options(**options)


def test_nothing_to_do(annotate, write, tmp_path):
    with pytest.raises(ValueError, match="There are no texts in"):
        annotate(write("t.txt", ["", " "]))
    with pytest.raises(ValueError, match="no pipeline 'nowhere'"):
        annotate(write("t.txt", ["Ada"]), pipeline="nowhere")
    with pytest.raises(ValueError, match="can be given only once"):
        annotate("-", "-")


def test_a_disk_that_is_full(annotate, write, monkeypatch):
    def write_part(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(job, "write_part", write_part)
    with pytest.raises(ValueError, match=r"cannot be written to .*No space left.* the same"):
        annotate(write("t.txt", ["Ada"]))


def test_a_format_that_fails_on_one_text(annotate, write, read, monkeypatch):
    """The others come out, and its error says which one it was."""
    encode = JsonLines.encode

    def encode_or_fail(self, item, doc):
        if "river" in doc.text:
            raise RuntimeError("as nobody foresaw")
        return encode(self, item, doc)

    monkeypatch.setattr(JsonLines, "encode", encode_or_fail)
    progress = annotate(write("t.txt", ["Ada", "A river.", "Bob"]))
    assert [row["text"] for row in read()] == ["Ada", "Bob"]
    (error,) = read("errors.jsonl")
    assert (error["number"], error["status"]) == (1, "failed")
    assert error["reason"] == "RuntimeError: as nobody foresaw"
    assert (progress.texts, progress.words, progress.failed) == (2, 2, 1)


def test_zones_of_memory(annotate, write, read, monkeypatch):
    """What one stream brought is let go, and the next knows its own words."""
    monkeypatch.setattr(worker, "ZONE_SHARDS", 2)
    texts = [f"Ada sees word{i} word{i % 3}" for i in range(40)]
    annotate(write("t.txt", texts), shard=3)
    assert [row["text"] for row in read()] == texts
    assert all(row["ents"][0]["label"] == "PER" for row in read())
