"""confidence.py: the number of a span or token is its own, or None, whatever spaCy does."""

import json
import logging
import pickle
import warnings
from itertools import pairwise

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span, Token
from spacy.tokens.underscore import Underscore

from spacy_pretrained.annotation import extension
from spacy_pretrained.annotation.confidence import confidence
from spacy_pretrained.annotation.span_confidence import (
    clear_spans,
    register_spans,
    store_spans,
)
from spacy_pretrained.annotation.token_confidence import (
    KINDS,
    clear_tokens,
    register_tokens,
    store_tokens,
)

WORDS = ["Ada", "Ada", "sees", "🙂", "👩‍👩‍👧", "e\u0301", "\n", " ", "x", "."]
LABELS = ["PERSON", "GPE"]


@pytest.fixture(autouse=True)
def attributes(monkeypatch):
    """Custom attributes of each test's own."""
    for name in ("span_extensions", "token_extensions", "doc_extensions"):
        monkeypatch.setattr(Underscore, name, {})
    monkeypatch.setattr(extension, "_warned", set())
    register_spans("ner")
    for kind in KINDS:
        register_tokens(kind, "tagger")


@pytest.fixture(scope="module")
def vocab():
    return spacy.blank("xx").vocab


class Numbers:
    """Probabilities of which there are no two the same, so that each says whose it is."""

    def __init__(self):
        self.last = 0

    def take(self, n: int) -> np.ndarray:
        self.last += n
        return np.arange(self.last - n + 1, self.last + 1, dtype="float32") / 2**16


def make_doc(vocab, rng, numbers: Numbers, n: int, words: list[str]) -> Doc:
    """A Doc of n tokens, parsed, tagged, with entities and groups, each with its number."""
    starts = rng.random(n) < 0.3
    starts[:1] = True
    doc = Doc(
        vocab,
        words=rng.choice(words, n).tolist(),
        spaces=(rng.random(n) < 0.7).tolist(),
        tags=rng.choice(["A", "B"], n).tolist(),
        pos=rng.choice(["NOUN", "VERB"], n).tolist(),
        morphs=rng.choice(["Case=Nom", "", "Case=Acc|Number=Sing"], n).tolist(),
        heads=np.maximum.accumulate(np.where(starts, np.arange(n), 0)).tolist(),
        deps=np.where(starts, "ROOT", rng.choice(["d", "e"], n)).tolist(),
    )
    store_tokens(doc, {kind: numbers.take(n) for kind in KINDS})
    for target in ("", "sc"):
        bounds = sorted(rng.choice(n + 1, min(n + 1, 6), replace=False).tolist())
        pairs = list(pairwise(bounds))[::2]
        spans = [Span(doc, low, high, label=str(rng.choice(LABELS))) for low, high in pairs]
        if target:
            doc.spans[target] = spans
        else:
            doc.ents = spans
        store_spans(doc, f"ner{target}", spans, numbers.take(len(spans)).tolist(), target)
    return doc


def read_tokens(doc: Doc) -> list[list[float | None]]:
    return [[token._.get(f"{kind}_confidence") for kind in KINDS] for token in doc]


def read_spans(doc: Doc, target: str = "") -> list[tuple[int, int, str, float | None]]:
    """The entities, or spans of a group, and what the component that found them says of them."""
    spans = doc.spans.get(target, []) if target else doc.ents
    return [(s.start, s.end, s.label_, confidence(s, f"ner{target}")) for s in spans]


def read(doc: Doc) -> tuple:
    return read_tokens(doc), read_spans(doc), read_spans(doc, "sc")


def public(doc: Doc, target: str = "") -> list[float | None]:
    return [s._.confidence for s in (doc.spans.get(target, []) if target else doc.ents)]


def docs_of(vocab, seed: int, count: int = 1, words: list[str] = WORDS) -> list[Doc]:
    rng, numbers = np.random.default_rng(seed), Numbers()
    return [make_doc(vocab, rng, numbers, int(rng.integers(0, 25)), words) for _ in range(count)]


