"""noun_chunks.py: base noun phrases of UD parses, disjoint and in order for trees of any shape, and
who gets them."""

import pickle
import re
from pathlib import Path

import numpy as np
import pytest
import spacy
from spacy.lang.en.syntax_iterators import noun_chunks as stock_noun_chunks
from spacy.lang.fr.syntax_iterators import noun_chunks as french_noun_chunks
from spacy.pipeline.functions import merge_noun_chunks
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from spacy.vocab import Vocab
from tiny_pipelines import (
    DOCUMENTS,
    SENTENCES,
    as_blank,
    make_examples,
    make_nlp,
    make_reference,
)

from spacy_pretrained.parser.noun_chunks import are_ud, install, noun_chunks_ud

PARSER = "biaffine_parser"
PAGE = Path(__file__).parents[2] / "docs" / "noun_chunks.md"
CORPUS = PAGE.parent.parent / "corpus" / "ewt" / "dev.spacy"
NLP = spacy.blank("en")
NLP.vocab.get_noun_chunks = noun_chunks_ud

# A word/UPOS/relation/head, counted from 0 in each text, and what is found.
N, P, R, V, D, A, X = "NOUN", "PROPN", "PRON", "VERB", "DET", "ADJ", "ADV"
TEXTS = {
    "the docstring's": (
        "John/PROPN/nmod:poss/3 's/PART/case/0 old/ADJ/amod/3 dog/NOUN/nsubj/4 saw/VERB/ROOT/4 "
        "Barack/PROPN/obj/4 Obama/PROPN/flat/5 in/ADP/case/9 the/DET/det/9 park/NOUN/obl/4 "
        "./PUNCT/punct/4",
        ["John 's old dog", "Barack Obama", "the park"],
    ),
    "possessors of possessors, with a phrase inside": (
        "my/PRON/nmod:poss/1 sister/NOUN/nmod:poss/7 from/ADP/case/3 Rome/PROPN/nmod/1 "
        "'s/PART/case/1 friend/NOUN/nmod:poss/7 's/PART/case/5 cat/NOUN/ROOT/7",
        ["my sister from Rome 's friend 's cat"],
    ),
    "a possessor without its noun": (
        "John/PROPN/nmod:poss/2 's/PART/case/0 leaving/VERB/nsubj/3 hurt/VERB/ROOT/3 me/PRON/obj/3",
        ["me"],
    ),
    "coordination": (
        "the/DET/det/1 cats/NOUN/nsubj/6 ,/PUNCT/punct/3 dogs/NOUN/conj/1 and/CCONJ/cc/5 "
        "mice/NOUN/conj/1 ran/VERB/ROOT/6",
        ["the cats", "dogs", "mice"],
    ),
    "coordination before the head": (
        "both/CCONJ/cc:preconj/1 research/NOUN/compound/4 and/CCONJ/cc/3 "
        "development/NOUN/conj/1 costs/NOUN/nsubj/5 rose/VERB/ROOT/5",
        ["both research and development costs"],
    ),
    "conjuncts of verbs are none": (
        "run/VERB/ROOT/0 and/CCONJ/cc/2 hide/VERB/conj/0",
        [],
    ),
    "prepositions, and adverbs before them": (
        "slept/VERB/ROOT/0 even/ADV/advmod/5 out/ADP/case/5 of/ADP/fixed/2 a/DET/det/5 "
        "bed/NOUN/obl/0 of/ADP/case/7 roses/NOUN/nmod/5",
        ["a bed", "roses"],
    ),
    "adverbs of arguments and of predicates": (
        "only/ADV/advmod/2 two/NUM/nummod/2 friends/NOUN/nsubj/6 are/AUX/cop/6 "
        "not/PART/advmod/6 a/DET/det/6 crowd/NOUN/ROOT/6",
        ["only two friends", "a crowd"],
    ),
    "no adverb behind a comma": (
        "eat/VERB/ROOT/0 then/ADV/advmod/3 ,/PUNCT/punct/3 apples/NOUN/obj/0",
        ["apples"],
    ),
    "commas and brackets between adjectives, not before them": (
        "./PUNCT/punct/6 a/DET/det/6 big/ADJ/amod/6 ,/PUNCT/punct/4 old/ADJ/amod/6 "
        ",/PUNCT/punct/6 house/NOUN/ROOT/6 -/PUNCT/punct/8 red/ADJ/amod/6",
        ["a big , old , house"],
    ),
    "names": (
        "President/PROPN/nmod:desc/1 Ada/PROPN/nsubj/6 van/PROPN/flat/1 der/PROPN/flat/1 "
        "-/PUNCT/punct/5 Berg/PROPN/flat/1 met/VERB/ROOT/6 any/DET/obj/6 one/PRON/goeswith/7 "
        "Bob/PROPN/obj/6 of/ADP/case/11 Rome/PROPN/nmod/9",
        ["President Ada van der - Berg", "Bob", "Rome"],
    ),
    "pronouns; expletives name nothing": (
        "It/PRON/expl/1 seems/VERB/ROOT/1 that/SCONJ/mark/4 who/PRON/nsubj/4 wins/VERB/ccomp/1 "
        "gets/VERB/advcl/1 it/PRON/obj/5",
        ["who", "it"],
    ),
    "what follows stays outside": (
        "the/DET/det/1 man/NOUN/nsubj/7 tall/ADJ/amod/1 in/ADP/case/4 black/NOUN/nmod/1 "
        "who/PRON/nsubj/6 sang/VERB/acl:relcl/1 left/VERB/ROOT/7 last/ADJ/amod/9 "
        "week/NOUN/obl:unmarked/7",
        ["the man", "black", "who", "last week"],
    ),
    "a phrase inside a modifier": (
        "the/DET/det/4 made/VERB/amod/4 in/ADP/case/3 China/PROPN/obl/1 toy/NOUN/ROOT/4",
        ["the made in China toy"],
    ),
    "white space": (
        "New/PROPN/nmod:poss/5 \n/SPACE/dep/0 York/PROPN/flat/0 's/PART/case/0 \n/SPACE/dep/3 "
        "mayor/NOUN/nsubj/8 \n/SPACE/dep/5 Ann/PROPN/flat/5 spoke/VERB/ROOT/8 \n/SPACE/dep/8",
        ["New \n York 's \n mayor \n Ann"],
    ),
    "a gap of another phrase": (  # "old" belongs to "dog", over the verb
        "old/ADJ/amod/2 came/VERB/ROOT/1 dog/NOUN/nsubj/1",
        ["dog"],
    ),
}


