"""records.py: a record says what a Doc says, in the same characters, and the Doc comes back."""

import json
from itertools import pairwise

import numpy as np
import pytest
import spacy
from hard_texts import HARD_TEXTS, random_texts
from spacy.tokens import Doc, DocBin, Span, SpanGroup

from spacy_pretrained.annotation.confidence import confidence
from spacy_pretrained.annotation.span_confidence import store_spans
from spacy_pretrained.annotation.token_confidence import KINDS, read_all, read_token, store_tokens
from spacy_pretrained.records import PARTS, TRUNCATED, from_record, schema, to_record

TEXTS = [*HARD_TEXTS, *random_texts(20), "Ada 🙂 sees 👩\u200d👩\u200d👧.  \n\nYes!"]


@pytest.fixture(scope="module")
def nlp():
    return spacy.blank("en")


def annotate(nlp, text: str, rng: np.random.Generator) -> Doc:
    """A Doc with all that a pipeline may say of it, at random."""
    words = nlp.make_doc(text)
    n = len(words)
    starts = rng.random(n) < 0.3
    starts[:1] = True
    doc = Doc(
        nlp.vocab,
        words=[token.text for token in words],
        spaces=[bool(token.whitespace_) for token in words],
        tags=rng.choice(["NN", "VB"], n).tolist(),
        pos=rng.choice(["NOUN", "VERB", "X", ""], n).tolist(),
        lemmas=rng.choice(["a", "be", ""], n).tolist(),
        morphs=rng.choice(["Case=Nom", "", "Case=Acc|Number=Sing"], n).tolist(),
        heads=np.maximum.accumulate(np.where(starts, np.arange(n), 0)).tolist(),
        deps=np.where(starts, "ROOT", rng.choice(["nsubj", "obj"], n)).tolist(),
    )
    for i in np.flatnonzero(rng.random(n) < 0.2).tolist():
        doc[i].set_morph(None)
    bounds = sorted(rng.choice(n + 1, min(n + 1, 7), replace=False).tolist())
    spans = [
        Span(
            doc, low, high, label=str(rng.choice(["PER", "LOC"])), kb_id=str(rng.choice(["", "Q1"]))
        )
        for low, high in pairwise(bounds)
    ]
    doc.set_ents(spans[::2])
    doc.spans["sc"] = SpanGroup(doc, attrs={"scores": rng.random(len(spans))}, spans=spans)
    doc.spans["other"] = spans[:1]
    doc.cats = {"sport": 0.25, "law": 1.0}
    store_tokens(doc, {"tag": np.where(rng.random(n) < 0.2, np.nan, rng.random(n))})
    store_spans(doc, "ner", spans[::2], rng.random(len(spans[::2])).tolist(), "")
    return doc


def said(doc: Doc) -> dict:
    """What a Doc says, token by token and span by span, by spaCy's own attributes."""
    return {
        "text": doc.text,
        "tokens": [
            (t.text_with_ws, t.idx, t.lemma_, t.pos_, t.tag_, t.has_morph(), str(t.morph))
            for t in doc
        ],
        "arcs": [(t.head.i, t.dep_, t.is_sent_start) for t in doc],
        "sents": [(s.start, s.end) for s in doc.sents],
        "ents": [(e.start, e.end, e.label_, e.kb_id_) for e in doc.ents],
        "spans": [
            (key, s.start, s.end, s.label_, s.kb_id_) for key, g in doc.spans.items() for s in g
        ],
        "cats": doc.cats,
    }


@pytest.mark.parametrize("text", TEXTS)
def test_the_doc_comes_back(nlp, text):
    doc = annotate(nlp, text, np.random.default_rng(len(text)))
    record = to_record(doc)
    # Also from another process, by way of a file.
    back = from_record(spacy.blank("en").vocab, json.loads(json.dumps(record)))
    assert said(back) == said(doc)
    assert to_record(back) == record
    for one, other in zip(doc, back):
        assert confidence(other, "tag") == pytest.approx(confidence(one, "tag"), abs=1e-6)
    for one, other in zip(doc.ents, back.ents):
        assert confidence(other) == pytest.approx(confidence(one), abs=1e-6)