SEEDS = range(20)


@pytest.mark.parametrize("seed", SEEDS)
def test_bytes_docbins_pickle_and_copies_keep_all(vocab, seed):
    (doc,) = docs_of(vocab, seed)
    values = [value for row in read_tokens(doc) for value in row]
    assert len(set(values)) == len(values) and None not in values
    assert all(type(value) is float for value in values)
    assert all(type(row[3]) is float for row in read_spans(doc) + read_spans(doc, "sc"))
    stored = DocBin(store_user_data=True, docs=[doc]).to_bytes()
    copies = [Doc(vocab).from_bytes(doc.to_bytes()), doc.copy(), pickle.loads(pickle.dumps(doc))]
    copies += DocBin().from_bytes(stored).get_docs(vocab)
    copies += DocBin().from_bytes(stored).get_docs(spacy.blank("xx").vocab)
    for copy in copies:
        assert read(copy) == read(doc)
        assert public(copy) == public(doc) and public(copy, "sc") == public(doc, "sc")
    (without,) = DocBin(docs=[doc]).get_docs(vocab)
    assert {value for row in read_tokens(without) for value in row} <= {None}
    assert not any(public(without))


@pytest.mark.parametrize("seed", SEEDS)
def test_parts_have_their_own(vocab, seed):
    (doc,) = docs_of(vocab, seed)
    rng = np.random.default_rng(seed)
    parts = [*doc.sents]
    parts += [doc[i:j] for i, j in np.sort(rng.integers(0, len(doc) + 1, (5, 2)), axis=1)]
    for part in (part for part in parts if len(part)):
        copy, plain = part.as_doc(copy_user_data=True), part.as_doc()
        for token, other, none in zip(part, copy, plain):
            for kind in KINDS:
                name = f"{kind}_confidence"
                own = token._.get(name)
                # A head beyond the part becomes another one, and a start of the part a start.
                moved = kind in ("head", "dep", "sent_start") and KINDS[kind][1](other) != (
                    KINDS[kind][1](token) - (part.start_char if kind == "head" else 0)
                )
                assert other._.get(name) == (None if moved else own)
                assert none._.get(name) is None
        inside = [ent for ent in doc.ents if part.start <= ent.start and ent.end <= part.end]
        assert [(s + part.start, e + part.start, *r) for s, e, *r in read_spans(copy)] == [
            (s.start, s.end, s.label_, confidence(s, "ner")) for s in inside
        ]
        assert public(copy) == [s._.confidence for s in inside]
        assert not any(public(plain))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("white_space", [True, False])
