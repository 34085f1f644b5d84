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
    "Label Studio, other tags": task(
        {"result": [in_studio(*span, kind="hypertextlabels") for span in SPANS]}
    ),
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


# The key of the entities


def test_json_min_has_the_name_of_the_control(read):
    """And no such key where a text has no entities."""
    mine = {"text": TEXT, "ner": [r["value"] for r in RESULT], "id": 1, "annotation_id": 1}
    none = {"text": "None here", "id": 2, "annotation_id": 2}
    assert [entities(doc) for doc in read(none, mine)] == [[], FOUND]
    assert [entities(doc) for doc in read(mine | {"label": "sport"})] == [FOUND]
    assert [entities(doc) for doc in read(mine | {"label": []})] == [FOUND]


@pytest.mark.parametrize(
    ("record", "spans"),
    [
        ({"text": TEXT, "ner": [r["value"] for r in RESULT], "annotation_id": 1}, "nre"),
        ({"text": TEXT, "spans": [named(*span) for span in SPANS], "answer": "accept"}, "span"),
        ({"text": TEXT, "tokens": [named(2, 5, None, id=0)], "answer": "accept"}, None),
        ({"text": TEXT, "sentiment": "positive", "annotation_id": 1}, None),
    ],
)
def test_a_key_that_no_record_has(read, record, spans):
    asked = spans or "spans, entities, label, labels"
    keys = ", ".join(record)
    for as_list in (False, True):
        message = f"export.jsonl: there are no entities under {asked}; the keys are {keys}. Name"
        with pytest.raises(ValueError, match=message):
            read(record, record, as_list=as_list, spans=spans)


def test_texts_that_have_no_entities(read):
    """It is enough that the key is somewhere."""
    accepted = {"text": "None here", "answer": "accept"}
    for other in ({"spans": []}, {"spans": [], "answer": "reject"}, {"spans": [], "text": ""}):
        docs = read(accepted, accepted | other)
        assert docs and not any(doc.ents for doc in docs)
        assert all(doc.has_annotation("ENT_IOB") for doc in docs)
    assert not read({"text": "None here", "label": [], "annotation_id": 1})[0].ents


def test_two_keys_with_entities(read):
    record = {"text": TEXT, "ner": [named(*SPANS[0])], "pos": [named(*SPANS[1])], "id": 1}
    message = "line 1: there are entities under several keys, ner, pos"
    with pytest.raises(ValueError, match=message):
        read(record)
    one, other = ({k: v for k, v in record.items() if k != name} for name in ("ner", "pos"))
    with pytest.raises(ValueError, match=r"line 2: .* keys, pos, ner"):
        read(one, other)
    assert entities(*read(record, spans="pos")) == FOUND[1:]
    two_tools = {"text": TEXT, "label": record["ner"]}, {"text": TEXT, "spans": record["pos"]}
    assert [entities(doc) for doc in read(*two_tools)] == [FOUND[:1], FOUND[1:]]


# What a part of the text has


def test_other_annotation_of_a_part_of_the_text_is_no_entity(read):
    region = {"start": 2, "end": 14, "text": TEXT[2:14]}
    others = [
        {"id": "x", "type": "choices", "value": {**region, "choices": ["alive"]}},
        {"id": "x", "type": "textarea", "value": {**region, "text": ["Countess"]}},
        {"id": "x", "type": "rating", "value": {**region, "rating": 4}},
        {"id": "x", "type": "taxonomy", "value": {**region, "taxonomy": [["a", "b"]]}},
    ]
    report = ExportReport()
    (doc,) = read(task({"result": [*others, *RESULT]}), report=report)
    assert entities(doc) == FOUND
    assert (report.entities, report.other_annotations) == (2, 4)


TITLE = "Ulm wins"


def in_title(name="title", control="label"):
    value = {"start": 0, "end": 3, "text": "Ulm", "labels": ["LOC"]}
    return {"value": value, "from_name": control, "to_name": name, "type": "labels"}


