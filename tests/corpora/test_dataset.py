"""dataset_source.py, dataset.py, span_dataset.py: rows of `datasets` to Examples."""

import builtins
import json
import logging
from pathlib import Path

import catalogue
import pytest
import spacy
from spacy.util import registry

from spacy_pretrained.corpora.dataset import (
    DatasetReport,
    build_dataset,
    find_row_layout,
    read_dataset,
)
from spacy_pretrained.corpora.dataset_source import open_dataset
from spacy_pretrained.corpora.faults import Faults
from spacy_pretrained.corpora.span_dataset import SpanReport, build_span_dataset, read_span_dataset

NAMES = ["O", "B-ORG", "I-ORG", "B-creative-work", "I-creative-work"]
ROWS = [
    {"tokens": ["The", "EU", "said", "no"], "ner_tags": [0, 1, 0, 0], "id": 1},
    {"tokens": ["Empire", "State", "of", "Mind"], "ner_tags": [3, 4, 4, 4], "id": 2},
    {"tokens": ["Who", "knows"], "ner_tags": [0, -100], "id": 3},
]
ENTITIES = [("EU", "ORG"), ("Empire State of Mind", "creative-work")]


@pytest.fixture(scope="module")
def nlp():
    return spacy.blank("xx")


@pytest.fixture
def datasets(monkeypatch, tmp_path):
    """The library, that writes to a folder of the test and asks no hub."""
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    datasets.disable_progress_bars()
    return datasets


def with_names(rows: list[dict]) -> list[dict]:
    return [{**r, "ner_tags": [NAMES[i] if i >= 0 else None for i in r["ner_tags"]]} for r in rows]


def make_dataset(datasets, rows=ROWS, names=NAMES):
    """With the names in its features."""
    label = datasets.ClassLabel(names=names) if names else datasets.Value("int64")
    string = datasets.Value("string")
    # ClassLabel takes no -100, as data sets on the hub have it all the same.
    features = datasets.Features(
        {"tokens": datasets.List(string), "ner_tags": datasets.List(datasets.Value("int64"))}
        | {"id": datasets.Value("int64")}
    )
    made = datasets.Dataset.from_list(rows, features=features)
    info = made.info.copy()
    info.features["ner_tags"] = datasets.List(label)
    return datasets.Dataset(made.data, info=info)


