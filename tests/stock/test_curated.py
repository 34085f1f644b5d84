"""Pipelines with the `curated_transformer` of spacy-curated-transformers 0.3 become torch-free ones
with the same annotation, or it is said why not. `make test-curated` runs this."""

import io
import json

import pytest
import spacy
from spacy.tokens import Doc
from spacy.util import fix_random_seed
from stock_heads import HEADS, MEAN
from stock_pipelines import (
    TEXTS,
    WIDTH,
    add_heads,
    assert_alike,
    assert_runs_without_torch,
    train,
)
from tiny_models import TEXTS as TRAINING_TEXTS
from tiny_models import make_byte_bpe, make_wordpiece

pytest.importorskip(
    "spacy_curated_transformers",
    reason="spacy_curated_transformers not installed: `make test-curated` has it",
    exc_type=ImportError,
)

import torch
from curated_tokenizers import ByteBPEProcessor, SentencePieceProcessor, WordPieceProcessor

from spacy_pretrained.checkpoints.wordpieces import PieceTokenizer
from spacy_pretrained.quantization.quantize import quantize_pipeline
from spacy_pretrained.stock import curated
from spacy_pretrained.stock.adopt import adopt
from spacy_pretrained.stock.find import find_stock
from spacy_pretrained.stock.reader import read_stock
from spacy_pretrained.windows.doc_arrays import read_arrays
from spacy_pretrained.windows.stock_windows import StockWindows
from spacy_pretrained.windows.word_pieces import encode_tokens

NAME = "curated"
PREFIX = "spacy-curated-transformers"
LISTENER = {
    "@architectures": f"{PREFIX}.LastTransformerLayerListener.v1",
    "width": WIDTH,
    "pooling": MEAN,
}
SMALL = {
    "hidden_width": WIDTH,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_width": 48,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}
BERT = {"max_position_embeddings": 64, "model_max_length": 64, "padding_idx": 0}
ROBERTA = {"max_position_embeddings": 66, "model_max_length": 64, "padding_idx": 1}


def load_byte_bpe(model, X=None, Y=None):
    definition = json.loads(make_byte_bpe().to_str())["model"]
    merges = [tuple(m if isinstance(m, list) else m.split(" ")) for m in definition["merges"]]
    model.attrs["byte_bpe_processor"] = ByteBPEProcessor(definition["vocab"], merges)
    return model


def load_wordpiece(lowercase: bool):
    def load(model, X=None, Y=None):
        vocabulary = make_wordpiece().get_vocab()
        pieces = sorted(vocabulary, key=vocabulary.get)
        model.attrs["wordpiece_processor"] = WordPieceProcessor(pieces)
        model.attrs["lowercase"] = model.attrs["strip_accents"] = lowercase
        return model

    return load


@pytest.fixture(scope="session")
def sentencepiece_model() -> bytes:
    """A Unigram model with the numbers that XLM-R's has: unknown 0, <s> 1, </s> 2."""
    import sentencepiece

    stream = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TRAINING_TEXTS * 20),
        model_writer=stream,
        vocab_size=200,
        model_type="unigram",
        hard_vocab_limit=False,
        minloglevel=2,
    )
    return stream.getvalue()


def load_sentencepiece(data: bytes):
    def load(model, X=None, Y=None):
        processor = SentencePieceProcessor.from_protobuf(data)
        model.get_ref("encoder").attrs["sentencepiece_processor"] = processor
        return model

    return load


# Kind → the transformer's architecture, the piece encoder's, settings
KINDS = {
    "byte_bpe": ("RobertaTransformer", "ByteBpeEncoder", ROBERTA),
    "wordpiece": ("BertTransformer", "WordpieceEncoder", BERT),
    "bert_wordpiece": ("BertTransformer", "BertWordpieceEncoder", BERT),
    "xlm-r": ("XlmrTransformer", "XlmrSentencepieceEncoder", ROBERTA),
    "camembert": ("CamembertTransformer", "CamembertSentencepieceEncoder", ROBERTA),
    "albert": (
        "AlbertTransformer",
        "BertWordpieceEncoder",
        BERT | {"embedding_width": 16, "num_hidden_groups": 2},
    ),
    "albert_of_one_width": (
        "AlbertTransformer",
        "BertWordpieceEncoder",
        BERT | {"embedding_width": WIDTH},
    ),
}


