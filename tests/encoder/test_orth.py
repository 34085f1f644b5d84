"""The orth embedding: what it sees of a token, and no further than its neighbours."""

import numpy as np
import spacy
from numpy.testing import assert_allclose
from spacy.tokens import Doc

from spacy_pretrained.encoder.orth import CONTEXT_ROWS, OrthEmbed, orth_features
from spacy_pretrained.windows.doc_arrays import read_arrays

VOCAB = spacy.blank("xx").vocab


def features(words: list[str], spaces: list[bool] | None = None) -> np.ndarray:
    return orth_features(read_arrays([Doc(VOCAB, words=words, spaces=spaces)]))


def test_features_are_shape_case_and_what_stands_before():
    words = ["The", "USA", "won", "\n", "a", ",", "x"]
    spaces = [True, True, False, False, True, False, False]
    shape, context = features(words, spaces).T
    assert shape.tolist() == [VOCAB[word].shape for word in words]
    title, upper, lower, spaced, newline = 1, 2, 4, 8, 16
    assert context.tolist() == [
        title + newline,  # a text begins as behind a line break
        upper + spaced,
        lower + spaced,
        0,
        lower + spaced + newline,
        spaced,
        lower,
    ]


def test_features_of_nothing():
    assert features([]).shape == (0, 2)
    assert features([]).dtype == np.uint64


def test_a_doc_has_the_same_features_among_others():
    docs = [Doc(VOCAB, words=words) for words in (["a", "\n"], [], [" "], ["B", " ", "c"], [])]
    alone = [orth_features(read_arrays([doc])) for doc in docs]
    assert np.array_equal(orth_features(read_arrays(docs)), np.concatenate(alone))


def test_case_changes_features_and_the_word_itself_does_not():
    assert features(["apple"]).tolist() == features(["other"]).tolist()
    assert features(["Apple"]).tolist() != features(["apple"]).tolist()


def test_there_are_rows_for_all_contexts():
    assert CONTEXT_ROWS > 2**5


def embed(model, docs: list[list[str]]) -> list[np.ndarray]:
    return model.predict([features(words) for words in docs])


def test_a_token_sees_its_neighbours_and_no_other_doc():
    model = OrthEmbed(8)
    model.initialize()
    words = ["a", "Bb", "CC", "d1", "-"]
    (alone,) = embed(model, [words])
    assert alone.shape == (5, 8)
    for one in embed(model, [words, ["ABC"], words])[::2]:
        assert_allclose(one, alone, atol=1e-6)
    for i in range(5):
        (other,) = embed(model, [[*words[:i], "Wxyz12", *words[i + 1 :]]])
        differs = np.abs(other - alone).max(axis=1) > 1e-6
        near = np.abs(np.arange(5) - i) <= 1
        assert not differs[~near].any() and differs[near].any()


def test_two_embeddings_start_the_same_and_survive_bytes():
    model = OrthEmbed(8)
    model.initialize()
    other = OrthEmbed(8)
    other.initialize()
    other.from_bytes(model.to_bytes())
    words = ["a", "Bb", "CC"]
    assert_allclose(embed(other, [words])[0], embed(model, [words])[0])
