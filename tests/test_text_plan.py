"""Texts become windows and vectors become texts again; the way back is the adjoint."""

import numpy as np
import pytest
from hard_texts import HARD_TEXTS, random_texts
from numpy.testing import assert_allclose
from thinc.api import NumpyOps
from tiny_models import TOKENIZERS

from spacy_pretrained.checkpoint import Checkpoint, Layout
from spacy_pretrained.text_plan import TextPlan
from spacy_pretrained.wordpieces import PieceTokenizer

OPS = NumpyOps()
WIDTH = 5
LONG = "She sold sea shells by the sea shore; naïve 😀 foxes came. " * 20
TEXTS = ["", *HARD_TEXTS, LONG, "他们在北京大学学习。" * 20, " ", *random_texts(20)]


@pytest.fixture(scope="module", params=TOKENIZERS)
def checkpoint(request) -> Checkpoint:
    tokenizer = PieceTokenizer(TOKENIZERS[request.param]().to_str())
    return Checkpoint({}, tokenizer, Layout(WIDTH, 64, 0))


@pytest.mark.parametrize("window, max_pieces", [(0, 2048), (12, 50), (30, 1)])
def test_every_piece_of_every_text_is_in_one_window_of_its_own(checkpoint, window, max_pieces):
    """A vector that says of which text a piece is comes out as it went in."""
    plan = TextPlan(checkpoint, TEXTS, window=window, max_pieces=max_pieces)
    tokenizer = checkpoint.tokenizer
    special = len(tokenizer.prefix) + len(tokenizer.suffix)
    ids = tokenizer.encode([text.strip() for text in TEXTS])
    counts = np.array([len(p.ids) if t.strip() else 0 for t, p in zip(TEXTS, ids)])
    assert sum(int(b.mask.sum()) - special * len(b.ids) for b in plan.batches) == counts.sum()
    assert all(b.ids.shape[1] <= (window or 64) for b in plan.batches)

    text_of_piece = np.repeat(np.arange(len(TEXTS)), counts)
    out = OPS.alloc2f(len(TEXTS), 1)
    for block, batch in enumerate(plan.batches):
        vectors = np.zeros((*batch.ids.shape, 1), dtype="float32")
        rows = batch.rows // batch.ids.shape[1]
        vectors[rows] = text_of_piece[batch.pieces][:, None, None]
        plan.pool(OPS, block, vectors, out)
    assert_allclose(out[:, 0], np.where(counts, np.arange(len(TEXTS)), 0), rtol=1e-4)


def test_unpool_is_the_adjoint_of_pool(checkpoint):
    rng = np.random.default_rng(0)
    plan = TextPlan(checkpoint, TEXTS, window=20, max_pieces=200)
    d_out = rng.normal(size=(len(TEXTS), WIDTH)).astype("float32")
    for block, batch in enumerate(plan.batches):
        vectors = rng.normal(size=(*batch.ids.shape, WIDTH)).astype("float32")
        out = OPS.alloc2f(len(TEXTS), WIDTH)
        plan.pool(OPS, block, vectors, out)
        there = float((out * d_out).sum())
        back = float((vectors * plan.unpool(OPS, block, d_out)).sum())
        assert there == pytest.approx(back, abs=1e-3)


def test_padding_does_not_count(checkpoint):
    plan = TextPlan(checkpoint, TEXTS, window=20, max_pieces=2048)
    out = OPS.alloc2f(len(TEXTS), WIDTH)
    for block, batch in enumerate(plan.batches):
        vectors = np.full((*batch.ids.shape, WIDTH), 7.0, dtype="float32")
        vectors[batch.mask == 0] = 1e6
        plan.pool(OPS, block, vectors, out)
    assert set(np.round(out[:, 0], 3).tolist()) <= {0.0, 7.0}


def test_long_texts_are_cut_between_words():
    tokenizer = PieceTokenizer(TOKENIZERS["wordpiece"]().to_str())
    checkpoint = Checkpoint({}, tokenizer, Layout(WIDTH, 64, 0))
    plan = TextPlan(checkpoint, ["zurichish dogs " * 60], window=40, max_pieces=2048)
    first = {tuple(tokenizer.encode([word])[0].ids[:1]) for word in ("zurichish", "dogs")}
    starts = {(int(i),) for batch in plan.batches for i in batch.ids[:, 1]}
    assert sum(len(batch.ids) for batch in plan.batches) > 5
    assert starts <= first


@pytest.mark.parametrize("texts", [[], [""], ["", " \n"]])
def test_no_texts_are_no_batches(checkpoint, texts):
    assert TextPlan(checkpoint, texts, window=0, max_pieces=10).batches == []
