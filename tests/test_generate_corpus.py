"""scripts/generate_corpus.py: a treebank that can be read, and the entities of its sentences."""

import importlib
from pathlib import Path

import pytest
from spacy.vocab import Vocab

from spacy_pretrained.conllu import read_conllu

SCRIPTS = Path(__file__).parents[1] / "scripts"


@pytest.fixture
def generate(monkeypatch):
    monkeypatch.syspath_prepend(SCRIPTS)
    return importlib.import_module("generate_corpus").main


def read_blocks(path):
    """The comments, and the columns of the lines, of each sentence."""
    for block in path.read_text("utf8").strip().split("\n\n"):
        lines = block.splitlines()
        rows = [line.split("\t") for line in lines if not line.startswith("#")]
        yield lines[: len(lines) - len(rows)], rows


def test_same_on_every_machine(generate, tmp_path):
    for name, seed in (("one", 0), ("same", 0), ("other", 1)):
        generate(tmp_path / name, documents=5, seed=seed)
    contents = {
        folder.name: {path.name: path.read_bytes() for path in folder.iterdir()}
        for folder in tmp_path.iterdir()
    }
    assert sorted(contents["one"]) == sorted(
        f"{split}.{ending}" for split in ("train", "dev", "test") for ending in ("conllu", "iob2")
    )
    assert contents["one"] == contents["same"]
    assert contents["one"]["train.conllu"] != contents["other"]["train.conllu"]


def test_every_word_has_all_annotation(generate, tmp_path):
    generate(tmp_path, documents=20)
    docs = list(read_conllu(tmp_path / "train.conllu", Vocab()))
    assert len(docs) == 20
    for doc in docs:
        for attribute in ("TAG", "POS", "LEMMA", "HEAD", "DEP", "SENT_START"):
            assert doc.has_annotation(attribute, require_complete=True)
    tokens = [token for doc in docs for token in doc]
    assert {(t.text, t.lemma_) for t in tokens} >= {("sees", "see"), ("The", "the"), ("Ada", "Ada")}
    assert {"nsubj", "obj", "obl", "case", "flat", "compound"} <= {token.dep_ for token in tokens}


def test_entities_of_the_same_sentences(generate, tmp_path):
    generate(tmp_path, documents=20)
    for split in ("train", "dev", "test"):
        trees = list(read_blocks(tmp_path / f"{split}.conllu"))
        entities = list(read_blocks(tmp_path / f"{split}.iob2"))
        found = set()
        for (comments, words), (same_comments, rows) in zip(trees, entities, strict=True):
            assert same_comments == comments
            assert [row[:2] for row in rows] == [word[:2] for word in words]
            assert all(row[3:] == ["-", "-"] for row in rows)
            tags = ["O", *(row[2] for row in rows)]
            found.update(tags)
            for before, tag, word in zip(tags, tags[1:], words):
                assert (tag == "O") == (word[3] != "PROPN")
                assert not tag.startswith("I-") or before in (tag, tag.replace("I-", "B-"))
        assert found == {"O", "B-PER", "I-PER", "B-LOC", "I-LOC"}
