"""scripts/annotate.py: texts to CoNLL-U that can be corrected by hand."""

import importlib
from pathlib import Path

import pytest
import spacy
from spacy.tokens import Doc

from spacy_pretrained.corpora.conllu import read_conllu

SCRIPTS = Path(__file__).parents[2] / "scripts"
TEXTS = """\
# newdoc id = letter
Ada can't sleep.
It's Bob's.

We cannot go!
"""


@pytest.fixture
def annotate(monkeypatch):
    monkeypatch.syspath_prepend(SCRIPTS)
    return importlib.import_module("annotate")


@pytest.fixture
def pipeline(tmp_path):
    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "PER", "pattern": "Ada"}])
    nlp.to_disk(tmp_path / "pipeline")
    return tmp_path / "pipeline"


def test_sentences_are_lines_and_documents_have_names(annotate, pipeline, tmp_path):
    texts, output = tmp_path / "texts.txt", tmp_path / "texts.conllu"
    texts.write_text(TEXTS, encoding="utf8")
    annotate.main(str(pipeline), texts, output)
    letter, other = read_conllu(output, spacy.blank("en").vocab)
    assert [sentence.text for sentence in letter.sents] == ["Ada can't sleep.", "It's Bob's."]
    assert [(ent.text, ent.label_) for ent in letter.ents] == [("Ada", "PER")]
    assert other.text.strip() == "We cannot go!"
    text = output.read_text(encoding="utf8")
    assert "# newdoc id = letter" in text and "# newdoc id = doc2" in text


def test_written_words_have_ranges(annotate, pipeline, tmp_path):
    texts, output = tmp_path / "texts.txt", tmp_path / "texts.conllu"
    texts.write_text(TEXTS, encoding="utf8")
    annotate.main(str(pipeline), texts, output)
    rows = [line.split("\t") for line in output.read_text(encoding="utf8").splitlines()]
    assert all("SpaceAfter" not in r[-1] for r in rows if r[1:2] in (["ca"], ["n't"], ["'s"]))
    ranges = {row[1]: (row[0], row[-1]) for row in rows if "-" in row[0] and len(row) == 10}
    assert ranges == {
        "can't": ("2-3", "_"),
        "It's": ("1-2", "_"),
        "Bob's": ("3-4", "SpaceAfter=No"),
        "cannot": ("2-3", "_"),
    }


def test_sentence_starts_are_kept(annotate):
    nlp = spacy.blank("en")
    doc = annotate.make_doc(nlp, ["One. Two.", "Three"])
    assert isinstance(doc, Doc)
    assert [sentence.text for sentence in doc.sents] == ["One. Two.", "Three"]


def test_no_texts(annotate, pipeline, tmp_path, capsys):
    texts = tmp_path / "texts.txt"
    texts.write_text("\n\n", encoding="utf8")
    with pytest.raises(SystemExit):
        annotate.main(str(pipeline), texts, tmp_path / "out.conllu")
    assert "has no sentences" in " ".join(capsys.readouterr().out.split())
    assert not (tmp_path / "out.conllu").exists()
