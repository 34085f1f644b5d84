"""The encoder's model: one vector a token whatever the batch, and gradients that are true."""

from pathlib import Path

import numpy as np
import pytest
import spacy
import torch
from hard_texts import HARD_TEXTS, random_texts
from numpy.testing import assert_allclose
from random_windows import window_lengths
from spacy.tokens import Doc
from thinc.api import Adam

from spacy_pretrained.encoder.token_encoder import (
    EncoderModel,
    build_openvino_encoder,
    build_torch_encoder,
    get_shim,
    plan_batches,
)

WIDTH = 32
LONG = "She sold sea shells by the sea shore. “Isn't it?” she said, and naïve 😀 foxes came.\n" * 30
NLP = spacy.blank("xx")


def make_docs() -> list[Doc]:
    return list(NLP.pipe([*HARD_TEXTS, LONG, "pneumono" * 60, "", *random_texts(10)]))


def make_encoder(source: str, **settings) -> EncoderModel:
    model = build_torch_encoder(**{"orth_width": 8, "dropout": 0.0, **settings})
    get_shim(model).load_source(Path(source))
    model.initialize()
    return model


@pytest.fixture(scope="module")
def docs() -> list[Doc]:
    return make_docs()


@pytest.fixture(scope="module")
def encoder(tiny_bert) -> EncoderModel:
    return make_encoder(tiny_bert)


# Vectors


@pytest.mark.parametrize("kind", ["bert", "roberta", "xlm-r"])
@pytest.mark.parametrize("stride", [None, 20])
def test_a_doc_alone_and_in_a_batch_has_the_same_vectors(tiny_source, docs, kind, stride):
    model = make_encoder(tiny_source(kind), window=40, stride=stride)
    for doc, vectors in zip(docs, model.predict(docs)):
        assert vectors.shape == (len(doc), WIDTH + 8)
        assert_allclose(model.predict([doc])[0], vectors, atol=1e-5)


@pytest.mark.parametrize("max_pieces", [1, 64, 500])
def test_the_size_of_batches_does_not_matter(tiny_bert, encoder, docs, max_pieces):
    model = make_encoder(tiny_bert, max_pieces=max_pieces)
    model.get_ref("orth").from_bytes(encoder.get_ref("orth").to_bytes())
    for one, two in zip(model.predict(docs), encoder.predict(docs)):
        assert_allclose(one, two, atol=1e-5)


def test_windows_that_earlier_versions_saved_with_the_weights_do_not_count(tiny_bert, docs):
    old, model = make_encoder(tiny_bert, window=12), make_encoder(tiny_bert, window=20)
    of_old, expected = ids_of(old, docs), ids_of(model, docs)
    old.attrs.update(window=12, stride=None, max_pieces=2048, stock_windows=None)
    model.from_bytes(old.to_bytes())
    assert ids_of(model, docs) == expected != of_old
    del old.attrs["windows"]  # as in their pickles
    assert ids_of(old, docs) == of_old


def ids_of(model: EncoderModel, docs: list[Doc]) -> list:
    return [batch.ids.tolist() for batch in plan_batches(model, docs)]


def test_an_update_sees_what_prediction_gives(encoder, docs):
    for one, two in zip(encoder.begin_update(docs)[0], encoder.predict(docs)):
        assert_allclose(one, two, atol=1e-5)


@pytest.mark.parametrize("texts", [[], [""], ["", ""], [" ", "\n\n"], ["", "a"]])
def test_nothing_to_encode(encoder, texts):
    docs = [NLP.make_doc(text) for text in texts]
    vectors, backprop = encoder.begin_update(docs)
    assert [v.shape for v in vectors] == [(len(doc), WIDTH + 8) for doc in docs]
    assert [v.shape for v in encoder.predict(docs)] == [v.shape for v in vectors]
    assert backprop(vectors) == []
    encoder.finish_update(Adam(0.0))


def test_tokens_without_pieces_have_a_zero_vector_from_the_backbone(encoder):
    doc = Doc(NLP.vocab, words=["the", "\n", "\u200b", "dog", " "])
    (vectors,) = encoder.predict([doc])
    backbone = np.abs(vectors[:, :WIDTH]).sum(axis=1)
    assert (backbone > 0).tolist() == [True, False, False, True, False]


