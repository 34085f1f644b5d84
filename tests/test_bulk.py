"""bulk.py: batches of every type come back with the same annotation, and a text that fails is a row
with an error."""

import numpy as np
import pytest
import spacy

from spacy_pretrained.bulk import Annotate
from spacy_pretrained.records import PARTS, from_record, schema, to_record

TEXTS = ["Ada sees the river.", "", "\ud800", "x" * 100, "Yes!"]
FAILING = {2, 3}


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory) -> str:
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "PER", "pattern": "Ada"}])
    nlp.add_pipe("sentencizer")
    folder = tmp_path_factory.mktemp("bulk") / "pipeline"
    nlp.to_disk(folder)
    return str(folder)


@pytest.fixture(scope="module")
def annotate(pipeline) -> Annotate:
    return Annotate(pipeline, max_characters=50)


@pytest.fixture(scope="module")
def expected(pipeline) -> list[dict]:
    nlp = spacy.load(pipeline)
    return [{} if i in FAILING else to_record(nlp(text)) for i, text in enumerate(TEXTS)]


def check(columns: dict[str, list], expected: list[dict]) -> None:
    for i, record in enumerate(expected):
        if record:
            found = {name: columns[name][i] for name in record if name != "text"}
            assert found == {name: record[name] for name in found}
            assert columns["error"][i] is None
        else:
            assert all(columns[name][i] is None for name in ("tokens", "ents", "truncated"))
            assert isinstance(columns["error"][i], str)
    assert "Character 0" in columns["error"][2] and "100 characters" in columns["error"][3]


def test_columns_of_numpy(annotate, expected):
    batch = {"id": np.arange(5), "text": np.asarray(TEXTS, dtype=object)}
    found = annotate(batch)
    names = ["tokens", "sents", "ents", "spans", "cats", "truncated", "error"]
    assert list(found) == ["id", "text", *names] and list(batch) == ["id", "text"]
    assert all(isinstance(column, np.ndarray) and len(column) == 5 for column in found.values())
    check(found, expected)


def test_the_tokenizer_keeps_words(annotate):
    """A memory zone alone would let all of them go."""
    annotate({"text": ["Zyxwvutsr sleeps."]})
    assert "Zyxwvutsr" in annotate._annotator.nlp.vocab


def test_texts_of_numpy(annotate):
    found = annotate({"text": np.asarray(["Ada", "Yes!"])})
    assert list(found["error"]) == [None, None]
    assert [len(tokens) for tokens in found["tokens"]] == [1, 2]


def test_pandas(annotate, expected):
    pd = pytest.importorskip("pandas")
    batch = pd.DataFrame({"text": pd.Series(TEXTS, dtype=object, index=list("abcde"))})
    found = annotate(batch)
    assert list(found.index) == list("abcde") and list(batch.columns) == ["text"]
    check({name: list(found[name]) for name in found.columns}, expected)


@pytest.mark.parametrize("kind", ["Table", "RecordBatch"])
def test_arrow(annotate, pipeline, expected, kind):
    pa = pytest.importorskip("pyarrow")
    # Arrow cannot hold half a pair; nulls it can.
    batch = getattr(pa, kind).from_pydict({"text": [*TEXTS[:2], None, *TEXTS[3:]], "id": range(5)})
    found = annotate(batch)
    assert type(found) is type(batch)
    assert found.schema.names[:2] == ["text", "id"]
    for field in schema(PARTS):
        if field.name != "text":
            assert found.schema.field(field.name).type == field.type
    rows = found.to_pylist()
    for i in (0, 1, 4):
        doc = from_record(spacy.blank("en").vocab, rows[i])
        assert to_record(doc) == expected[i]
    assert rows[2]["error"] == "The field 'text' has to be a string, but it is None."
    # The same schema, whatever is in a batch: else blocks could not be joined.
    others = annotate(batch.slice(1, 1))
    assert others.schema == found.schema


def test_iterators_of_batches(annotate):
    batches = ({"text": [f"Ada {i}"]} for i in range(3))
    found = list(annotate.map(batches))
    assert [batch["ents"][0][0]["label"] for batch in found] == ["PER"] * 3
    assert list(annotate({"text": []})["error"]) == []


def test_parts_and_column(pipeline):
    annotate = Annotate(pipeline, what=["ents"], text="content", exclude=["sentencizer"])
    found = annotate({"content": ["Ada"], "text": ["another"]})
    assert list(found) == ["content", "text", "ents", "truncated", "error"]
    assert Annotate(pipeline, what=["deps"]).columns == ["tokens", "truncated", "error"]


def test_texts_that_are_cut(pipeline):
    annotate = Annotate(pipeline, max_characters=10, on_long="cut")
    found = annotate({"text": ["Ada sees rivers", "Ada"]})
    assert list(found["truncated"]) == [True, False]
    assert [token["end"] for token in found["tokens"][0]] == [3, 8]


def test_batches_that_are_wrong(annotate, pipeline):
    with pytest.raises(ValueError, match=r"no column 'text'. Its columns are id"):
        annotate({"id": [1]})
    with pytest.raises(ValueError, match="has a column 'ents' already"):
        annotate({"text": ["Ada"], "ents": [1]})
    with pytest.raises(ValueError, match="not list"):
        annotate(["Ada"])
    with pytest.raises(ValueError, match="no part 'words'"):
        Annotate(pipeline, what=["words"])


@pytest.mark.slow
def test_both_engines_are_warm(int8_pipeline, monkeypatch):
    from spacy_pretrained.backends.openvino_backend import OpenVinoShim

    compiled, compile_model = [], OpenVinoShim._compile
    monkeypatch.setenv("SPACY_PRETRAINED_THREADS", "2")
    monkeypatch.setattr(
        OpenVinoShim,
        "_compile",
        lambda shim, n_streams: compiled.append(n_streams) or compile_model(shim, n_streams),
    )
    annotate = Annotate(str(int8_pipeline))
    assert sorted(compiled) == [1, 2]
    assert annotate({"text": ["Ada sees the old river."] * 100})["tokens"][99]
    assert len(compiled) == 2
