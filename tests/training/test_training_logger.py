"""The training logger: what it writes, when it stops, and that `spacy train` takes it."""

import io
import json
import math
import re

import pytest
import spacy
from spacy import registry
from spacy.tokens import Doc, DocBin
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from spacy.util import load_config_from_str, load_model_from_config

from spacy_pretrained.training.training_logger import build_training_logger

CONFIG = """
[paths]
corpus = null

[nlp]
lang = "en"
pipeline = ["tagger"]

[components]

[components.tagger]
factory = "tagger"

[components.tagger.model]
@architectures = "spacy.Tagger.v2"

[components.tagger.model.tok2vec]
@architectures = "spacy.HashEmbedCNN.v2"
pretrained_vectors = null
width = 8
depth = 1
embed_size = 50
window_size = 1
maxout_pieces = 2
subword_features = false

[corpora]

[corpora.train]
@readers = "spacy.Corpus.v1"
path = ${paths.corpus}

[corpora.dev]
@readers = "spacy.Corpus.v1"
path = ${paths.corpus}

[training]
max_steps = 6
eval_frequency = 3

[training.batcher]
@batchers = "spacy.batch_by_sequence.v1"
size = 1

[training.optimizer]
@optimizers = "Adam.v1"

[training.optimizer.learn_rate]
@schedules = "warmup_linear.v1"
initial_rate = 0.01
warmup_steps = 2
total_steps = 10

[training.logger]
@loggers = "spacy-pretrained.TrainingLogger.v1"
"""


@pytest.fixture
def nlp():
    nlp = spacy.blank("xx")
    nlp.add_pipe("tagger")
    return nlp


@pytest.fixture
def corpus(tmp_path):
    vocab = spacy.blank("xx").vocab
    doc = Doc(vocab, words=["Dogs", "bark", "."], tags=["N", "V", "."])
    DocBin(docs=[doc] * 4).to_disk(tmp_path / "corpus.spacy")
    return tmp_path / "corpus.spacy"


def evaluation(step: int, **changes) -> dict:
    info = {
        "epoch": 0,
        "step": step,
        "words": 100 * (step + 1),
        "losses": {"tagger": 3.5},
        "other_scores": {"tag_acc": 0.5, "tag_micro_p": None, "per_type": {"x": 1}},
        "score": 0.5,
    }
    return {**info, **changes}


def start(nlp, **settings):
    stdout = io.StringIO()
    log_step, finalize = build_training_logger(**settings)(nlp, stdout, io.StringIO())
    return log_step, finalize, stdout


def filled(overrides: dict):
    config = load_config_from_str(CONFIG, interpolate=False, overrides=overrides)
    return load_model_from_config(config, auto_fill=True).config


def read_lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf8").splitlines()]


def test_a_line_an_evaluation(nlp, tmp_path):
    path = tmp_path / "some" / "folder" / "training.jsonl"
    log_step, finalize, stdout = start(nlp, path=str(path))
    log_step(evaluation(0))
    assert len(read_lines(path)) == 1, "lines can be read while training runs"
    for _ in range(9):
        log_step(None)
    log_step(evaluation(10))
    finalize()
    first, second = read_lines(path)
    assert (first["step"], first["words"], first["epoch"]) == (0, 100, 0)
    assert first["losses"] == {"tagger": 3.5}
    assert first["scores"] == {"tag_acc": 0.5}
    assert first["score"] == 0.5
    assert first["words_per_second"] is None
    assert second["words_per_second"] > 0
    assert second["seconds"] >= first["seconds"]
    assert re.search(r"E +# +tagger +tag +pos +score\n", stdout.getvalue())
    assert re.search(r"0 +10 +3\.50 +50\.00", stdout.getvalue())


def test_a_run_overwrites_the_run_before(nlp, tmp_path):
    for _ in range(2):
        log_step, finalize, _ = start(nlp, path=str(tmp_path / "training.jsonl"))
        log_step(evaluation(0))
        finalize()
    assert len(read_lines(tmp_path / "training.jsonl")) == 1


def test_speed_leaves_evaluations_out(nlp, tmp_path, monkeypatch):
    """Steps of 2 s and 100 words, evaluations of 50 s."""
    now = 0.0
    monkeypatch.setattr("spacy_pretrained.training.training_logger.perf_counter", lambda: now)
    log_step, finalize, _ = start(nlp, path=str(tmp_path / "training.jsonl"))
    for step in range(9):
        now += 2
        is_evaluation = step % 4 == 0
        now += 50 * is_evaluation
        log_step(evaluation(step) if is_evaluation else None)
    finalize()
    lines = read_lines(tmp_path / "training.jsonl")
    assert [line["words_per_second"] for line in lines] == [None, 50, 50]
    assert [line["seconds"] for line in lines] == [52, 110, 168]


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_stops(nlp, tmp_path, loss):
    log_step, finalize, stdout = start(nlp, path=str(tmp_path / "training.jsonl"))
    log_step(evaluation(0))
    message = rf"loss of 'tagger' is {loss} at step 7.*learn_rate.*mixed_precision.*examples"
    with pytest.raises(ValueError, match=message):
        log_step(evaluation(7, losses={"tagger": loss}))
    finalize()
    assert str(loss) in stdout.getvalue(), "the table shows it too"
    assert len(read_lines(tmp_path / "training.jsonl")) == 1


def test_a_score_that_is_not_finite_is_null(nlp, tmp_path):
    log_step, finalize, _ = start(nlp, path=str(tmp_path / "training.jsonl"))
    log_step(evaluation(0, other_scores={"tag_acc": math.nan}))
    finalize()
    assert read_lines(tmp_path / "training.jsonl")[0]["scores"] == {"tag_acc": None}


def test_without_path_and_console_nothing_is_written(nlp, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    log_step, finalize, stdout = start(nlp, console_output=False)
    log_step(evaluation(0))
    log_step(None)
    finalize()
    assert stdout.getvalue() == ""
    assert list(tmp_path.iterdir()) == []


def test_it_is_registered():
    assert registry.loggers.get("spacy-pretrained.TrainingLogger.v1") is build_training_logger


def test_spacy_train_writes_the_log(corpus, tmp_path):
    """As `spacy train config.cfg --paths.corpus ... --training.logger.path ...` does."""
    path = tmp_path / "metrics" / "training.jsonl"
    overrides = {"paths.corpus": str(corpus), "training.logger.path": str(path)}
    nlp = init_nlp(filled(overrides))
    train(nlp, stdout=io.StringIO(), stderr=io.StringIO())
    lines = read_lines(path)
    assert [line["step"] for line in lines] == [0, 3, 6]
    assert [line["learn_rate"] for line in lines] == pytest.approx([0.0, 0.00875, 0.005])
    assert all(line["losses"]["tagger"] > 0 for line in lines)
    assert lines[-1]["scores"]["tag_acc"] == lines[-1]["score"]


def test_spacy_train_stops_with_the_reason(corpus):
    nlp = init_nlp(filled({"paths.corpus": str(corpus)}))
    update = nlp.update

    def diverge(examples, losses, **kwargs):
        update(examples, losses=losses, **kwargs)
        losses["tagger"] = math.nan

    nlp.update = diverge
    with pytest.raises(ValueError, match="loss of 'tagger' is nan at step 0"):
        train(nlp, stdout=io.StringIO(), stderr=io.StringIO())
