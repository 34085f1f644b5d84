"""Learning from a teacher's probabilities: the loss against differences, what each row counts, and
labels by their names."""

import numpy as np
import pytest
import spacy
from numeric_gradient import differences
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import NumpyOps

from spacy_pretrained.heads.distilling import distill, share
from spacy_pretrained.heads.losses import cross_entropy, sigmoid, softmax
from spacy_pretrained.heads.soft_targets import (
    KEY,
    TEMPERATURE,
    SoftTargets,
    divide,
    keep_best,
    read_soft_labels,
    say_labels,
)

OPS = NumpyOps()
# Gold alone, both, the teacher alone, nothing.
GOLD = np.array([2, 0, -1, -1])
SAID = np.array([False, True, True, False])


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def scores(rng):
    return rng.normal(scale=2, size=(4, 3))


def make_soft(rng, temperature=1.0, width=3):
    probabilities = softmax(rng.normal(size=(4, width))) if width > 1 else rng.random((4, 1))
    probabilities[~SAID] = np.nan
    return SoftTargets(probabilities, np.full(4, temperature))


@pytest.mark.parametrize("temperature", [1.0, 2.5])
@pytest.mark.parametrize("weight", [0.3, 1.0])
def test_the_gradient_against_differences(rng, scores, weight, temperature):
    soft = make_soft(rng, temperature)
    gradient, _ = distill(OPS, scores, GOLD, soft, weight)
    numeric = differences(lambda s: distill(OPS, s, GOLD, soft, weight)[1], scores)
    # What rows count is float32, as the weights of components are.
    np.testing.assert_allclose(gradient, numeric, atol=1e-6)
    assert not gradient[3].any() and gradient[1:3].any(axis=1).all()


def test_the_gradient_of_yes_and_no(rng):
    scores, soft = rng.normal(size=(4, 1)), make_soft(rng, 2.0, width=1)
    gold = np.array([[1.0], [0.0], [np.nan], [np.nan]])

    def loss(s):
        return distill(OPS, s, gold, soft, 0.4, multi_label=True)

    np.testing.assert_allclose(
        loss(scores)[0], differences(lambda s: loss(s)[1], scores), atol=1e-6
    )


def test_the_loss_is_the_mixture(rng, scores):
    soft = make_soft(rng)
    _, loss = distill(OPS, scores, GOLD, soft, 0.25)
    logs = np.log(softmax(scores))
    gold_0, gold_1 = -logs[0, 2], -logs[1, 0]
    soft_1, soft_2 = -(soft.probabilities[1:3] * logs[1:3]).sum(axis=1)
    assert loss == pytest.approx(gold_0 + 0.75 * gold_1 + 0.25 * soft_1 + soft_2, rel=1e-5)


def test_without_a_teacher_it_is_the_cross_entropy(scores):
    nothing = SoftTargets(np.full((4, 3), np.nan), np.ones(4))
    gradient, loss = distill(OPS, scores, GOLD, nothing, 0.5)
    expected, expected_loss = cross_entropy(OPS, scores, GOLD)
    np.testing.assert_allclose(gradient, expected)
    assert loss == pytest.approx(expected_loss)


def test_a_gradient_does_not_shrink_with_the_temperature(rng, scores):
    """At high temperatures it tends to that of the squares of scores' differences."""
    teacher = rng.normal(scale=2, size=(4, 3))

    def gradient(temperature):
        soft = SoftTargets(softmax(teacher / temperature), np.full(4, temperature))
        return distill(OPS, scores, np.full(4, -1), soft, 1.0)[0]

    centred = [s - s.mean(axis=1, keepdims=True) for s in (scores, teacher)]
    np.testing.assert_allclose(gradient(500.0), (centred[0] - centred[1]) / 3, rtol=0.02, atol=1e-2)


def test_the_best_score_of_each_is_the_teachers(rng):
    teacher = rng.normal(size=(4, 3))
    soft = SoftTargets(softmax(teacher / 2), np.full(4, 2.0))
    gradient, _ = distill(OPS, teacher + 5.0, np.full(4, -1), soft, 1.0)
    np.testing.assert_allclose(gradient, 0, atol=1e-7)


def test_shares():
    is_gold, is_soft = np.array([1, 1, 0, 0], bool), np.array([0, 1, 1, 0], bool)
    gold, soft = share(is_gold, is_soft, 0.25)
    assert gold[:2].tolist() == [1, 0.75] and soft[1:3].tolist() == [0.25, 1]


@pytest.mark.parametrize("k", [1, 2, 5, 0, 9])
def test_keep_best(rng, k):
    probabilities = softmax(rng.normal(size=(7, 5)))
    numbers, kept = keep_best(probabilities, k)
    n = k if 0 < k < 5 else 5
    assert numbers.shape == kept.shape == (7, n)
    np.testing.assert_allclose(kept.astype("float64").sum(axis=1), 1, atol=2e-3)
    for row, chosen, found in zip(probabilities, numbers, kept):
        best = np.sort(row)[-n:]
        np.testing.assert_allclose(np.sort(row[chosen]), best)
        np.testing.assert_allclose(found, row[chosen] / best.sum(), atol=1e-3)


def make_example(words, reference_words, probabilities, labels=("A", "B"), k=0, temperature=1.0):
    nlp = spacy.blank("xx")
    reference = Doc(nlp.vocab, words=reference_words)
    (said,) = divide({"tag": say_labels(list(labels), np.asarray(probabilities), k)}, [reference])
    reference.user_data[KEY] = {**said, TEMPERATURE: temperature}
    return Example(Doc(nlp.vocab, words=words), reference)


def test_labels_go_by_their_names():
    example = make_example(["a", "b"], ["a", "b"], [[0.75, 0.25], [0.5, 0.5]], temperature=2.0)
    found = read_soft_labels([example, example], "tag", ["B", "C", "A"], "x")
    expected = [[0.25, 0, 0.75], [0.5, 0, 0.5]] * 2
    np.testing.assert_allclose(found.probabilities, expected)
    assert found.temperatures.tolist() == [2.0] * 4 and found.known.all()


def test_nothing_is_said_of_white_space_and_of_tokens_that_are_cut_otherwise():
    words, theirs = ["a", "\n", "b", "cd", "e", "f"], ["a", "\n", "b", "c", "d", "ef"]
    example = make_example(words, theirs, [[0.75, 0.25]] * 6)
    found = read_soft_labels([example], "tag", ["A", "B"], "x")
    assert found.known.tolist() == [True, False, True, False, False, False]
    nothing = Example(Doc(example.x.vocab, words=["a"]), Doc(example.x.vocab, words=["a"]))
    found = read_soft_labels([nothing, example], "tag", ["A", "B"], "x")
    assert found.known.tolist() == [False, True, False, True, False, False, False]


def test_labels_that_the_student_lacks():
    example = make_example(["a"], ["a"], [[0.75, 0.25, 0.0]], labels=["A", "B", "C"])
    with pytest.raises(ValueError, match="'tag' that component 'mine' lacks: B, C"):
        read_soft_labels([example], "tag", ["A"], "mine")


def test_probabilities_of_yes_are_kept_apart():
    """A score that leads to the teacher's probability has no gradient."""
    soft = SoftTargets(np.array([[0.8]]), np.array([3.0]))
    scores = 3.0 * np.log(np.array([[0.8 / 0.2]]))
    gold = np.array([[np.nan]])
    gradient, _ = distill(OPS, scores, gold, soft, 1.0, multi_label=True)
    np.testing.assert_allclose(gradient, 0, atol=1e-7)
    np.testing.assert_allclose(sigmoid(scores / 3.0), 0.8)
