"""`spacy pretrained check`: tables, findings and exit codes."""

import pytest
import spacy
from spacy.tokens import Doc, DocBin
from tiny_pipelines import make_reference
from typer.testing import CliRunner

from spacy_pretrained.cli import pretrained_cli
from spacy_pretrained.cli.check import MOST_LABELS


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(*args: str, code: int = 0) -> str:
        result = CliRunner().invoke(pretrained_cli, ["check", *args])
        assert result.exit_code == code, result.output
        return " ".join(result.output.split())  # lines are broken anywhere

    return run


@pytest.fixture
def vocab():
    return spacy.blank("xx").vocab


def write(path, *docs: Doc) -> None:
    DocBin(docs=docs).to_disk(path)


def test_warnings_do_not_fail(run, vocab, tmp_path):
    doc = make_reference(vocab, [0, 1])
    write(tmp_path / "train.spacy", doc, doc)
    write(tmp_path / "dev.spacy", doc)
    said = run("train.spacy", "--dev", "dev.spacy")
    assert "train dev" in said and "documents 2 1" in said and f"tokens {2 * len(doc)}" in said
    assert "entity labels train dev" in said and "PERSON" in said
    assert "dev: Documents with the same text as a training document: 1 of 1" in said
    assert "Errors: 0, warnings: " in said and "unaligned" not in said


def test_errors_fail(run, vocab, tmp_path):
    write(tmp_path / "a.spacy", Doc(vocab, words=["a", "b"], heads=[1, 0], deps=["x", "y"]))
    said = run("a.spacy", code=1)
    assert "form a cycle: 1" in said and "Errors: 1," in said


def test_with_a_config(run, vocab, tmp_path, tiny_bert):
    write(tmp_path / "a.spacy", Doc(vocab, words=["a", "b"], spaces=[True, False], ents=["O", "O"]))
    (tmp_path / "a.cfg").write_text(
        '[nlp]\nlang = "en"\npipeline = ["e", "n"]\n[components]\n'
        '[components.e]\nfactory = "pretrained_encoder"\n'
        '[components.n]\nfactory = "pretrained_ner"\n'
        "[initialize]\n[initialize.components]\n"
        f'[initialize.components.e]\nsource = "{tiny_bert}"\n'
    )
    said = run("a.spacy", "a.cfg", code=1)
    assert "'n' has nothing to learn from: the corpus has no entity labels" in said
    assert "unaligned tokens 0" in said and "not compared" not in said


def test_a_table_shows_the_most_frequent_labels(run, vocab, tmp_path):
    words = [f"w{i}" for i in range(MOST_LABELS + 2)]
    write(tmp_path / "a.spacy", Doc(vocab, words=[*words, "w9"], tags=[*words, "w9"]))
    said = run("a.spacy")
    table = said[said.index("tags train") : said.index("and 2 more")]
    assert table.split()[4:6] == ["w9", "2"] and len(table.split()) == 4 + 2 * MOST_LABELS


def test_what_cannot_be_read_is_one_line(run, tmp_path):
    assert "none.spacy" in run("none.spacy", code=1)
    (tmp_path / "a.txt").write_text("")
    assert ".spacy" in run("a.txt", code=1)
    assert "There is no config 'none.cfg'" in run("a.txt", "none.cfg", code=1)


def test_bad_usage(run):
    run(code=2)
    run("a.spacy", "--few", "3", code=2)


def test_help_has_an_example(run):
    assert "Example: python -m spacy pretrained check train.spacy" in run("--help")
