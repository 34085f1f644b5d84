"""entity_layer.py: entities find their sentences, and no others; what is not found is missing."""

from pathlib import Path

import pytest
import spacy
from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from spacy_pretrained.corpora.entity_layer import (
    EntityLayer,
    JoinReport,
    entities_alone,
    forget_entities,
)

DATA = Path(__file__).parents[3] / "shared" / "data"
EWT = DATA / "ud_en_ewt" / "en_ewt-ud-train.conllu"
UNER = DATA / "ner_uner_en_ewt" / "en_ewt-ud-train.iob2"


@pytest.fixture(scope="module")
def vocab():
    return spacy.blank("xx").vocab


def make_doc(vocab, *sentences: str) -> Doc:
    """Sentences of words between single spaces; entities are written New/X York/X, or +Paris/X
    where one begins right behind another of its label; "␣" is a token of white space."""
    words, tags, starts = [], [], []
    for sentence in sentences:
        for i, item in enumerate(sentence.split()):
            word, _, label = item.partition("/")
            goes_on = tags and not word.startswith("+") and tags[-1][2:] == label
            tags.append(("I-" if goes_on and i else "B-") + label if label else "O")
            words.append(word.removeprefix("+").replace("␣", "\n"))
            starts.append(i == 0)
    return Doc(vocab, words=words, sent_starts=starts, ents=tags)


def bare(vocab, *sentences: str) -> Doc:
    doc = make_doc(vocab, *sentences)
    forget_entities(doc)
    return doc


def entities(doc: Doc) -> list[tuple]:
    return [(ent.text, ent.label_) for ent in doc.ents]


def codes(doc: Doc) -> str:
    """A letter a token, "?" where it is not known."""
    return "".join(token.ent_iob_ or "?" for token in doc)


# Joining


def test_a_doc_of_the_same_sentences(vocab):
    layer = EntityLayer([make_doc(vocab, "New/X York/X is old .", "+Ada/Y +Bob/Y")])
    doc = bare(vocab, "New York is old .", "Ada Bob")
    assert codes(doc) == "???????"
    assert layer.join(doc) == 0
    assert (
        entities(doc) == entities(layer.docs[0]) == [("New York", "X"), ("Ada", "Y"), ("Bob", "Y")]
    )
    assert codes(doc) == "BIOOOBB"
    assert layer.report == JoinReport(2, 2, 3, 3)


def test_sentences_that_differ_are_missing(vocab):
    layer = EntityLayer([make_doc(vocab, "Ada/X sees", "Bob/X hears it", "Eve/X")])
    doc = bare(vocab, "Ada sees", "Bob hears", "Eve")
    layer.join(doc)
    assert codes(doc) == "BO??B" and entities(doc) == [("Ada", "X"), ("Eve", "X")]
    assert layer.report == JoinReport(3, 2, 3, 2)


def test_sentences_cut_otherwise_are_missing(vocab):
    layer = EntityLayer([make_doc(vocab, "a b/X c", "d")])
    doc = bare(vocab, "a", "b c", "d")
    layer.join(doc)
    assert codes(doc) == "???O"


def test_no_sentence_is_found(vocab):
    layer = EntityLayer([make_doc(vocab, "Ada/X sees"), make_doc(vocab, "Bob/X")])
    doc = make_doc(vocab, "Eve/X hears", "it")
    before = doc.to_bytes()
    assert layer.join(doc) is None
    assert doc.to_bytes() == before
    assert layer.report == JoinReport(2, 0, 2, 0)
    assert layer.join(Doc(vocab)) is None
    assert EntityLayer([]).join(doc) is None
    assert EntityLayer([Doc(vocab)]).join(doc) is None


def test_repeated_sentences_belong_together_in_order(vocab):
    """The same words may be an entity in one place, and not in another."""
    layer = EntityLayer([make_doc(vocab, "May/X", "Yes", "May", "May/Y")])
    doc = bare(vocab, "May", "May", "Yes", "May", "May")
    layer.join(doc)
    assert [token.ent_type_ for token in doc] == ["X", "", "", "Y", ""]
    assert codes(doc) == "BOOB?"  # there is no fourth
    assert layer.report == JoinReport(5, 4, 2, 2)


