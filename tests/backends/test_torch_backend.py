"""The torch backend: its optimizer, its modes, its copies and what it refuses."""

import copy
import math
import pickle
import threading
from pathlib import Path

import numpy as np
import pytest
import spacy
import torch
from numpy.testing import assert_allclose
from thinc.api import SGD, Adam, NumpyOps, RAdam, warmup_linear

from spacy_pretrained.backends import torch_weights
from spacy_pretrained.backends.torch_backend import TorchShim
from spacy_pretrained.backends.torch_device import choose_device
from spacy_pretrained.backends.torch_settings import TorchSettings
from spacy_pretrained.windows.batches import WindowBatch

CUDA_IS_ABSENT = not torch.cuda.is_available()


def make_shim(source: str, learn_rate_factor=1.0, **settings) -> TorchShim:
    shim = TorchShim(TorchSettings(learn_rate_factor=learn_rate_factor, **settings))
    shim.load_source(Path(source))
    return shim


def make_batch(rows: int = 3, length: int = 12, seed: int = 0) -> WindowBatch:
    rng = np.random.default_rng(seed)
    ids = rng.integers(5, 130, size=(rows, length))
    mask = np.ones_like(ids)
    for row in range(1, rows):
        mask[row, length - 2 * row :] = 0
    ids[mask == 0] = 0
    return WindowBatch(ids, mask, np.arange(rows)[:, None])


BATCH = make_batch()
D_VECTORS = np.random.default_rng(1).normal(size=(3, 12, 32)).astype("float32")
D_VECTORS *= BATCH.mask[..., None]


def predict(shim: TorchShim, batch: WindowBatch = BATCH) -> np.ndarray:
    (vectors,) = shim.predict([batch])
    return vectors


def step(shim: TorchShim, optimizer=None, d_vectors: np.ndarray = D_VECTORS) -> None:
    _, backprop = shim.begin_update(BATCH)
    backprop(d_vectors)
    shim.finish_update(optimizer or Adam(1e-3))


def weights(shim: TorchShim) -> dict[str, torch.Tensor]:
    return {name: p.detach().clone() for name, p in shim.module.named_parameters()}


def gradients(shim: TorchShim) -> dict[str, torch.Tensor]:
    parameters = shim.module.named_parameters()
    return {name: p.grad.to_dense().clone() for name, p in parameters if p.grad is not None}


def changed(before: dict, after: dict) -> set[str]:
    return {name for name in before if not torch.equal(before[name], after[name])}


def test_gradients_are_sparse_only_where_the_device_has_such(tiny_bert):
    """The device "meta" stands for one without, such as "mps" under older versions of torch."""
    shim = make_shim(tiny_bert)
    embeddings = shim.module.get_input_embeddings()
    assert embeddings.sparse
    shim._place(torch.device("meta"))
    assert not embeddings.sparse


# The optimizer


