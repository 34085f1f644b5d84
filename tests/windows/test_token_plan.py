"""A text that goes through the tokenizer in parts has the pieces, and the vectors, of the whole."""

import itertools
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
from spacy_pretrained.windows.alignment import Alignment, align
from spacy_pretrained.windows.doc_arrays import read_arrays
from spacy_pretrained.windows.split import Windows, concatenate, split

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
    arrays = read_arrays(docs)
    monkeypatch.setattr(window_plan, "TEXT_PART_CHARACTERS", size)
    cuts = [window_plan._text_cuts(arrays, number) for number in range(len(docs))]
    assert size == 1000 or max(map(len, cuts)) > 10
    found = window_plan._tokenize(tokenizer, docs, arrays)
    bounds = itertools.pairwise(found.bounds.tolist())
    wholes = tokenizer.encode([doc.text for doc in docs])
    for doc, whole, shift, own in zip(docs, wholes, found.shifts, bounds, strict=True):
        for name in ("ids", "starts", "ends"):
            one, two = getattr(found.pieces, name)[slice(*own)], getattr(whole, name)
            assert np.array_equal(one, two + shift * (name != "ids")), (name, doc.text)


@pytest.mark.parametrize("family", TOKENIZERS)
@pytest.mark.parametrize("stride", [5, 12])
def test_many_docs_are_aligned_and_cut_as_each_alone(docs, family, stride):
    tokenizer = PieceTokenizer(TOKENIZERS[family]().to_str())

    def align_and_cut(some: list[Doc]) -> tuple[Alignment, Windows]:
        arrays = read_arrays(some)
        found = window_plan._tokenize(tokenizer, some, arrays)
        shifts = np.repeat(found.shifts, np.diff(arrays.bounds))
        alignment = align(arrays.starts + shifts, arrays.ends + shifts, found.pieces)
        cuts = window_plan._cuts(arrays, alignment, found.bounds)
        return alignment, split(len(found.pieces.ids), cuts, 12, stride)

    found, windows = align_and_cut(docs)
    alone = [align_and_cut([doc]) for doc in docs]
    shifts = np.cumsum([0, *(one.core_end.max(initial=0) for _, one in alone)])
    expected = concatenate([one for _, one in alone], shifts)
    for name in ("start", "end", "core_start", "core_end"):
        assert np.array_equal(getattr(windows, name), getattr(expected, name)), name
    for name in ("first", "last"):
        columns = [getattr(one, name) for one, _ in alone]
        shifted = [np.where(c < 0, -1, c + shift) for c, shift in zip(columns, shifts)]
        assert np.array_equal(getattr(found, name), np.concatenate(shifted)), name


def test_a_text_in_parts_has_the_same_vectors(monkeypatch, tiny_bert, docs):
    model = build_torch_encoder()
    get_shim(model).load_source(Path(tiny_bert))
    model.initialize()
    expected = model.predict(docs)
    monkeypatch.setattr(window_plan, "TEXT_PART_CHARACTERS", 50)
    for one, two in zip(model.predict(docs), expected):
        assert_allclose(one, two, atol=1e-6)
