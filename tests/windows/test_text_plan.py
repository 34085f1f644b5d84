"""Texts become windows and vectors become texts again; the way back is the adjoint."""

import numpy as np
import pytest
from hard_texts import HARD_TEXTS, random_texts
from thinc.api import NumpyOps
from tiny_models import TOKENIZERS

from spacy_pretrained.checkpoints.checkpoint import Checkpoint, Layout
from spacy_pretrained.checkpoints.wordpieces import PieceTokenizer
from spacy_pretrained.windows.batches import WINDOW_A_ROW, RowShape
from spacy_pretrained.windows.text_plan import TextPlan

OPS = NumpyOps()
WIDTH = 5
LONG = "She sold sea shells by the sea shore; naïve 😀 foxes came. " * 20
TEXTS = ["", *HARD_TEXTS, LONG, "他们在北京大学学习。" * 20, " ", *random_texts(20)]


@pytest.fixture(scope="module", params=TOKENIZERS)
def tokenizer(request) -> PieceTokenizer:
    return PieceTokenizer(TOKENIZERS[request.param]().to_str())


@pytest.fixture
def checkpoint(tokenizer) -> Checkpoint:
    return Checkpoint({}, tokenizer, Layout(WIDTH, 64, 0))


@pytest.fixture(params=[WINDOW_A_ROW, RowShape(filled_to=64)], ids=["padded", "packed"])
def shape(request) -> RowShape:
    return request.param


@pytest.mark.parametrize("window, max_pieces", [(0, 2048), (12, 50), (30, 1)])
def test_every_piece_of_every_text_counts_once_for_it(checkpoint, shape, window, max_pieces):
    """With vectors that are the pieces' own numbers, special ones aside."""
    plan = TextPlan(checkpoint, TEXTS, window=window, max_pieces=max_pieces, shape=shape)
    tokenizer = checkpoint.tokenizer
    special = [*tokenizer.prefix, *tokenizer.suffix]
    texts = [text.strip() for text in TEXTS]
    pieces = [p.ids if t else [] for t, p in zip(texts, tokenizer.encode(texts))]
    n_windows = sum(np.count_nonzero(b.windows >= 0) for b in plan.batches)
    assert sum(b.n_pieces for b in plan.batches) == n_windows * len(special) + sum(map(len, pieces))
    if shape is WINDOW_A_ROW:
        assert all(b.ids.shape[1] <= (window or 64) for b in plan.batches)

    out = OPS.alloc2f(len(TEXTS), 2)
    for block, batch in enumerate(plan.batches):
        is_own = (batch.mask > 0) & ~np.isin(batch.ids, special)
        vectors = np.stack([batch.ids * is_own, is_own], axis=-1).astype("float32")
        plan.pool(OPS, block, vectors, out)
    for (summed, share), own in zip(out, pieces):
        own = np.asarray(own)[~np.isin(own, special)]
        assert (share > 0) == (len(own) > 0)
        if len(own):
            assert summed / share == pytest.approx(own.mean(), rel=1e-4)


def test_unpool_is_the_adjoint_of_pool(checkpoint, shape):
    rng = np.random.default_rng(0)
    plan = TextPlan(checkpoint, TEXTS, window=20, max_pieces=200, shape=shape)
    d_out = rng.normal(size=(len(TEXTS), WIDTH)).astype("float32")
    for block, batch in enumerate(plan.batches):
        vectors = rng.normal(size=(*batch.ids.shape, WIDTH)).astype("float32")
        out = OPS.alloc2f(len(TEXTS), WIDTH)
        plan.pool(OPS, block, vectors, out)
        there = float((out * d_out).sum())
        back = float((vectors * plan.unpool(OPS, block, d_out)).sum())
        assert there == pytest.approx(back, abs=1e-3)


def test_padding_does_not_count(checkpoint, shape):
    plan = TextPlan(checkpoint, TEXTS, window=20, max_pieces=2048, shape=shape)
    out = OPS.alloc2f(len(TEXTS), WIDTH)
    for block, batch in enumerate(plan.batches):
        vectors = np.full((*batch.ids.shape, WIDTH), 7.0, dtype="float32")
        vectors[batch.mask == 0] = 1e6
        plan.pool(OPS, block, vectors, out)
    assert set(np.round(out[:, 0], 3).tolist()) <= {0.0, 7.0}


def test_long_texts_are_cut_between_words():
    tokenizer = PieceTokenizer(TOKENIZERS["wordpiece"]().to_str())
    checkpoint = Checkpoint({}, tokenizer, Layout(WIDTH, 64, 0))
    plan = TextPlan(
        checkpoint, ["zurichish dogs " * 60], window=40, max_pieces=2048, shape=WINDOW_A_ROW
    )
    first = {tuple(tokenizer.encode([word])[0].ids[:1]) for word in ("zurichish", "dogs")}
    starts = {(int(i),) for batch in plan.batches for i in batch.ids[:, 1]}
    assert sum(len(batch.ids) for batch in plan.batches) > 5
    assert starts <= first


@pytest.mark.parametrize("texts", [[], [""], ["", " \n"]])
def test_no_texts_are_no_batches(checkpoint, shape, texts):
    assert TextPlan(checkpoint, texts, window=0, max_pieces=10, shape=shape).batches == []