def make_doc(text: str, vocab: Vocab = NLP.vocab) -> Doc:
    rows = [row.rsplit("/", 3) for row in text.split(" ")]
    words, pos, deps, heads = zip(*rows)
    return Doc(
        vocab, words=list(words), pos=list(pos), deps=list(deps), heads=[int(h) for h in heads]
    )


def chunk_texts(doc: Doc) -> list[str]:
    return [chunk.text for chunk in doc.noun_chunks]


@pytest.mark.parametrize("name", TEXTS)
def test_phrases(name):
    text, expected = TEXTS[name]
    doc = make_doc(text)
    assert chunk_texts(doc) == expected
    assert all(chunk.label_ == "NP" for chunk in doc.noun_chunks)


def test_a_span():
    doc = make_doc(TEXTS["the docstring's"][0])
    assert [chunk.text for chunk in doc[4:10].noun_chunks] == ["Barack Obama", "the park"]
    assert [c[:2] for c in noun_chunks_ud(doc[4:10])] == [(5, 7), (8, 10)]


def test_the_stock_iterator_agrees_where_the_labels_are_the_same():
    """ClearNLP and UD share these."""
    text = (
        "the/DET/det/2 old/ADJ/amod/2 dog/NOUN/nsubj/6 and/CCONJ/cc/2 a/DET/det/5 cat/NOUN/conj/2 "
        "sleep/VERB/ROOT/6"
    )
    doc = make_doc(text)
    assert list(noun_chunks_ud(doc)) == list(stock_noun_chunks(doc))


