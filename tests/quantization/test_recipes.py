"""Each recipe makes a smaller model that gives nearly the same vectors."""

import sys

import numpy as np
import pytest
from random_windows import make_batch
from tiny_pipelines import ENCODER, make_nlp

from spacy_pretrained.encoder.token_encoder import get_shim
from spacy_pretrained.quantization.recipes import (
    candidates,
    compress_weights,
    distance,
    keep_sensitive,
    quantize_static,
    run,
)

BATCHES = [make_batch(4, length, 0, seed=length) for length in (5, 9, 17, 33, 40, 64)]


@pytest.fixture(scope="module")
def model(tiny_bert):
    from spacy_pretrained.quantization.torch_export import to_openvino

    nlp = make_nlp(tiny_bert)
    nlp.initialize()
    return to_openvino(get_shim(nlp.get_pipe(ENCODER).model))


@pytest.fixture(scope="module")
def static(model):
    return quantize_static(model, BATCHES, 0.95)


def quantizers(model) -> list:
    return [node for node in model.get_ops() if node.get_type_name() == "FakeQuantize"]


def n_bytes(model) -> int:
    constants = (node for node in model.get_ops() if node.get_type_name() == "Constant")
    return sum(node.get_byte_size() for node in constants)


def test_fp32_is_the_model_itself(model):
    ((recipe, made),) = candidates(model, [], "fp32", report=print)
    assert recipe == "fp32" and made is model


def test_weights_only_is_smaller_and_close(model):
    ((recipe, made),) = candidates(model, [], "int8-weights", report=print)
    assert recipe == "INT8 weights only"
    assert n_bytes(made) < 0.4 * n_bytes(model)
    assert quantizers(made) == []
    assert distance(run(made, BATCHES), run(model, BATCHES)) < 0.05


@pytest.mark.slow
def test_static_quantizes_activations_and_leaves_the_model_alone(model, static):
    assert quantizers(static) and not quantizers(model)
    assert n_bytes(static) < 0.4 * n_bytes(model)
    assert 0 < distance(run(static, BATCHES), run(model, BATCHES)) < 0.3


@pytest.mark.slow
def test_keeping_activations_comes_closer_and_leaves_weights_as_they_are(model, static):
    expected = run(model, BATCHES)
    kept = keep_sensitive(static, BATCHES, expected)
    n = len(quantizers(static))
    assert len(quantizers(kept)) == n - max(1, round(n / 4))
    assert n_bytes(kept) <= n_bytes(static)
    assert distance(run(kept, BATCHES), expected) < distance(run(static, BATCHES), expected)


@pytest.mark.slow
def test_recipes_are_made_as_they_are_asked_for(model):
    steps = []
    found = candidates(model, BATCHES, "int8", report=steps.append)
    names = [next(found)[0]]
    assert len(steps) == 1
    names += [name for name, _ in found]
    assert len(names) == len(set(names)) == 4
    assert "most sensitive kept" in names[2] and "weights only" in names[3]


def test_distance_is_relative():
    vectors = [np.ones((2, 4)), np.ones((3, 4))]
    assert distance(vectors, vectors) == 0
    assert distance([1.1 * v for v in vectors], vectors) == pytest.approx(0.1)


def test_without_nncf_it_says_what_to_install(model, monkeypatch):
    monkeypatch.setitem(sys.modules, "nncf", None)
    for quantize in (compress_weights, lambda m: quantize_static(m, BATCHES, 0.5)):
        with pytest.raises(ModuleNotFoundError, match=r"spacy-pretrained\[quantize\]"):
            quantize(model)
    assert next(candidates(model, [], "fp32", report=print))[1] is model
