"""line_breaks.py: line breaks are made spaces, and everything about all other tokens stays."""

import pytest
import spacy
from spacy.tokens import Doc, Span
from tiny_pipelines import make_reference

from spacy_pretrained.corpora.line_breaks import without_line_breaks
from spacy_pretrained.corpora.multiword import Word, set_words, words_of


@pytest.fixture(scope="module")
def vocab():
    return spacy.blank("xx").vocab


def joined(vocab, space: str, numbers=(1, 3, 0)) -> Doc:
    """Sentences with `space` as a token between them; "" for one space."""
    parts = [make_reference(vocab, [number]) for number in numbers]
    if space:
        gap = Doc(vocab, words=[space], spaces=[False], tags=["_SP"], pos=["SPACE"], ents=["O"])
        parts = [doc for part in parts for doc in (part, gap)][:-1]
    whole = Doc.from_docs(parts, ensure_whitespace=not space)
    attributes = ["HEAD", "DEP"]
    array = whole.to_array(attributes)
    for token in whole:
        if token.is_space:  # as the converter has it: part of the sentence before
            array[token.i] = ((1 << 64) - 1, vocab.strings.add("dep"))
    whole.from_array(attributes, array)
    whole.cats = {"question": 1.0}
    return whole


def rows(doc: Doc) -> list[tuple]:
    return [
        (
            token.text_with_ws.strip(),
            token.tag_,
            token.pos_,
            str(token.morph),
            token.lemma_,
            token.dep_,
            token.head.i,
            token.is_sent_start,
            token.ent_iob_,
            token.ent_type_,
        )
        for token in doc
    ]


@pytest.mark.parametrize("space", ["\n", "\n\n", " \r\n \n"])
def test_only_line_breaks_are_left_out(vocab, space):
    doc = joined(vocab, space)
    flat = without_line_breaks(doc)
    expected = joined(vocab, "")
    assert "\n" in doc.text and "\n" not in flat.text
    assert flat.text == expected.text
    assert rows(flat) == rows(expected)
    assert [(e.text, e.label_) for e in flat.ents] == [(e.text, e.label_) for e in expected.ents]
    assert [s.text for s in flat.spans["sc"]] == [s.text for s in expected.spans["sc"]] != []
    assert [s.text for s in flat.sents] == [s.text for s in expected.sents]
    assert flat.cats == doc.cats


def test_spans_that_end_in_a_line_break(vocab):
    doc = joined(vocab, "\n")
    gap = next(token.i for token in doc if token.is_space)
    doc.spans["sc"] = [Span(doc, gap - 1, gap + 1, "END"), Span(doc, gap, gap + 1, "NOTHING")]
    flat = without_line_breaks(doc)
    assert [(s.text, s.label_) for s in flat.spans["sc"]] == [(".", "END")]


def test_what_cannot_go_stays(vocab):
    for doc in (
        Doc(vocab),
        Doc(vocab, words=["\n", "a"], spaces=[False, False]),  # nothing stands before it
        Doc(vocab, words=["a", "\n", "b"]),  # it is not known where spaces are
        Doc(vocab, words=["a", "  ", "b"], spaces=[True, False, False]),
        joined(vocab, ""),
    ):
        doc.has_unknown_spaces = [token.text for token in doc] == ["a", "\n", "b"]
        assert without_line_breaks(doc) is doc
    words, spaces = ["a", "\n", "b"], [False] * 3
    head = Doc(vocab, words=words, spaces=spaces, heads=[1, 1, 1], deps=["dep", "ROOT", "dep"])
    entity = Doc(vocab, words=words, spaces=spaces, ents=["B-X", "I-X", "I-X"])
    start = Doc(vocab, words=words, spaces=spaces, sent_starts=[True, True, False])
    for doc in (head, entity, start):
        assert without_line_breaks(doc) is doc


def test_missing_annotation_stays_missing(vocab):
    doc = Doc(vocab, words=["a", "\n", "b"], spaces=[False] * 3)
    flat = without_line_breaks(doc)
    assert [token.text_with_ws for token in flat] == ["a ", "b"]
    for attribute in ("TAG", "DEP", "ENT_IOB", "SENT_START", "LEMMA"):
        assert not flat.has_annotation(attribute)


def test_words_of_multiword_tokens_stay(vocab):
    doc = Doc(vocab, words=["a", "\n", "im", "Fluss"], spaces=[False, False, True, False])
    words = [Word("in", "in", "ADP", "", "", -1, ""), Word("dem", "der", "DET", "", "", -2, "det")]
    set_words(doc, 2, words)
    flat = without_line_breaks(doc)
    assert [len(words_of(token)) for token in flat] == [0, 2, 0]
