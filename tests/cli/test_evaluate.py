"""`spacy pretrained evaluate`: tables, a file, and exit codes."""

import gzip
import json
import zlib

import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span
from typer.testing import CliRunner

from spacy_pretrained.cli import pretrained_cli
from spacy_pretrained.cli.evaluate import show_categories

SENTENCE = (
    "1\tAda\tAda\tPROPN\tNNP\t_\t2\tnsubj\t_\t_\n"
    "2\tsleeps\tsleep\tVERB\tVBZ\t_\t0\troot\t_\t_\n2.1\tx\t_\t_\t_\t_\t_\t_\t_\t_\n"
    "3\t!\t!\tPUNCT\t.\t_\t2\tpunct\t_\t_\n\n"
)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs the command in a folder that has a pipeline `model`, and gold annotation."""
    monkeypatch.chdir(tmp_path)
    nlp = spacy.blank("xx")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "PER", "pattern": "Ada"}])
    nlp.add_pipe("sentencizer", config={"overwrite": True, "punct_chars": ["!"]})
    nlp.to_disk("model")
    (tmp_path / "a.conllu").write_text(SENTENCE * 2)
    (tmp_path / "bare.conllu").write_text(SENTENCE.replace("\t2\tnsubj", "\t_\t_"))
    doc = Doc(nlp.vocab, words=["Ada", "sleeps"])
    DocBin(docs=[doc]).to_disk("nothing.spacy")
    doc.set_ents([Span(doc, 0, 1, "PER")])
    DocBin(docs=[doc]).to_disk("a.spacy")

    def run(*args: str, code: int = 0) -> str:
        result = CliRunner().invoke(pretrained_cli, ["evaluate", *args])
        assert result.exit_code == code, result.output
        return result.output

    return run


def flat(text: str) -> str:
    return " ".join(text.split())


def test_tables_and_a_file(run, tmp_path):
    said = run("model", "a.conllu", "a.spacy", "--json", "new/a.json", "--gpu-id", "-1")
    rows = [line.split() for line in said.splitlines()]
    assert ["Sentences", "100.00", "100.00", "100.00"] in rows
    assert ["LAS", "-", "-", "-"] in rows and ["PER", "100.00", "100.00", "100.00"] in rows
    assert "Empty nodes left out, as the shared task does: 2" in said
    assert "gold tokens, gold sentences" in said
    results = json.loads((tmp_path / "new" / "a.json").read_text("utf8"))
    assert results["model"] == "model" and results["pipeline"] == ["entity_ruler", "sentencizer"]
    (treebank,), (entities,) = results["treebanks"], results["entities"]
    assert (treebank["file"], entities["file"]) == ("a.conllu", "a.spacy")
    assert treebank["protocols"]["raw_text"]["conll18"]["LAS"] is None
    assert entities["all"]["f1"] == 100 and results["categories"] == []


def test_a_compressed_treebank(run, tmp_path):
    (tmp_path / "a.conllu.gz").write_bytes(gzip.compress((tmp_path / "a.conllu").read_bytes()))
    run("model", "a.conllu", "a.conllu.gz", "--json", "a.json")
    plain, compressed = json.loads((tmp_path / "a.json").read_text("utf8"))["treebanks"]
    for scores in (plain, compressed):
        del scores["file"]
        for protocol in scores["protocols"].values():
            del protocol["words_per_second"]
    assert plain == compressed


def test_several_files(run, tmp_path):
    run("model", "a.conllu", "a.conllu", "a.spacy", "a.spacy", "--json", "a.json")
    results = json.loads((tmp_path / "a.json").read_text("utf8"))
    assert len(results["treebanks"]) == len(results["entities"]) == 2


def test_a_pipeline_that_moves_given_sentences_is_reported(run, tmp_path):
    (tmp_path / "a.conllu").write_text(SENTENCE.replace("!\t!", ".\t.") * 2)
    assert "changed given sentence starts" in flat(run("model", "a.conllu"))


def test_nothing_to_score(run):
    assert "nothing.spacy: no entities" in flat(run("model", "a.spacy", "nothing.spacy"))
    said = flat(run("model", "nothing.spacy", "--json", "a.json", code=1))
    assert "Nothing was scored" in said


def test_no_entities_to_find(run):
    """And none found: there is no figure."""
    doc = Doc(spacy.blank("xx").vocab, words=["Nobody"])
    doc.set_ents([])
    DocBin(docs=[doc]).to_disk("none.spacy")
    assert ["all", "-", "-", "-"] in [
        line.split() for line in run("model", "none.spacy").splitlines()
    ]


def test_a_treebank_of_one_word(run, tmp_path):
    """Whose sentences nobody has to predict; all else is scored, and goes to the file."""
    row = "1\tAda\tAda\tPROPN\tNNP\t_\t0\troot\t_\t_\n\n"
    (tmp_path / "one.conllu").write_text(row)
    nlp = spacy.load("model")
    nlp.add_pipe("attribute_ruler").add([[{"ORTH": "Ada"}]], {"TAG": "NNP"})
    nlp.to_disk("tagger")
    rows = [line.split() for line in run("tagger", "one.conllu", "--json", "a.json").splitlines()]
    assert ["Sentences", "-", "-", "-"] in rows and ["LAS", "-", "-", "-"] in rows
    assert ["XPOS", "100.00", "100.00", "100.00"] in rows
    assert json.loads((tmp_path / "a.json").read_text("utf8"))["treebanks"]


@pytest.mark.parametrize("content", [b"", zlib.compress(b"\x90"), zlib.compress(b"\x80")])
def test_a_damaged_corpus(run, tmp_path, content):
    """Also of MessagePack that is a list, or has not what a DocBin has."""
    (tmp_path / "broken.spacy").write_bytes(content)
    assert "broken.spacy' cannot be read" in flat(run("model", "broken.spacy", code=1))


def test_categories_are_shown(capsys):
    scores = {"precision": 50.0, "recall": None, "f1": 25.0}
    found = {"file": "a.spacy", "documents": 3, "score_of": "macro AUC", "score": 70.0}
    found |= {"micro": scores, "macro": scores, "by_label": {"law": scores}}
    show_categories(found)
    said = capsys.readouterr().out
    rows = [line.split() for line in said.splitlines()]
    for name in ("law", "micro", "macro"):
        assert [name, "50.00", "-", "25.00"] in rows
    assert ["macro", "AUC:", "70.00"] in rows and "a.spacy: categories of 3 documents" in said
    show_categories(found | {"component": "topic"})
    assert "a.spacy, topic: categories of 3 documents" in capsys.readouterr().out


def test_exit_codes(run, tmp_path):
    (tmp_path / "a.txt").write_text("a")
    assert "a.txt' is no gold annotation" in flat(run("model", "a.txt", code=1))
    assert "nowhere" in flat(run("nowhere", "a.conllu", code=1))
    assert "line 1: the word 'Ada' has no head" in flat(run("model", "bare.conllu", code=1))
    run("model", code=2)
    run("model", "none.conllu", code=2)
    assert "Example: python -m spacy pretrained evaluate" in flat(run("--help"))


def test_a_score_of_zero_is_shown(run):
    nlp = spacy.load("model")
    nlp.add_pipe("attribute_ruler").add([[{"ORTH": "Ada"}]], {"TAG": "OF ANOTHER TREEBANK"})
    nlp.to_disk("tagger")
    rows = [line.split() for line in run("tagger", "a.conllu").splitlines()]
    assert ["spaCy", "tag_acc", "0.00", "0.00", "0.00"] in rows


def test_a_file_that_cannot_be_written_is_told_of_first(run, tmp_path, monkeypatch):
    (tmp_path / "scores").mkdir()
    monkeypatch.setattr(spacy, "load", None)
    assert "scores" in flat(run("model", "a.conllu", "--json", "scores", code=1))
