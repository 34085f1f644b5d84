"""exports.py: what doccano, Label Studio and Prodigy export."""

import json
import re

import pytest
import spacy

from spacy_pretrained.corpora.exports import ExportReport, read_export

TEXT = "🙂 Ada Lovelace saw Ulm."
SPANS = [(2, 14, "PER"), (19, 22, "LOC")]
FOUND = [("Ada Lovelace", "PER"), ("Ulm", "LOC")]


def named(start, end, label, **more):
    return {"start": start, "end": end, "label": label, **more}


def in_studio(start, end, label, kind="labels", shift=0):
    value = {"start": start + shift, "end": end + shift, "text": TEXT[start:end], kind: [label]}
    return {"value": value, "from_name": "label", "to_name": "text", "type": kind, "id": "x"}


def task(*annotations, text=TEXT):
    return {"id": 1, "data": {"text": text, "n": 3}, "annotations": list(annotations)}


RESULT = [in_studio(*span) for span in SPANS]
EXPORTS = {
    "doccano": {"id": 1, "text": TEXT, "label": [list(span) for span in SPANS], "Comments": []},
    "doccano, old": {"id": 1, "text": TEXT, "labels": [list(span) for span in SPANS]},
    "doccano with relations": {
        "text": TEXT,
        "entities": [
            {"id": i, "label": label, "start_offset": start, "end_offset": end}
            for i, (start, end, label) in enumerate(SPANS)
        ],
        "relations": [{"id": 0, "from_id": 0, "to_id": 1, "type": "saw"}],
    },
    "Prodigy": {
        "text": TEXT,
        "_input_hash": 1,
        "tokens": [{"text": "Ada", "start": 2, "end": 5, "id": 0}],
        "spans": [named(*span, token_start=1) for span in SPANS],
        "answer": "accept",
    },
    "Label Studio": task({"was_cancelled": False, "result": RESULT}),
    # A browser counts the emoji twice.
    "Label Studio, UTF-16": task({"result": [in_studio(*span, shift=1) for span in SPANS]}),
    "Label Studio, other tags": task({"result": [in_studio(*s, kind="ner") for s in SPANS]}),
    "Label Studio, JSON-MIN": {"text": TEXT, "label": [r["value"] for r in RESULT], "id": 1},
}


@pytest.fixture
def read(tmp_path):
    nlp = spacy.blank("xx")

    def read(*records, as_list=False, report=None, **settings):
        path = tmp_path / "export.jsonl"
        lines = [json.dumps(record, ensure_ascii=False) for record in records]
        content = f"[{', '.join(lines)}]" if as_list else "\n".join(lines)
        path.write_text(content, "utf8")
        return list(read_export(path, nlp, report=report, **settings))

    return read


def entities(doc):
    return [(ent.text, ent.label_) for ent in doc.ents]


@pytest.mark.parametrize("as_list", [False, True])
@pytest.mark.parametrize("tool", EXPORTS)
def test_entities_of_each_tool(read, tool, as_list):
    (doc,) = read(EXPORTS[tool], as_list=as_list)
    assert doc.text == TEXT and entities(doc) == FOUND
    assert all(token.ent_iob for token in doc)


def test_the_order_of_spans_says_nothing(read):
    (doc,) = read({"text": TEXT, "label": [list(span) for span in reversed(SPANS)]})
    assert entities(doc) == FOUND


def test_what_is_left_out_is_counted(read):
    report = ExportReport()
    choice = {"type": "choices", "value": {"choices": ["sport"]}}
    docs = read(
        EXPORTS["Prodigy"] | {"answer": "reject"},
        EXPORTS["Prodigy"] | {"answer": "ignore"},
        {"text": "None here", "answer": "accept"},
        {"text": " ", "label": []},
        {"text": None, "label": []},
        {"text": "nobody looked", "label": None},
        task(),
        task({"was_cancelled": True, "result": RESULT}),
        task({"result": [*RESULT, choice, {"type": "relation", "from_id": "x"}]}),
        report=report,
    )
    assert [entities(doc) for doc in docs] == [[], FOUND]
    assert (report.rejected_documents, report.empty_documents) == (2, 2)
    assert (report.unannotated_documents, report.other_annotations) == (3, 2)
    assert (report.documents, report.entities) == (2, 2)