def make_nlp(
    kind: str,
    data: bytes = b"",
    window: int = 20,
    stride: int = 14,
    heads=HEADS,
    **listener,
) -> spacy.Language:
    transformer, encoder, settings = KINDS[kind]
    loader = load_sentencepiece(data)
    if "Wordpiece" in encoder:
        loader = load_wordpiece(lowercase=encoder.startswith("Bert"))
    elif encoder.startswith("Byte"):
        loader = load_byte_bpe
    vocab_size = 400 if encoder.startswith("Byte") else 1000
    nlp = spacy.blank("en")
    model = {
        "@architectures": f"{PREFIX}.{transformer}.v1",
        "vocab_size": vocab_size,
        "piece_encoder": {"@architectures": f"{PREFIX}.{encoder}.v1"},
        "with_spans": {
            "@architectures": f"{PREFIX}.WithStridedSpans.v1",
            "window": window,
            "stride": stride,
        },
    }
    with torch.random.fork_rng():
        torch.manual_seed(0)
        pipe = nlp.add_pipe(
            "curated_transformer", name=NAME, config={"model": model | SMALL | settings}
        )
        for parameter in pipe.model.get_ref("transformer").shims[0]._model.parameters():
            parameter.data += 0.05 * torch.randn_like(parameter)  # nothing stays 0 or 1
    pipe.model.get_ref("piece_encoder").init = loader
    add_heads(nlp, LISTENER | listener, heads)
    return nlp


@pytest.fixture(scope="module")
def trained():
    fix_random_seed(0)
    nlp = make_nlp("byte_bpe")
    train(nlp, NAME)
    nlp.meta["requirements"] = ["spacy-curated-transformers>=0.2,<0.4", "other"]
    nlp.config["initialize"]["components"][NAME] = {
        "encoder_loader": {"@model_loaders": f"{PREFIX}.HFTransformerEncoderLoader.v1", "name": "x"}
    }
    nlp.config["training"]["before_update"] = {
        "@callbacks": f"{PREFIX}.gradual_transformer_unfreezing.v1",
        "target_pipes": {"*": 100},
    }
    return nlp


@pytest.mark.parametrize("kind", KINDS)
def test_vectors_and_annotation_are_the_same(kind, sentencepiece_model):
    nlp = make_nlp(kind, sentencepiece_model)
    train(nlp, NAME)
    new = adopt(nlp, read_stock(nlp))
    assert new.pipe_names == nlp.pipe_names
    assert_alike(nlp, new, NAME)


@pytest.mark.parametrize("window, stride", [(20, 20), (20, 10), (64, 40)])
def test_windows_of_pieces(window, stride):
    nlp = make_nlp("byte_bpe", window=window, stride=stride, pooling={"@layers": "reduce_sum.v1"})
    train(nlp, NAME, steps=4)
    assert_alike(nlp, adopt(nlp, read_stock(nlp)), NAME)


def test_the_copy_on_openvino_is_the_same_and_needs_no_torch(trained, tmp_path):
    new = quantize_pipeline(trained, TEXTS, precision="fp32")
    assert_alike(trained, new, NAME)
    new.to_disk(tmp_path / "new")
    assert_runs_without_torch(tmp_path / "new", TEXTS[-2])


def test_what_is_written_says_nothing_of_the_package(trained, tmp_path):
    quantize_pipeline(trained, TEXTS, precision="fp32").to_disk(tmp_path / "new")
    assert "curated-transformers" not in (tmp_path / "new" / "config.cfg").read_text("utf8")
    new = spacy.load(tmp_path / "new")
    assert new.meta["requirements"] == ["other"]
    assert new.config["training"]["before_update"] is None
    assert NAME not in new.config["initialize"]["components"]


# Tokenizers, piece by piece


