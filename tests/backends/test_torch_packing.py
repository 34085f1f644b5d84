"""Several windows in a row on torch: each comes out, and trains, as it does in a row of its own."""

import copy
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from random_windows import make_row

from spacy_pretrained.backends.torch_backend import PACKED_ROWS, TorchShim
from spacy_pretrained.backends.torch_packing import Packing, find_packing
from spacy_pretrained.backends.torch_settings import TorchSettings
from spacy_pretrained.windows.batches import WINDOW_A_ROW, WindowBatch

PACKED = ["bert", "roberta", "albert", "distilbert", "mpnet"]
# ALBERT has neither of these settings: its layers are one.
SETTINGS = [{"gradient_checkpointing": True}, {"freeze_layers": 1}]
TRAINED = [(kind, {}) for kind in PACKED]
TRAINED += [(kind, settings) for kind in PACKED if kind != "albert" for settings in SETTINGS]
LENGTHS = [9, 1, 20, 30]


def make_shim(source: str, **settings) -> TorchShim:
    shim = TorchShim(TorchSettings(dropout=0.0, **settings))
    shim.load_source(Path(source))
    return shim


def make_packed(pad: int) -> WindowBatch:
    """Windows side by side in a row of 64 pieces, with one padding piece in the text."""
    batch = make_row(LENGTHS, 64, pad)
    batch.ids[0, 15] = pad
    return batch


def take_apart(batch: WindowBatch) -> list[WindowBatch]:
    """Each window in a batch of its own."""
    rows = [batch.ids[batch.mask == number][None] for number in range(1, len(LENGTHS) + 1)]
    return [WindowBatch(ids, np.ones_like(ids), np.array([[0]])) for ids in rows]


def gradients(shim: TorchShim) -> dict[str, torch.Tensor]:
    """Of all weights; they are dropped."""
    parameters = shim.module.named_parameters()
    found = {name: p.grad.to_dense().clone() for name, p in parameters if p.grad is not None}
    shim.module.zero_grad(set_to_none=True)
    return found


@pytest.mark.parametrize("kind, settings", TRAINED)
def test_windows_of_one_row_are_as_alone_and_so_are_their_gradients(tiny_source, kind, settings):
    shim = make_shim(tiny_source(kind), **settings)
    assert shim.row_shape == PACKED_ROWS
    batch = make_packed(shim.checkpoint.layout.pad)
    d_vectors = np.random.default_rng(1).normal(size=(1, 64, 32)).astype("float32")
    d_vectors *= batch.mask[..., None] > 0

    together, backprop = shim.begin_update(batch)
    backprop(d_vectors)
    found = gradients(shim)
    for number, window in enumerate(take_apart(batch), start=1):
        alone, backprop = shim.begin_update(window)
        assert_allclose(together[batch.mask == number], alone[0], atol=1e-4, rtol=0)
        backprop(d_vectors[batch.mask == number][None])
    expected = gradients(shim)
    assert found.keys() == expected.keys() and found
    for name, gradient in found.items():
        scale = float(expected[name].abs().max())
        assert_allclose(gradient, expected[name], atol=1e-4 * max(scale, 1.0), err_msg=name)


def test_bfloat16_takes_packed_rows(tiny_source):
    shim = make_shim(tiny_source("bert"), mixed_precision=True)
    batch = make_packed(shim.checkpoint.layout.pad)
    (together,) = shim.predict([batch])
    for number, window in enumerate(take_apart(batch), start=1):
        (alone,) = shim.predict([window])
        assert_allclose(together[batch.mask == number], alone[0], atol=0.1, rtol=0)


@pytest.mark.parametrize("kind", ["modernbert", "deberta-v2"])
def test_a_model_that_cannot_keep_windows_apart_has_one_a_row(tiny_source, kind):
    """ModernBERT's narrow attention would be lost, DeBERTa counts positions by itself."""
    assert make_shim(tiny_source(kind)).row_shape is WINDOW_A_ROW


def test_what_cannot_be_seen_stays_finite_in_bfloat16():
    """An infinite score would make NaN of a piece that sees nothing else."""
    ids, mask = torch.tensor([[5, 6, 0]]), torch.tensor([[1, 2, 0]])
    inputs = Packing(pad=0, takes_positions=True, first_position=0).inputs(ids, mask)
    scores = inputs["attention_mask"]
    assert scores.bfloat16().isfinite().all() and (scores == 0).sum() == 3
    assert inputs["position_ids"].tolist() == [[0, 0, 0]]


def test_it_is_tried_again_for_other_weights_and_not_at_every_batch(tiny_source):
    shim = make_shim(tiny_source("bert"))
    packing = shim.packing
    assert packing is not None and shim.packing is packing
    shim.load_source(Path(tiny_source("roberta")))
    assert shim.packing.first_position == shim.checkpoint.layout.pad + 1
    for other in (shim.copy(), copy.deepcopy(shim), pickle.loads(pickle.dumps(shim))):
        assert other.packing == shim.packing


def test_the_trial_draws_no_random_numbers_and_leaves_no_gradients(tiny_source):
    shim = make_shim(tiny_source("bert"))
    state = torch.get_rng_state()
    assert shim.packing is not None
    assert torch.equal(torch.get_rng_state(), state)
    assert not gradients(shim) and not shim.module.training


@pytest.mark.parametrize("kind", ["bert", "roberta", "deberta-v2", "mpnet"])
def test_the_trial_asks_for_no_position_beyond_the_table(tiny_source, kind):
    """A GPU would answer nothing any more."""
    shim = make_shim(tiny_source(kind))
    seen = []

    def run(**inputs: torch.Tensor) -> torch.Tensor:
        seen.append(int(inputs.get("position_ids", torch.zeros(1)).max()))
        return torch.full((*inputs["input_ids"].shape, 32), torch.nan)  # as if nothing fitted

    assert find_packing(shim.module, run, shim.checkpoint.layout, mixed_precision=False) is None
    assert seen and max(seen) < shim.module.config.max_position_embeddings
