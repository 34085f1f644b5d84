"""`spacy pretrained calibrate`: a calibrated pipeline and a table, or one line."""

import pytest
import spacy
from spacy.tokens import DocBin
from tiny_pipelines import CNN, make_examples, train
from typer.testing import CliRunner

from spacy_pretrained.cli import pretrained_cli

NER = {"model": {"@architectures": "spacy-pretrained.Ner.v1", "tok2vec": CNN}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A trained pipeline `model`, and gold data of which it gets some wrong, and none."""
    path = tmp_path_factory.mktemp("calibrate")
    nlp = spacy.blank("xx")
    nlp.add_pipe("pretrained_ner", config=NER)
    examples = make_examples(nlp)
    train(nlp, examples, 30)
    nlp.to_disk(path / "model")
    docs = [example.reference for example in examples]
    DocBin(docs=docs).to_disk(path / "perfect.spacy")
    for doc in docs:
        doc.set_ents([entity for entity in doc.ents if entity.label_ == "PERSON"])
    DocBin(docs=docs).to_disk(path / "dev.spacy")
    DocBin().to_disk(path / "empty.spacy")
    (path / "broken.spacy").write_text("nothing")
    (path / "dev.conllu").write_text("nothing")
    return path


def run(folder, model, dev, *args):
    command = ["calibrate", str(model), str(folder / dev), *map(str, args)]
    return CliRunner().invoke(pretrained_cli, command)


def calibration_of(path):
    return spacy.load(path).get_pipe("pretrained_ner").cfg["calibration"]


def test_a_calibrated_pipeline_is_written(folder, tmp_path):
    result = run(folder, folder / "model", "dev.spacy", "--output", tmp_path / "new")
    assert result.exit_code == 0, result.output
    assert result.output.count("expected calibration error") == 2
    assert calibration_of(folder / "model") is None
    assert len(calibration_of(tmp_path / "new")) == 2
    in_place = run(folder, tmp_path / "new", "dev.spacy")
    assert in_place.exit_code == 0, in_place.output


@pytest.mark.parametrize(
    ("dev", "message"),
    [
        ("perfect.spacy", "cannot be calibrated"),
        ("empty.spacy", "has no documents"),
        ("broken.spacy", "cannot be read"),
        ("dev.conllu", "is not a .spacy file"),
        ("nothing.spacy", "no file or folder"),
    ],
)
def test_what_is_refused(folder, tmp_path, dev, message):
    result = run(folder, folder / "model", dev, "--output", tmp_path / "new")
    assert result.exit_code == 1 and isinstance(result.exception, SystemExit)
    assert message in " ".join(result.output.split())
    assert not (tmp_path / "new").exists()


def test_a_package_is_not_written_to(folder):
    result = run(folder, "spacy", "dev.spacy")
    assert result.exit_code == 2 and "--output" in result.output
    result = run(folder, "no_package", "dev.spacy")
    assert result.exit_code == 1 and "no_package" in result.output
