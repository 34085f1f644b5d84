"""pair_plan.py: pairs are laid out as the model's own tokenizer does it, nothing is cut off, and
windows add up to pairs."""

from itertools import chain

import numpy as np
import pytest
from hard_texts import HARD_TEXTS
from numpy.testing import assert_allclose
from tiny_models import TOKENIZERS
from tokenizers import Tokenizer, processors

from spacy_pretrained.checkpoints.checkpoint import Checkpoint, Layout
from spacy_pretrained.checkpoints.wordpieces import PieceTokenizer
from spacy_pretrained.windows.pair_plan import PairPlan

HYPOTHESES = ["This is about foxes.", "No.", "The cat sat on the mat."]
LONG = "The quick brown fox jumps over the lazy dog. " * 12


def make_checkpoint(tokenizer: Tokenizer, max_window: int = 512, classes: int = 3) -> Checkpoint:
    layout = Layout(classes, max_window, pad=0, segments=True)
    return Checkpoint({}, PieceTokenizer(tokenizer.to_str()), layout)


def make_plan(texts, hypotheses=HYPOTHESES, *, tokenizer=None, window=64, max_pieces=400):
    checkpoint = make_checkpoint(tokenizer or TOKENIZERS["wordpiece"]())
    return PairPlan(checkpoint, texts, hypotheses, window=window, max_pieces=max_pieces)


def rows_of(plan: PairPlan):
    """Each pair of all batches: numbers of window and hypothesis, ids and segments."""
    for batch in plan.batches():
        for row in zip(batch.windows, batch.hypotheses, batch.ids, batch.segments, batch.mask):
            window, hypothesis, ids, segments, mask = row
            assert not ids[mask == 0].any() and not segments[mask == 0].any()
            yield window, hypothesis, ids[mask == 1].tolist(), segments[mask == 1].tolist()


@pytest.mark.parametrize("family", ["wordpiece", "byte_bpe", "unigram", "deberta", "xlnet"])
def test_pairs_are_those_of_the_tokenizer(family):
    tokenizer = TOKENIZERS[family]()
    # Special pieces in a text are text for us, but not for the library.
    plain = [text.strip() for text in HARD_TEXTS if "[CLS]" not in text]
    texts = [text for text in plain if 0 < len(text) < 40][:12]
    plan = make_plan(texts, tokenizer=tokenizer, window=0)
    seen = set()
    for _, hypothesis, ids, segments in rows_of(plan):
        matching = [
            number
            for number, text in enumerate(texts)
            if (e := tokenizer.encode(text, HYPOTHESES[hypothesis])).ids == ids
            and e.type_ids == segments
        ]
        assert matching, tokenizer.decode(ids)
        seen |= {(number, int(hypothesis)) for number in matching}
    assert len(seen) == len(texts) * len(HYPOTHESES)


def test_long_texts_are_cut_between_words_and_lose_nothing():
    plan = make_plan([LONG, "Short."], window=48)
    tokenizer = plan._checkpoint.tokenizer
    found: dict[int, list[int]] = {}
    for window, hypothesis, ids, segments in rows_of(plan):
        assert len(ids) <= 48
        if hypothesis == 1:
            found[int(window)] = [i for i, s in zip(ids, segments) if s == 0][1:-1]
    expected = [list(ids) for ids in tokenizer.encode_ids([LONG.strip(), "Short."])]
    windows = [found[window] for window in sorted(found, key=lambda w: plan._windows.starts[w])]
    assert list(chain(*windows)) == list(chain(*expected)) and len(windows) > 3
    assert windows[-1] == expected[1]
    continued = tokenizer._tokenizer.id_to_token
    assert not any(continued(window[0]).startswith("##") for window in windows)


def test_batches_hold_all_pairs_once_and_keep_to_their_size():
    texts = [" ".join(["fox"] * n) for n in (1, 3, 30, 2, 5, 18)]
    plan = make_plan(texts, max_pieces=100)
    batches = list(plan.batches())
    pairs = sorted((w, h) for b in batches for w, h in zip(b.windows, b.hypotheses))
    assert pairs == [(w, h) for w in range(6) for h in range(3)] and len(batches) > 3
    assert all(batch.ids.size <= 100 or len(batch.ids) == 1 for batch in batches)


def test_logits_are_means_weighted_by_pieces():
    texts = ["", LONG, "Two words.", "\u200b"]
    plan = make_plan(texts, window=40)
    assert list(plan._texts).count(1) > 3 and list(plan._texts).count(0) == 1

    def logits_of(batch):  # what tells pairs apart
        return np.stack([batch.windows, batch.hypotheses, np.ones(len(batch.windows))], axis=1)

    out = plan.collect((batch, logits_of(batch)) for batch in plan.batches())
    assert out.shape == (4, 3, 3)
    assert_allclose(out[:, :, 2], 1, rtol=1e-5)
    assert_allclose(out[:, :, 1], [[0, 1, 2]] * 4, rtol=1e-5)
    own = plan._texts == 1
    mean = np.average(np.flatnonzero(own), weights=plan._windows.lengths[own])
    assert_allclose(out[1, :, 0], mean, rtol=1e-5)


def test_models_without_segments_get_none():
    checkpoint = make_checkpoint(TOKENIZERS["wordpiece"]())
    checkpoint.layout = Layout(width=3, max_window=64, pad=0)
    plan = PairPlan(checkpoint, ["A fox."], HYPOTHESES, window=0, max_pieces=100)
    assert set(next(plan.batches()).inputs) == {"input_ids", "attention_mask"}
    assert set(next(make_plan(["A fox."]).batches()).inputs) == {
        *("input_ids", "attention_mask", "token_type_ids")
    }


def test_no_texts():
    plan = make_plan([])
    assert list(plan.batches()) == [] and plan.collect([]).shape == (0, 3, 3)


def test_a_hypothesis_that_fills_the_window():
    with pytest.raises(ValueError, match=r"'The cat sat on .*more than half of a window of 16"):
        make_plan(["A text."], window=16)


def test_a_tokenizer_of_single_texts():
    tokenizer = TOKENIZERS["wordpiece"]()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A", pair="[CLS] $A $B", special_tokens=[("[CLS]", 2)]
    )
    with pytest.raises(ValueError, match="does not separate two texts"):
        PairPlan(make_checkpoint(tokenizer), ["a"], ["b"], window=0, max_pieces=100)
