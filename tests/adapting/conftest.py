"""Texts to adapt to, and a tokenizer."""

import pytest
from tiny_models import TEXTS, make_unigram, make_wordpiece

from spacy_pretrained.checkpoints.wordpieces import PieceTokenizer


@pytest.fixture(params=[make_wordpiece, make_unigram], ids=["wordpiece", "unigram"])
def tokenizer(request):
    return PieceTokenizer(request.param().to_str())


@pytest.fixture
def wordpiece():
    return PieceTokenizer(make_wordpiece().to_str())


@pytest.fixture
def texts():
    """Different ones, 160 in all."""
    return [f"{text} {number}" for number in range(20) for text in TEXTS]


@pytest.fixture
def texts_file(texts, tmp_path):
    path = tmp_path / "texts.txt"
    path.write_text("\n".join(texts), "utf8")
    return path