def reference(shim: TorchShim, steps: int, *, clip: float, decay: float, **settings) -> dict:
    """The weights after steps of a plain torch loop."""
    module = shim.copy().module
    module.get_input_embeddings().sparse = False
    groups = [
        {"params": [p for p in module.parameters() if p.ndim > 1], "weight_decay": decay},
        {"params": [p for p in module.parameters() if p.ndim <= 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, **settings)
    for _ in range(steps):
        output = module(
            input_ids=torch.from_numpy(BATCH.ids), attention_mask=torch.from_numpy(BATCH.mask)
        )
        output.last_hidden_state.backward(torch.from_numpy(D_VECTORS))
        torch.nn.utils.clip_grad_norm_(module.parameters(), clip)
        optimizer.step()
        optimizer.zero_grad()
    return {name: p.detach() for name, p in module.named_parameters()}


def test_steps_are_those_of_adamw_with_a_global_clip(tiny_bert):
    shim = make_shim(tiny_bert, learn_rate_factor=0.5, dropout=0.0)
    settings = {"lr": 5e-3, "betas": (0.8, 0.99), "eps": 1e-6}
    expected = reference(shim, 3, clip=0.7, decay=0.1, **settings)
    optimizer = Adam(
        1e-2, L2=0.1, beta1=0.8, beta2=0.99, eps=1e-6, grad_clip=0.7, L2_is_weight_decay=True
    )
    for _ in range(3):
        step(shim, optimizer)
    for name, weight in weights(shim).items():
        if "key.bias" not in name:  # its gradient is 0 but for rounding, which Adam makes large
            assert_allclose(weight, expected[name], atol=2e-6, err_msg=name)


def test_norms_and_biases_do_not_decay(tiny_bert):
    shim = make_shim(tiny_bert)
    before = weights(shim)
    step(shim, Adam(1e-2, L2=0.5), d_vectors=0 * D_VECTORS)
    decayed = changed(before, weights(shim))
    assert decayed == {name for name, p in before.items() if p.ndim > 1 and p.any()}
    assert any("LayerNorm" in name for name in before.keys() - decayed)


def test_gradients_are_clipped_by_their_common_norm(tiny_bert, monkeypatch):
    seen = []
    monkeypatch.setattr(
        torch.optim.AdamW,
        "step",
        lambda self: seen.append([p.grad for g in self.param_groups for p in g["params"]]),
    )
    shim = make_shim(tiny_bert)
    step(shim, Adam(1e-3, grad_clip=0.25))
    norm = math.sqrt(sum(float((g**2).sum()) for g in seen[0] if g is not None))
    assert norm == pytest.approx(0.25, rel=1e-4)


def test_without_grad_clip_gradients_stay(tiny_bert):
    one, two = make_shim(tiny_bert, dropout=0.0), make_shim(tiny_bert, dropout=0.0)
    step(one, Adam(1e-3, grad_clip=0.0))
    step(two, Adam(1e-3, grad_clip=1e9))
    assert not changed(weights(one), weights(two))


def test_nothing_happens_without_gradients(tiny_bert):
    shim = make_shim(tiny_bert)
    before = weights(shim)
    shim.finish_update(Adam(1e-3))
    assert not changed(before, weights(shim))


def test_gradients_of_several_batches_add_up(tiny_bert):
    one, two = make_shim(tiny_bert, dropout=0.0), make_shim(tiny_bert, dropout=0.0)
    for shim, gradient, n in ((one, D_VECTORS, 2), (two, 2 * D_VECTORS, 1)):
        for _ in range(n):
            shim.begin_update(BATCH)[1](gradient)
    for name, gradient in gradients(one).items():
        assert_allclose(gradient, gradients(two)[name], rtol=1e-4, atol=1e-5)


def learn_rates(shim: TorchShim, optimizer, n: int) -> list[float]:
    rates = []
    for _ in range(n):
        step(shim, optimizer)
        rates.append(shim.optimizer.torch_optimizer.param_groups[0]["lr"])
        optimizer.step_schedules()
    return rates


def test_learn_rate_factor_is_a_number_or_a_schedule(tiny_bert):
    assert learn_rates(make_shim(tiny_bert, 0.3), Adam(1e-2), 2) == pytest.approx([3e-3, 3e-3])
    rates = learn_rates(make_shim(tiny_bert, iter_factors()), Adam(1e-2), 3)
    assert rates == pytest.approx([1e-2, 5e-3, 2.5e-3])


def iter_factors():
    factor = 1.0
    while True:
        yield factor
        factor /= 2


def test_the_optimizers_own_schedule_is_followed(tiny_bert):
    optimizer = Adam(warmup_linear(1e-2, 2, 4))
    expected = warmup_linear(1e-2, 2, 4)
    rates = learn_rates(make_shim(tiny_bert), optimizer, 4)
    assert rates == pytest.approx([next(expected) for _ in range(4)])


def test_a_schedule_that_ends_stays_where_it_is(tiny_bert):
    shim = make_shim(tiny_bert, learn_rate_factor=(factor for factor in (1.0, 0.5)))
    assert learn_rates(shim, Adam(1e-2), 3) == pytest.approx([1e-2, 5e-3, 5e-3])
    assert pickle.loads(pickle.dumps(shim)).settings.learn_rate_factor == 0.5


def test_another_optimizer_begins_anew(tiny_bert):
    shim, fresh = make_shim(tiny_bert, dropout=0.0), make_shim(tiny_bert, dropout=0.0)
    for _ in range(3):
        step(shim, Adam(1e-3, L2=0.0, use_averages=True))
    fresh.from_bytes(shim.to_bytes())
    for one in (shim, fresh):
        step(one, Adam(1e-2, L2=0.5, eps=1e-3, use_averages=True))
    assert not changed(weights(shim), weights(fresh))
    (group, _) = shim.optimizer.torch_optimizer.param_groups
    assert (group["weight_decay"], group["eps"]) == (0.5, 1e-3)
    with shim.use_params({"some": 1}), fresh.use_params({"some": 1}):
        assert not changed(weights(shim), weights(fresh))


def test_sgd_follows_the_gradient(tiny_bert):
    shim = make_shim(tiny_bert, dropout=0.0)
    before = weights(shim)
    shim.begin_update(BATCH)[1](D_VECTORS)
    downhill = gradients(shim)
    shim.finish_update(SGD(1e-2, L2=0.0, grad_clip=0.0))
    for name, weight in weights(shim).items():
        if name in downhill:
            assert_allclose(weight, before[name] - 1e-2 * downhill[name], atol=1e-6)


def test_radam_is_radam(tiny_bert):
    shim = make_shim(tiny_bert)
    step(shim, RAdam(1e-3, beta1=0.8))
    assert isinstance(shim.optimizer.torch_optimizer, torch.optim.RAdam)
    assert shim.optimizer.torch_optimizer.param_groups[0]["betas"] == (0.8, 0.999)


def test_a_gradient_that_is_not_finite_stops(tiny_bert):
    shim = make_shim(tiny_bert)
    before = weights(shim)
    for value in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="not finite"):
            step(shim, d_vectors=np.full_like(D_VECTORS, value))
        assert not changed(before, weights(shim))


def test_a_retry_after_a_gradient_that_is_not_finite_is_as_if_it_had_not_been(tiny_bert):
    shim, other = make_shim(tiny_bert, dropout=0.0), make_shim(tiny_bert, dropout=0.0)
    optimizer, plain = Adam(1e-2, L2=0.0), Adam(1e-2, L2=0.0)
    step(shim, optimizer), step(other, plain)
    shim.begin_update(BATCH)[1](D_VECTORS)  # of the same step, and not to be counted twice
    with pytest.raises(ValueError, match="not finite"):
        step(shim, optimizer, d_vectors=np.full_like(D_VECTORS, np.nan))
    assert not gradients(shim)
    step(shim, optimizer), step(other, plain)
    assert not changed(weights(shim), weights(other))


# What trains


def test_all_weights_train_by_default(tiny_bert):
    shim = make_shim(tiny_bert)
    before = weights(shim)
    step(shim)
    still = before.keys() - changed(before, weights(shim))
    assert all("token_type" in name or "key.bias" in name for name in still)


def test_freeze_layers_keeps_the_embeddings_and_the_first_layers(tiny_bert):
    shim = make_shim(tiny_bert, freeze_layers=1)
    before = weights(shim)
    step(shim)
    moved = changed(before, weights(shim))
    assert moved and all("layer.1." in name for name in moved)
    trained = {n for n, p in shim.copy().module.named_parameters() if p.requires_grad}
    assert trained == {n for n, p in shim.module.named_parameters() if p.requires_grad}


def test_all_layers_may_be_frozen(tiny_bert):
    shim = make_shim(tiny_bert, freeze_layers=2)
    before = weights(shim)
    step(shim)
    assert not changed(before, weights(shim))


@pytest.mark.parametrize("kind, freeze_layers, n_layers", [("bert", 3, 2), ("albert", 1, 0)])
def test_freezing_more_layers_than_there_are_is_refused(tiny_source, kind, freeze_layers, n_layers):
    with pytest.raises(ValueError, match=f"of '{kind}', no more than {n_layers} can be"):
        make_shim(tiny_source(kind), freeze_layers=freeze_layers)


def test_frozen_weights_stay_and_vectors_come(tiny_bert):
    shim = make_shim(tiny_bert, frozen=True)
    before = weights(shim)
    vectors, backprop = shim.begin_update(BATCH)
    backprop(D_VECTORS)
    shim.finish_update(Adam(1e-3))
    assert not changed(before, weights(shim)) and not gradients(shim)
    assert_allclose(vectors, predict(make_shim(tiny_bert)), atol=1e-6)


# Modes


def test_dropout_acts_in_updates_alone(tiny_bert):
    shim = make_shim(tiny_bert, dropout=0.5)
    assert not np.allclose(shim.begin_update(BATCH)[0], shim.begin_update(BATCH)[0], atol=0.01)
    assert np.array_equal(predict(shim), predict(shim))
    assert not any(module.training for module in shim.module.modules())


def test_without_dropout_an_update_sees_what_prediction_gives(tiny_bert):
    shim = make_shim(tiny_bert, dropout=0.0)
    vectors = predict(shim)
    assert_allclose(shim.begin_update(BATCH)[0], vectors, atol=1e-6)
    assert_allclose(
        make_shim(tiny_bert, dropout=0.5).copy().begin_update(BATCH)[0].shape, (3, 12, 32)
    )
    rates = {m.p for m in shim.module.modules() if isinstance(m, torch.nn.Dropout)}
    assert rates == {0.0}


@pytest.mark.parametrize("kind", ["bert", "roberta", "modernbert", "deberta-v2"])
def test_gradient_checkpointing_gives_the_same_gradients(tiny_source, kind):
    plain = make_shim(tiny_source(kind), dropout=0.0)
    thrifty = make_shim(tiny_source(kind), dropout=0.0, gradient_checkpointing=True)
    for shim in (plain, thrifty):
        shim.begin_update(BATCH)[1](D_VECTORS)
    expected = gradients(plain)
    assert gradients(thrifty).keys() == expected.keys()
    for name, gradient in gradients(thrifty).items():
        assert_allclose(gradient, expected[name], rtol=1e-4, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("freeze_layers", [0, 1])
def test_gradient_checkpointing_repeats_the_dropout_of_the_forward_pass(tiny_bert, freeze_layers):
    settings = {"dropout": 0.3, "freeze_layers": freeze_layers}
    plain = make_shim(tiny_bert, **settings)
    thrifty = make_shim(tiny_bert, **settings, gradient_checkpointing=True)
    for shim in (plain, thrifty):
        torch.manual_seed(0)
        _, backprop = shim.begin_update(BATCH)
        shim.begin_update(make_batch(seed=2))  # a second batch before the first one's answer
        backprop(D_VECTORS)
    expected = gradients(plain)
    for name, gradient in gradients(thrifty).items():
        assert_allclose(gradient, expected[name], rtol=1e-4, atol=1e-5, err_msg=name)


def test_mixed_precision_is_near_full_precision(tiny_bert):
    full = make_shim(tiny_bert, dropout=0.0)
    mixed = make_shim(tiny_bert, dropout=0.0, mixed_precision=True)
    vectors = predict(mixed)
    assert vectors.dtype == np.float32
    assert not np.array_equal(vectors, predict(full))
    assert_allclose(vectors, predict(full), atol=0.1)
    for shim in (full, mixed):
        shim.begin_update(BATCH)[1](D_VECTORS)
    pairs = [(gradients(full)[n].ravel(), g.ravel()) for n, g in gradients(mixed).items()]
    one, two = (torch.cat(column) for column in zip(*pairs))
    assert torch.nn.functional.cosine_similarity(one, two, dim=0) > 0.99
    mixed.finish_update(Adam(1e-3))
    assert {p.dtype for p in mixed.module.parameters()} == {torch.float32}


def test_threads_share_a_module_that_is_never_in_training(tiny_bert, monkeypatch):
    shim = make_shim(tiny_bert, dropout=0.5)
    batches = [make_batch(seed=i) for i in range(8)]
    expected = [predict(shim, batch) for batch in batches]
    monkeypatch.setattr(shim.module, "train", lambda mode=True: pytest.fail("mode was switched"))
    monkeypatch.setattr(shim.module, "eval", lambda: pytest.fail("mode was switched"))
    wrong = []

    def run(i: int) -> None:
        for _ in range(5):
            if not np.allclose(predict(shim, batches[i]), expected[i], atol=1e-5):
                wrong.append(i)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


# Averages


def test_averages_are_thincs(tiny_bert):
    shim, ops = make_shim(tiny_bert), NumpyOps()
    optimizer = Adam(1e-2, use_averages=True)
    expected = {name: np.zeros(p.shape, "float32") for name, p in weights(shim).items()}
    for t in range(1, 5):
        step(shim, optimizer)
        for name, weight in weights(shim).items():
            ops.update_averages(expected[name], weight.numpy(), t)
    trained = weights(shim)
    with shim.use_params({"any": "averages of the optimizer"}):
        for name, weight in weights(shim).items():
            assert_allclose(weight, expected[name], atol=1e-5, err_msg=name)
        averaged = predict(shim)
        saved = shim.to_bytes()
    assert not changed(trained, weights(shim))
    assert not np.allclose(predict(shim), averaged, atol=1e-4)
    assert_allclose(predict(make_shim(tiny_bert).from_bytes(saved)), averaged, atol=1e-6)


def test_averages_are_restored_after_an_error(tiny_bert):
    shim = make_shim(tiny_bert)
    step(shim, Adam(1e-2, use_averages=True))
    before = weights(shim)
    with pytest.raises(KeyError), shim.use_params({"some": 1}):
        raise KeyError
    assert not changed(before, weights(shim))


def test_without_averages_weights_stay(tiny_bert):
    shim = make_shim(tiny_bert)
    step(shim, Adam(1e-2, use_averages=False))
    before = weights(shim)
    for params in ({}, {"some": 1}):
        with shim.use_params(params):
            assert not changed(before, weights(shim))


def test_frozen_layers_have_no_averages_and_keep_their_weights(tiny_bert):
    shim = make_shim(tiny_bert, freeze_layers=1)
    step(shim, Adam(1e-2, use_averages=True))
    before = weights(shim)
    with shim.use_params({"some": 1}):
        assert all("layer.1." in name for name in changed(before, weights(shim)))


# Copies


def copies(shim: TorchShim) -> list[TorchShim]:
    return [
        shim.copy(),
        copy.deepcopy(shim),
        pickle.loads(pickle.dumps(shim)),
        TorchShim(shim.settings).from_bytes(shim.to_bytes()),
        TorchShim(shim.settings).from_files(shim.to_files()),
    ]


def test_copies_are_equal_and_apart(tiny_bert):
    shim = make_shim(tiny_bert, dropout=0.2, freeze_layers=1)
    step(shim)
    vectors = predict(shim)
    for other in copies(shim):
        assert other.settings == shim.settings
        assert np.array_equal(predict(other), vectors)
        assert other.to_bytes() == shim.to_bytes()
        step(other)
        assert changed(weights(shim), weights(other))
    assert np.array_equal(predict(shim), vectors)


@pytest.mark.parametrize("make_copy", [TorchShim.copy, copy.deepcopy])
def test_a_copy_goes_on_with_the_schedule_on_its_own(tiny_bert, make_copy):
    shim = make_shim(tiny_bert, learn_rate_factor=(factor for factor in (1.0, 0.5, 0.25)))
    assert learn_rates(shim, Adam(1e-2), 1) == pytest.approx([1e-2])
    other = make_copy(shim)
    last = make_copy(other)
    for one in (shim, other, last):
        assert learn_rates(one, Adam(1e-2), 3) == pytest.approx([5e-3, 2.5e-3, 2.5e-3])
    assert learn_rates(make_copy(shim), Adam(1e-2), 1) == pytest.approx([2.5e-3])


def test_a_shim_with_a_schedule_can_be_copied(tiny_bert):
    shim = make_shim(tiny_bert, learn_rate_factor=iter_factors())
    for other in copies(shim):
        assert np.array_equal(predict(other), predict(shim))


def test_a_number_as_factor_survives_pickling(tiny_bert):
    for factor in (0.25, 0):
        other = pickle.loads(pickle.dumps(make_shim(tiny_bert, factor)))
        assert other.settings.learn_rate_factor == factor


def test_an_empty_shim_has_no_files_and_says_so():
    shim = TorchShim(TorchSettings())
    assert shim.to_files() == {}
    assert copy.deepcopy(shim).to_files() == {}
    with pytest.raises(ValueError, match="no weights yet"):
        _ = shim.module


def test_files_leave_out_the_pooler_and_second_names(tiny_bert):
    shim = make_shim(tiny_bert)
    files = shim.to_files()
    assert set(files) == {"config.json", "tokenizer.json", "layout.json", "model.safetensors"}
    saved = torch_weights.safetensors.torch.load(files["model.safetensors"])
    assert not any("pooler" in name for name in saved)
    assert sum(t.numel() for t in saved.values()) == sum(
        p.numel() for p in shim.module.parameters()
    )


# Devices


def test_auto_follows_spacy_which_is_on_the_cpu():
    spacy.require_cpu()
    assert choose_device("auto", training=True).type == "cpu"
    assert choose_device("cpu", training=False).type == "cpu"


@pytest.mark.parametrize("device", ["gpu", "cuda:x", "tpu", "", "meta", "CUDA"])
def test_an_unknown_device_is_named(tiny_bert, device):
    with pytest.raises(ValueError, match=f"Unknown device '{device}'"):
        make_shim(tiny_bert, device=device)


@pytest.mark.skipif(not CUDA_IS_ABSENT, reason="there is a GPU")
@pytest.mark.parametrize("device", ["cuda", "cuda:7"])
def test_training_on_a_device_that_is_not_there_is_refused(tiny_bert, device):
    with pytest.raises(ValueError, match=f"'{device}', which is not available"):
        make_shim(tiny_bert, device=device)


@pytest.mark.skipif(not CUDA_IS_ABSENT, reason="there is a GPU")
def test_a_saved_device_that_is_not_there_falls_back_once_and_does_not_train(tiny_bert):
    files = make_shim(tiny_bert).to_files()
    shim = TorchShim(TorchSettings(device="cuda"))
    with pytest.warns(UserWarning, match="'cuda', which is not available") as warnings:
        shim.from_files(files)
    assert len(warnings) == 1
    assert np.array_equal(predict(shim), predict(make_shim(tiny_bert)))
    with pytest.raises(ValueError, match="set to train on device 'cuda'"):
        shim.begin_update(BATCH)


@pytest.mark.skipif(not CUDA_IS_ABSENT, reason="there is a GPU")
def test_a_saved_device_that_is_not_there_is_no_matter_where_nothing_trains(tiny_bert):
    shim = TorchShim(TorchSettings(device="cuda", frozen=True))
    with pytest.warns(UserWarning):
        shim.from_files(make_shim(tiny_bert).to_files())
    assert shim.begin_update(BATCH)[0].shape == (3, 12, 32)


def test_the_device_is_logged_once(tiny_bert, caplog):
    with caplog.at_level("INFO", logger="spacy"):
        shim = make_shim(tiny_bert)
        shim.from_bytes(shim.to_bytes())
    assert [record.message for record in caplog.records] == ["Encoder (bert) on device cpu"]


# Predictions and updates at once


@pytest.mark.parametrize("update", ["begin_update", "backprop", "finish_update"])
def test_an_update_waits_for_predictions_that_are_under_way(tiny_bert, update):
    """As in a loop over `nlp.pipe` that updates the pipeline: with dropout, or weights of the
    middle of a step, the vectors of later texts would be wrong."""
    shim = make_shim(tiny_bert)
    expected = predict(shim)
    _, backprop = shim.begin_update(BATCH)
    steps = {
        "begin_update": lambda: shim.begin_update(BATCH),
        "backprop": lambda: backprop(D_VECTORS),
        "finish_update": lambda: shim.finish_update(SGD(1.0)),
    }
    if update == "finish_update":
        backprop(D_VECTORS)
    has_begun, may_go_on, found = threading.Event(), threading.Event(), []

    def wait(*args) -> None:
        hook.remove()
        has_begun.set()
        assert may_go_on.wait(60)

    hook = shim.module.get_input_embeddings().register_forward_pre_hook(wait)
    prediction = threading.Thread(target=lambda: found.append(predict(shim)))
    updating = threading.Thread(target=steps[update])
    prediction.start()
    assert has_begun.wait(60)
    updating.start()
    updating.join(1)
    has_waited = updating.is_alive()
    may_go_on.set()
    prediction.join()
    updating.join()
    assert has_waited
    assert_allclose(found[0], expected, atol=1e-6)
