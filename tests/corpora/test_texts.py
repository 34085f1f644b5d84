"""texts.py: rows of texts and labels to Docs with categories."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import spacy
from spacy.tokens import DocBin

from spacy_pretrained.corpora.convert import convert_texts
from spacy_pretrained.corpora.texts import read_texts


@pytest.fixture
def datasets(monkeypatch, tmp_path):
    """The library, that writes to a folder of the test and asks no hub."""
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    datasets.disable_progress_bars()
    return datasets


@pytest.fixture
def convert(tmp_path):
    """Gives the texts, and the categories of each."""
    output = tmp_path / "out" / "train.spacy"

    def run(source, **options):
        run.report = convert_texts(source, output, **options)
        docs = DocBin().from_disk(output).get_docs(spacy.blank("xx").vocab)
        return [(doc.text, doc.cats) for doc in docs]

    return run


def write(path: Path, content: str) -> Path:
    path.write_text(content, encoding="utf8")
    return path


def test_csv_with_a_header(convert, tmp_path):
    content = 'review,stars,id\n"Good, really.",1.0,x\nNA,NA,y\n No label ,,z\n,2,z\n'
    found = convert(write(tmp_path / "a.csv", content), text=["review"], label="stars")
    assert found == [
        ("Good, really.", {"1.0": 1.0, "2": 0.0, "NA": 0.0}),
        ("NA", {"1.0": 0.0, "2": 0.0, "NA": 1.0}),
        ("No label", {}),
    ]
    report = convert.report
    assert (report.documents, report.unlabelled_documents, report.rows_without_text) == (3, 1, 1)
    assert report.labels == {"1.0": 1, "NA": 1}


def test_tsv_without_a_header_and_two_columns_of_text(convert, tmp_path):
    content = "3\tTitle\tText, with a comma\n1\t\tOnly a text\n"
    options = {
        "columns": ["label", "title", "text"],
        "text": ["title", "text"],
        "labels": ["1", "2", "3"],
    }
    assert convert(write(tmp_path / "a.tsv", content), **options) == [
        ("Title Text, with a comma", {"1": 0.0, "2": 0.0, "3": 1.0}),
        ("Only a text", {"1": 1.0, "2": 0.0, "3": 0.0}),
    ]


def test_tables_need_no_further_package(convert, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    assert convert(write(tmp_path / "a.csv", "text,label\na,b\n")) == [("a", {"b": 1.0})]
    with pytest.raises(ValueError, match="pip install"):
        convert(write(tmp_path / "a.jsonl", '{"text": "a", "label": "b"}'))


def test_several_labels(datasets, convert, tmp_path):
    expected = [
        ("One", {"a": 1.0, "b": 1.0}),
        ("Two", {"a": 0.0, "b": 0.0}),
        ("Three", {"a": 0.0, "b": 1.0}),
    ]
    rows = [("One", ["b", "a"]), ("Two", []), ("Three", ["b"])]
    lines = [json.dumps({"text": text, "label": labels}) for text, labels in rows]
    assert convert(write(tmp_path / "a.jsonl", "\n".join(lines))) == expected
    content = "text,label\nOne,b | a\nTwo,|\nThree,b\n"
    assert convert(write(tmp_path / "a.csv", content), separator="|") == expected


def test_as_excel_writes_it_with_spaces_and_empty_cells(convert, tmp_path):
    content = "\ufefftext,label\nOne, a |b\nTwo, \nThree,b \n"
    found = convert(write(tmp_path / "a.csv", content), separator="|", labels=["a", "b"])
    assert found == [("One", {"a": 1.0, "b": 1.0}), ("Two", {}), ("Three", {"a": 0.0, "b": 1.0})]
    assert convert(tmp_path / "a.csv")[1:] == [("Two", {}), ("Three", {"a |b": 0.0, "b": 1.0})]


@pytest.mark.parametrize("several", [False, True])
def test_names_of_numbers(datasets, convert, tmp_path, several):
    label = datasets.ClassLabel(names=["world", "sport", "science"])
    label = datasets.Sequence(label) if several else label
    features = datasets.Features({"text": datasets.Value("string"), "label": label})
    numbers = [[1], [0, 2]] if several else [1, -1]
    rows = [{"text": text, "label": n} for text, n in zip(("One", "Two"), numbers)]
    datasets.Dataset.from_list(rows, features=features).save_to_disk(tmp_path / "saved")
    (_, one), (_, two) = convert(tmp_path / "saved")
    assert one == {"world": 0.0, "sport": 1.0, "science": 0.0}
    assert two == ({"world": 1.0, "sport": 0.0, "science": 1.0} if several else {})


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (
            "text,label\na,b\n",
            {"label": "stars"},
            "no column 'stars'. Its columns are: text, label",
        ),
        ("text,label,text\na,b,c\n", {}, "have the same name: text, label, text"),
        ("text,label\na,b,c\n", {}, "more fields than the 2 columns"),
        ("text,label\na,b\nc\n", {}, r"a\.csv, line 3: .*fewer fields than the 2 columns"),
        ("text,label\na,b\n", {"labels": ["x", "y"]}, "Row 0: the label 'b' is not one of those"),
        ("text,label\n,b\n", {}, "has no words"),
        ("text,label\n", {}, "has no words"),
        ('text,label\nx,y\n"Great,a\nok,b\n', {}, r"a\.csv, line 3: .*unexpected end.*quote"),
        ('text,label\n"Great,a\nok,b\n"Bad,b\n', {}, r"a\.csv, line 2: .*',' expected.*quote"),
        ("text,label\na,b\n", {"quoting": "some"}, "Unknown quoting 'some'. Choose from auto"),
        ("text,label\na,b\n", {"encoding": "some"}, "no encoding 'some'"),
    ],
)
def test_what_cannot_be(convert, tmp_path, content, options, message):
    with pytest.raises(ValueError, match=message):
        convert(write(tmp_path / "a.csv", content), **options)
    assert not (tmp_path / "out").exists()


def test_a_table_that_is_not_utf8(convert, tmp_path):
    (tmp_path / "a.csv").write_bytes("text,label\nä,b\n".encode("latin1"))
    with pytest.raises(ValueError, match=r"a\.csv, line 2: not UTF-8.*--encoding cp1252"):
        convert(tmp_path / "a.csv")
    assert convert(tmp_path / "a.csv", encoding="latin-1") == [("ä", {"b": 1.0})]
    (tmp_path / "a.csv").write_bytes(b"\xff\xfet\0e")  # cut off
    with pytest.raises(ValueError, match=r"a\.csv, line 1: not utf-16"):
        convert(tmp_path / "a.csv", encoding="utf-16")
    (tmp_path / "a.csv").write_bytes("text,label\nä,b\n".encode("utf-16"))
    with pytest.raises(ValueError, match=r"a\.csv, line 1: not UTF-8.*--encoding utf-16"):
        convert(tmp_path / "a.csv")
    assert convert(tmp_path / "a.csv", encoding="utf-16") == [("ä", {"b": 1.0})]


def test_in_tsv_a_quotation_mark_is_text(convert, tmp_path):
    rows = ['"Great" film', '"Never closed', "no quote", 'in the "middle"', '"']
    path = write(tmp_path / "a.tsv", "text\tlabel\n" + "".join(f"{row}\tx\n" for row in rows))
    assert [text for text, _ in convert(path)] == rows
    path = write(tmp_path / "a.tsv", 'text\tlabel\n"Two\nlines"\tx\n')
    assert convert(path, quoting="quotes") == [("Two\nlines", {"x": 1.0})]
    path = write(tmp_path / "a.csv", 'text,label\n"Great" film,x\n')
    assert convert(path, quoting="none") == [('"Great" film', {"x": 1.0})]


def test_a_field_over_several_rows_is_pointed_out(convert, tmp_path):
    """It may be what somebody wrote, or a quotation mark that nobody closed where it should be."""
    path = write(tmp_path / "a.csv", 'text,label\n"One,x\ntwo",y\n"Three\nlines",y\n')
    assert len(convert(path)) == 2
    assert convert.report.fields_over_several_rows == 1


def test_a_long_field(convert, tmp_path):
    path = write(tmp_path / "a.csv", 'text,label\n"' + "ab " * 100_000 + '",b\n')
    ((text, _),) = convert(path)
    assert len(text) == 299_999


def test_so_many_rows(convert, tmp_path):
    content = "text,label\na,x\nb,y\nc,z\n"
    found = convert(write(tmp_path / "a.csv", content), limit=2)
    assert found == [("a", {"x": 1.0, "y": 0.0}), ("b", {"x": 0.0, "y": 1.0})]


def test_a_text_with_a_line_break_is_not_cut_in_silence(convert, tmp_path):
    """Its rest would be a label that every other text has not."""
    source = write(tmp_path / "a.tsv", "label\ttext\n5\tGood,\nreally.\n1\tBad\n")
    with pytest.raises(ValueError, match=r"a\.tsv, line 3: .*fewer fields.*--quoting quotes"):
        convert(source)
    source = write(tmp_path / "a.tsv", 'label\ttext\n5\t"Good,\nreally."\n1\tBad\n')
    found = convert(source, quoting="quotes")
    assert [text for text, _ in found] == ["Good,\nreally.", "Bad"]
    assert [cats for _, cats in found] == [{"1": 0.0, "5": 1.0}, {"1": 1.0, "5": 0.0}]


def test_minus_one_is_a_label_where_labels_have_no_names(convert, tmp_path):
    rows = [{"text": text, "label": label} for text, label in (("Bad", -1), ("So", 0), ("Good", 1))]
    write(tmp_path / "a.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    found = convert(tmp_path / "a.jsonl")
    assert [cats["-1"] for _, cats in found] == [1.0, 0.0, 0.0]


# Lists of labels, and missing ones


class Rows(list):
    """names: Of labels that are numbers."""

    column_names = ("text", "label")

    def __init__(self, labels, names=None):
        super().__init__({"text": "Ada", "label": label} for label in labels)
        self.features = {"label": SimpleNamespace(names=names)}

    def select_columns(self, columns):
        return self


def read_named(*labels):
    rows = Rows(labels, ["bad", "good"])
    return [doc.cats for doc in read_texts(rows, spacy.blank("xx"))]


def test_missing_numbers_of_named_labels():
    assert read_named(-100, -1, None, 1) == [{}, {}, {}, {"bad": 0.0, "good": 1.0}]
    with pytest.raises(ValueError, match="Row 0: a label in the column 'label' is -2"):
        read_named(-2, 1)


@pytest.mark.parametrize("labels", [[-100], [1, -100], [0, -1], [None, 1]])
def test_a_missing_label_in_a_list(labels):
    with pytest.raises(ValueError, match=r"Row 1: the list .* is \[.*\]\. A missing label"):
        read_named([1], labels)


@pytest.mark.parametrize(
    "lists",
    [
        [[0, 1, 0], [1, 0, 0]],
        [[0, 1], [1, 0]],
        [[0, 0, 0], [], [1, 1, 1]],
        [[True, False, False], [False, False, True]],
        [["0", "1", "1"], ["1", "0", "0"]],
    ],
)
def test_a_number_for_each_label_is_refused(datasets, convert, tmp_path, lists):
    lines = [json.dumps({"text": "Ada", "label": labels}) for labels in lists]
    source = write(tmp_path / "a.jsonl", "\n".join(lines))
    with pytest.raises(ValueError, match=f"'label' have {len(lists[0])} values, 0 or 1"):
        convert(source)


def test_so_it_is_in_a_table(convert, tmp_path):
    source = write(tmp_path / "a.csv", "text,label\nAda,0|1|0\nBob,1|0|0\n")
    with pytest.raises(ValueError, match="'label' have 3 values, 0 or 1"):
        convert(source, separator="|")
    assert len(convert(source)) == 2  # one label each


@pytest.mark.parametrize("lists", [[[0], [1]], [[0], [0, 1]], [[0, 1], [1, 2]], [[0, 1], ["0"]]])
def test_numbers_that_are_labels(lists):
    docs = read_texts(Rows(lists), spacy.blank("xx"))
    found = [sorted(name for name, value in doc.cats.items() if value) for doc in docs]
    assert found == [[str(label) for label in labels] for labels in lists]


def test_a_label_twice_is_counted_once(convert, tmp_path):
    source = write(tmp_path / "a.csv", "text,label\nAda,a|b|a\nBob,a\n")
    assert convert(source, separator="|")[0] == ("Ada", {"a": 1.0, "b": 1.0})
    assert convert.report.labels == {"a": 2, "b": 1}
