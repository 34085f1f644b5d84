"""textcat_model.py: one linear layer on the mean of a Doc's vectors."""

import numpy as np
import spacy
from spacy.tokens import Doc
from tiny_pipelines import make_cnn

from spacy_pretrained.textcat.model import build_text_classifier


def test_scores_of_all_docs():
    vocab = spacy.blank("xx").vocab
    docs = [Doc(vocab, words=words) for words in (["a", "b", "c"], [], ["d", "e"])]
    tok2vec = make_cnn()
    model = build_text_classifier(tok2vec, nO=4).initialize(docs)
    scores = model.predict(docs)
    assert scores.shape == (3, 4) and not scores.any()  # all labels start equal
    assert model.get_ref("tok2vec") is tok2vec
    output = model.get_ref("output")
    output.set_param("W", np.random.default_rng(0).normal(size=(4, 16)).astype("f"))
    output.set_param("b", np.arange(4, dtype="f"))
    vectors = model.get_ref("vectors").predict(docs)
    np.testing.assert_array_equal(output.predict(vectors), model.predict(docs))
    np.testing.assert_array_equal(model.predict(docs)[1], np.arange(4))  # nothing but biases