def test_the_doc_with_most_of_the_sentences(vocab):
    short = ["Yes/X", "No/X"]
    layer = EntityLayer(
        [
            make_doc(vocab, *short),
            make_doc(vocab, "Yes", "No", "Ada/Z sees"),
            make_doc(vocab, "Yes/Y", "No", "Ada sees"),
        ]
    )
    doc = bare(vocab, "Ada sees", "Yes", "No")
    assert layer.join(doc) == 1  # the first of two with three
    assert entities(doc) == [("Ada", "Z")]
    doc = bare(vocab, "Yes", "What", "No")
    assert layer.join(doc) == 0
    assert entities(doc) == [("Yes", "X"), ("No", "X")]
    assert codes(doc) == "B?B"


def test_documents_of_the_layer_begin_elsewhere(vocab):
    layer = EntityLayer(
        [make_doc(vocab, *doc) for doc in (["a/X", "b/X"], ["c/X", "d/X"], ["e/X", "f/X"], ["g"])]
    )
    docs = [bare(vocab, *doc) for doc in (["a"], ["b", "c", "d", "e"], ["f", "g"])]
    assert [layer.join(doc) for doc in docs] == [0, 1, 2]
    assert list(map(codes, docs)) == ["B", "BBBB", "BO"]
    assert layer.report == JoinReport(7, 7, 6, 6)


def test_the_same_words_far_away_are_another_sentence(vocab):
    layer = EntityLayer([make_doc(vocab, *doc) for doc in (["a/X"], ["b"], ["c/X", "d"])])
    doc = bare(vocab, "a", "c", "d")
    assert layer.join(doc) == 2
    assert codes(doc) == "?BO"


def test_the_doc_with_most_sentences_comes_first(vocab):
    """Before the one in front of it, which has the same words."""
    layer = EntityLayer([make_doc(vocab, "Yes/X"), make_doc(vocab, "Yes/Y", "Ada sees", "+Bob/Y")])
    doc = bare(vocab, "Yes", "Ada sees", "Yes")
    assert layer.join(doc) == 1
    assert [token.ent_type_ for token in doc] == ["Y", "", "", "X"]


def test_counts_of_several_docs(vocab):
    layer = EntityLayer([make_doc(vocab, "Ada/X sees", "Bob/X"), make_doc(vocab, "Eve/X")])
    assert layer.report == JoinReport(entities=3)
    numbers = [layer.join(bare(vocab, *doc)) for doc in (["Eve"], ["Ada sees"], ["Zoe"])]
    assert numbers == [1, 0, None]
    assert layer.report == JoinReport(3, 2, 3, 2)


def test_what_the_layer_misses_is_missing(vocab):
    source = make_doc(vocab, "Ada sees Bob")
    source.set_ents([Span(source, 2, 3, label="X")], missing=[source[0:1]])
    doc = make_doc(vocab, "Ada/Y sees Bob")
    EntityLayer([source]).join(doc)
    assert codes(doc) == "?OB" and entities(doc) == [("Bob", "X")]


def test_docs_without_sentence_starts_are_one_sentence(vocab):
    words = ["Ada", "sees"]
    layer = EntityLayer([Doc(vocab, words=words, ents=["B-X", "O"])])
    doc = Doc(vocab, words=words)
    assert layer.join(doc) == 0 and entities(doc) == [("Ada", "X")]


def test_a_layer_of_another_vocabulary():
    layer = EntityLayer([make_doc(Vocab(), "Ada/RARELABEL sees")])
    doc = Doc(Vocab(), words=["Ada", "sees"])
    layer.join(doc)
    assert entities(doc) == [("Ada", "RARELABEL")]


def test_other_annotation_stays(vocab):
    words = ["Ada", "sees", "\n", "Bob"]
    doc = Doc(
        vocab,
        words=words,
        heads=[1, 1, 1, 3],
        deps=["nsubj", "ROOT", "dep", "ROOT"],
        tags=["A", "B", "C", "D"],
    )
    EntityLayer([make_doc(vocab, "Ada/X sees", "Bob/Y")]).join(doc)
    assert entities(doc) == [("Ada", "X"), ("Bob", "Y")]
    assert [token.head.i for token in doc] == [1, 1, 1, 3]
    assert [token.tag_ for token in doc] == ["A", "B", "C", "D"]
    assert [sent.start for sent in doc.sents] == [0, 3]