def test_docs_put_together_have_their_own(vocab, seed, white_space):
    docs = docs_of(vocab, seed, 4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        whole = Doc.from_docs(docs, ensure_whitespace=white_space)
    low = 0
    rows = [read(doc) for doc in docs]
    assert read_tokens(whole) == [row for tokens, *_ in rows for row in tokens]
    for target, number in [("", 1), ("sc", 2)]:
        expected = []
        for doc, row in zip(docs, rows):
            expected += [(s + low, e + low, label, value) for s, e, label, value in row[number]]
            low += len(doc)
        low = 0
        assert read_spans(whole, target) == expected
        assert public(whole, target) == [v for doc in docs for v in public(doc, target)]
    # And apart again.
    if len(docs[0]):
        first = whole[: len(docs[0])].as_doc(copy_user_data=True)
        tags = [token._.tag_confidence for token in first]
        assert tags == [token._.tag_confidence for token in docs[0]]


@pytest.mark.parametrize("seed", SEEDS)
def test_parts_put_together_have_their_own_or_none(vocab, seed):
    """What is said of the rest of a Doc comes along, and falls on other parts."""
    docs = docs_of(vocab, seed, 3)
    parts = [sent for doc in docs for sent in doc.sents]
    if not parts:
        return
    np.random.default_rng(seed).shuffle(parts)
    whole = Doc.from_docs([part.as_doc(copy_user_data=True) for part in parts])
    tokens = [token for part in parts for token in part]
    for token, own in zip(whole, tokens, strict=True):
        for kind in KINDS:
            assert token._.get(f"{kind}_confidence") in (None, own._.get(f"{kind}_confidence"))


@pytest.mark.parametrize("seed", SEEDS)
def test_json_keeps_spans(vocab, seed):
    """Without tokens of white space: `from_json` fails on many of them, with or without us."""
    (doc,) = docs_of(vocab, seed, words=[word for word in WORDS if not word.isspace()])
    if not len(doc):
        return
    text = json.dumps(doc.to_json(underscore=["confidence"]))
    copy = Doc(vocab).from_json(json.loads(text))
    assert public(copy) == public(doc) and public(copy, "sc") == public(doc, "sc")
    for span in copy.ents:
        assert confidence(span) == span._.confidence
        assert confidence(Span(copy, span.start, span.end, label="OTHER")) is None


def test_json_of_a_doc_without_entities(vocab):
    doc = Doc(vocab, words=["a"])
    store_spans(doc, "ner", [], [], "")
    assert Doc(vocab).from_json(doc.to_json(underscore=["confidence"])).ents == ()


@pytest.mark.parametrize("seed", SEEDS)
def test_merged_and_split_tokens(vocab, seed):
    (doc,) = docs_of(vocab, seed)
    if len(doc) < 3:
        return
    rng = np.random.default_rng(seed)
    before = {
        (t.idx, t.text): {kind: confidence(t, kind) for kind in KINDS} | {"tag_": t.tag_}
        for t in doc
    }
    start = int(rng.integers(len(doc) - 2))
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[start : start + 2])
    merged = doc[start]
    assert all(confidence(merged, kind) is None for kind in KINDS)
    for token in doc[start + 1 :]:
        assert confidence(token, "tag") == before[token.idx, token.text]["tag"]
    for token in doc:
        own = before.get((token.idx, token.text), {})
        assert all(confidence(token, kind) in (None, own.get(kind)) for kind in KINDS)
    half = len(merged) // 2
    with doc.retokenize() as retokenizer:
        orths = [merged.text[:half], merged.text[half:]]
        retokenizer.split(merged, orths, heads=[merged, (merged, 0)])
    for token in doc:
        own = before.get((token.idx, token.text), {})
        assert all(confidence(token, kind) in (None, own.get(kind)) for kind in KINDS)


def test_spans_whose_tokens_are_merged_or_split(vocab):
    doc = Doc(vocab, words=["aa", "b", "ccc", "d"], spaces=[True, False] * 2)
    doc.ents = [Span(doc, 0, 2, label="X"), Span(doc, 2, 3, label="Y")]
    store_spans(doc, "ner", doc.ents, [0.25, 0.5], "")
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[0:2])
        retokenizer.split(doc[2], ["c", "cc"], heads=[doc[2], doc[2]])
    assert public(doc) == [0.25, 0.5] and [s.text for s in doc.ents] == ["aa b", "ccc"]


def test_annotation_by_hand_has_none(vocab):
    (doc,) = docs_of(vocab, 1)
    token = doc[2]
    assert token._.tag_confidence and token._.head_confidence
    token.tag_, token.dep_, token.pos_ = "by hand", "too", "INTJ"
    token.set_morph("Case=Dat")
    token.head = doc[len(doc) - 1]
    for kind in ("tag", "dep", "pos", "morph", "head"):
        assert confidence(token, kind) is None
    span = doc.ents[0]
    assert Span(doc, span.start, span.end, label="BY_HAND")._.confidence is None
    assert doc[span.start : span.end]._.confidence is None
    assert Span(doc, span.start, span.end, label=span.label, kb_id="Q1")._.confidence


