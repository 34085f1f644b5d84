"""token_vectors.py: the vectors of all Docs in one array, and their gradients back to each."""

import numpy as np
import spacy
from spacy.tokens import Doc
from tiny_pipelines import CNN_WIDTH, make_cnn

from spacy_pretrained.token_vectors import TokenVectors


def test_vectors_and_gradients():
    vocab = spacy.blank("en").vocab
    docs = [Doc(vocab, words=words) for words in (["a", "b", "c"], [], ["d", "e"])]
    tok2vec = make_cnn()
    model = TokenVectors(tok2vec).initialize(docs)
    np.testing.assert_array_equal(model.predict(docs), np.concatenate(tok2vec.predict(docs)))
    assert model.predict([docs[1]]).shape == (0, CNN_WIDTH)
    Y, backprop = model.begin_update(docs)
    backprop(np.ones_like(Y))
    assert any(node.has_grad(name) for node in tok2vec.walk() for name in node.param_names)