def test_a_token_is_the_mean_of_its_first_and_last_piece(tiny_bert, encoder):
    doc = Doc(NLP.vocab, words=["zurichish", "dog"])
    shim = get_shim(encoder)
    (window_batch,) = plan_batches(encoder, [doc])
    (pieces,) = shim.predict([window_batch])
    n = window_batch.n_pieces - 2  # [CLS] and [SEP]
    assert n > 3
    (vectors,) = encoder.predict([doc])
    assert_allclose(vectors[0, :WIDTH], (pieces[0, 1] + pieces[0, n - 1]) / 2, atol=1e-6)
    assert_allclose(vectors[1, :WIDTH], pieces[0, n], atol=1e-6)


def test_vectors_are_those_of_the_model_itself(tiny_bert, encoder):
    from transformers import AutoModel, PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(Path(tiny_bert) / "tokenizer.json"))
    module = AutoModel.from_pretrained(tiny_bert).eval()
    text = "the sea shore the lazy dog"
    with torch.no_grad():
        expected = module(**tokenizer(text, return_tensors="pt")).last_hidden_state[0, 1:-1]
    (vectors,) = encoder.predict([NLP.make_doc(text)])
    assert_allclose(vectors[:, :WIDTH], expected, atol=1e-5)


def test_the_vectors_of_a_doc_do_not_keep_those_of_its_batch(encoder, docs):
    for doc, vectors in zip(docs, encoder.predict(docs)):
        owner = vectors if vectors.base is None else vectors.base
        assert owner.size <= 2 * max(1, len(doc)) * (WIDTH + 8)


# Settings


@pytest.mark.parametrize("orth_width", [0, 8, 32])
def test_width_is_the_backbones_and_the_orth_embeddings(tiny_bert, docs, orth_width):
    model = make_encoder(tiny_bert, orth_width=orth_width)
    assert model.get_dim("nO") == WIDTH + orth_width
    assert bool(model.has_ref("orth")) == bool(orth_width)
    for doc, vectors in zip(docs, model.predict(docs)):
        assert vectors.shape == (len(doc), WIDTH + orth_width)


def longest_window(model: EncoderModel) -> int:
    return max(window_lengths(plan_batches(model, [NLP.make_doc("sea " * 640)])))


@pytest.mark.parametrize("window, longest", [(0, 64), (1000, 64), (64, 64), (18, 18)])
def test_window_is_what_the_model_takes_at_most(tiny_bert, window, longest):
    # 640 words fall into 10 windows of 64 with their two special pieces or so.
    assert longest - 6 <= longest_window(make_encoder(tiny_bert, window=window)) <= longest


@pytest.mark.parametrize("window", [1, 2])
def test_a_window_without_room_is_refused(tiny_bert, window):
    model = make_encoder(tiny_bert, window=window)
    with pytest.raises(ValueError, match=rf"window = {window} .* 2 special"):
        model.predict([NLP.make_doc("a")])
    vectors = make_encoder(tiny_bert, window=3).predict([NLP.make_doc("the dog")])
    assert np.isfinite(vectors[0]).all()


@pytest.mark.parametrize("stride", [None, 10, 38, 1000])
def test_pieces_are_shown_again_where_windows_overlap_and_only_there(tiny_bert, docs, stride):
    model = make_encoder(tiny_bert, window=40, stride=stride)
    tokenizer = get_shim(model).checkpoint.tokenizer
    n_pieces = sum(len(pieces.ids) for pieces in tokenizer.encode([doc.text for doc in docs]))
    shown = sum(length - 2 for length in window_lengths(plan_batches(model, docs)))
    assert shown > n_pieces if stride == 10 else shown == n_pieces


