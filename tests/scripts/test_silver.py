"""scripts/silver.py: texts that a pipeline annotates, as data to train another on."""

import importlib
from pathlib import Path

import pytest
import spacy
from spacy.tokens import Doc, DocBin

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.fixture
def silver(monkeypatch):
    monkeypatch.syspath_prepend(SCRIPTS)
    return importlib.import_module("silver")


@pytest.fixture
def teacher(tmp_path):
    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "PER", "pattern": "Ada"}])
    nlp.add_pipe("sentencizer")
    nlp.to_disk(tmp_path / "teacher")
    return str(tmp_path / "teacher")


def read(path: Path) -> list[Doc]:
    return list(DocBin().from_disk(path).get_docs(spacy.blank("en").vocab))


def test_texts_of_lines(silver, teacher, tmp_path):
    texts, output = tmp_path / "texts.txt", tmp_path / "a folder" / "silver.spacy"
    texts.write_text("Ada sleeps. Bob reads 🙂.\n\nAda\n", encoding="utf8")
    silver.main(teacher, output, texts)
    docs = {doc.text: doc for doc in read(output)}
    assert set(docs) == {"Ada sleeps. Bob reads 🙂.", "Ada"}
    doc = docs["Ada sleeps. Bob reads 🙂."]
    assert [(ent.text, ent.label_) for ent in doc.ents] == [("Ada", "PER")]
    assert [sentence.text for sentence in doc.sents] == ["Ada sleeps.", "Bob reads 🙂."]
    assert not doc.has_annotation("DEP") and not doc.has_annotation("LEMMA")


def test_tokens_are_kept_and_annotation_is_not(silver, teacher, tmp_path):
    nlp = spacy.blank("en")
    doc = Doc(nlp.vocab, words=["A", "da", "Bob"], spaces=[False, True, False])
    doc.set_ents([spacy.tokens.Span(doc, 2, 3, "LOC")])
    texts, output = tmp_path / "texts.spacy", tmp_path / "silver.spacy"
    DocBin(docs=[doc]).to_disk(texts)
    silver.main(teacher, output, texts)
    (found,) = read(output)
    assert [token.text_with_ws for token in found] == ["A", "da ", "Bob"]
    assert not found.ents and found.has_annotation("ENT_IOB")


def test_probabilities_of_categories_are_left_out(silver, teacher, tmp_path):
    nlp = spacy.load(teacher)
    nlp.add_pipe("zero_shot_textcat", config={"labels": ["sport", "law"]})
    with nlp.select_pipes(enable=["zero_shot_textcat"]):
        nlp.initialize()
    nlp.to_disk(teacher)
    texts, output = tmp_path / "texts.txt", tmp_path / "silver.spacy"
    texts.write_text("Ada sleeps.", encoding="utf8")
    silver.main(teacher, output, texts)
    (doc,) = read(output)
    assert doc.ents and not doc.cats


def test_what_is_excluded_is_missing(silver, teacher, tmp_path):
    texts, output = tmp_path / "texts.txt", tmp_path / "silver.spacy"
    texts.write_text("Ada sleeps.", encoding="utf8")
    silver.main(teacher, output, texts, exclude=["entity_ruler"])
    (doc,) = read(output)
    assert not doc.has_annotation("ENT_IOB") and doc.has_annotation("SENT_START")


def test_so_many_are_drawn(silver, teacher, tmp_path):
    texts, output = tmp_path / "texts.txt", tmp_path / "silver.spacy"
    texts.write_text("".join(f"Text {i}\n" for i in range(50)), encoding="utf8")
    silver.main(teacher, output, texts, n_texts=7)
    assert len({doc.text for doc in read(output)}) == 7


@pytest.mark.parametrize(
    "texts,output,message",
    [
        ("none.txt", "silver.spacy", "none.txt"),
        ("texts.pdf", "silver.spacy", "texts.pdf"),
        ("texts.txt", "silver.conllu", "is to be a .spacy file"),
    ],
)
def test_bad_input(silver, teacher, tmp_path, capsys, texts, output, message):
    for name in ("texts.txt", "texts.pdf"):
        (tmp_path / name).write_text("Ada", encoding="utf8")
    with pytest.raises(SystemExit):
        silver.main(teacher, tmp_path / output, tmp_path / texts)
    # Lines are broken anywhere.
    assert "".join(message.split()) in "".join(capsys.readouterr().out.split())
    assert not (tmp_path / output).exists()
