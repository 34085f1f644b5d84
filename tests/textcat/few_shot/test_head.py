"""few_shot/head.py: the best head there is by its own measure, between what was known and what
examples say."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from thinc.api import NumpyOps

from spacy_pretrained.heads.losses import cross_entropy
from spacy_pretrained.textcat.few_shot.head import Head, find_precision, fit_head
from spacy_pretrained.textcat.gold import make_targets

N, K, D = 12, 3, 4
PRECISION = 0.1


def make_task(n: int = N, *, multi_label: bool) -> tuple[np.ndarray, np.ndarray, Head]:
    random = np.random.default_rng(0)
    vectors = random.normal(size=(n, D))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    known = np.where(np.eye(K, dtype=int)[np.arange(n) % K], 1, -1)
    if multi_label:
        known[::2, 0] = 1
        known[::3, 1] = 0
    return vectors, known, Head(random.normal(size=(K, D)), random.normal(size=K))


def energy(head: Head, vectors, known, prior: Head, *, multi_label: bool) -> float:
    """What is to be least, written out."""
    logits = vectors @ head.W.T + head.b
    targets = make_targets(known, multi_label=multi_label)
    _, loss = cross_entropy(NumpyOps(), logits, targets, multi_label=multi_label)
    moved = ((head.W - prior.W) ** 2).sum() + ((head.b - prior.b) ** 2).sum()
    return loss + PRECISION / 2 * moved


@pytest.mark.parametrize("multi_label", [False, True])
def test_no_head_nearby_is_better(multi_label):
    vectors, known, prior = make_task(multi_label=multi_label)
    head = fit_head(vectors, known, prior, PRECISION, multi_label=multi_label)
    best = energy(head, vectors, known, prior, multi_label=multi_label)
    assert best < energy(prior, vectors, known, prior, multi_label=multi_label) - 1
    random = np.random.default_rng(1)
    for _ in range(50):
        shift_W, shift_b = 0.01 * random.normal(size=(K, D)), 0.01 * random.normal(size=K)
        other = Head(head.W + shift_W, head.b + shift_b)
        assert energy(other, vectors, known, prior, multi_label=multi_label) > best


def test_without_examples_it_stays_as_it_is():
    vectors, known, prior = make_task(0, multi_label=False)
    head = fit_head(vectors, known, prior, PRECISION, multi_label=False)
    assert_allclose(head.W, prior.W, atol=1e-6)
    assert_allclose(head.b, prior.b, atol=1e-6)


def test_the_more_often_it_is_told_the_further_it_goes():
    vectors, known, prior = make_task(multi_label=False)
    moved = []
    for times in (1, 3, 9):
        told = np.tile(vectors, (times, 1)), np.tile(known, (times, 1))
        head = fit_head(*told, prior, PRECISION, multi_label=False)
        moved.append(np.linalg.norm(head.W - prior.W))
    assert 0 < moved[0] < moved[1] < moved[2]


def test_what_is_not_known_changes_nothing():
    vectors, known, prior = make_task(multi_label=True)
    unknown = np.zeros_like(known)
    more = fit_head(
        np.concatenate([vectors, vectors]),
        np.concatenate([known, unknown]),
        prior,
        PRECISION,
        multi_label=True,
    )
    less = fit_head(vectors, known, prior, PRECISION, multi_label=True)
    assert_allclose(more.W, less.W, atol=1e-3)


@pytest.mark.parametrize("multi_label", [False, True])
def test_labels_without_an_example_stay_as_they_are(multi_label):
    vectors, known, prior = make_task(multi_label=multi_label)
    known[:, 2] = 0  # not known of any
    if not multi_label:  # that it does not hold says nothing of it
        vectors, known = vectors[known.max(axis=1) == 1], known[known.max(axis=1) == 1]
        known[:, 2] = -1
    head = fit_head(vectors, known, prior, PRECISION, multi_label=multi_label)
    assert_allclose(head.W[2], prior.W[2], atol=1e-6)
    assert_allclose(head.b[2], prior.b[2], atol=1e-6)
    assert np.abs(head.W[:2] - prior.W[:2]).max() > 0.1


def test_the_same_examples_give_the_same_head():
    vectors, known, prior = make_task(multi_label=False)
    one, other = (fit_head(vectors, known, prior, PRECISION, multi_label=False) for _ in range(2))
    assert (one.W == other.W).all() and (one.b == other.b).all()


def test_frequent_labels_get_a_higher_bias():
    vectors = np.tile([[1.0, 0.0]], (10, 1))
    known = np.where(np.eye(2, dtype=int)[[0] * 9 + [1]], 1, -1)
    prior = Head(np.zeros((2, 2)), np.zeros(2))
    head = fit_head(vectors, known, prior, PRECISION, multi_label=False)
    logits = head.W[:, 0] + head.b
    assert 0.6 < 1 / (1 + np.exp(logits[1] - logits[0])) < 0.92  # 0.9 of what was seen, shrunk


def test_the_fewer_examples_the_nearer_it_stays():
    assert find_precision(0) == find_precision(1) > find_precision(2) > find_precision(100)
    assert find_precision(10**6) == pytest.approx(PRECISION, rel=1e-3)


def test_one_example_a_label_does_not_overrule_the_names_and_many_do():
    """Each text is nearer to the name of another label than to that of its own."""
    names, own = np.eye(K, D), np.arange(K)
    others = (own + 1) % K
    prior = Head(10 * names, np.zeros(K))
    texts = names[others] + 0.6 * names
    texts /= np.linalg.norm(texts, axis=1, keepdims=True)
    known = np.where(np.eye(K, dtype=int) == 1, 1, -1)
    for times, expected in ((1, others), (100, own)):
        told = np.tile(texts, (times, 1)), np.tile(known, (times, 1))
        head = fit_head(*told, prior, find_precision(K * times), multi_label=False)
        assert ((texts @ head.W.T + head.b).argmax(axis=1) == expected).all()