def test_stride_gives_the_edges_of_windows_more_context(tiny_bert):
    doc = Doc(NLP.vocab, words=["the", "dog", "sea", "she"] * 40, sent_starts=[1] + [-1] * 159)
    whole = make_encoder(tiny_bert, window=0)
    one = make_encoder(tiny_bert, window=22, stride=20)
    other = make_encoder(tiny_bert, window=22, stride=10)
    vectors = [model.predict([doc])[0][:, :WIDTH] for model in (whole, one, other)]
    assert not np.allclose(vectors[1], vectors[2], atol=1e-3)
    lengths = [window_lengths(plan_batches(model, [doc])) for model in (one, other)]
    assert len(lengths[1]) > len(lengths[0])


@pytest.mark.parametrize("build", [build_torch_encoder, build_openvino_encoder])
@pytest.mark.parametrize(
    "setting, value",
    [
        ("window", -1),
        ("stride", 0),
        ("stride", -5),
        ("max_pieces", 0),
        ("orth_width", -1),
    ],
)
def test_settings_out_of_range_are_refused(build, setting, value):
    with pytest.raises(ValueError, match=f"{setting} = {value} has to be at least"):
        build(**{setting: value})


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"freeze_layers": -1}, "freeze_layers = -1 has to be at least 0"),
        ({"dropout": 1.5}, r"dropout has to be at least 0 and less than 1, but it is 1\.5"),
        ({"learn_rate_factor": -0.1}, r"0 or more, and finite, but it is -0\.1"),
        ({"learn_rate_factor": float("nan")}, "but it is nan"),
    ],
)
def test_settings_of_a_training_out_of_range_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        build_torch_encoder(**settings)


def test_there_are_no_negative_threads():
    with pytest.raises(ValueError, match="threads = -1 has to be at least 0"):
        build_openvino_encoder(threads=-1)


@pytest.mark.parametrize("build", [build_torch_encoder, build_openvino_encoder])
def test_without_weights_the_encoder_says_so(build):
    model = build()
    for run in (model.initialize, lambda: model.predict([NLP.make_doc("a")])):
        with pytest.raises(ValueError, match="no weights yet"):
            run()


# Gradients


def random_like(arrays: list[np.ndarray], seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.normal(size=array.shape).astype("float32") for array in arrays]


def loss(model: EncoderModel, docs: list[Doc], weights: list[np.ndarray]) -> float:
    vectors, _ = model.begin_update(docs)
    return float(sum((v.astype("float64") * w).sum() for v, w in zip(vectors, weights)))


def gradients(model: EncoderModel) -> dict[str, torch.Tensor]:
    parameters = get_shim(model).module.named_parameters()
    return {name: p.grad.to_dense() for name, p in parameters if p.grad is not None}


def directions(gradients: list[np.ndarray]) -> list[np.ndarray]:
    """Random steps in which the loss grows with all parameters, of length 1 in all."""
    rng = np.random.default_rng(2)
    steps = [rng.uniform(0.5, 1.5, size=g.shape) * g for g in gradients]
    length = np.sqrt(sum(float((step**2).sum()) for step in steps))
    return [step / length for step in steps]


@pytest.mark.parametrize("kind, stride", [("bert", None), ("roberta", 12), ("xlm-r", None)])
def test_the_backbones_gradient_is_its_directional_derivative(tiny_source, docs, kind, stride):
    model = make_encoder(tiny_source(kind), window=24, stride=stride, orth_width=4, max_pieces=200)
    module = get_shim(model).module.double()  # for a difference that means something
    vectors, backprop = model.begin_update(docs)
    weights = random_like(vectors, seed=1)
    backprop(weights)
    parameters = [p for p in module.parameters() if p.grad is not None]
    gradients = [p.grad.to_dense().numpy() for p in parameters]
    steps = directions(gradients)
    expected = sum(float((g * step).sum()) for g, step in zip(gradients, steps))
    values, size = [], 1e-3
    for sign in (1, -2):  # forth, and twice back
        with torch.no_grad():
            for p, step in zip(parameters, steps):
                p += sign * size * torch.from_numpy(step)
        values.append(loss(model, docs, weights))
    assert_allclose((values[0] - values[1]) / (2 * size), expected, rtol=0.01)


