"""tagger_model.py: one linear layer over the vectors of all tokens."""

import numpy as np
import spacy
from spacy.tokens import Doc
from tiny_pipelines import make_cnn

from spacy_pretrained.tagger.model import build_tagger


def test_scores_of_all_tokens():
    vocab = spacy.blank("xx").vocab
    docs = [Doc(vocab, words=words) for words in (["a", "b", "c"], [], ["d", "e"])]
    tok2vec = make_cnn()
    model = build_tagger(tok2vec, nO=7).initialize(docs)
    scores = model.predict(docs)
    assert scores.shape == (5, 7) and not scores.any()  # all labels start equal
    assert model.predict([docs[1]]).shape == (0, 7)
    assert model.get_ref("tok2vec") is tok2vec
    model.get_ref("output").set_param("W", np.random.default_rng(0).normal(size=(7, 16)))
    vectors = model.get_ref("vectors").predict(docs)
    np.testing.assert_array_equal(model.get_ref("output").predict(vectors), model.predict(docs))
