"""Scores against their formula term by term, gradients against differences, and what a batch,
padding, dropout and a save must not change."""

import doctest

import numpy as np
import pytest
from thinc.api import Adam, Model, NumpyOps, set_dropout_rate
from thinc.types import Floats2d

from spacy_pretrained.parser import biaffine
from spacy_pretrained.parser.biaffine import BiaffineArcs, BiaffineLabels

WIDTH, HIDDEN, LABELS = 7, 5, 4
INDEX = np.array([[0, 1, 2, 3], [4, -1, -1, -1], [8, 6, 7, -1], [-1, -1, -1, -1]])
DEPENDENTS = np.array([0, 1, 2, 3, 4, 6, 7, 8])
HEADS = np.array([-1, 0, 0, 0, -1, 7, -1, 6])


@pytest.fixture
def rng():
    np.random.seed(0)  # thinc draws weights and dropout from it
    return np.random.default_rng(0)


@pytest.fixture
def X(rng) -> Floats2d:
    return rng.normal(size=(9, WIDTH))


def arcs_model(rng, X, dropout=0.0, index=INDEX) -> Model:
    model = BiaffineArcs(HIDDEN, dropout=dropout)
    model.initialize((X, index))
    return in_float64(rng, model)


def labels_model(rng, X, dropout=0.0) -> Model:
    model = BiaffineLabels(HIDDEN, dropout=dropout)
    model.initialize((X, DEPENDENTS, HEADS), np.zeros((len(DEPENDENTS), LABELS)))
    return in_float64(rng, model)


def in_float64(rng, model: Model) -> Model:
    """With weights of which none is zero: those that are zero at first hide errors."""
    for node in model.walk():
        for name in node.param_names:
            node.set_param(name, rng.normal(size=node.get_param(name).shape))
    return model


def roles(model: Model, x):
    """A vector as dependent and as head, from the definition."""
    W, b = (model.layers[0].get_param(name) for name in ("W", "b"))
    both = np.maximum(W @ x + b, 0)
    return both[:HIDDEN], both[HIDDEN:]


def both_models(rng, X, dropout=0.0) -> list[tuple[Model, tuple]]:
    return [
        (arcs_model(rng, X, dropout), (X, INDEX)),
        (labels_model(rng, X, dropout), (X, DEPENDENTS, HEADS)),
    ]


def masked(inputs: tuple, Y):
    """What is defined of an output: of the arcs' all but padding."""
    if len(inputs) == 3:
        return Y
    is_token = inputs[1] >= 0
    is_head = np.pad(is_token, ((0, 0), (1, 0)), constant_values=True)
    return np.where(is_token[:, :, None] & is_head[:, None], Y, 0)


def test_arcs_are_scored_by_the_formula(rng, X):
    model = arcs_model(rng, X)
    W, b, root = (model.get_param(name) for name in ("W", "b", "root"))
    Y = model.predict((X, INDEX))
    assert Y.shape == (4, 4, 5)
    for s, sentence in enumerate(INDEX):
        rows = [row for row in sentence if row >= 0]
        heads = [root] + [roles(model, X[row])[1] for row in rows]
        for i, row in enumerate(rows):
            d, _ = roles(model, X[row])
            for j, h in enumerate(heads):
                assert Y[s, i, j] == pytest.approx(d @ W @ h + b @ h)


def test_labels_are_scored_by_the_formula(rng, X):
    model = labels_model(rng, X)
    W, U, V, b, root = (model.get_param(name) for name in ("W", "U", "V", "b", "root"))
    Y = model.predict((X, DEPENDENTS, HEADS))
    assert Y.shape == (len(DEPENDENTS), LABELS)
    W = W.reshape(HIDDEN, LABELS, HIDDEN)
    for m, (dependent, head) in enumerate(zip(DEPENDENTS, HEADS)):
        d, _ = roles(model, X[dependent])
        h = root if head < 0 else roles(model, X[head])[1]
        for label in range(LABELS):
            score = h @ W[:, label] @ d + U[label] @ d + V[label] @ h + b[label]
            assert Y[m, label] == pytest.approx(score)


@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_gradients_are_those_of_differences(rng, X, dropout, monkeypatch):
    monkeypatch.setattr(biaffine, "CHUNK", HIDDEN * LABELS)  # one head at a time
    step = 1e-6
    for model, inputs in both_models(rng, X, dropout):
        weights = rng.normal(size=masked(inputs, model.predict(inputs)).shape)

        def loss(X, model=model, inputs=inputs, weights=weights):
            np.random.seed(1)  # the same dropout every time
            Y, backprop = model((X, *inputs[1:]), is_train=True)
            return (weights * masked(inputs, Y)).sum(), backprop

        _, backprop = loss(X)
        dX, *rest = backprop(weights)
        assert all(a is b for a, b in zip(rest, inputs[1:]))
        assert dX.dtype == X.dtype == np.float64
        direction = rng.normal(size=X.shape)
        difference = loss(X + step * direction)[0] - loss(X - step * direction)[0]
        assert (dX * direction).sum() == pytest.approx(difference / (2 * step), rel=1e-7)
        for node in model.walk():
            for name in node.param_names:
                value = node.get_param(name)
                direction = rng.normal(size=value.shape)
                node.set_param(name, value + step * direction)
                more = loss(X)[0]
                node.set_param(name, value - step * direction)
                less = loss(X)[0]
                node.set_param(name, value)
                slope = (node.get_grad(name) * direction).sum()
                assert slope == pytest.approx((more - less) / (2 * step), rel=1e-7), name


