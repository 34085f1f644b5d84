"""token_vectors.py: the vectors of all Docs in one array, and their gradients back to each."""

import numpy as np
import spacy
from spacy.tokens import Doc
from thinc.api import Model
from tiny_pipelines import CNN_WIDTH, make_cnn

from spacy_pretrained.heads.linear import Linear, Relu
from spacy_pretrained.heads.token_vectors import TokenScores, TokenVectors, set_outputs


def test_vectors_and_gradients():
    vocab = spacy.blank("xx").vocab
    docs = [Doc(vocab, words=words) for words in (["a", "b", "c"], [], ["d", "e"])]
    tok2vec = make_cnn()
    model = TokenVectors(tok2vec).initialize(docs)
    np.testing.assert_array_equal(model.predict(docs), np.concatenate(tok2vec.predict(docs)))
    assert model.predict([docs[1]]).shape == (0, CNN_WIDTH)
    Y, backprop = model.begin_update(docs)
    backprop(np.ones_like(Y))
    assert any(node.has_grad(name) for node in tok2vec.walk() for name in node.param_names)


def test_scores():
    vocab = spacy.blank("xx").vocab
    docs = [Doc(vocab, words=words) for words in (["a", "b", "c"], [], ["d", "e"])]
    tok2vec, output = make_cnn(), Linear()
    model = TokenScores(tok2vec, Linear(7), Relu(), output)
    set_outputs(model, 3)
    assert model.initialize(docs).predict(docs).shape == (5, 3)
    assert model.get_ref("output") is output and model.get_ref("tok2vec") is tok2vec
    assert model.get_ref("vectors").predict(docs).shape == (5, CNN_WIDTH)
    set_outputs(model, 4)  # another time
    assert model.initialize(docs).predict(docs).shape == (5, 4)
    assert model.get_dim("nO") == output.get_dim("nO") == 4


def test_vectors_of_another_width():
    """What an encoder gives may change; Docs without tokens have no vectors of the new width."""
    vocab = spacy.blank("xx").vocab
    docs = [Doc(vocab, words=["a", "b"]), Doc(vocab)]
    width = 5

    def forward(model, docs, is_train):
        return [np.ones((len(doc), width), dtype="float32") for doc in docs], lambda dY: []

    model = TokenScores(Model("tok2vec", forward), Linear(3))
    for width in (5, 9):
        model.initialize(docs)
        assert model.predict(docs).shape == (2, 3)
        assert model.get_ref("vectors").predict(docs).shape == (2, width)
        assert model.get_ref("vectors").predict(docs[1:]).shape == (0, width)