# White space


@pytest.mark.parametrize(
    "own, layer, expected",
    [
        (["␣ a b ␣"], ["a/X b"], "?BOO"),  # at the beginning it is missing
        (["a ␣ b"], ["a/X b/X"], "BII"),  # inside
        (["a ␣ ␣ b c"], ["a/X b/X c"], "BIIIO"),
        (["a ␣ b"], ["a/X +b/X"], "BOB"),  # between two
        (["a ␣ ␣ b"], ["a/X b"], "BOOO"),
        (["a b ␣", "c"], ["a b/X", "c/X"], "OBOB"),  # between sentences
        (["a b ␣", "c"], ["a b/X", "d/X"], "OBO?"),
        (["a b ␣", "c ␣"], ["e b/X", "c/X"], "???BO"),
        (["a b"], ["a/X ␣/X b/X"], "BI"),  # of the layer
        (["a b"], ["␣ a/X b/X ␣"], "BI"),
        (["a", "␣", "b"], ["a/X", "b"], "BOO"),  # a sentence of nothing else
    ],
)
def test_white_space(vocab, own, layer, expected):
    doc = bare(vocab, *own)
    layer = EntityLayer([make_doc(vocab, *layer)])
    layer.join(doc)
    assert codes(doc) == expected
    assert layer.report.joined_entities == len(doc.ents) == expected.count("B")


# Docs of entities, and of none


def test_entities_alone(vocab):
    doc = make_doc(vocab, "New/X York/X is", "old Ada/Y")
    doc.set_ents(list(doc.ents), missing=[doc[3:4]])
    doc[0].tag_, doc[0].head = "A", doc[1]
    alone = entities_alone(doc)
    assert alone.text == doc.text and [t.text for t in alone] == [t.text for t in doc]
    assert entities(alone) == entities(doc) and codes(alone) == codes(doc) == "BIO?B"
    for attribute in ("TAG", "DEP", "HEAD", "SENT_START"):
        assert not alone.has_annotation(attribute)
    assert alone is not doc and codes(entities_alone(bare(vocab, "a b"))) == "??"
    assert len(entities_alone(Doc(vocab))) == 0
    spaced = Doc(vocab, words=["a", "b", "c"], spaces=[False, True, False])
    assert entities_alone(spaced).text == "ab c"


def test_entities_are_forgotten(vocab):
    doc = make_doc(vocab, "New/X York/X is", "old")
    forget_entities(doc)
    assert codes(doc) == "????" and not doc.ents and not doc.has_annotation("ENT_IOB")
    assert [sent.start for sent in doc.sents] == [0, 3]
    forget_entities(Doc(vocab))


# Real data


def read_docs(path: Path, vocab, tag_column: int | None = None) -> list[Doc]:
    """The words, sentences and documents of a file of columns, and its entities."""
    docs = []
    for text in path.read_text("utf8").split("# newdoc id")[1:]:
        words, tags, starts = [], [], []
        for sentence in text.split("\n\n"):
            rows = [line.split("\t") for line in sentence.split("\n") if line[:1].isdigit()]
            rows = [row for row in rows if row[0].isdigit()]
            words += [row[1] for row in rows]
            tags += [row[tag_column] if tag_column else "" for row in rows]
            starts += [i == 0 for i in range(len(rows))]
        docs.append(Doc(vocab, words=words, ents=tags, sent_starts=starts))
    return docs


@pytest.mark.slow
@pytest.mark.skipif(
    not (EWT.exists() and UNER.exists()), reason="EWT and Universal NER are not in ../shared/data"
)
def test_universal_ner_on_ewt(vocab):
    layer = EntityLayer(read_docs(UNER, vocab, 2))
    docs = read_docs(EWT, vocab)
    numbers = [layer.join(doc) for doc in docs]
    assert layer.report == JoinReport(12_544, 12_531, 7_005, 6_995)
    assert sum(len(doc.ents) for doc in docs) == 6_995
    joined = [(doc, layer.docs[n]) for doc, n in zip(docs, numbers) if n is not None]
    same = [entities(doc) == entities(other) for doc, other in joined]
    assert len(joined) == len(docs) == 540 and sum(same) > 530
