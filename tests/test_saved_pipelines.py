"""Pipelines that released versions saved load today, and annotate as they did."""

import numpy as np
import pytest
from saved_pipelines import SAVED, Annotation, find_saved, load, read_annotation

import spacy_pretrained

FOLDERS = list(find_saved())
NAMES = [f"{folder.parent.name}-{folder.name}" for folder in FOLDERS]
# Of probabilities of categories. INT8 is rounded in ways that differ between CPUs.
CATS_FP32, CATS_INT8 = 1e-3, 0.05
TENSOR_FP32, COSINE_INT8 = 1e-3, 0.99


def test_there_are_some_of_this_version_and_of_each_before():
    """A released version adds its own: `python tests/fixtures/make_saved_pipelines.py`."""
    versions = {folder.parent.name for folder in FOLDERS}
    assert versions == {path.name for path in SAVED.iterdir()}
    assert f"v{spacy_pretrained.__version__}" in versions


@pytest.mark.parametrize("folder", FOLDERS, ids=NAMES)
def test_saved_pipelines_annotate_as_they_did(folder):
    nlp, expected = load(folder)
    texts = [annotation.text for annotation in expected]
    assert "" in texts and any("😀" in text for text in texts)
    is_int8 = folder.name.endswith("_int8")
    assert ("quantization" in nlp.meta) == is_int8
    found = [read_annotation(doc) for doc in nlp.pipe(texts)]
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected):
        assert_alike(ours, theirs, is_int8)


def assert_alike(found: Annotation, expected: Annotation, is_int8: bool) -> None:
    assert found.decisions() == expected.decisions()
    assert found.cats == pytest.approx(expected.cats, abs=CATS_INT8 if is_int8 else CATS_FP32)
    assert found.tensor.shape == expected.tensor.shape
    if not is_int8:
        np.testing.assert_allclose(found.tensor, expected.tensor, rtol=0, atol=TENSOR_FP32)
    elif expected.tensor.size:
        lengths = np.linalg.norm(found.tensor, axis=1) * np.linalg.norm(expected.tensor, axis=1)
        cosines = (found.tensor * expected.tensor).sum(axis=1) / lengths
        assert cosines.min() >= COSINE_INT8