def write_lines(path: Path, rows: list[dict]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf8")
    return path


def entities(examples) -> list[tuple[str, str]]:
    return [(ent.text, ent.label_) for eg in examples for ent in eg.reference.ents]


def tokens(examples) -> list[tuple]:
    return [
        (t.text, t.ent_iob_, t.ent_type_, t.is_sent_start) for eg in examples for t in eg.reference
    ]


def save(datasets, folder: Path, kind: str) -> tuple[Path, dict]:
    """The rows in a format; the path and what has to be said beside it."""
    made = make_dataset(datasets)
    if kind == "saved dataset":
        made.save_to_disk(folder)
    elif kind == "saved dict":
        datasets.DatasetDict({"train": made.select([0]), "dev": made}).save_to_disk(folder)
        return folder, {"split": "dev"}
    elif kind == "parquet file":
        folder.mkdir()
        made.to_parquet(folder / "all.parquet")
        return folder / "all.parquet", {}
    elif kind == "folder of jsonl":
        write_lines(folder / "train.jsonl", with_names(ROWS[:1]))
        write_lines(folder / "test.jsonl", with_names(ROWS))
        return folder, {"split": "test"}
    elif kind == "jsonl with integers":
        return write_lines(folder / "x.jsonl", ROWS), {"label_names": NAMES}
    return folder, {}


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize(
    "kind",
    ["saved dataset", "saved dict", "parquet file", "folder of jsonl", "jsonl with integers"],
)
def test_every_source_gives_the_same(datasets, nlp, tmp_path, kind, streaming):
    path, arguments = save(datasets, tmp_path / "data", kind)
    read = build_dataset(path, streaming=streaming, **arguments)
    examples = list(read(nlp))
    assert entities(examples) == ENTITIES
    for eg, row in zip(examples, ROWS, strict=True):
        assert [token.text for token in eg.reference] == row["tokens"]
        assert [token.text for token in eg.predicted] == row["tokens"]
        assert not eg.predicted.has_annotation("ENT_IOB")
        assert len(list(eg.reference.sents)) == 1 and eg.reference.has_unknown_spaces
        assert not eg.reference.has_annotation("TAG") and not eg.reference.has_annotation("POS")
    assert [token.ent_iob_ for token in examples[2].reference] == ["O", ""]
    assert tokens(read(spacy.blank("xx"))) == tokens(examples)  # the next epoch
    assert len(list(build_dataset(path, streaming=streaming, limit=2, **arguments)(nlp))) == 2


def test_a_file_in_the_home_folder(datasets, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "rows.jsonl").write_text('{"text": "Ada"}\n')
    assert list(open_dataset("~/rows.jsonl")) == [{"text": "Ada"}]


def test_tags_of_words(datasets, nlp):
    rows = [{"w": ["I", "ran"], "u": ["PRON", "_"], "x": [1, 0]}]
    features = {"w": datasets.List(datasets.Value("string"))}
    features["u"] = datasets.List(datasets.Value("string"))
    features["x"] = datasets.List(datasets.ClassLabel(names=["VBD", "PRP"]))
    made = datasets.Dataset.from_list(rows, features=datasets.Features(features))
    layout = find_row_layout(made, words="w", tags=None, upos="u", xpos="x")
    (doc,) = read_dataset(made, layout, nlp.vocab)
    assert [(t.pos_, t.tag_) for t in doc] == [("PRON", "PRP"), ("", "VBD")]
    assert not doc.has_annotation("ENT_IOB")


def test_a_stream_is_not_read_ahead(datasets, nlp):
    taken = []

    def rows():
        for i in range(100_000):
            taken.append(i)
            yield {"tokens": ["The", "EU"], "ner_tags": ["O", "S-ORG"]}

    made = datasets.IterableDataset.from_generator(rows)
    layout = find_row_layout(made)
    assert layout.scheme == "bioes"
    assert len(taken) < 1_100  # the first, and those that tell the scheme
    taken.clear()
    docs = read_dataset(made, layout, nlp.vocab)
    for n in range(1, 50):
        assert [ent.text for ent in next(docs).ents] == ["EU"]
        assert len(taken) <= n + 1
    docs.close()


def test_a_stream_leaves_no_copy(datasets, nlp, tmp_path):
    path = write_lines(tmp_path / "x.jsonl", with_names(ROWS))
    for streaming in (True, False):
        assert not list((tmp_path / "cache").glob("*/**/*.arrow"))
        assert entities(build_dataset(path, streaming=streaming)(nlp)) == ENTITIES
    assert list((tmp_path / "cache").glob("*/**/*.arrow"))


def test_the_scheme(datasets, nlp, tmp_path, caplog):
    rows = [
        {"tokens": ["a", "b"], "ner_tags": ["O", "I-X" if i == 9 else "B-X"]} for i in range(20)
    ]
    read = build_dataset(write_lines(tmp_path / "x.jsonl", rows))
    with caplog.at_level(logging.WARNING, logger="spacy"):
        logging.getLogger("spacy").propagate = True
        assert len(entities(read(nlp))) == 20
        assert len(entities(read(nlp))) == 20
    assert [r.message for r in caplog.records if "repaired: 1;" in r.message] == [
        r.message for r in caplog.records
    ]
    assert len(caplog.records) == 1
    mixed = write_lines(tmp_path / "y.jsonl", rows[9:11])
    with pytest.raises(ValueError, match=r"row 0, label 1\. .*scheme="):
        list(build_dataset(mixed)(nlp))
    assert len(entities(build_dataset(mixed, scheme="iob1")(nlp))) == 2
    # A stream's names tell what its first rows may not.
    made = make_dataset(datasets, [ROWS[0]], ["O", "B-A", "I-A", "L-A", "U-A"])
    assert find_row_layout(made).scheme == "iob2"
    assert find_row_layout(made.to_iterable_dataset()).scheme == "biluo"


def row(words, tags):
    return {"tokens": words, "ner_tags": tags}


@pytest.mark.parametrize(
    "rows, arguments, message",
    [
        ([row(["a"], ["O"])], {"words": "words"}, "no column 'words'.*: tokens, ner_tags"),
        ([row(["a"], ["O"])], {"tags": "ner"}, "no column 'ner'.*: tokens, ner_tags"),
        ([row(["a"], ["O"])], {"tags": None}, "No column with labels"),
        ([row(["a"], ["O"]), row(["a", "b"], ["O"])], {}, "Row 1: words .* 2, but labels .* 1"),
        ([row(["a"], ["O"]), row(["a", ""], ["O", "B-X"])], {}, "Row 1: word 1 .* tag 'B-X'"),
        ([row(["\n"], ["O"])], {}, "no words"),
        ([row("a b", ["O"])], {}, "Row 0: .*'tokens' has to be a list of words, but it is 'a b'"),
        ([row(["a", 1], ["O", "O"])], {}, "Row 0: .*list of words|cannot be opened"),
        ([row(["a"], "O")], {}, "Row 0: .*'ner_tags' has to be a list"),
        ([row(["a"], [1])], {}, "Row 0: .*integer 1.*label_names"),
        ([row(["a"], [5])], {"label_names": NAMES}, "Row 0: .* is 5, but there are 5 names"),
        ([row(["a"], [-2])], {"label_names": NAMES}, "Row 0: .* is -2"),
        ([row(["a"], [0.5])], {"label_names": NAMES}, "Row 0: .* is 0.5"),
        ([row(["a"], ["PER"])], {}, "Row 0: 'PER' is not an entity tag"),
        ([row(["a"], ["PER"])], {"scheme": "iob2"}, "Row 0: 'PER' is not an entity tag"),
        ([row(["a"], ["X"])], {"tags": None, "upos": "ner_tags"}, "X"),
        ([row(["a"], ["XX"])], {"tags": None, "upos": "ner_tags"}, "Row 0: unknown UPOS 'XX'"),
        ([row([], [])], {}, "no words"),
        ([], {}, "no words|cannot be opened"),  # by the version of `datasets`
    ],
)
def test_bad_input(datasets, nlp, tmp_path, rows, arguments, message):
    read = build_dataset(write_lines(tmp_path / "x.jsonl", rows), **arguments)
    if message == "X":  # a tag of Universal Dependencies
        assert [eg.reference[0].pos_ for eg in read(nlp)] == ["X"]
        return
    with pytest.raises(ValueError, match=message):
        list(read(nlp))


def test_a_file_that_is_no_json(datasets, nlp, tmp_path):
    """It says what is wrong with the file, not only that it is not read."""
    path = tmp_path / "x.jsonl"
    path.write_text("hello\n")
    with pytest.raises(ValueError, match=r"x.jsonl' cannot be opened: .*JSON"):
        list(build_dataset(path)(nlp))


def test_sources_that_are_not_there(datasets, nlp, tmp_path):
    saved, _ = save(datasets, tmp_path / "saved", "saved dict")
    lines, _ = save(datasets, tmp_path / "lines", "folder of jsonl")
    (tmp_path / "x.csv").write_text("tokens,ner_tags")
    made = make_dataset(datasets)
    made.select([]).save_to_disk(tmp_path / "empty")
    for path, split, message in (
        (None, "train", "no path"),
        (tmp_path / "nothing", "train", "no file or folder"),
        ("nothing.jsonl", "train", "no file or folder"),
        ("nothing/train.jsonl.gz", "train", "no file or folder"),
        (tmp_path / "x.csv", "train", r"unknown format.*\.parquet"),
        (saved, "test", "no split 'test'.*: train, dev"),
        (lines, "dev", r"'dev'.*'train', 'test'"),
        (tmp_path / "empty", "train", "no words"),
    ):
        for streaming in (False, True):
            with pytest.raises(ValueError, match=message):
                list(build_dataset(path, split, streaming=streaming)(nlp))
    with pytest.raises(ValueError, match="'bio'"):
        build_dataset(lines, scheme="bio")


def test_a_name_on_the_hub(datasets, nlp, monkeypatch):
    asked = []

    def load_dataset(path, name=None, **arguments):
        asked.append((path, name, arguments))
        if path == "someone/broken":
            raise ConnectionError("no route")
        return make_dataset(datasets)

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    read = build_dataset("someone/ner", "validation", name="en", revision="abc")
    assert not asked  # not before it is read
    assert entities(read(nlp)) == entities(read(nlp)) == ENTITIES
    expected = {"split": "validation", "streaming": False, "revision": "abc"}
    assert asked == [("someone/ner", "en", expected)]
    with pytest.raises(ValueError, match=r"'train' of .*someone/broken.* no route"):
        list(build_dataset("someone/broken")(nlp))


def test_words_are_trimmed_and_empty_rows_left_out(datasets, nlp):
    made = datasets.Dataset.from_list([row([" a", "b"], ["O", "B-X"]), row([], [])])
    report = DatasetReport()
    docs = list(read_dataset(made, find_row_layout(made), nlp.vocab, report=report))
    assert [doc.text for doc in docs] == ["a b "]
    assert report == DatasetReport(1, 1, 2, 1, trimmed_words=1, empty_rows=1, labels={"X": 1})


def test_the_package_is_missing(monkeypatch, nlp):
    real = builtins.__import__

    def without(name, *arguments, **keywords):
        if name == "datasets":
            raise ImportError(name)
        return real(name, *arguments, **keywords)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ValueError, match=r"pip install 'spacy-pretrained\[datasets\]'"):
        list(build_dataset("x")(nlp))