def test_tokens_of_which_nothing_was_said(vocab):
    doc = Doc(vocab, words=["a", "b", "c"], tags=["A", "B", "A"])
    store_tokens(doc, {"tag": np.array([0.25, np.nan, 0.5])})
    assert [token._.tag_confidence for token in doc] == [0.25, None, 0.5]
    assert doc[0]._.pos_confidence is None
    clear_tokens(doc, ["tag"])
    assert doc[0]._.tag_confidence is None and not doc.user_data
    empty = Doc(vocab)
    store_tokens(empty, {"tag": np.zeros(0)})
    assert not empty.user_data


def test_nothing_predicted(vocab):
    doc = Doc(vocab, words=["a"], tags=["A"])
    assert all(confidence(doc[0], kind) is None for kind in KINDS)
    assert confidence(doc[:]) is None and confidence(Doc(vocab)[:]) is None
    with pytest.raises(ValueError, match=r"kind\), not with 'ents'"):
        confidence(doc[0], "ents")
    with pytest.raises(ValueError, match="not with None"):
        confidence(doc[0])
    with pytest.raises(ValueError, match="a Span or a Token, not of Doc"):
        confidence(doc)


# Several components


def test_a_component_that_annotates_anew_forgets(vocab):
    doc = Doc(vocab, words=["a", "b", "c"])
    one, two = Span(doc, 0, 1, label="X"), Span(doc, 1, 2, label="X")
    store_spans(doc, "ner", [one], [0.25], "")
    store_spans(doc, "other", [two], [0.5], "")
    clear_spans(doc, "ner", "")
    assert one._.confidence is None and two._.confidence == 0.5
    store_spans(doc, "ner", [one], [0.75], "")
    assert one._.confidence == 0.75
    clear_spans(doc, "ner", "sc")
    assert one._.confidence == 0.75
    clear_spans(doc, "ner", "", all_components=True)
    assert not doc.user_data


def test_two_components_that_find_the_same_span(vocab):
    doc = Doc(vocab, words=["a", "b", "c"])
    one, two = (Span(doc, 0, 1, label=label) for label in "XY")
    store_spans(doc, "ner", [one], [0.25], "")
    store_spans(doc, "other", [two], [0.5], "sc")
    assert (one._.confidence, two._.confidence) == (0.25, 0.5)
    store_spans(doc, "other", [one], [0.75], "sc")
    # Nobody knows which of both is meant.
    assert one._.confidence is None and two._.confidence == 0.5
    assert (confidence(one, "ner"), confidence(one, "other")) == (0.25, 0.75)
    assert confidence(one, "third") is None
    clear_spans(doc, "other", "sc")
    assert one._.confidence == 0.25 and two._.confidence is None


def test_what_a_json_says_is_forgotten_too(vocab):
    doc = Doc(vocab, words=["a", "b"])
    doc.ents = [Span(doc, 0, 1, label="X")]
    store_spans(doc, "ner", doc.ents, [0.5], "")
    doc = Doc(vocab).from_json(doc.to_json(underscore=["confidence"]))
    assert public(doc) == [0.5]
    clear_spans(doc, "ner", "")
    assert public(doc) == [None]


def test_spans_that_are_kept_keep_theirs(vocab):
    doc = Doc(vocab, words=["a", "b", "c", "d"])
    doc.ents = [Span(doc, i, i + 1, label="XYX"[i]) for i in range(3)]
    store_spans(doc, "ner", doc.ents, [0.25, 0.5, 0.75], "")
    clear_spans(doc, "ner", "", kept=[*doc.ents, Span(doc, 3, 4, label="X")])
    assert public(doc) == [0.25, 0.5, 0.75]
    copy = Doc(vocab).from_json(doc.to_json(underscore=["confidence"]))
    clear_spans(copy, "ner", "", kept=copy.ents[:1])
    assert public(copy) == [0.25, None, None]
    old = old_doc(vocab)
    clear_spans(old, "ner", "", kept=old.ents[1:])
    assert public(old) == [None, 0.5]