# Of trees of any shape


def random_doc(rng: np.random.Generator, length: int) -> Doc:
    """A tree over random words, most often not projective."""
    labels = "det amod compound nmod:poss flat nmod obl obj nsubj conj punct case advmod acl cc dep"
    order = rng.permutation(length)
    heads = np.zeros(length, dtype=int)
    heads[order[0]] = order[0]
    for place in range(1, length):
        heads[order[place]] = order[rng.integers(max(0, place - 4), place)]
    deps = rng.choice(labels.split(), length)
    deps[order[0]] = "ROOT"
    pos = rng.choice(["NOUN", "PROPN", "PRON", "ADJ", "SPACE"], length, p=[0.4, 0.2, 0.2, 0.1, 0.1])
    words = [" " if p == "SPACE" else "word" for p in pos]
    return Doc(NLP.vocab, words=words, pos=pos.tolist(), heads=heads.tolist(), deps=deps.tolist())


def assert_disjoint_and_in_order(doc: Doc) -> int:
    chunks = list(noun_chunks_ud(doc))
    end_before = 0
    for start, end, _ in chunks:
        assert end_before <= start < end <= len(doc)
        end_before = end
        assert not doc[start].is_space and not doc[end - 1].is_space
        # One tree, but for commas and spaces in it: one word is over all others.
        words = [t for t in doc[start:end] if not t.is_space and t.dep_ not in ("punct", "advmod")]
        assert any(all(head == word or head.is_ancestor(word) for word in words) for head in words)
    return len(chunks)


def test_random_trees():
    rng = np.random.default_rng(0)
    found = [assert_disjoint_and_in_order(random_doc(rng, n)) for n in rng.integers(1, 30, 300)]
    assert sum(found) > 500


def test_the_tiny_corpus():
    docs = [make_reference(NLP.vocab, numbers) for numbers in DOCUMENTS]
    assert all(assert_disjoint_and_in_order(doc) for doc in docs)
    assert chunk_texts(docs[0]) == ["A hearing", "the issue", "today", "Ada", "the old river"]


def test_no_tokens_and_no_parse():
    blank = Doc(NLP.vocab, words=["a", "dog"])
    for doc in (blank, as_blank(blank)):
        with pytest.raises(ValueError, match="E029"):
            list(doc.noun_chunks)
    assert list(noun_chunks_ud(Doc(NLP.vocab))) == []


def test_merging():
    doc = merge_noun_chunks(make_doc(TEXTS["the docstring's"][0]))
    assert "|".join(t.text for t in doc) == "John 's old dog|saw|Barack Obama|in|the park|."
    assert [t.dep_ for t in doc] == ["nsubj", "ROOT", "obj", "case", "obl", "punct"]


# Who gets them

CLEAR = {"obj": "dobj", "obl": "pobj", "case": "prep"}


def make_clear(vocab: Vocab, numbers: list[int]) -> Doc:
    """A reference as a treebank with ClearNLP's labels has it, roughly."""
    doc = make_reference(vocab, numbers)
    for token in doc:
        token.dep_ = CLEAR.get(token.dep_, token.dep_)
    return doc


@pytest.fixture
def nlp(tiny_bert):
    nlp = make_nlp(tiny_bert, PARSER, lang="en")
    nlp.initialize(lambda: make_examples(nlp))
    return nlp


def store_and_load(nlp, numbers: list[int]) -> Doc:
    """A gold Doc that a pipeline's vocab made of what is stored."""
    stored = DocBin(docs=[make_reference(Vocab(), numbers)]).to_bytes()
    return next(DocBin().from_bytes(stored).get_docs(nlp.vocab))