# Entities by characters

TEXT = "The EU-summit in New York, they said."


def span_rows(*spans, text=TEXT):
    return [{"text": text, "entities": list(spans)}]


def by_characters(datasets, nlp, rows, report=None):
    made = datasets.Dataset.from_list(rows)
    return list(read_span_dataset(made, nlp, report=report))


def test_entities_by_characters(datasets, nlp, tmp_path):
    spans = [{"start": 17, "end": 25, "label": "LOC"}, {"start": 4, "end": 6, "label": "ORG"}]
    path = write_lines(tmp_path / "x.jsonl", span_rows(*spans))
    read = build_span_dataset(path)
    (example,) = read(nlp)
    assert entities([example]) == [("EU", "ORG"), ("New York", "LOC")]
    assert example.predicted.text == example.reference.text == TEXT
    assert not example.reference.has_annotation("SENT_START")
    assert entities(read(nlp)) == entities([example])


def test_span_repairs(datasets, nlp):
    rows = span_rows(
        {"start": 3, "end": 7, "label": "ORG"},  # " EU-", ends behind the hyphen
        {"start": 16, "end": 26, "label": "LOC"},  # " New York,"
        {"start": 27, "end": 30, "label": "PER"},  # "the"
    )
    report = SpanReport()
    (doc,) = by_characters(datasets, nlp, rows, report)
    assert [ent.text for ent in doc.ents] == ["EU-", "New York,"]
    assert (report.entities, report.trimmed_spans, report.misaligned_spans) == (2, 2, 1)
    assert [t.text for t in doc if not t.ent_iob] == ["they"]
    none = {"text": "Who?", "entities": None}
    docs = by_characters(datasets, nlp, [*rows, none, {"text": "No.", "entities": []}])
    assert [d.has_annotation("ENT_IOB") for d in docs] == [True, False, True]