@pytest.mark.parametrize("kind", KINDS)
def test_tokens_have_the_pieces_of_the_original(kind, sentencepiece_model):
    nlp = make_nlp(kind, sentencepiece_model, heads=["tagger"])
    train(nlp, NAME, steps=0)
    stock = find_stock(nlp)
    stock_windows: StockWindows = curated.read_windows(stock, "mean")
    tokenizer = PieceTokenizer(curated.make_definition(stock))
    encoder = nlp.get_pipe(NAME).model.get_ref("piece_encoder")
    docs = [nlp.make_doc(text) for text in TEXTS]
    docs.append(Doc(nlp.vocab, words=["<s>", "[CLS]", "##a", "", "a b", "\u0301"][:3]))
    for doc, expected in zip(docs, encoder.predict(docs)):
        ids, lengths = encode_tokens(tokenizer, stock_windows.words, [doc], read_arrays([doc]))
        assert lengths.tolist() == expected.lengths[1:-1].tolist(), doc.text
        assert [*tokenizer.prefix, *ids, *tokenizer.suffix] == expected.data.ravel().tolist()


def test_the_rule_for_white_space_is_that_of_the_installed_version(trained):
    """0.3.1 does not give the word behind several spaces the space of the word before them."""
    assert read_stock(trained).windows.words.space == "token"


# What is not supported


def assert_refused(nlp: spacy.Language, *parts: str) -> None:
    with pytest.raises(ValueError) as caught:
        read_stock(nlp)
    for part in parts:
        assert part in str(caught.value)


def test_characters_are_refused_by_name(trained, tmp_path):
    nlp = spacy.blank("en")
    model = {
        "@architectures": f"{PREFIX}.BertTransformer.v1",
        "vocab_size": 99,
        "piece_encoder": {"@architectures": f"{PREFIX}.CharEncoder.v1"},
        "with_spans": {"@architectures": f"{PREFIX}.WithStridedSpans.v1"},
    }
    nlp.add_pipe("curated_transformer", name=NAME, config={"model": model | SMALL | BERT})
    add_heads(nlp, LISTENER, ("tagger",))
    assert_refused(nlp, "'curated'", "piece_encoder", "characters")


def test_listeners_on_all_layers_are_refused():
    nlp = make_nlp("byte_bpe", heads=[])
    weighting = {"@architectures": f"{PREFIX}.ScalarWeight.v1", "num_layers": 2}
    listener = LISTENER | {
        "@architectures": f"{PREFIX}.ScalarWeightingListener.v1",
        "weighting": weighting,
    }
    add_heads(nlp, listener, ("tagger",))
    assert_refused(nlp, "'tagger'", "scalar_weighting_listener", "LastTransformerLayerListener.v1")


def test_torchscript_other_versions_and_strides_are_refused(trained, monkeypatch):
    class TorchScriptShim:
        pass

    transformer = trained.get_pipe(NAME).model.get_ref("transformer")
    with monkeypatch.context() as patched:
        patched.setattr(transformer.shims[0], "_model", torch.nn.Linear(2, 2))
        assert_refused(trained, "'curated'", "encoder is 'NoneType'", "BertEncoder")
    with monkeypatch.context() as patched:
        patched.setattr(transformer, "_shims", [TorchScriptShim()])
        assert_refused(trained, "model.torchscript is true")
    monkeypatch.setattr("spacy_pretrained.stock.find.version", lambda name: "2.1.2")
    assert_refused(trained, "spacy-curated-transformers 2.1.2", "version 0.3")
    monkeypatch.undo()
    nlp = make_nlp("byte_bpe", window=21, stride=10)
    assert_refused(nlp, "with_spans.stride is 10", "half of window")


def test_replaced_listeners_are_refused(trained, tmp_path):
    trained.to_disk(tmp_path)
    nlp = spacy.load(tmp_path)
    nlp.replace_listeners(NAME, "tagger", ["model.tok2vec"])
    assert_refused(nlp, "'tagger'", "replace_listeners")


def test_a_bpe_of_sentencepiece_is_refused():
    import sentencepiece

    stream = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TRAINING_TEXTS * 20),
        model_writer=stream,
        vocab_size=200,
        model_type="bpe",
        hard_vocab_limit=False,
        minloglevel=2,
    )
    nlp = make_nlp("xlm-r", stream.getvalue())
    train(nlp, NAME, steps=0)
    assert_refused(nlp, "SentencePiece of the kind 2", "Unigram")