@pytest.mark.parametrize(
    "copy",
    [
        lambda nlp, path: nlp,
        lambda nlp, path: nlp.to_disk(path) or spacy.load(path),
        lambda nlp, path: spacy.blank("en").from_config(nlp.config).from_bytes(nlp.to_bytes()),
        lambda nlp, path: pickle.loads(pickle.dumps(nlp)),
    ],
    ids=["itself", "disk", "bytes", "pickle"],
)
def test_a_pipeline_and_its_copies(nlp, tmp_path, copy):
    before = nlp.make_doc("Ada sees the old river .")
    nlp = copy(nlp, tmp_path)
    assert nlp.vocab.get_noun_chunks is noun_chunks_ud
    assert chunk_texts(store_and_load(nlp, [1])) == ["Ada", "the old river"]
    doc = nlp("Ada sees the old river .")
    assert doc.noun_chunks_iterator is noun_chunks_ud
    again = Doc(nlp.vocab).from_bytes(doc.to_bytes())
    assert list(again.noun_chunks) == list(doc.noun_chunks) == []  # no tagger
    if before.vocab is nlp.vocab:
        before.noun_chunks_iterator = stock_noun_chunks  # of a Doc made before
        assert nlp(before).noun_chunks_iterator is noun_chunks_ud


def test_a_parser_from_another_pipeline(nlp):
    other = spacy.blank("en")
    other.add_pipe("pretrained_encoder", source=nlp)
    other.add_pipe(PARSER, source=nlp)
    assert other("Ada sees the old river .").noun_chunks_iterator is noun_chunks_ud


def test_clearnlp_keeps_the_stock_iterator(tiny_bert, tmp_path):
    nlp = make_nlp(tiny_bert, PARSER, lang="en")
    docs = [make_clear(nlp.vocab, numbers) for numbers in DOCUMENTS]
    nlp.initialize(lambda: [Example(as_blank(doc), doc) for doc in docs])
    assert "pobj" in nlp.get_pipe(PARSER).labels
    nlp.to_disk(tmp_path)
    for one in (nlp, spacy.load(tmp_path)):
        assert one.vocab.get_noun_chunks is stock_noun_chunks
        assert one("Ada sees").noun_chunks_iterator is stock_noun_chunks
    # Another training changes it, and changes it back.
    nlp.initialize(lambda: make_examples(nlp))
    assert nlp.vocab.get_noun_chunks is noun_chunks_ud
    nlp.initialize(lambda: [Example(as_blank(doc), doc) for doc in docs])
    assert nlp.vocab.get_noun_chunks is stock_noun_chunks


def own_noun_chunks(doclike):
    yield from ()


@pytest.mark.parametrize(
    "lang, own, expected",
    [
        ("en", stock_noun_chunks, noun_chunks_ud),
        ("en", own_noun_chunks, own_noun_chunks),
        ("fr", french_noun_chunks, french_noun_chunks),
        ("pl", None, noun_chunks_ud),
        ("xx", None, noun_chunks_ud),
    ],
)
def test_languages(lang, own, expected):
    vocab = spacy.blank(lang).vocab
    if own is own_noun_chunks:
        vocab.get_noun_chunks = own
    assert vocab.get_noun_chunks is own
    install(vocab, ["ROOT", "nsubj"])
    assert vocab.get_noun_chunks is own
    install(vocab, ["ROOT", "nsubj", "obl:arg"])
    assert vocab.get_noun_chunks is expected


def test_labels():
    assert are_ud(["nsubj", "obl:agent"]) and not are_ud(["nsubj", "agent", "pobj"])
    assert are_ud([row.split()[5] for text in SENTENCES for row in text.strip().splitlines()])
    for labels in ([], ["ROOT"], ["dobj", "obj"], ["subj", "comp:obj", "mod"]):
        assert not are_ud(labels)


@pytest.mark.skipif(not CORPUS.exists(), reason="the corpus is not there")
def test_the_documentation(monkeypatch, capsys):
    monkeypatch.chdir(PAGE.parent.parent)
    text = PAGE.read_text("utf8")
    blocks = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", text, re.S)
    assert len(blocks) == 1
    for code, output in blocks:
        exec(compile(code, str(PAGE), "exec"), {})
        assert capsys.readouterr().out == output
