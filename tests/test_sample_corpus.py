"""assets/sample: what it must be for `make demo` and for those who build on it."""

from pathlib import Path

import pytest
import spacy

from spacy_pretrained.corpora.conllu import read_conllu
from spacy_pretrained.corpora.conllu_doc import ConversionReport

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "assets" / "sample"
SPLITS = ("train", "dev", "test")


@pytest.fixture(scope="module")
def corpus():
    vocab = spacy.blank("en").vocab
    return {split: list(read_conllu(FOLDER / f"{split}.conllu", vocab)) for split in SPLITS}


def test_size(corpus):
    sentences = {split: sum(len(list(doc.sents)) for doc in docs) for split, docs in corpus.items()}
    assert sum(sentences.values()) >= 260
    assert sentences["train"] > sentences["test"] > sentences["dev"] > 40
    assert all(len(list(doc.sents)) > 3 for docs in corpus.values() for doc in docs)


def test_no_sentence_is_in_two_splits(corpus):
    # "Thank you" and the like may be.
    found = {
        split: {sent.text for doc in docs for sent in doc.sents if len(sent) > 5}
        for split, docs in corpus.items()
    }
    assert not found["train"] & found["test"] and not found["train"] & found["dev"]
    assert not found["dev"] & found["test"]


def test_every_token_has_all_annotation(corpus):
    for docs in corpus.values():
        for doc in docs:
            for name in ("TAG", "POS", "MORPH", "LEMMA", "DEP", "HEAD", "SENT_START", "ENT_IOB"):
                assert doc.has_annotation(name, require_complete=name != "SENT_START"), name


def test_entities(corpus):
    for docs in corpus.values():
        assert {ent.label_ for doc in docs for ent in doc.ents} == {"PER", "ORG", "LOC", "MISC"}


def test_readme_counts(corpus):
    text = (ROOT / "assets" / "README.md").read_text("utf8")
    vocab = spacy.blank("en").vocab
    for split in SPLITS:
        report = ConversionReport()
        list(read_conllu(FOLDER / f"{split}.conllu", vocab, report=report))
        counts = (report.documents, report.sentences, report.words, report.entities)
        assert f"| {split} | " + " | ".join(f"{n:,}" for n in counts) + " |" in text


def test_every_kind_of_text_is_in_every_split():
    for split in SPLITS:
        text = (FOLDER / f"{split}.conllu").read_text("utf8")
        for kind in ("news", "mail", "talk", "chat", "howto", "guide", "review", "facts"):
            assert f"# newdoc id = {kind}-" in text
