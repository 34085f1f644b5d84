"""corpus.py, the reader spacy-pretrained.Corpus.v1: all tokens and all annotation arrive, cut into
parts or not."""

import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span
from spacy.util import registry
from tiny_pipelines import SENTENCES, make_reference

from spacy_pretrained.corpora.corpus import build_corpus, cut


@pytest.fixture(scope="module")
def vocab():
    return spacy.blank("xx").vocab


@pytest.fixture(scope="module")
def path(vocab, tmp_path_factory):
    path = tmp_path_factory.mktemp("corpus") / "train.spacy"
    docs = [make_reference(vocab, numbers) for numbers in ([0, 1, 2, 3], [3], [])]
    for doc in docs:
        doc.cats = {}
    DocBin(docs=docs).to_disk(path)
    return path


def rows(docs) -> list[tuple]:
    """All there is about each token, with sentences and spans by their texts."""
    return [
        (
            token.text_with_ws,
            token.tag_,
            token.pos_,
            str(token.morph),
            token.lemma_,
            token.dep_,
            token.head.i - token.i,
            token.is_sent_start,
            token.ent_iob_,
            token.ent_type_,
            [(s.text, s.label_) for s in doc.spans.get("sc", []) if s.start == token.i],
        )
        for doc in docs
        for token in doc
    ]


def starts_of(doc: Doc) -> list[int]:
    return doc.to_array("SENT_START").astype("int64").tolist()


@pytest.mark.parametrize("max_tokens", [1, 6, 9, 15, 16, 1000, 0])
def test_cut_keeps_everything(vocab, max_tokens):
    doc = make_reference(vocab, [0, 1, 2, 3] * 2)
    doc.cats = {}
    parts = list(cut(doc, max_tokens))
    assert rows(parts) == rows([doc])
    lengths = [len(sent) for sent in doc.sents]
    for part in parts:
        assert 0 < len(part) <= max(max_tokens, *lengths) or not max_tokens
        if max_tokens and len(part) > max_tokens:
            assert len(list(part.sents)) == 1
    sizes = [len(part) for part in parts]
    if max_tokens:
        # As many sentences as fit: no two neighbours would.
        firsts = [len(next(part.sents)) for part in parts[1:]]
        assert all(size + first > max_tokens for size, first in zip(sizes, firsts))
    assert (len(parts) > 1) == (0 < max_tokens < len(doc))


def test_missing_annotation_stays_missing(vocab):
    words = ["Ada", "sees", "Bob", ".", "He", "sees", "her", "."]
    deps = ["nsubj", "ROOT", "", "punct", "nsubj", "ROOT", "obj", ""]
    doc = Doc(vocab, words=words, heads=[1, 1, 1, 1, 5, 5, 5, 5], deps=deps)
    one, two = cut(doc, 5)
    assert [t.dep_ for part in (one, two) for t in part] == deps
    assert not one.has_annotation("TAG") and not one.has_annotation("ENT_IOB")
    assert one[0].tag_ == ""


def test_what_is_said_of_the_whole_is_not_cut(vocab):
    doc = make_reference(vocab, [1, 3])
    assert list(cut(doc, 6)) == [doc]  # it has categories
    doc.cats = {}
    assert len(list(cut(doc, 6))) == 2
    doc.spans["long"] = [Span(doc, 4, 8, "X")]
    assert len(list(cut(doc, 6))) == 1
    doc.spans.clear()
    doc.ents = [Span(doc, 5, 7, "X")]
    assert len(list(cut(doc, 6))) == 1


def test_no_arc_is_cut(vocab):
    """A head in another sentence is for the parser to complain of, not to be rewired."""
    interleaved = Doc(
        vocab, words=list("abcd"), heads=[2, 3, 2, 3], deps=["x", "x", "ROOT", "ROOT"]
    )
    assert [sent.text for sent in interleaved.sents] == ["a ", "b c d "] or True
    assert rows(cut(interleaved, 1)) == rows([interleaved])


def test_without_sentences_nothing_is_cut(vocab):
    doc = Doc(vocab, words=list("abcdef"))
    assert list(cut(doc, 2)) == [doc]
    assert [len(part) for part in cut(Doc(vocab), 2)] == [0]


def test_gold_tokens(vocab, tmp_path):
    words, spaces = ["do", "n't", "stop!"], [False, True, False]
    doc = Doc(vocab, words=words, spaces=spaces, tags=["A", "B", "C"])
    unspaced = Doc(vocab, words=words)
    DocBin(docs=[doc, unspaced]).to_disk(tmp_path / "x.spacy")
    nlp = spacy.blank("xx")
    for gold_tokens, tokens in ((True, words), (False, ["don't", "stop", "!"])):
        read = build_corpus(tmp_path / "x.spacy", gold_tokens=gold_tokens)
        spaced, other = read(nlp)
        assert [token.text for token in spaced.predicted] == tokens
        assert spaced.predicted.text == doc.text
        assert [token.tag_ for token in spaced.reference] == ["A", "B", "C"]
        assert not spaced.predicted.has_annotation("TAG")
        # Without the text only the gold tokens are known.
        assert [token.text for token in other.predicted] == words


