"""The linear layer gives what Thinc's own does, forward and backward."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from thinc import api as thinc
from thinc.api import zero_init

from spacy_pretrained.heads.linear import Linear


def random(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).normal(size=shape).astype("float32")


@pytest.mark.parametrize("n", [0, 1, 7])
def test_agrees_with_thincs_own(n):
    X, dY = random(n, 5), random(n, 3)
    own, other = Linear(3, 5), thinc.Linear(3, 5)
    for model in (own, other):
        model.initialize()
        model.set_param("W", random(3, 5))
        model.set_param("b", random(3))
    (Y, backprop), (expected, backprop_expected) = (m.begin_update(X) for m in (own, other))
    assert_allclose(Y, expected, atol=1e-5)
    for _ in range(2):  # gradients add up
        assert_allclose(backprop(dY), backprop_expected(dY), atol=1e-5)
    for name in ("W", "b"):
        assert_allclose(own.get_grad(name), other.get_grad(name), atol=1e-5)


def test_sizes_come_from_data():
    model = Linear()
    model.initialize(X=random(4, 5), Y=random(4, 3))
    assert (model.get_dim("nI"), model.get_dim("nO")) == (5, 3)
    assert model.predict(random(4, 5)).shape == (4, 3)


def test_weights_may_start_at_zero():
    model = Linear(3, 5, init_W=zero_init)
    model.initialize()
    assert not model.predict(random(4, 5)).any()