def test_where_a_prediction_is_gone_the_others_are_not_trusted(vocab):
    """Somebody chose among the spans, or set others by hand, which may look like predictions."""
    for label in ("X", "Z"):
        doc = Doc(vocab, words=["a", "b"])
        doc.ents = [Span(doc, i, i + 1, label="XY"[i]) for i in range(2)]
        store_spans(doc, "ner", doc.ents, [0.25, 0.5], "")
        clear_spans(doc, "ner", "", kept=[Span(doc, 0, 1, label=label)])
        assert public(doc) == [None, None]


# Attributes of users


def test_attributes_of_users_stay(vocab, caplog):
    Span.set_extension("confidence", default=-1, force=True)
    Token.set_extension("tag_confidence", getter=len, force=True)
    with caplog.at_level(logging.WARNING, logger="spacy"):
        for _ in range(2):
            register_spans("ner")
            register_tokens("tag", "tagger")
    about_spans, about_tokens = (record.getMessage() for record in caplog.records)
    for part in ("'ner'", "Span._.confidence", "default -1", "spacy_pretrained.confidence(span)"):
        assert part in about_spans
    for part in ("'tagger'", "Token._.tag_confidence", "len", 'confidence(token, "tag")'):
        assert part in about_tokens
    doc = Doc(vocab, words=["Ada", "b"], tags=["A", "B"])
    doc.ents = [Span(doc, 0, 1, label="X")]
    (span,) = doc.ents
    span._.confidence = 7
    store_spans(doc, "ner", [span], [0.5], "")
    store_tokens(doc, {"tag": np.array([0.25, 0.5])})
    assert (span._.confidence, confidence(span)) == (7, 0.5)
    assert (doc[0]._.tag_confidence, confidence(doc[0], "tag")) == (3, 0.25)
    clear_spans(doc, "ner", "", all_components=True)
    assert (span._.confidence, confidence(span)) == (7, None)


def test_registering_again_says_nothing(caplog):
    register_spans("ner")
    register_tokens("tag", "tagger")
    assert not caplog.records and Span.has_extension("confidence")


def test_attributes_pickle(vocab):
    (doc,) = docs_of(vocab, 3)
    for state in (Underscore.token_extensions, Underscore.span_extensions):
        assert pickle.loads(pickle.dumps(state)) == state
    getter = pickle.loads(pickle.dumps(Token.get_extension("tag_confidence")))[2]
    assert getter(doc[0]) == doc[0]._.tag_confidence


# Arrays of DocBins of version 0.1


def old_doc(vocab) -> Doc:
    doc = Doc(vocab, words=["aa", "b", "ccc", "d"], tags=["A", "B", "A", "B"])
    doc.ents = [Span(doc, 0, 2, label="X"), Span(doc, 2, 3, label="Y")]
    doc.user_data["tag_confidence"] = {
        "start": np.array([0, 3, 5, 9]),
        "length": np.array([2, 1, 3, 1]),
        "probability": np.array([0.25, 1.0, 0.5, np.nan], dtype="float32"),
    }
    doc.user_data["span_confidence"] = {
        "start": np.array([0, 5]),
        "end": np.array([4, 8]),
        "label": np.array([span.label for span in doc.ents], dtype="uint64"),
        "probability": np.array([0.25, 0.5], dtype="float32"),
    }
    stored = DocBin(store_user_data=True, docs=[doc]).to_bytes()
    return next(DocBin().from_bytes(stored).get_docs(vocab))


def test_old_arrays_are_read(vocab):
    doc = old_doc(vocab)
    assert [token._.tag_confidence for token in doc] == [0.25, 1.0, 0.5, None]
    assert public(doc) == [0.25, 0.5]
    assert Span(doc, 0, 2, label="Y")._.confidence is None
    part = doc[2:].as_doc(copy_user_data=True)
    assert [token._.tag_confidence for token in part] == [None, None]
    assert public(part) == [None]


def test_old_arrays_go_when_a_component_annotates(vocab):
    doc = old_doc(vocab)
    store_tokens(doc, {"tag": np.full(4, 0.125)})
    assert [token._.tag_confidence for token in doc] == [0.125] * 4
    clear_spans(doc, "ner", "")
    assert public(doc) == [None, None]