@pytest.mark.parametrize("text", TEXTS)
def test_offsets_are_those_of_the_text(nlp, text):
    doc = annotate(nlp, text, np.random.default_rng(7))
    record = to_record(doc)
    assert record["text"] == text
    for token, row in zip(doc, record["tokens"], strict=True):
        assert text[row["start"] : row["end"]] == token.text
        assert row["confidence"] == pytest.approx(read_token(token, "tag"), abs=1e-6)
        assert row["head"] == token.head.i
    for sentence, row in zip(doc.sents, record["sents"], strict=True):
        assert text[row["start"] : row["end"]] == sentence.text
    for ent, row in zip(doc.ents, record["ents"], strict=True):
        assert text[row["start"] : row["end"]] == ent.text
        assert row["confidence"] == pytest.approx(confidence(ent), abs=1e-6)


def test_confidences_of_a_tagger_without_tags(nlp):
    doc = Doc(nlp.vocab, words=["Ada", "sees"], pos=["PROPN", "VERB"])
    store_tokens(doc, {"pos": np.asarray([0.5, 0.25])})
    record = to_record(doc)
    assert [token["confidence"] for token in record["tokens"]] == [0.5, 0.25]
    assert confidence(from_record(nlp.vocab, record)[1], "pos") == 0.25


def test_parts(nlp):
    doc = annotate(nlp, "Ada sees rivers.", np.random.default_rng(0))
    always = {"text", "truncated"}
    assert to_record(doc, []).keys() == always
    for part in set(PARTS) - {"deps"}:
        assert to_record(doc, [part]).keys() == {part, *always}
    with_deps, without = to_record(doc, ["deps"]), to_record(doc, ["tokens"])
    assert with_deps.keys() == without.keys()
    for one, other in zip(with_deps["tokens"], without["tokens"], strict=True):
        assert one.keys() - other.keys() == {"head", "dep"}
    with pytest.raises(ValueError, match="no part 'entities'"):
        to_record(doc, ["entities", "ents"])


def test_what_nobody_annotated(nlp):
    record = to_record(nlp.make_doc("Ada  sleeps"))
    assert all(not record[part] for part in ("sents", "ents", "spans", "cats"))
    for token in record["tokens"]:
        assert [token[name] for name in ("lemma", "pos", "tag", "dep")] == [""] * 4
        assert token["feats"] is None and token["confidence"] is None
    back = from_record(nlp.vocab, record)
    assert not any(back.has_annotation(a) for a in ("LEMMA", "TAG", "MORPH", "DEP", "SENT_START"))
    without = from_record(nlp.vocab, to_record(nlp.make_doc("Ada sleeps."), ["tokens"]))
    assert back.has_annotation("ENT_IOB") and not without.has_annotation("ENT_IOB")
    assert not to_record(nlp.make_doc(""))["tokens"]


def test_a_truncated_text_says_so_wherever_it_goes(nlp):
    doc = nlp.make_doc("Ada sl")
    assert to_record(doc)["truncated"] is False
    doc.user_data[TRUNCATED] = True
    (stored,) = DocBin(docs=[doc], store_user_data=True).get_docs(nlp.vocab)
    assert to_record(from_record(nlp.vocab, to_record(stored)))["truncated"] is True


def test_scores_of_spancat(nlp):
    doc = nlp.make_doc("Ada sees rivers")
    spans = [doc[0:1], doc[1:3]]
    doc.spans["sc"] = SpanGroup(doc, attrs={"scores": np.asarray([0.5, np.nan])}, spans=spans)
    assert [span["confidence"] for span in to_record(doc)["spans"]] == [0.5, None]
    doc.spans["sc"] = SpanGroup(doc, attrs={"scores": np.asarray([0.5])}, spans=spans)
    assert [span["confidence"] for span in to_record(doc)["spans"]] == [None, None]


