"""spaCy's training loop over an encoder and its heads: accumulated gradients, and patience."""

import io
import json

import numpy as np
import pytest
import spacy
from spacy.language import Language
from spacy.tokens import DocBin
from spacy.training import Example
from spacy.training.loop import subdivide_batch, train, train_while_improving
from thinc.api import Optimizer
from tiny_pipelines import (
    ENCODER,
    are_equal,
    backbone_weights,
    fast_optimizer,
    make_examples,
    make_nlp,
    make_reference,
)

TAGGER, PARSER = "pretrained_tagger", "biaffine_parser"


@pytest.fixture(scope="module")
def start(tiny_bert) -> Language:
    """Some steps old: output layers are zero at first, and pass no gradient on."""
    parser = (PARSER, {"model": {"dropout": 0.0}})
    nlp = make_nlp(tiny_bert, TAGGER, parser, dropout=0.0, learn_rate_factor=1.0)
    nlp.initialize(lambda: make_examples(nlp))
    optimizer = fast_optimizer()
    for _ in range(2):
        nlp.update(make_examples(nlp), sgd=optimizer)
    return nlp


def copy_of(nlp: Language) -> Language:
    copy = spacy.util.load_model_from_config(nlp.config, auto_fill=True)
    return copy.from_bytes(nlp.to_bytes())


def plain_optimizer() -> Optimizer:
    """Steps of the gradient's own size: Adam's with a huge eps. (Adam's own are of one size, and
    turn rounding errors in gradients of almost zero into full steps.)"""
    return fast_optimizer(eps=1.0, grad_clip=0.0)


def loop(nlp: Language, batches: list[list[Example]], *, accumulate: int) -> list[dict]:
    steps = train_while_improving(
        nlp,
        plain_optimizer(),
        [(0, batch) for batch in batches],
        lambda: (1.0, {}),
        dropout=0.0,
        eval_frequency=1,
        accumulate_gradient=accumulate,
        patience=0,
        max_steps=0,
        exclude=[],
        annotating_components=[],
        before_update=None,
    )
    return [dict(info["losses"]) for _, info, _ in steps]


def weights_of(nlp: Language) -> dict[str, np.ndarray]:
    weights = backbone_weights(nlp)
    for name, pipe in nlp.pipeline:
        for number, node in enumerate(pipe.model.walk()):
            for param in node.param_names:
                weights[f"{name}.{number}.{param}"] = node.get_param(param).copy()
    return weights


# Accumulated gradients


@pytest.mark.slow
@pytest.mark.parametrize("accumulate", [2, 4])
def test_a_batch_in_parts_gives_the_step_of_the_whole(start, accumulate):
    """Every weight of the encoder, the tagger and the parser moves as it does without parts, over
    several steps: a gradient that was lost, counted twice or left for the next step would show."""
    before, whole, parts = weights_of(start), copy_of(start), copy_of(start)
    assert len(list(subdivide_batch(make_examples(start), accumulate))) == accumulate
    losses = loop(whole, [make_examples(whole)] * 3, accumulate=1)
    losses_of_parts = loop(parts, [make_examples(parts)] * 3, accumulate=accumulate)
    expected, found = weights_of(whole), weights_of(parts)
    for name in expected:
        moved = np.abs(expected[name] - before[name]).max()
        np.testing.assert_allclose(
            found[name], expected[name], atol=max(1e-5, 1e-3 * moved), err_msg=name
        )
    assert not are_equal(before, expected)
    for one, other in zip(losses, losses_of_parts):
        assert one[TAGGER] == pytest.approx(other[TAGGER], rel=1e-3)
        assert one[PARSER] == pytest.approx(other[PARSER], rel=1e-3)


def test_every_part_of_a_batch_reaches_the_encoder(start):
    """The step is not that of the last part alone, nor the sum of a part counted twice."""
    nlp, last = copy_of(start), copy_of(start)
    before = backbone_weights(start)
    loop(nlp, [make_examples(nlp)], accumulate=2)
    *_, part = subdivide_batch(make_examples(last), 2)
    loop(last, [part], accumulate=1)
    both, one = backbone_weights(nlp), backbone_weights(last)
    assert not are_equal(before, one)
    assert not are_equal(both, one)
    assert nlp.get_pipe(ENCODER)._pending is None


def test_nothing_is_left_for_the_next_step(start):
    """An update without gradients behind an accumulated one moves nothing."""
    nlp = copy_of(start)
    loop(nlp, [make_examples(nlp)], accumulate=2)
    before = weights_of(nlp)
    empty = [Example(nlp.make_doc(""), nlp.make_doc("")) for _ in range(2)]
    loop(nlp, [empty], accumulate=2)
    assert are_equal(before, weights_of(nlp))


# Patience


def test_patience_ends_a_training(tiny_bert, tmp_path):
    """A learn rate of zero never gets better: training ends with the first evaluation that is
    `patience` steps behind the first."""
    nlp = make_nlp(tiny_bert, TAGGER)
    for name, numbers in (("train", [0, 1, 2, 3]), ("dev", [1, 3])):
        docs = [make_reference(nlp.vocab, [n]) for n in numbers]
        DocBin(docs=docs).to_disk(tmp_path / f"{name}.spacy")
        corpus = {"@readers": "spacy-pretrained.Corpus.v1", "path": str(tmp_path / f"{name}.spacy")}
        nlp.config["corpora"][name] = corpus
    nlp.config["training"] |= {
        "patience": 6,
        "eval_frequency": 2,
        "max_steps": 1000,
        "max_epochs": 0,
        "optimizer": {"@optimizers": "Adam.v1", "learn_rate": 0.0, "use_averages": False},
        "batcher": {
            "@batchers": "spacy.batch_by_words.v1",
            "size": 20,
            "tolerance": 0.2,
            "discard_oversize": False,
        },
        "score_weights": {"tag_acc": 1.0},
        "logger": {
            "@loggers": "spacy-pretrained.TrainingLogger.v1",
            "path": str(tmp_path / "log.jsonl"),
        },
    }
    nlp.initialize(lambda: make_examples(nlp))
    train(nlp, tmp_path, stdout=io.StringIO(), stderr=io.StringIO())
    lines = (tmp_path / "log.jsonl").read_text("utf8").splitlines()
    assert [json.loads(line)["step"] for line in lines] == [0, 2, 4, 6]
    assert spacy.load(tmp_path / "model-best").pipe_names == [ENCODER, TAGGER]
