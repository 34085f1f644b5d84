"""resizing.py: a layer takes other sizes at any time, and nothing of the old ones stays."""

import numpy as np
import pytest
from thinc.api import Adam

from spacy_pretrained.heads.linear import Linear
from spacy_pretrained.heads.resizing import resize


def step(model, X, optimizer) -> None:
    Y, backprop = model.begin_update(X)
    backprop(np.ones_like(Y))
    model.finish_update(optimizer)


def test_sizes_before_initialization():
    model = Linear()
    resize(model, nO=3)
    resize(model, nO=4, nI=2)
    assert (model.get_dim("nO"), model.get_dim("nI")) == (4, 2)


def test_the_same_sizes_change_nothing():
    model = Linear(3, 5).initialize()
    before, id_ = model.get_param("W"), model.id
    resize(model, nO=3, nI=5)
    assert model.id == id_ and model.get_param("W") is before


@pytest.mark.parametrize("sizes", [{"nO": 7}, {"nI": 2}, {"nO": 1, "nI": 9}])
def test_parameters_gradients_and_moments_are_forgotten(sizes):
    model, optimizer = Linear(3, 5).initialize(), Adam(0.01)
    step(model, np.ones((2, 5), dtype="float32"), optimizer)
    resize(model, **sizes)
    assert not any(model.has_param(name) or model.has_grad(name) for name in ("W", "b"))
    with pytest.raises(KeyError):
        model.get_param("W")
    model.initialize()
    before = model.get_param("W").copy()
    step(model, np.ones((2, model.get_dim("nI")), dtype="float32"), optimizer)
    assert model.get_param("W").shape == (model.get_dim("nO"), model.get_dim("nI"))
    assert (model.get_param("W") != before).all()
    copy = Linear().from_bytes(model.to_bytes())
    np.testing.assert_array_equal(copy.get_param("W"), model.get_param("W"))
