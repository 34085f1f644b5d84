"""Labels' vectors move to texts that seem to be about them: a bias goes, frequencies stay."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from spacy_pretrained.textcat.normalized import normalize
from spacy_pretrained.textcat.zero_shot.label_calibration import calibrate_labels

WIDTH, N_LABELS = 32, 4


def draw(counts: list[int], seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vectors of labels, and of texts with the numbers of their labels. Labels are near to the
    middle of their texts, but for a bias that draws the first towards all."""
    rng = np.random.default_rng(seed)
    middles = normalize(rng.normal(size=(N_LABELS, WIDTH)))
    gold = np.repeat(np.arange(N_LABELS), counts)
    texts = normalize(middles[gold] + 0.25 * rng.normal(size=(len(gold), WIDTH)))
    labels = normalize(middles + 0.12 * rng.normal(size=middles.shape))
    labels[0] += 0.9 * middles.mean(axis=0) * N_LABELS
    return normalize(labels).astype("float32"), texts.astype("float32"), gold


def accuracy(labels: np.ndarray, texts: np.ndarray, gold: np.ndarray) -> float:
    return float(((texts @ labels.T).argmax(axis=1) == gold).mean())


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("counts", [[200] * 4, [50, 300, 100, 20], [300, 20, 20, 300]])
def test_a_bias_becomes_smaller_however_frequent_labels_are(counts, seed):
    labels, texts, gold = draw(counts, seed)
    before = accuracy(labels, texts, gold)
    assert before < 0.99
    assert accuracy(calibrate_labels(labels, texts), texts, gold) > before


def test_vectors_are_of_length_one_and_near_where_they_were():
    labels, texts, _ = draw([100] * 4)
    found = calibrate_labels(labels, texts)
    assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    assert found.dtype == labels.dtype and found.shape == labels.shape
    assert ((found * labels).sum(axis=1) > 0.8).all()


def test_few_texts_count_for_less():
    labels, texts, _ = draw([100] * 4)
    moved = [
        float(np.linalg.norm(calibrate_labels(labels, some) - labels))
        for some in (texts[::100], texts[::10], texts)
    ]
    assert moved[0] < min(moved[1:]) / 1.5


def test_the_order_of_labels_and_texts_does_not_matter():
    labels, texts, _ = draw([100] * 4)
    found = calibrate_labels(labels[::-1], texts[::-1])[::-1]
    assert_allclose(found, calibrate_labels(labels, texts), atol=1e-4)


def test_a_label_that_no_text_is_about_stays_finite():
    labels, texts, _ = draw([200, 200, 0, 0])
    labels[3] = -labels[:2].mean(axis=0)
    found = calibrate_labels(normalize(labels), texts)
    assert np.isfinite(found).all()
    zeros = calibrate_labels(labels, np.zeros((3, WIDTH), dtype="float32"))
    assert np.isfinite(zeros).all()