@pytest.mark.parametrize("has_truth", [False, True])
def test_one_of_several_annotations_is_taken(read, has_truth):
    report = ExportReport()
    first, last = {"result": RESULT, "ground_truth": has_truth}, {"result": RESULT[:1]}
    (doc,) = read(task(first, last), report=report)
    assert entities(doc) == FOUND[: 2 if has_truth else 1]
    assert report.twice_annotated_documents == 1


def test_repairs(read):
    report = ExportReport()
    spans = [named(1, 15, "PER"), named(2, 14, "PER"), named(1, 2, "X"), named(19, 21, "LOC")]
    (doc,) = read({"text": TEXT, "spans": spans}, report=report)
    assert entities(doc) == FOUND[:1] and [t.text for t in doc if not t.ent_iob] == ["Ulm"]
    assert (report.trimmed_spans, report.repeated_spans, report.blank_spans) == (1, 1, 1)
    assert report.misaligned_spans == 1


def test_other_names(read):
    record = {"id": 1, "body": TEXT, "ner": [named(*span) for span in SPANS], "label": "x"}
    assert entities(*read(record, text="body", spans="ner")) == FOUND
    assert (
        entities(*read({"data": {"body": TEXT}, "annotations": [{"result": RESULT}]}, text="body"))
        == FOUND
    )


def test_all_faults_are_told_at_once(read, tmp_path):
    fine = EXPORTS["doccano"]
    records = {
        1: ({"body": "a", "label": []}, "no text under 'text'; the keys are body, label"),
        2: ({"text": "a", "x": []}, "no entities under spans, entities, label, labels"),
        4: ({"text": "a", "label": "x"}, "an entity under 'label' is 'x'"),
        5: ({"text": "a", "label": [[0, 1]]}, r"is \[0, 1\]"),
        6: ({"text": TEXT, "label": [[2, 99, "X"]]}, "not inside of the text, which has 23"),
        7: ({"text": TEXT, "label": [[2, 9, "X"], [5, 14, "X"]]}, "overlaps"),
        8: (task({"result": [in_studio(2, 5, "X", shift=3)]}), "by its export"),
        9: ([1], "has to be an object"),
    }
    given = [records[n][0] if n in records else fine for n in range(1, 10)]
    for as_list, at in ((False, "line"), (True, "record")):
        with pytest.raises(ValueError, match="no text under") as error:
            read(*given, as_list=as_list)
        lines = str(error.value).split("\n")
        assert len(lines) == len(records)
        for number, (_, message) in records.items():
            assert any(f"export.jsonl, {at} {number}: " in line for line in lines)
            assert any(re.search(message, line) for line in lines), message


def test_no_records(read, tmp_path):
    with pytest.raises(ValueError, match="has no texts"):
        read()
    path = tmp_path / "export.jsonl"
    for content, message in (
        ('{"a": \n', "line 1: no JSON"),
        ('[{"a": 1},\n{]', "line 2: no JSON"),
    ):
        path.write_text(content, "utf8")
        with pytest.raises(ValueError, match=message):
            list(read_export(path, spacy.blank("xx")))


def test_half_of_an_emoji_is_told_with_its_line(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "Hi \\ud83d", "spans": [], "answer": "accept"}\n')
    with pytest.raises(ValueError, match=r"a\.jsonl, line 1: character 3 .* surrogate pair"):
        list(read_export(path, spacy.blank("xx")))


@pytest.mark.parametrize("nothing", [None, []])
def test_the_key_that_holds_something_is_read(read, nothing):
    (doc,) = read({"text": TEXT, "spans": nothing, "label": [list(span) for span in SPANS]})
    assert entities(doc) == FOUND


@pytest.mark.parametrize("encoding", ["hex", "base64", "nothing"])
def test_what_is_no_encoding_of_text(tmp_path, encoding):
    (path := tmp_path / "a.jsonl").write_text("{}")
    with pytest.raises(ValueError, match=f"no encoding '{encoding}'"):
        list(read_export(path, spacy.blank("xx"), encoding=encoding))