def test_gradients_of_rows_taken_twice_add_up(rng, X):
    dX = []
    for index in (np.array([[0, 1, 2], [0, 3, -1]]), np.array([[0, 1, 2], [4, 3, -1]])):
        same = X.copy()
        same[4] = same[0]
        model = arcs_model(np.random.default_rng(1), X, index=index)
        Y, backprop = model((same, index), is_train=True)
        dX.append(backprop(np.ones_like(Y))[0])
    np.testing.assert_allclose(dX[0][0], dX[1][0] + dX[1][4])

    model = labels_model(rng, X)
    dX = []
    for dependents in (np.array([0, 0, 1]), np.array([0, 4, 1])):
        Y, backprop = model((same, dependents, np.array([2, 3, 2])), is_train=True)
        dX.append(backprop(np.ones_like(Y))[0])
    np.testing.assert_allclose(dX[0][0], dX[1][0] + dX[1][4])


def test_padding_does_not_leak(rng, X):
    """Neither rows of no sentence, nor wider padding, nor gradients of padding."""
    model = arcs_model(rng, X)
    Y, backprop = model((X, INDEX), is_train=True)
    weights = rng.normal(size=Y.shape)
    dX, _ = backprop(weights)
    grads = {(node.id, name): node.get_grad(name) for node in model.walk() for name in ("W", "b")}
    for node in model.walk():
        for name in node.param_names:
            node.set_grad(name, np.zeros_like(node.get_param(name)))

    wider = np.pad(INDEX, ((0, 1), (0, 3)), constant_values=-1)
    longer = np.concatenate([X, rng.normal(size=(1, WIDTH))])  # the row that -1 might take
    Y_wider, backprop = model((longer, wider), is_train=True)
    assert np.isfinite(Y_wider).all()
    np.testing.assert_allclose(masked((X, INDEX), Y_wider[:4, :4, :5]), masked((X, INDEX), Y))
    garbage = np.full(Y_wider.shape, np.nan)
    garbage[:4, :4, :5] = np.where(masked((X, INDEX), np.ones_like(Y)) > 0, weights, np.nan)
    dX_wider, _ = backprop(garbage)
    np.testing.assert_allclose(dX_wider[:9], dX)
    assert not dX_wider[9].any()
    assert not dX[5].any()  # row 5 is in no sentence
    for (_, name), node in zip(grads, [node for node in model.walk() for _ in range(2)]):
        np.testing.assert_allclose(node.get_grad(name), grads[node.id, name])


def test_single_is_batch(rng, X):
    model = arcs_model(rng, X)
    Y = model.predict((X, INDEX))
    for s, sentence in enumerate(INDEX):
        n = (sentence >= 0).sum()
        alone = model.predict((X[sentence[:n]], np.arange(n)[None]))
        np.testing.assert_allclose(alone[0], Y[s, :n, : n + 1])

    model = labels_model(rng, X)
    Y = model.predict((X, DEPENDENTS, HEADS))
    for m, (dependent, head) in enumerate(zip(DEPENDENTS, HEADS)):
        rows = X[[dependent, head]] if head >= 0 else X[[dependent]]
        head_row = np.array([1 if head >= 0 else -1])
        alone = model.predict((rows, np.array([0]), head_row))
        np.testing.assert_allclose(alone[0], Y[m])


def test_docstrings_examples():
    assert doctest.testmod(biaffine, extraglobs={"NumpyOps": NumpyOps}) == (0, 2)


@pytest.mark.parametrize("at_once", [1, 2, 100])
def test_siblings_share_a_head_and_no_arc_is_lost(rng, at_once):
    heads = rng.integers(-1, 30, size=100)
    families = biaffine._families(NumpyOps(), heads, at_once)
    seen = [arcs.ravel() for _, siblings in families for _, arcs in siblings]
    assert sorted(np.concatenate(seen)) == list(range(100))
    above = np.concatenate([rows for rows, _ in families])
    assert sorted(above) == sorted(set(heads))
    for rows, siblings in families:
        assert len(rows) <= at_once
        places = np.concatenate([np.arange(len(rows))[some] for some, _ in siblings])
        assert places.tolist() == list(range(len(rows)))
        for some, arcs in siblings:
            assert (heads[arcs] == rows[some, None]).all()


