"""A copy with fewer wordpieces annotates the given texts alike."""

import json
from dataclasses import replace

import numpy as np
import pytest
import spacy
from spacy.language import Language
from tiny_pipelines import ENCODER, annotations, make_examples, make_nlp, train
from typer.testing import CliRunner

from spacy_pretrained.checkpoints.fewer_pieces import keep_pieces
from spacy_pretrained.cli import pretrained_cli
from spacy_pretrained.encoder.token_encoder import get_shim
from spacy_pretrained.quantization.quantizable import find_backbones
from spacy_pretrained.quantization.quantize import quantize_pipeline
from spacy_pretrained.quantization.torch_fewer_pieces import keep_rows, with_fewer_pieces

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


def read_by(nlp: Language, texts: list[str]) -> list[list[str]]:
    """The pieces that each backbone reads where the pipeline annotates the texts."""
    found = []
    for backbone in find_backbones(nlp):
        vocabulary = backbone.shim.checkpoint.tokenizer.vocabulary()
        names = {number: piece for piece, number in vocabulary.items()}
        batches = backbone.plan_as_it_runs(nlp, texts)
        found.append([names[i] for b in batches for i in b.ids[b.mask > 0].tolist()])
    return found


def split(nlp: Language, texts: list[str]) -> set[str]:
    """The pieces of the texts alone."""
    tokenizer = find_backbones(nlp)[0].shim.checkpoint.tokenizer
    names = {number: piece for piece, number in tokenizer.vocabulary().items()}
    return {names[i] for ids in tokenizer.encode_ids(texts) for i in ids.tolist()}


def make_zero_shot(source: str) -> Language:
    """Its backbone reads labels, and a prefix before them and before texts."""
    nlp = spacy.blank("xx")
    encoder = {"@architectures": "spacy-pretrained.TorchSentenceEncoder.v1", "prefix": "batches: "}
    config = {"labels": ["encoders", "taggers and parsers"], "model": {"encoder": encoder}}
    nlp.add_pipe("zero_shot_textcat", config=config)
    nlp.config["initialize"]["components"]["zero_shot_textcat"] = {"source": source}
    nlp.initialize()
    return nlp


def make_by_the_word(source: str) -> Language:
    """Its backbone reads pieces of tokens that are tokenized each by itself."""
    words = {"kind": "sentencepiece"}
    windows = {"spans": "pieces", "window": 16, "stride": 12, "words": words}
    nlp = make_nlp(source, window=0, orth_width=0, stock_windows=windows)
    nlp.initialize()
    return nlp


@pytest.mark.slow
@pytest.mark.parametrize("make", [make_zero_shot, make_by_the_word])
def test_all_that_a_backbone_reads_is_kept_and_not_only_the_texts(tiny_source, make):
    nlp, texts = make(tiny_source("xlm-r")), ["a-the-sea-shells-dog", " "]
    before = read_by(nlp, texts)
    special = {"<s>", "</s>"}
    assert {piece for piece in before[0] if len(piece) > 1} - split(nlp, texts) - special
    copy, n_pieces = with_fewer_pieces(nlp, texts)
    assert n_pieces["after"] < n_pieces["before"]
    assert read_by(copy, texts) == before
    for one, two in zip(nlp.pipe(texts), copy.pipe(texts)):
        assert one.cats == pytest.approx(two.cats, abs=1e-5)
        assert np.abs(one.tensor - two.tensor).max(initial=0) < 1e-4


@pytest.mark.slow
def test_what_cannot_be_left_out_says_so_before_texts_are_read(tiny_bert):
    def texts():
        raise AssertionError("it is read")
        yield ""

    nlp = make_nlp(tiny_bert)
    nlp.initialize()
    with pytest.raises(ValueError, match=r"Unigram only.*WordPiece"):
        with_fewer_pieces(nlp, texts())


@pytest.mark.slow
def test_a_config_need_not_say_how_many_pieces_there_are(tiny_source):
    nlp = make_nlp(tiny_source("xlm-r"))
    nlp.initialize()
    shim = get_shim(nlp.get_pipe(ENCODER).model)
    config = {name: value for name, value in shim.checkpoint.config.items() if name != "vocab_size"}
    shim.checkpoint = replace(shim.checkpoint, config=config)
    named = {i for name, i in config.items() if name.endswith("_token_id") and i is not None}
    fewer = keep_pieces(shim.checkpoint.tokenizer, {*range(10)}, named)
    keep_rows(shim, fewer)
    assert shim.checkpoint.config["vocab_size"] == len(fewer.kept) < fewer.n_before


@pytest.mark.slow
@pytest.mark.parametrize("texts", [[], ["", " "]])
def test_texts_without_pieces(tiny_source, texts):
    with pytest.raises(ValueError, match="have no pieces"):
        with_fewer_pieces(make_zero_shot(tiny_source("xlm-r")), texts[:0])
    nlp = make_by_the_word(tiny_source("xlm-r"))
    with pytest.raises(ValueError, match="have no pieces"):
        with_fewer_pieces(nlp, texts)


@pytest.mark.slow
def test_a_copy_in_fp32_that_does_not_agree_is_not_written(nlp, tmp_path, monkeypatch):
    """It has no more wordpieces than one in INT8."""
    measures = property(lambda trial: list(trial.agreement))
    monkeypatch.setattr("spacy_pretrained.quantization.agreement.AgreementTrial.too_low", measures)
    nlp.to_disk(tmp_path / "model")
    for name, texts in (("kept.txt", TEXTS), ("texts.txt", [*TEXTS, "shells"] * 4)):
        (tmp_path / name).write_text("\n".join(texts), encoding="utf8")
    arguments = [str(tmp_path / name) for name in ("model", "new")]
    options = ["--precision", "fp32", "--texts", str(tmp_path / "texts.txt")]
    options += ["--keep-pieces", str(tmp_path / "kept.txt")]
    result = CliRunner().invoke(pretrained_cli, ["quantize", *arguments, *options])
    assert result.exit_code == 1 and not (tmp_path / "new").exists()
    assert "Give --keep-pieces more texts" in " ".join(result.output.split())


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