def test_confidences_in_bulk_are_those_one_by_one(nlp):
    """Also where somebody changed tokens since, and in Docs that were made of others."""
    rng = np.random.default_rng(0)
    docs = [annotate(nlp, text, rng) for text in TEXTS if text.strip()]
    for doc in docs:
        store_tokens(doc, {kind: rng.random(len(doc)) for kind in KINDS})
    joined = Doc.from_docs(docs[:4])
    (merged,) = DocBin(docs=[docs[5]], store_user_data=True).get_docs(nlp.vocab)
    with merged.retokenize() as retokenizer:
        retokenizer.merge(merged[0:2])
    docs[6][0].tag_ = "changed"
    for doc in [*docs, joined, merged]:
        for kind in KINDS:
            expected = [read_token(token, kind) for token in doc]
            found = read_all(doc, kind).tolist()
            assert [None if np.isnan(value) else value for value in found] == expected
    assert np.isnan(read_all(docs[6], "tag")[0]) and not np.isnan(read_all(joined, "tag")).all()


def test_a_span_of_a_group_has_its_own_score_not_that_of_an_entity(nlp):
    doc = nlp.make_doc("Ada sees rivers")
    spans = [Span(doc, i, i + 1, label="PER") for i in (0, 2)]
    store_spans(doc, "ner", spans, [0.5, 0.75], "")
    doc.set_ents(spans)
    doc.spans["sc"] = SpanGroup(doc, attrs={"scores": np.asarray([0.125, np.nan])}, spans=spans)
    record = to_record(doc)
    assert [span["confidence"] for span in record["spans"]] == [0.125, 0.75]
    assert [ent["confidence"] for ent in record["ents"]] == [0.5, 0.75]
    assert to_record(from_record(nlp.vocab, record)) == record


@pytest.mark.parametrize("text", ["Ada sees rivers. Yes!", "Ada"])
def test_lists_of_a_record_may_be_arrays(nlp, text, tmp_path):
    """As pandas reads them from Parquet."""
    pd = pytest.importorskip("pandas")
    pa = pytest.importorskip("pyarrow")
    records = [to_record(annotate(nlp, text, np.random.default_rng(1))), to_record(nlp(text))]
    pd.DataFrame(records).to_parquet(tmp_path / "records", schema=schema())
    for row, record in zip(pd.read_parquet(tmp_path / "records").to_dict("records"), records):
        assert isinstance(row["tokens"], np.ndarray)
        assert to_record(from_record(nlp.vocab, row)) == record
    none = pa.Table.from_pylist(records, schema=schema()).to_pandas().assign(spans=None)
    assert not from_record(nlp.vocab, none.to_dict("records")[0]).spans


@pytest.mark.parametrize("what", [PARTS, [], ["tokens"], ["deps"], ["ents", "cats"]])
def test_arrow(nlp, what):
    pa = pytest.importorskip("pyarrow")
    docs = [annotate(nlp, text, np.random.default_rng(1)) for text in TEXTS]
    records = [to_record(doc, what) for doc in docs]
    table = pa.Table.from_pylist(records, schema=schema(what))
    assert table.schema.metadata == {b"spacy_pretrained.record": b"1"}
    rows = table.to_pylist()
    assert [row.keys() for row in rows] == [record.keys() for record in records]
    if "tokens" in what:
        back = [from_record(nlp.vocab, row) for row in rows]
        assert [to_record(doc, what) for doc in back] == records


def test_no_schema_without_pyarrow(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(ImportError, match=r"pip install 'spacy-pretrained\[parquet\]'"):
        schema()


def test_records_that_are_wrong(nlp):
    record = to_record(annotate(nlp, "Ada sees  rivers.", np.random.default_rng(0)))
    with pytest.raises(ValueError, match="no tokens, so no Doc"):
        from_record(nlp.vocab, {"text": "Ada"})
    with pytest.raises(ValueError, match="do not spell its text, from character 0 on"):
        from_record(nlp.vocab, record | {"text": "Ada-sees  rivers."})
    with pytest.raises(ValueError, match="do not spell its text, from character 17 on"):
        from_record(nlp.vocab, record | {"text": "Ada sees  rivers. Yes."})
    ent = {"start": 1, "end": 8, "label": "PER", "kb_id": "", "confidence": None}
    with pytest.raises(ValueError, match="from character 1 to 8, but no tokens begin and end"):
        from_record(nlp.vocab, record | {"ents": [ent]})
