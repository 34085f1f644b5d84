"""A pipeline's recognizer, calibrated: in, out, and what is refused."""

import numpy as np
import pytest
import spacy
from tiny_pipelines import CNN, make_examples, train

from spacy_pretrained.ner.pipeline_calibration import Reliability, calibrate_pipeline

NER = {"model": {"@architectures": "spacy-pretrained.Ner.v1", "tok2vec": CNN}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    nlp = spacy.blank("xx")
    nlp.add_pipe("pretrained_ner", config=NER)
    train(nlp, make_examples(nlp), 30)
    path = tmp_path_factory.mktemp("calibration") / "model"
    nlp.to_disk(path)
    return path


def examples_of(nlp, labels):
    """The examples of the tiny corpus; of their entities those with these labels."""
    examples = make_examples(nlp)
    for example in examples:
        example.reference.set_ents([e for e in example.reference.ents if e.label_ in labels])
    return examples


def test_confidences_fall_where_some_are_wrong(folder):
    nlp = spacy.load(folder)
    text = "Ada sees the old river."
    (confidence,) = [entity._.confidence for entity in nlp(text).ents]
    before, after = calibrate_pipeline(nlp, examples_of(nlp, ["PERSON"]))
    assert after.error() < before.error()
    assert 0 < before.is_right.mean() < 1
    assert np.array_equal(before.is_right, after.is_right)
    (calibrated,) = [entity._.confidence for entity in nlp(text).ents]
    assert 0 < calibrated < confidence


def test_training_drops_it(folder, caplog):
    nlp = spacy.load(folder)
    calibrate_pipeline(nlp, examples_of(nlp, ["PERSON"]))
    ner, optimizer = nlp.get_pipe("pretrained_ner"), nlp.resume_training()
    assert ner.cfg["calibration"] and "calibration" not in caplog.text
    for _ in range(2):
        nlp.update(make_examples(nlp), sgd=optimizer)
    assert ner.cfg["calibration"] is None
    assert caplog.text.count("'pretrained_ner' is trained further") == 1


def test_what_is_refused(folder):
    nlp = spacy.load(folder)
    with pytest.raises(ValueError, match="cannot be calibrated"):
        calibrate_pipeline(nlp, examples_of(nlp, ["PERSON", "GPE"]))
    with pytest.raises(ValueError, match=r"by pretrained_ner: pretrained_ner\..* is ner"):
        calibrate_pipeline(nlp, [], "ner")
    nlp.add_pipe("pretrained_ner", name="other", config=NER)
    with pytest.raises(ValueError, match="by pretrained_ner: pretrained_ner, other"):
        calibrate_pipeline(nlp, [])
    with pytest.raises(ValueError, match=r"\(sentencizer\) has .*: none"):
        nlp = spacy.blank("xx")
        nlp.add_pipe("sentencizer")
        calibrate_pipeline(nlp, [])


def test_calibration_error():
    rng = np.random.default_rng(0)
    confidences = rng.random(100_000)
    honest = rng.random(100_000) < confidences
    assert Reliability(confidences, honest).error() < 0.01
    boastful = Reliability(np.full(1000, 0.9), rng.random(1000) < 0.5)
    assert abs(boastful.error() - 0.4) < 0.06


def test_bands_have_all_entities_once():
    confidences = np.asarray([0.0, 0.1, 0.5, 0.95, 0.97, 1.0])
    is_right = np.asarray([False, True, True, False, True, True])
    bands = Reliability(confidences, is_right).bands()
    assert [(low, high, n) for low, high, n, *_ in bands] == [
        (0.0, 0.5, 2),
        (0.5, 0.7, 1),
        (0.9, 0.97, 1),
        (0.97, 1.0, 2),
    ]
    assert bands[0][3:] == pytest.approx((0.05, 0.5))
