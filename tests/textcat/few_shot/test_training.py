"""few_shot_training.py: gradients are those of the losses, as far as to the weights of the encoder;
as many steps as there are to be; progress is told."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from spacy_pretrained.backends.backbone import get_shim
from spacy_pretrained.encoder.text_encoder import build_torch_sentence_encoder
from spacy_pretrained.textcat.few_shot.model import (
    FewShot,
    build_few_shot_classifier,
    get_head,
    make_prior,
    set_head,
)
from spacy_pretrained.textcat.few_shot.training import (
    FitSettings,
    Task,
    accumulate,
    count_steps,
    fit,
)
from spacy_pretrained.textcat.labels.label_set import make_label_set

TEXTS = ["the sea shore", "lazy dogs jump", "sea shells 😀", "the lazy fox"]
KNOWN = np.array([[1, -1], [-1, 1], [1, -1], [-1, 1]])
SEVERAL = np.array([[1, 1], [-1, 1], [1, 0], [-1, -1]])


def make_model(source: str, **settings) -> FewShot:
    encoder = build_torch_sentence_encoder(dropout=0.0, **settings)
    get_shim(encoder).load_source(Path(source))
    model = build_few_shot_classifier(encoder)
    labels = make_label_set(
        ["sea", "dogs"], descriptions={}, templates=["{}"], multi_label=False, component="x"
    )
    set_head(model, make_prior(model, labels))
    return model


def make_settings(**settings) -> FitSettings:
    default = {
        "fine_tune": True,
        "n_steps": 3,
        "batch_size": 4,
        "learn_rate": 1e-3,
        "seed": 0,
    }
    return FitSettings(**default | settings)


TASKS = [
    pytest.param(Task(False, 0.0), KNOWN, id="one label"),
    pytest.param(Task(False, 1.0), KNOWN, id="one label, contrast"),
    pytest.param(Task(True, 0.5), SEVERAL, id="several labels, contrast"),
]


def accept(loss: float) -> None:
    """A check of losses that has nothing against them."""


def test_a_loss_that_is_refused_leaves_no_gradients(tiny_bert):
    def refuse(loss: float) -> None:
        raise ValueError("refused")

    model = make_model(tiny_bert)
    with pytest.raises(ValueError, match="refused"):
        accumulate(model, TEXTS, KNOWN, Task(False, 1.0), refuse)
    assert not any(model.get_ref("output").has_grad(name) for name in ("W", "b"))
    assert all(weight.grad is None for weight in get_shim(model).module.parameters())


@pytest.mark.parametrize("task, known", TASKS)
def test_gradients_are_those_of_the_loss(tiny_bert, task, known):
    model = make_model(tiny_bert)
    accumulate(model, TEXTS, known, task, accept)
    output = model.get_ref("output")
    name, weight = max(
        get_shim(model).module.named_parameters(),
        key=lambda item: 0 if item[1].grad is None else float(item[1].grad.norm()),
    )
    d_weight = weight.grad.to_dense().clone()
    d_W = output.get_grad("W").copy()

    def loss_at(step: float) -> float:
        with torch.no_grad():
            weight.add_(step * direction)
        loss = accumulate(model, TEXTS, known, task, accept)
        with torch.no_grad():
            weight.sub_(step * direction)
        return loss

    direction = d_weight / d_weight.norm()
    slope = (loss_at(1e-3) - loss_at(-1e-3)) / 2e-3
    assert slope == pytest.approx(float(d_weight.norm()), rel=0.02), name
    W, direction_W = output.get_param("W").copy(), d_W / np.linalg.norm(d_W)
    losses = []
    for step in (0.1, -0.1):
        output.set_param("W", (W + step * direction_W).astype("float32"))
        losses.append(accumulate(model, TEXTS, known, task, accept))
    assert (losses[0] - losses[1]) / 0.2 == pytest.approx(np.linalg.norm(d_W), rel=0.02)


def test_a_frozen_encoder_has_no_contrast(tiny_bert):
    frozen = make_model(tiny_bert, frozen=True)
    with_contrast, without = (
        accumulate(frozen, TEXTS, KNOWN, Task(False, c), accept) for c in (1.0, 0.0)
    )
    assert with_contrast == without
    trained = make_model(tiny_bert)
    assert accumulate(trained, TEXTS, KNOWN, Task(False, 1.0), accept) > without


def test_of_many_examples_each_is_seen_less_often():
    assert count_steps(1, 32) == count_steps(32, 32) == 30
    assert count_steps(64 * 4, 32) == 40
    assert count_steps(616, 32) == 96
    assert count_steps(100_000, 32) == 120


def test_progress_is_told(tiny_bert):
    steps = []
    model = make_model(tiny_bert)
    assert fit(model, TEXTS, KNOWN, Task(False, 0.0), make_settings(), accept, [steps.append]) == 3
    assert [(step.number, step.n_steps) for step in steps] == [(1, 3), (2, 3), (3, 3)]
    assert 0 < steps[-1].loss < steps[0].loss


def test_without_fine_tuning_only_the_head_learns(tiny_bert):
    model = make_model(tiny_bert)
    before, head = model.get_ref("vectors").predict(TEXTS), get_head(model)
    steps = []
    settings = make_settings(fine_tune=False)
    assert fit(model, TEXTS, KNOWN, Task(False, 1.0), settings, accept, [steps.append]) == 0
    assert not steps
    assert (model.get_ref("vectors").predict(TEXTS) == before).all()
    assert np.abs(get_head(model).W - head.W).max() > 0.01


def test_the_same_seed_gives_the_same_model(tiny_bert):
    heads = []
    for seed in (1, 1, 2):
        model = make_model(tiny_bert)
        settings = make_settings(batch_size=2, seed=seed)
        fit(model, TEXTS, KNOWN, Task(False, 1.0), settings, accept)
        heads.append(get_head(model).W)
    assert_allclose(heads[0], heads[1], atol=1e-6)
    assert np.abs(heads[0] - heads[2]).max() > 1e-4
