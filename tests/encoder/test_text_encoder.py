"""The encoder of whole texts: the mean over all pieces, whatever the batch; true gradients."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from hard_texts import HARD_TEXTS, random_texts
from numpy.testing import assert_allclose
from random_windows import window_lengths
from thinc.api import Adam

from spacy_pretrained.backends.backbone import get_shim
from spacy_pretrained.encoder.text_encoder import (
    SentenceEncoder,
    build_openvino_sentence_encoder,
    build_torch_sentence_encoder,
    get_width,
    plan_texts,
)

LONG = "She sold sea shells by the sea shore. “Isn't it?” she said, and naïve 😀 foxes came.\n" * 30
TEXTS = [*HARD_TEXTS, LONG, "pneumono" * 60, "", *random_texts(10)]


def make_encoder(source: str, **settings) -> SentenceEncoder:
    model = build_torch_sentence_encoder(**{"dropout": 0.0, **settings})
    get_shim(model).load_source(Path(source))
    return model


@pytest.fixture(scope="module")
def encoder(tiny_bert) -> SentenceEncoder:
    return make_encoder(tiny_bert)


# Vectors


@pytest.mark.parametrize("kind", ["bert", "roberta", "mpnet"])
def test_a_vector_is_the_models_mean_over_all_pieces(tiny_source, kind):
    from transformers import AutoModel, PreTrainedTokenizerFast

    folder = tiny_source(kind)
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(Path(folder) / "tokenizer.json"))
    module = AutoModel.from_pretrained(folder).eval()
    texts = ["the sea shore", "the lazy dog jumps over 😀 emoji", "a"]
    with torch.no_grad():
        expected = [
            module(**tokenizer(text, return_tensors="pt")).last_hidden_state[0].mean(dim=0)
            for text in texts
        ]
    assert_allclose(make_encoder(folder).predict(texts), torch.stack(expected), atol=1e-5)


@pytest.mark.parametrize("kind", ["bert", "roberta", "xlm-r", "deberta-v2", "modernbert"])
@pytest.mark.parametrize("settings", [{"window": 20}, {"max_pieces": 1}, {}])
def test_a_text_alone_and_in_a_batch_has_the_same_vector(tiny_source, kind, settings):
    model = make_encoder(tiny_source(kind), **settings)
    vectors = model.predict(TEXTS)
    assert vectors.shape == (len(TEXTS), get_width(model)) and vectors.dtype == "float32"
    for text, vector in zip(TEXTS, vectors):
        assert_allclose(model.predict([text])[0], vector, atol=1e-5)


@pytest.mark.parametrize("kind", ["bert", "roberta", "xlm-r", "albert", "deberta-v2", "xlnet"])
def test_empty_texts_and_white_space_have_a_zero_vector(tiny_source, kind):
    model = make_encoder(tiny_source(kind))
    texts = ["", " ", "\n\n\t", "a", "\u00a0\u3000"]
    assert model.predict(texts).any(axis=1).tolist() == [False, False, False, True, False]
    assert model.predict([]).shape == (0, 32)
    vectors, backprop = model.begin_update(["", " "])
    assert backprop(vectors) == []
    model.finish_update(Adam(0.0))


def test_white_space_around_a_text_does_not_count(tiny_source):
    model = make_encoder(tiny_source("roberta"))
    assert_allclose(*model.predict(["the dog", " \n the dog  "]), atol=1e-6)


def test_windows_of_a_long_text_count_by_their_pieces(tiny_bert):
    """The mean over windows of unlike length is the mean over all of their pieces."""
    model = make_encoder(tiny_bert, window=22)
    text = "the dog " * 19 + "sea"  # 39 words: 20 and 19
    (one,) = plan_texts(model, [text])
    assert window_lengths([one]) == [22, 21]
    (pieces,) = get_shim(model).predict([one])
    expected = pieces[one.mask > 0].mean(axis=0)
    assert_allclose(model.predict([text])[0], expected, atol=1e-5)


def test_a_text_of_ten_thousand_words(encoder):
    text = "the lazy dog sold sea shells " * 1700
    (vector,) = encoder.predict([text])
    assert np.isfinite(vector).all() and vector.any()
    # It repeats itself, and so does a tenth of it.
    tenth = encoder.predict([text[: len(text) // 10]])[0]
    assert vector @ tenth / np.linalg.norm(vector) / np.linalg.norm(tenth) > 0.99


def test_an_update_sees_what_prediction_gives(encoder):
    assert_allclose(encoder.begin_update(TEXTS)[0], encoder.predict(TEXTS), atol=1e-5)


def test_threads_share_an_encoder(encoder):
    expected = encoder.predict(TEXTS)
    with ThreadPoolExecutor(4) as pool:
        for vectors in pool.map(encoder.predict, [TEXTS] * 8):
            assert_allclose(vectors, expected, atol=1e-5)


# Gradients


@pytest.mark.parametrize("kind", ["bert", "roberta"])
def test_the_gradient_is_its_directional_derivative(tiny_source, kind):
    """Numerically, in the direction of the gradient, with texts of several windows among them."""
    model = make_encoder(tiny_source(kind), window=20)
    texts = ["the sea shore", "", LONG[:200], "dog", "naïve 😀 foxes"]
    vectors, backprop = model.begin_update(texts)
    d_out = np.random.default_rng(0).normal(size=vectors.shape).astype("float32")
    assert backprop(d_out) == []
    parameters = [p for p in get_shim(model).module.parameters() if p.grad is not None]
    gradients = [p.grad.to_dense().clone() for p in parameters]
    norm = float(sum((g**2).sum() for g in gradients)) ** 0.5
    step, values = 1e-3, []
    for sign in (1, -2):  # one step up, and two back
        for parameter, gradient in zip(parameters, gradients):
            parameter.data += sign * step / norm * gradient
        values.append(float((model.predict(texts).astype("float64") * d_out).sum()))
    assert (values[0] - values[1]) / (2 * step) == pytest.approx(norm, rel=1e-2)


def test_an_update_moves_vectors_where_they_are_asked_to_go(tiny_bert):
    model = make_encoder(tiny_bert, learn_rate_factor=1.0)
    texts = ["the sea shore", "a lazy dog"]
    optimizer = Adam(1e-3, L2=0.0)
    distances = []
    for _ in range(10):
        (one, other), backprop = model.begin_update(texts)
        distances.append(float(((one - other) ** 2).sum()))
        backprop(np.stack([one - other, other - one]))
        model.finish_update(optimizer)
    assert distances[-1] < distances[0] / 2


def test_a_frozen_encoder_takes_no_gradient(tiny_bert):
    model = make_encoder(tiny_bert, frozen=True)
    before = model.predict(["the dog"])
    vectors, backprop = model.begin_update(["the dog"])
    assert backprop(vectors) == []
    model.finish_update(Adam(1.0))
    assert np.array_equal(model.predict(["the dog"]), before)


def test_a_prefix_is_read_before_every_text(tiny_bert, encoder):
    model = make_encoder(tiny_bert, prefix="the dog: ")
    texts = ["sea shore", " lazy fox\n", "emoji 😀"]
    expected = encoder.predict([f"the dog: {text}" for text in texts])
    assert_allclose(model.predict(texts), expected, atol=1e-6)
    assert not model.predict(["", " \n"]).any()


# Settings


@pytest.mark.parametrize("build", [build_torch_sentence_encoder, build_openvino_sentence_encoder])
@pytest.mark.parametrize("setting, value", [("window", -1), ("max_pieces", 0)])
def test_settings_too_small_are_refused(build, setting, value):
    with pytest.raises(ValueError, match=f"{setting} = {value}"):
        build(**{setting: value})


@pytest.mark.parametrize("window", [1, 2])
def test_a_window_without_room_is_refused(tiny_bert, window):
    with pytest.raises(ValueError, match=rf"window = {window} .* 2 special"):
        make_encoder(tiny_bert, window=window).predict(["a"])


@pytest.mark.parametrize("build", [build_torch_sentence_encoder, build_openvino_sentence_encoder])
def test_without_weights_it_says_so(build):
    with pytest.raises(ValueError, match="no weights yet"):
        build().predict(["a"])