@pytest.mark.parametrize(
    "span, message",
    [
        ({"start": 20, "end": 30, "label": "B"}, r"Row 0: .*\(20, 30, 'B'\) overlaps"),
        ({"start": 17, "end": 25, "label": "B"}, "overlaps"),
        ({"start": 0, "end": 99, "label": "B"}, "not inside of the text, which has 37"),
        ({"start": -2, "end": 3, "label": "B"}, "not inside"),
        ({"start": 5, "end": 5, "label": "B"}, "empty"),
        ({"start": 19, "end": 25, "label": "A"}, "overlaps"),
        ({"start": 0, "end": 3, "label": ""}, "Row 0: .* label"),
        ({"start": None, "end": 3, "label": "A"}, "Row 0: an entity"),
    ],
)
def test_bad_spans(datasets, nlp, span, message):
    with pytest.raises(ValueError, match=message):
        by_characters(datasets, nlp, span_rows({"start": 17, "end": 25, "label": "A"}, span))


def test_bad_texts(datasets, nlp):
    for rows, message in (
        ([{"text": 5, "entities": []}], "Row 0: .*'text' has to be a text"),
        ([{"text": None, "entities": []}], "no words"),
        ([{"text": " ", "entities": []}], "no words"),
        ([{"text": "a", "spans": []}], "no column 'entities'.*: text, spans"),
        ([{"text": "a", "entities": "A"}], "Row 0: an entity"),
    ):
        with pytest.raises(ValueError, match=message):
            by_characters(datasets, nlp, rows)


def test_blank_words_and_null_rows_are_left_out(datasets, nlp, tmp_path, caplog):
    rows = [
        row(["Ada", " ", "sleeps", None], ["B-PER", "O", None, "O"]),
        row(["lost"], None),
        row(None, None),
        row(["", ""], ["O", "O"]),
        row(["The", "EU"], ["O", "B-ORG"]),
    ]
    path = write_lines(tmp_path / "x.jsonl", rows)
    opened = open_dataset(path)
    report = DatasetReport()
    docs = list(read_dataset(opened, find_row_layout(opened), nlp.vocab, report=report))
    assert [[token.text for token in doc] for doc in docs] == [["Ada", "sleeps"], ["The", "EU"]]
    assert [token.text for token in docs[0] if not token.ent_iob] == ["sleeps"]
    assert (report.blank_words, report.unlabelled_rows, report.empty_rows) == (2, 1, 2)
    assert (report.documents, report.words, report.entities) == (2, 4, 2)
    with caplog.at_level(logging.WARNING):
        assert len(list(build_dataset(path)(nlp))) == 2
    assert "rows without words: 2; rows with null" in caplog.text
    assert "in place of their labels: 1; words that are null or white space: 2" in caplog.text