def test_the_backbones_gradient_is_the_one_torch_computes(tiny_bert):
    """All in torch, for a text whose tokens are one piece each."""
    model = make_encoder(tiny_bert)
    doc = NLP.make_doc("the sea shore the lazy dog")
    vectors, backprop = model.begin_update([doc])
    (d_vectors,) = random_like(vectors, seed=3)
    backprop([d_vectors])
    module = get_shim(model).copy().module
    module.get_input_embeddings().sparse = False
    (batch,) = plan_batches(model, [doc])
    output = module(**{name: torch.from_numpy(x) for name, x in batch.inputs.items()})
    output = output.last_hidden_state[0, 1 : len(doc) + 1]
    (output * torch.from_numpy(d_vectors[:, :WIDTH])).sum().backward()
    expected = {name: p.grad for name, p in module.named_parameters()}
    for name, gradient in gradients(model).items():
        assert_allclose(gradient, expected.pop(name), atol=1e-5, err_msg=name)
    assert not expected


def test_the_orth_embeddings_gradient_is_its_directional_derivative(tiny_bert, docs):
    model = make_encoder(tiny_bert, orth_width=4)
    vectors, backprop = model.begin_update(docs)
    weights = random_like(vectors, seed=1)
    backprop(weights)
    nodes = [(n, name) for n in model.get_ref("orth").walk() for name in n.grad_names]
    assert len(nodes) == 4  # two tables, a matrix and a bias
    steps = directions([n.get_grad(name) for n, name in nodes])
    expected = sum((n.get_grad(name) * step).sum() for (n, name), step in zip(nodes, steps))
    values, size = [], 2e-4  # small: the layer's ReLU has kinks
    for sign in (1, -2):
        for (node, name), step in zip(nodes, steps):
            weight = node.get_param(name) + sign * size * step
            node.set_param(name, weight.astype("float32"))
        values.append(loss(model, docs, weights))
    assert_allclose((values[0] - values[1]) / (2 * size), expected, rtol=0.02)


def test_gradients_of_a_batch_are_the_sum_of_its_docs(tiny_bert, docs):
    docs = [doc for doc in docs if len(doc)][:8]
    together, apart = make_encoder(tiny_bert), make_encoder(tiny_bert)
    vectors, backprop = together.begin_update(docs)
    d_vectors = random_like(vectors, seed=5)
    backprop(d_vectors)
    for doc, d_doc in zip(docs, d_vectors):
        apart.begin_update([doc])[1]([d_doc])
    expected = gradients(apart)
    for name, gradient in gradients(together).items():
        assert_allclose(gradient, expected[name], atol=2e-4, err_msg=name)


@pytest.mark.parametrize("frozen", [False, True])
def test_a_frozen_backbone_stays_and_the_orth_embedding_trains(tiny_bert, docs, frozen):
    model = make_encoder(tiny_bert, frozen=frozen)
    before = model.predict(docs)
    for _ in range(3):
        vectors, backprop = model.begin_update(docs)
        backprop([v - 1 for v in vectors])
        model.finish_update(Adam(0.01))
    after = model.predict(docs)
    for part, moves in ((slice(0, WIDTH), not frozen), (slice(WIDTH, None), True)):
        one, two = (np.concatenate(vs)[:, part] for vs in (before, after))
        assert np.array_equal(one, two) != moves
        if moves:
            assert ((two - 1) ** 2).sum() < ((one - 1) ** 2).sum()


# Copies


def test_a_model_survives_bytes_and_copies(tiny_bert, encoder, docs):
    other = build_torch_encoder(orth_width=8)
    get_shim(other).load_source(Path(tiny_bert))
    other.initialize()
    other.from_bytes(encoder.to_bytes())
    for one, two in zip(other.predict(docs), encoder.predict(docs)):
        assert np.array_equal(one, two)


@pytest.mark.slow
def test_time_is_linear_in_the_length_of_a_text(tiny_bert):
    import time

    model = make_encoder(tiny_bert)
    seconds = []
    for n in (2_000, 2_000, 20_000):  # sentences; the first run warms up
        doc = NLP.make_doc("She sold sea shells by the sea shore. " * n)
        start = time.perf_counter()
        model.predict([doc])
        seconds.append(time.perf_counter() - start)
    assert seconds[2] < 15 * seconds[1]