def test_regions_of_another_text_are_not_entities_of_this_one(read):
    record = task({"result": [*RESULT, in_title()]})
    record["data"]["title"] = TITLE
    report = ExportReport()
    assert entities(*read(record, report=report)) == FOUND
    assert (report.entities, report.other_annotations) == (2, 1)
    report = ExportReport()
    assert entities(*read(record, report=report, text="title")) == [("Ulm", "LOC")]
    assert (report.entities, report.other_annotations) == (1, 2)


def test_a_text_need_not_have_the_name_of_its_key(read):
    record = task({"result": RESULT})
    record["data"] = {"body": TEXT, "text": TITLE}
    assert entities(*read(record, text="body")) == FOUND
    record["annotations"][0]["result"] = [*RESULT, in_title("t2", "label 2")]
    with pytest.raises(ValueError, match=r"line 1: .* several texts, text, t2.*--spans"):
        read(record, text="body")
    assert entities(*read(record, text="body", spans="label")) == FOUND


def test_the_control_of_a_full_export_is_chosen(read):
    first, last = RESULT
    record = task({"result": [first, last | {"from_name": "places"}]})
    report = ExportReport()
    assert entities(*read(record, spans="places", report=report)) == FOUND[1:]
    assert (report.entities, report.other_annotations) == (1, 1)
    assert entities(*read(record)) == FOUND
    with pytest.raises(ValueError, match="no entities under ner; the keys are label, places"):
        read(record, spans="ner")


def test_other_controls_of_json_min_are_counted(read):
    others = [{"start": 2, "end": 5, "text": "Ada", "choices": ["alive"]}]
    record = EXPORTS["Label Studio, JSON-MIN"] | {"state": others, "ner": [named(*SPANS[0])]}
    for tool, n in ((record, 2), (EXPORTS["Prodigy"] | {"label": None}, 0)):
        report = ExportReport()
        spans = "label" if n else "spans"
        assert entities(*read(tool, spans=spans, report=report)) == FOUND
        assert report.other_annotations == n


WRAPPED = "🙂 Ada\nLovelace  saw Ulm."


@pytest.mark.parametrize("shift", [0, 1])  # 1: as a browser counts
@pytest.mark.parametrize("said", ["Ada\nLovelace", "Ada\\nLovelace", "Ada Lovelace", "AdaLovelace"])
def test_an_entity_over_white_space(read, said, shift):
    value = {"start": 2 + shift, "end": 14 + shift, "text": said, "labels": ["PER"]}
    (doc,) = read(task({"result": [{"type": "labels", "value": value}]}, text=WRAPPED))
    assert entities(doc) == [("Ada\nLovelace", "PER")]


@pytest.mark.parametrize("said", ["Ada Byron", "Ada\\nLovelaces", "\\n"])
def test_an_entity_that_the_text_has_not(read, said):
    value = {"start": 2, "end": 14, "text": said, "labels": ["PER"]}
    with pytest.raises(ValueError, match="by its export"):
        read(task({"result": [{"type": "labels", "value": value}]}, text=WRAPPED))


def test_the_same_text_is_looked_for_first(read):
    """Without white space, " a" is the same as "a "."""
    value = {"start": 3, "end": 5, "text": "a ", "labels": ["X"]}
    (doc,) = read(task({"result": [{"type": "labels", "value": value}]}, text="🙂 a a"))
    assert [ent.start_char for ent in doc.ents] == [2]


@pytest.mark.parametrize("encoding", ["hex", "base64", "nothing"])
def test_what_is_no_encoding_of_text(tmp_path, encoding):
    (path := tmp_path / "a.jsonl").write_text("{}")
    with pytest.raises(ValueError, match=f"no encoding '{encoding}'"):
        list(read_export(path, spacy.blank("xx"), encoding=encoding))
