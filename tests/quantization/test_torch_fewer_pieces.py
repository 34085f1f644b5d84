"""A copy with fewer wordpieces annotates the given texts alike."""

import json

import numpy as np
import pytest
import spacy
from tiny_pipelines import ENCODER, annotations, make_examples, make_nlp, train
from typer.testing import CliRunner

from spacy_pretrained.cli import pretrained_cli
from spacy_pretrained.encoder.token_encoder import get_shim
from spacy_pretrained.quantization.quantize import quantize_pipeline
from spacy_pretrained.quantization.torch_fewer_pieces import with_fewer_pieces

TEXTS = [f"{one} sees the old {two}." for one in ("Ada", "She") for two in ("sea", "dog", "fox")]


@pytest.fixture(scope="module", params=["xlm-r", "camembert"])
def nlp(tiny_source, request):
    nlp = make_nlp(tiny_source(request.param), "pretrained_tagger")
    train(nlp, make_examples(nlp), 10)
    return nlp


@pytest.mark.slow
def test_given_texts_have_the_same_vectors(nlp, tmp_path):
    copy, n_pieces = with_fewer_pieces(nlp, TEXTS)
    assert n_pieces["after"] < n_pieces["before"]
    shim, old = get_shim(copy.get_pipe(ENCODER).model), get_shim(nlp.get_pipe(ENCODER).model)
    assert len(shim.module.get_input_embeddings().weight) == n_pieces["after"]
    assert old.module.config.vocab_size >= n_pieces["before"]  # the original is as it was
    copy.to_disk(tmp_path)
    quantized = quantize_pipeline(copy, precision="fp32")
    for other in (copy, spacy.load(tmp_path), quantized):
        for one, two in zip(nlp.pipe(TEXTS), other.pipe(TEXTS)):
            assert np.abs(one.tensor - two.tensor).max() < 1e-4
            assert [row[0] for row in annotations(one)] == [row[0] for row in annotations(two)]
    assert len(list(quantized.pipe(["", " ", "日本 😀 zzz\u0301"]))) == 3


@pytest.mark.slow
def test_the_command(nlp, tmp_path):
    nlp.to_disk(tmp_path / "model")
    (tmp_path / "texts.txt").write_text("\n".join(TEXTS), encoding="utf8")
    arguments = [str(tmp_path / name) for name in ("model", "new")]
    options = ["--precision", "fp32", "--keep-pieces", str(tmp_path / "texts.txt")]
    result = CliRunner().invoke(pretrained_cli, ["quantize", *arguments, *options])
    assert result.exit_code == 0, result.output
    assert "wordpieces" in result.output
    pieces = json.loads((tmp_path / "new" / "meta.json").read_text())["quantization"]["pieces"]
    assert pieces["after"] < pieces["before"]
    assert [token.tag_ for token in spacy.load(tmp_path / "new")(TEXTS[0])]