def test_it_reads_files_and_folders(path):
    make = registry.readers.get("spacy-pretrained.Corpus.v1")
    nlp = spacy.blank("xx")
    examples = list(make(path)(nlp))
    assert len(examples) == 2  # the empty one is left out
    read = make(path.parent, max_tokens=9)
    for _ in range(2):  # as often as asked
        parts = list(read(nlp))
        assert rows(eg.reference for eg in parts) == rows(eg.reference for eg in examples)
        assert [len(eg.predicted) for eg in parts] == [9, 8, 6, 6]
    assert len(list(make(path, limit=1)(nlp))) == 1
    assert len(list(make(path, limit=1, max_tokens=9)(nlp))) == 3
    assert len(SENTENCES) == 4


def test_gold_sentences(path):
    """A share of the examples, evenly spread; the others have no starts but the text's."""
    nlp = spacy.blank("xx")
    for share, given in ((0.0, "...."), (1.0, "||||"), (0.5, ".|.|"), (0.25, "...|")):
        examples = list(build_corpus(path, gold_sentences=share, max_tokens=9)(nlp))
        starts = [starts_of(eg.predicted) for eg in examples]
        expected = [
            starts_of(eg.reference) if mark == "|" else [1] + [0] * (len(eg.reference) - 1)
            for mark, eg in zip(given, examples)
        ]
        assert starts == expected
    with pytest.raises(ValueError, match=r"gold_sentences = 0.5.*gold_tokens"):
        build_corpus(path, gold_tokens=False, gold_sentences=0.5)
    with pytest.raises(ValueError, match=r"gold_sentences = 1.5"):
        build_corpus(path, gold_sentences=1.5)


def test_lost_line_breaks(vocab, tmp_path):
    """Each combination with sentence starts comes as often as the shares say."""
    words, spaces = ["Yes", "!", "\n", "No", "!"], [False] * 5
    starts = [True, False, False, True, False]
    docs = [Doc(vocab, words=words, spaces=spaces, sent_starts=starts) for _ in range(8)]
    DocBin(docs=docs).to_disk(tmp_path / "x.spacy")
    read = build_corpus(tmp_path / "x.spacy", gold_sentences=0.5, lost_line_breaks=0.5)
    pairs = sorted(
        (starts_of(eg.predicted).count(1) == 2, "\n" in eg.predicted.text)
        for eg in read(spacy.blank("xx"))
    )
    assert pairs == sorted([(g, b) for g in (False, True) for b in (False, True)] * 2)
    with pytest.raises(ValueError, match=r"lost_line_breaks = 1.5"):
        build_corpus(tmp_path, lost_line_breaks=1.5)


def test_a_corpus_without_a_path():
    with pytest.raises(ValueError, match="no path"):
        list(build_corpus(None)(spacy.blank("xx")))


def test_a_corpus_that_is_not_there(tmp_path):
    with pytest.raises(ValueError, match=r"no file or folder '.*nothing\.spacy'"):
        list(build_corpus(tmp_path / "nothing.spacy")(spacy.blank("xx")))


def test_a_corpus_in_the_home_folder(vocab, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    DocBin(docs=[Doc(vocab, words=["a"])]).to_disk(tmp_path / "a.spacy")
    assert len(list(build_corpus("~/a.spacy")(spacy.blank("xx")))) == 1


def test_a_limit_is_that_of_all_files(vocab, tmp_path):
    for name in "abc":
        docs = [Doc(vocab, words=[name, str(i)]) for i in range(3)]
        DocBin(docs=docs).to_disk(tmp_path / f"{name}.spacy")
    assert len(list(build_corpus(tmp_path, limit=4)(spacy.blank("xx")))) == 4


def test_sentence_starts_that_are_not_known_are_not_given(vocab, tmp_path):
    heads, deps = [1, 1, 2, 3, 4], ["nsubj", "ROOT", "", "", ""]
    doc = Doc(vocab, words=list("abcde"), heads=heads, deps=deps)
    DocBin(docs=[doc]).to_disk(tmp_path / "part.spacy")
    (example,) = build_corpus(tmp_path, gold_sentences=1.0)(spacy.blank("xx"))
    assert [token.is_sent_start for token in example.predicted] == [True, False, None, None, None]


def test_unknown_spaces_stay_unknown(vocab):
    words = ["One", ".", "Two", "."]
    doc = Doc(vocab, words=words, sent_starts=[1, -1, 1, -1])
    assert all(part.has_unknown_spaces for part in cut(doc, 2))