def test_dropout_only_in_training(rng, X):
    for model, inputs in both_models(rng, X, dropout=0.5):
        Y = masked(inputs, model.predict(inputs))
        np.testing.assert_array_equal(masked(inputs, model(inputs, is_train=False)[0]), Y)
        set_dropout_rate(model, 0.0)
        trained = [masked(inputs, model(inputs, is_train=True)[0]) for _ in range(2)]
        assert (trained[0] != trained[1]).any()
        assert (trained[0] != Y).any()
    for model, inputs in both_models(rng, X, dropout=0.0):
        Y = masked(inputs, model.predict(inputs))
        np.testing.assert_array_equal(masked(inputs, model(inputs, is_train=True)[0]), Y)


def test_dropout_keeps_the_mean(rng):
    model = biaffine.Roles(50, nI=WIDTH, dropout=0.3)
    model.initialize()
    X = rng.normal(size=(2000, WIDTH)).astype("float32")
    for Y, trained in zip(model.predict(X), model(X, is_train=True)[0]):
        assert trained.mean() == pytest.approx(Y.mean(), rel=0.02)
        assert (trained[Y > 0] == 0).mean() == pytest.approx(0.3, abs=0.02)


@pytest.mark.parametrize("dropout", [-0.1, 1.0, 33])
def test_dropout_is_a_rate(dropout):
    for build in (BiaffineArcs, BiaffineLabels):
        with pytest.raises(ValueError, match=str(dropout)):
            build(HIDDEN, dropout=dropout)


def test_outputs_are_float32(rng, X):
    X = X.astype("float32")
    arcs, labels = BiaffineArcs(HIDDEN, nI=WIDTH), BiaffineLabels(HIDDEN, nO=LABELS, nI=WIDTH)
    for model, inputs in ((arcs, (X, INDEX)), (labels, (X, DEPENDENTS, HEADS))):
        model.initialize()
        Y, backprop = model(inputs, is_train=True)
        dX = backprop(np.ones_like(Y))[0]
        assert Y.dtype == dX.dtype == np.float32
        for node in model.walk():
            for name in node.param_names:
                assert node.get_param(name).dtype == np.float32
                assert node.get_grad(name).dtype == np.float32


def test_nothing_in_nothing_out(rng, X):
    arcs, labels = arcs_model(rng, X), labels_model(rng, X)
    none = np.zeros(0, dtype=int)
    for model, inputs, shape in (
        (arcs, (X[:0], np.zeros((0, 0), dtype=int)), (0, 0, 1)),
        (arcs, (X[:0], np.zeros((2, 0), dtype=int)), (2, 0, 1)),
        (arcs, (X, np.zeros((0, 3), dtype=int)), (0, 3, 4)),
        (arcs, (X, np.full((1, 2), -1)), (1, 2, 3)),
        (labels, (X[:0], none, none), (0, LABELS)),
        (labels, (X, none, none), (0, LABELS)),
    ):
        Y, backprop = model(inputs, is_train=True)
        assert Y.shape == model.predict(inputs).shape == shape
        dX = backprop(np.ones_like(Y))[0]
        assert dX.shape == inputs[0].shape
        assert not dX.any()


def test_a_saved_model_scores_the_same(rng, X):
    for model, inputs in both_models(rng, X):
        if len(inputs) == 2:
            other = BiaffineArcs(HIDDEN, nI=WIDTH)
        else:
            other = BiaffineLabels(HIDDEN, nO=LABELS, nI=WIDTH)
        other.initialize()
        other.from_bytes(model.to_bytes())
        np.testing.assert_array_equal(other.predict(inputs), model.predict(inputs))
        np.testing.assert_array_equal(model.copy().predict(inputs), model.predict(inputs))


def test_learns_a_toy_by_heart(rng):
    X = rng.normal(size=(24, 16)).astype("float32")
    index = np.arange(24).reshape(4, 6)
    heads = rng.integers(0, 7, size=(4, 6))
    heads[heads == np.arange(1, 7)] = 0
    head_rows = np.where(heads == 0, -1, np.take_along_axis(index, heads - 1, axis=1)).ravel()
    gold = rng.integers(0, 5, size=24)
    arcs, labels = BiaffineArcs(32, dropout=0.1), BiaffineLabels(16, nO=5, dropout=0.1)
    arcs.initialize((X, index))
    labels.initialize((X, index.ravel(), head_rows))
    optimizer = Adam(0.01)
    for _ in range(120):
        for model, inputs, answer in (
            (arcs, (X, index), heads.ravel()),
            (labels, (X, index.ravel(), head_rows), gold),
        ):
            Y, backprop = model.begin_update(inputs)
            logits = Y.reshape(24, -1)
            dY = np.exp(logits - logits.max(axis=1, keepdims=True))
            dY /= dY.sum(axis=1, keepdims=True)
            dY[np.arange(24), answer] -= 1
            backprop((dY / 24).reshape(Y.shape).astype("float32"))
            model.finish_update(optimizer)
    assert (arcs.predict((X, index)).argmax(axis=2) == heads).all()
    assert (labels.predict((X, index.ravel(), head_rows)).argmax(axis=1) == gold).all()
