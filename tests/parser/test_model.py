"""parser_model.py: the layers that a parser asks one by one, and which dropout is whose."""

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc
from thinc.api import set_dropout_rate
from tiny_pipelines import CNN_WIDTH, make_cnn

from spacy_pretrained.parser.model import build_biaffine_parser, build_biaffine_parser_v2


@pytest.fixture(scope="module")
def docs():
    vocab = spacy.blank("xx").vocab
    return [Doc(vocab, words=words) for words in (["a", "b", "c"], [], ["d", "e"])]


@pytest.mark.parametrize("build", [build_biaffine_parser, build_biaffine_parser_v2])
def test_what_the_layers_give(docs, build):
    tok2vec = make_cnn()
    model = build(tok2vec, arc_width=6, label_width=4, nO=3).initialize(docs)
    vectors = model.predict(docs)
    assert vectors.shape == (5, CNN_WIDTH)
    assert model.predict([docs[1]]).shape == (0, CNN_WIDTH)
    assert model.get_ref("tok2vec") is tok2vec
    neighbours = np.array([[-1, 1], [0, 2], [1, -1], [-1, 4], [3, -1]], dtype="int32")
    assert model.get_ref("sentences").predict((vectors, neighbours)).shape == (5, 1)
    index = np.array([[0, 1, 2], [3, 4, -1]], dtype="int32")
    assert model.get_ref("arcs").predict((vectors, index)).shape == (2, 3, 4)
    arcs = np.array([0, 1, 4], dtype="int32"), np.array([-1, 0, 3], dtype="int32")
    assert model.get_ref("labels").predict((vectors, *arcs)).shape == (3, 3)


def shares_dropped(model) -> list[float]:
    """Of rows that the ReLU cuts off nowhere, by each layer with a rate of its own."""
    shares = []
    for layer in (node for node in model.walk() if node.name == "roles"):
        layer.set_param("W", np.zeros_like(layer.get_param("W")))
        layer.set_param("b", np.ones_like(layer.get_param("b")))
        parts, _ = layer(np.ones((500, layer.get_dim("nI")), dtype="float32"), is_train=True)
        shares.append(round(np.mean([part == 0 for part in parts]) * 20) / 20)
    return shares


def test_the_dropout_of_a_saved_parser_is_that_of_the_config(docs):
    """And not the one that it was saved with."""
    saved = build_biaffine_parser(make_cnn(), nO=3, dropout=0.5).initialize(docs).to_bytes()
    model = build_biaffine_parser(make_cnn(), nO=3, dropout=0.0).initialize(docs)
    assert shares_dropped(model.from_bytes(saved)) == [0.0, 0.0]


def test_training_sets_the_dropout_of_the_vectors_alone(docs):
    model = build_biaffine_parser(make_cnn(), nO=3, dropout=0.25).initialize(docs)
    set_dropout_rate(model, 0.5)
    assert shares_dropped(model) == [0.25, 0.25]
    assert model.get_ref("vectors").layers[-1].attrs["dropout_rate"] == 0.5
    np.random.seed(0)
    vectors, _ = model.begin_update(docs * 20)
    assert (vectors == 0).mean() > 0.4
    assert (model.predict(docs) != 0).all()