def test_rows_without_words_alone_are_said(datasets, nlp, tmp_path, caplog):
    path = write_lines(tmp_path / "x.jsonl", [row([], []), row(["The", "EU"], ["O", "B-ORG"])])
    with caplog.at_level(logging.WARNING):
        assert len(list(build_dataset(path)(nlp))) == 1
    assert "rows without words: 1" in caplog.text


def test_rows_without_text_or_entities_are_counted(datasets, nlp, tmp_path, caplog):
    rows = [*span_rows(), *span_rows(text=None), {"text": TEXT, "entities": None}]
    rows += span_rows({"start": 4, "end": 6, "label": "A"})
    path = write_lines(tmp_path / "x.jsonl", rows)
    report = SpanReport()
    assert len(list(read_span_dataset(open_dataset(path), nlp, report=report))) == 3
    assert (report.empty_documents, report.unannotated_documents) == (1, 1)
    with caplog.at_level(logging.WARNING):
        assert len(list(build_span_dataset(path)(nlp))) == 3
    assert "Rows without text, left out: 1" in caplog.text


def test_labels_that_are_missing_of_one_column_only(datasets, nlp, tmp_path):
    rows = [{"tokens": ["EU"], "ner_tags": None, "pos": ["PROPN"]}]
    rows.append({"tokens": ["EU"], "ner_tags": ["B-ORG"], "pos": None})
    one, other = build_dataset(write_lines(tmp_path / "x.jsonl", rows), upos="pos")(nlp)
    assert one.reference[0].pos_ == "PROPN" and not one.reference.has_annotation("ENT_IOB")
    assert not other.reference[0].pos_ and other.reference[0].ent_type_ == "ORG"


def test_all_faults_are_told_at_once(datasets, nlp, tmp_path):
    rows = [row(["a"], ["O"]), row(["b"], ["PER"]), row(["c", ""], ["O", "B-X"]), row(["d"], [])]
    opened = open_dataset(write_lines(tmp_path / "x.jsonl", rows))
    layout = find_row_layout(opened)
    with pytest.raises(ValueError, match="not an entity tag") as error:
        list(read_dataset(opened, layout, nlp.vocab, faults=Faults()))
    lines = str(error.value).split("\n")
    assert [line[:6] for line in lines] == ["Row 1:", "Row 2:", "Row 3:"]
    # Training does not go on for a while first.
    docs = read_dataset(opened, layout, nlp.vocab)
    next(docs)
    with pytest.raises(ValueError, match=r"Row 1: [^\n]*$"):
        next(docs)


def test_blank_and_repeated_spans_are_left_out(datasets, nlp, caplog):
    city = {"start": 17, "end": 25, "label": "A"}
    rows = span_rows(city, {"start": 3, "end": 4, "label": "B"}, city, {**city, "start": 16})
    report = SpanReport()
    (doc,) = by_characters(datasets, nlp, rows, report)
    assert len(doc.ents) == report.entities == 1
    assert (report.blank_spans, report.repeated_spans, report.trimmed_spans) == (1, 2, 1)


def test_forms_of_spans(nlp):
    """However `datasets` gives a list of entities."""

    class Rows(list):
        column_names = ("text", "entities")

        def select_columns(self, columns):
            return self

    for spans in (
        [[4, 6, "ORG"], (17, 25, "LOC")],
        [["4", "6", "ORG"], ["17", "25", "LOC"]],
        {"start": [4, 17], "end": [6, 25], "label": ["ORG", "LOC"], "id": [1, 2]},
    ):
        (doc,) = read_span_dataset(Rows([{"text": TEXT, "entities": spans}]), nlp)
        assert [(ent.text, ent.label_) for ent in doc.ents] == [("EU", "ORG"), ("New York", "LOC")]
    spans = {"start": [4, 17], "end": [6, 25], "label": ["ORG"]}
    with pytest.raises(ValueError, match="Row 0: an entity in the column 'entities' is"):
        list(read_span_dataset(Rows([{"text": TEXT, "entities": spans}]), nlp))


# Entry points


def test_a_config_can_name_the_readers(datasets, nlp, tmp_path):
    path = write_lines(tmp_path / "x.jsonl", with_names(ROWS))
    try:
        registry.readers.get("spacy-pretrained.Dataset.v1")
    except catalogue.RegistryError:
        pytest.skip("the package is to be installed anew for its entry points")
    config = {"train": {"@readers": "spacy-pretrained.Dataset.v1", "path": str(path)}}
    read = registry.resolve(config)["train"]
    assert entities(read(nlp)) == ENTITIES
    assert open_dataset(path).num_rows == 3
