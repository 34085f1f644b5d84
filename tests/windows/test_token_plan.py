"""A text that goes through the tokenizer in parts has the pieces, and the vectors, of the whole."""

from pathlib import Path

import numpy as np
import pytest
import spacy
from hard_texts import HARD_TEXTS, random_texts
from numpy.testing import assert_allclose
from spacy.tokens import Doc
from tiny_models import TOKENIZERS

from spacy_pretrained.checkpoints.wordpieces import PieceTokenizer
from spacy_pretrained.encoder.token_encoder import build_torch_encoder, get_shim
from spacy_pretrained.windows import token_plan as window_plan
from spacy_pretrained.windows.doc_arrays import read_arrays

NLP = spacy.blank("en")


@pytest.fixture(scope="module")
def docs() -> list[Doc]:
    return [
        *NLP.pipe([*HARD_TEXTS, "", "pneumono" * 60, " ".join(HARD_TEXTS), *random_texts(10)]),
        Doc(NLP.vocab, words=["a", "  ", "b", " ", "\n", "c"] * 9, spaces=[True] * 54),
        Doc(NLP.vocab, words=list("北京大学") * 20, spaces=[False] * 80),
    ]


@pytest.mark.parametrize("family", TOKENIZERS)
@pytest.mark.parametrize("size", [5, 40, 1000])
def test_a_text_in_parts_has_the_same_pieces(monkeypatch, docs, family, size):
    tokenizer = PieceTokenizer(TOKENIZERS[family]().to_str())
    arrays = [read_arrays(doc) for doc in docs]
    monkeypatch.setattr(window_plan, "TEXT_PART_CHARACTERS", size)
    assert size == 1000 or max(len(window_plan._text_cuts(a)) for a in arrays) > 10
    found = window_plan._tokenize(tokenizer, docs, arrays)
    for doc, pieces, whole in zip(docs, found, tokenizer.encode([doc.text for doc in docs])):
        for name in ("ids", "starts", "ends"):
            one, two = getattr(pieces, name), getattr(whole, name)
            assert np.array_equal(one, two), (name, doc.text)


def test_a_text_in_parts_has_the_same_vectors(monkeypatch, tiny_bert, docs):
    model = build_torch_encoder()
    get_shim(model).load_source(Path(tiny_bert))
    model.initialize()
    expected = model.predict(docs)
    monkeypatch.setattr(window_plan, "TEXT_PART_CHARACTERS", 50)
    for one, two in zip(model.predict(docs), expected):
        assert_allclose(one, two, atol=1e-6)
