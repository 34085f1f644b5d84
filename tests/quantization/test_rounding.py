"""rounding.py: numbers of ten bits, near those that they were."""

import zlib

import numpy as np
import pytest
from tiny_pipelines import ENCODER, make_examples, make_nlp, train

from spacy_pretrained.quantization.quantize import quantize_pipeline
from spacy_pretrained.quantization.rounding import round_mantissa

TEXTS = [f"Ada sees the old river {n}." for n in range(24)]


def test_the_nearest_of_ten_bits():
    random = np.random.default_rng(0)
    values = (random.normal(size=5000) * 10.0 ** random.integers(-30, 30, 5000)).astype("float32")
    rounded = round_mantissa(values)
    assert rounded.dtype == np.float32
    assert not (rounded.view("uint32") & 0x1FFF).any()  # the last 13 bits
    assert (np.abs(rounded - values) <= np.abs(values) * 2.0**-11).all()
    assert (round_mantissa(rounded) == rounded).all()


def test_they_compress_better():
    values = np.random.default_rng(0).normal(size=20_000).astype("float32")
    rounded = round_mantissa(values)
    assert len(zlib.compress(rounded.tobytes())) < 0.7 * len(zlib.compress(values.tobytes()))


def test_numbers_that_are_special():
    values = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1.0], dtype="float32")
    assert np.array_equal(round_mantissa(values), values, equal_nan=True)
    whole = np.array([1, 2**40], dtype="int64")
    assert round_mantissa(whole) is whole


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_heads_are_rounded_where_the_encoder_is_quantized(tiny_bert, precision):
    nlp = make_nlp(tiny_bert, "pretrained_tagger")
    train(nlp, make_examples(nlp), 5)
    before = nlp.get_pipe("pretrained_tagger").model.to_bytes()
    quantized = quantize_pipeline(nlp, TEXTS, precision=precision)
    output = quantized.get_pipe("pretrained_tagger").model.get_ref("output")
    last_bits = output.get_param("W").view("uint32") & 0x1FFF
    assert last_bits.any() == (precision == "fp32")
    assert nlp.get_pipe("pretrained_tagger").model.to_bytes() == before
    assert quantized.get_pipe(ENCODER).model.has_dim("nO")
