"""Pipelines with the `transformer` of spacy-transformers become torch-free ones with the same
annotation, or it is said why not. `make test-trf` runs this."""

import logging
import os
import types
from pathlib import Path

import pytest
import spacy
from spacy.tokens import DocBin
from spacy.util import fix_random_seed
from stock_heads import HEADS, MEAN
from stock_pipelines import (
    TEXTS,
    add_heads,
    assert_alike,
    assert_runs_without_torch,
    short_source,
    train,
)
from thinc.api import Config
from tiny_pipelines import annotations, make_examples, make_reference
from typer.testing import CliRunner

pytest.importorskip(
    "spacy_transformers",
    reason="spacy_transformers not installed: `make test-trf` has it",
    exc_type=ImportError,
)

from spacy_pretrained.cli import pretrained_cli
from spacy_pretrained.quantization.quantize import quantize_pipeline
from spacy_pretrained.stock import proof
from spacy_pretrained.stock.adopt import adopt
from spacy_pretrained.stock.reader import read_stock

NAME = "transformer"
CONFIG = Path(__file__).parents[2] / "configs" / "train_on.cfg"
STRIDED = {"@span_getters": "spacy-transformers.strided_spans.v1", "window": 16, "stride": 12}
SPANS = {
    "strided": STRIDED,
    "apart": STRIDED | {"stride": 16},
    "sentences": {"@span_getters": "spacy-transformers.sent_spans.v1"},
    "docs": {"@span_getters": "spacy-transformers.doc_spans.v1"},
}
LISTENER = {
    "@architectures": "spacy-transformers.TransformerListener.v1",
    "grad_factor": 1.0,
    "pooling": MEAN,
}


@pytest.fixture(scope="module")
def find_source(tiny_source, tmp_path_factory):
    """A function from a kind of model to a folder, whose tokenizer says how much it takes."""
    root, found = tmp_path_factory.mktemp("short"), {}

    def find(kind: str) -> str:
        if kind not in found:
            found[kind] = short_source(tiny_source(kind), root / kind)
        return found[kind]

    return find


def make_nlp(source: str, spans: dict = STRIDED, heads=HEADS, **listener) -> spacy.Language:
    nlp = spacy.blank("en")
    if "sent_spans" in spans["@span_getters"]:
        nlp.add_pipe("sentencizer")
    no_dropout = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    model = {"name": source, "transformer_config": no_dropout, "get_spans": spans}
    nlp.add_pipe(NAME, config={"model": model})
    add_heads(nlp, LISTENER | listener, heads)
    return nlp


@pytest.fixture(scope="module")
def trained(find_source):
    fix_random_seed(0)
    nlp = make_nlp(find_source("bert"))
    train(nlp, NAME)
    nlp.meta.update(
        name="mine",
        version="1.2.3",
        author="Somebody",
        license="MIT",
        sources=[{"name": "A corpus"}],
        requirements=["spacy-transformers>=1.4,<1.5", "other>=1"],
        performance={"tag_acc": 0.5},
    )
    return nlp


@pytest.mark.parametrize(
    "kind, spans, pooling",
    [
        ("bert", "strided", "mean"),
        ("bert", "sentences", "mean"),
        ("roberta", "strided", "sum"),
        ("roberta", "docs", "mean"),
        ("xlm-r", "apart", "mean"),
        ("xlm-r", "docs", "sum"),
        ("mpnet", "strided", "mean"),
        ("albert", "strided", "mean"),
    ],
)
def test_vectors_and_annotation_are_the_same(find_source, kind, spans, pooling):
    layer = {"@layers": f"reduce_{pooling}.v1"}
    nlp = make_nlp(find_source(kind), SPANS[spans], pooling=layer)
    train(nlp, NAME)
    new = adopt(nlp, read_stock(nlp))
    assert new.pipe_names == nlp.pipe_names
    # With spans of Docs, the original fails on an empty one among others.
    assert_alike(nlp, new, NAME, [text for text in TEXTS if text or spans != "docs"])


def test_the_copy_on_openvino_is_the_same_and_needs_no_torch(trained, tmp_path):
    before = annotations(trained(TEXTS[-2]))
    new = quantize_pipeline(trained, TEXTS, precision="fp32")
    assert_alike(trained, new, NAME)
    new.to_disk(tmp_path / "new")
    assert_runs_without_torch(tmp_path / "new", TEXTS[-2])
    # The original is as it was.
    assert annotations(trained(TEXTS[-2])) == before
    assert read_stock(trained) is not None


def test_what_is_written_says_nothing_of_the_package(trained, tmp_path):
    quantize_pipeline(trained, TEXTS, precision="fp32").to_disk(tmp_path / "new")
    config = (tmp_path / "new" / "config.cfg").read_text("utf8")
    assert "spacy-transformers" not in config and "spacy-pretrained.OpenVinoEncoder.v1" in config
    meta = spacy.load(tmp_path / "new").meta
    assert meta["requirements"] == ["other>=1"]
    for key in ("name", "version", "author", "license", "sources", "lang", "labels"):
        assert meta[key] == trained.meta[key], key
    assert meta["performance"] == {}


def test_training_goes_on(trained, tmp_path):
    from spacy.training.initialize import init_nlp

    from spacy_pretrained.training.config import complete_config

    corpus = tmp_path / "corpus.spacy"
    DocBin(docs=[make_reference(trained.vocab, [i]) for i in range(4)]).to_disk(corpus)
    trained.to_disk(tmp_path / "stock")
    result = CliRunner().invoke(
        pretrained_cli,
        ["quantize", str(tmp_path / "stock"), str(tmp_path / "ours"), "--precision", "torch"],
    )
    assert result.exit_code == 0, result.output
    loaded = spacy.load(tmp_path / "ours")
    assert_alike(trained, loaded, NAME)
    assert loaded.meta["performance"] == {"tag_acc": 0.5}
    complete = complete_config(str(CONFIG), train=corpus, dev=corpus, model=str(tmp_path / "ours"))
    nlp = init_nlp(Config(complete.config))
    assert nlp.pipe_names == trained.pipe_names
    examples = make_examples(nlp)
    losses = [nlp.update(examples, sgd=nlp.resume_training()) for _ in range(2)]
    assert losses[0][NAME] > 0
    encoder = nlp.get_pipe(NAME)
    assert encoder.model.attrs["windows"].stock_windows["window"] == 16


def test_our_own_heads_on_the_stock_transformer(find_source):
    nlp = make_nlp(find_source("bert"), heads=())
    model = {"@architectures": "spacy-pretrained.Tagger.v1", "tok2vec": LISTENER}
    nlp.add_pipe("pretrained_tagger", config={"model": model})
    train(nlp, NAME)
    assert_alike(nlp, adopt(nlp, read_stock(nlp)), NAME)


# The command


@pytest.fixture(scope="module")
def folder(trained, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("command")
    trained.to_disk(path / "model")
    words = ("Ada", "Robots", "Zürich", "hearing", "river", "issue")
    lines = [f"{one} sees the old {two}." for one in words for two in words]
    (path / "lines.txt").write_text("\n".join(lines), "utf8")
    docs = [make_reference(trained.vocab, [i % 4]) for i in range(12)]
    DocBin(docs=docs).to_disk(path / "dev.spacy")
    return path


def run(folder: Path, *args: str, output: str = "new"):
    args = [str(folder / arg) if "." in arg else arg for arg in args]
    command = ["quantize", str(folder / "model"), str(folder / output), *args]
    return CliRunner().invoke(pretrained_cli, command)


def text_of(result) -> str:
    return " ".join(result.output.split())


def test_int8_by_the_command(folder):
    pytest.importorskip("nncf")
    args = ("--texts", "lines.txt", "--min-tags", "0", "--min-heads", "0", "--min-entities", "0")
    result = run(folder, *args, "--precision", "int8", output="int8")
    assert result.exit_code == 0, result.output
    assert "Comparing vectors with the original's on 36 texts" in text_of(result)
    assert "words/s" in result.output
    figures = spacy.load(folder / "int8").meta["quantization"]
    assert figures["precision"] == "int8" and figures["words_per_second"]["ratio"] > 0
    weights = figures["megabytes"]["weights"]
    assert 0 < weights["after"] < weights["before"]
    assert_runs_without_torch(folder / "int8", "Ada sees the old river.")


def test_windows_of_sentences_are_judged(folder):
    any_agreement = ("--min-tags", "0", "--min-heads", "0", "--min-entities", "0")
    args = ("--precision", "fp32", "--windows", "sentences")
    result = run(folder, *args, output="unjudged")
    assert result.exit_code == 1 and "Give --texts or --eval" in text_of(result)
    result = run(folder, *args, "--texts", "lines.txt", *any_agreement, output="sentences")
    assert result.exit_code == 0, result.output
    encoder = spacy.load(folder / "sentences").get_pipe(NAME)
    assert encoder.model.attrs["windows"].stock_windows["spans"] == "seeming_sentences"
    assert not (folder / "unjudged").exists()


def test_windows_of_sentences_that_agree_too_little_are_refused(folder, monkeypatch):
    measures = property(lambda trial: list(trial.agreement))
    monkeypatch.setattr("spacy_pretrained.quantization.agreement.AgreementTrial.too_low", measures)
    args = ("--precision", "fp32", "--windows", "sentences", "--texts", "lines.txt")
    result = run(folder, *args, output="refused")
    assert result.exit_code == 1 and "agrees with the original well enough" in text_of(result)
    assert not (folder / "refused").exists()


def test_other_vectors_end_it_and_nothing_is_written(folder, monkeypatch):
    monkeypatch.setattr(proof, "BOUND", -1.0)
    result = run(folder, "--precision", "fp32", "--texts", "lines.txt", output="different")
    assert result.exit_code == 1
    assert "does not give the vectors of the original" in text_of(result)
    assert "at token" in text_of(result) and "sees the old" in text_of(result)
    assert not (folder / "different").exists()


# What is not supported


def assert_refused(nlp: spacy.Language, *parts: str) -> None:
    with pytest.raises(ValueError) as caught:
        read_stock(nlp)
    for part in parts:
        assert part in str(caught.value)


def test_poolings(find_source):
    layer = {"@layers": "reduce_max.v1"}
    nlp = make_nlp(find_source("bert"), heads=["tagger"], pooling=layer)
    assert_refused(nlp, "'tagger'", "'reduce_max'", "reduce_mean and reduce_sum")
    nlp = make_nlp(find_source("bert"), heads=["tagger"])
    add_heads(nlp, LISTENER | {"pooling": {"@layers": "reduce_sum.v1"}}, ("ner",))
    assert_refused(nlp, "'tagger' by reduce_mean", "'ner' by reduce_sum")


def test_span_getters_and_annotation_setters(find_source):
    nlp = make_nlp(find_source("bert"))
    nlp.get_pipe(NAME).model.attrs["get_spans"] = lambda docs: [[doc[:]] for doc in docs]
    assert_refused(nlp, "'transformer'", "model.get_spans", "lambda")
    nlp = make_nlp(find_source("bert"))
    nlp.get_pipe(NAME).set_extra_annotations = print
    assert_refused(nlp, "set_extra_annotations", "'print'", "null_annotation_setter")
    nlp = make_nlp(find_source("bert"), STRIDED | {"stride": 20})
    assert_refused(nlp, "model.get_spans.stride is 20", "from 1 to window")


def test_slow_tokenizers_and_no_weights(trained, find_source, monkeypatch):
    objects = trained.get_pipe(NAME).model.layers[0].shims[0]._hfmodel
    monkeypatch.setattr(objects, "tokenizer", types.SimpleNamespace(is_fast=False))
    assert_refused(trained, "'transformer'", "slow tokenizer", "SimpleNamespace")
    assert_refused(make_nlp(find_source("bert")), "no weights yet")


def test_pipelines_of_another_shape(trained, find_source, tmp_path):
    source = find_source("bert")
    assert_refused(make_nlp(source, heads=()), "No component listens", "'transformer'")
    nlp = make_nlp(source)
    nlp.add_pipe(NAME, name="second")
    assert_refused(nlp, "'transformer', 'second'")
    nlp = make_nlp(source)
    nlp.add_pipe("tok2vec", first=True)
    assert_refused(nlp, "'tok2vec'", "doc.tensor")
    nlp = make_nlp(source, upstream="other")
    assert_refused(nlp, "'tagger'", "listening to 'transformer'")
    trained.to_disk(tmp_path)
    nlp = spacy.load(tmp_path)
    nlp.replace_listeners(NAME, "tagger", ["model.tok2vec"])
    assert_refused(nlp, "'tagger'", "replace_listeners")


def test_versions(trained, monkeypatch):
    monkeypatch.setattr("spacy_pretrained.stock.find.version", lambda name: "2.0.0")
    assert_refused(trained, "spacy-transformers 2.0.0", "version 1")


def test_a_grad_factor_is_named(find_source, caplog):
    nlp = make_nlp(find_source("bert"), grad_factor=0.5)
    train(nlp, NAME, steps=1)
    with caplog.at_level(logging.WARNING, "spacy"):
        read_stock(nlp)
    messages = [record.getMessage() for record in caplog.records]
    assert any("'ner'" in m and "grad_factor = 0.5" in m for m in messages)


@pytest.mark.parametrize("kind", ["roberta", "mpnet"])
def test_padding_pieces_in_a_text_on_openvino(find_source, kind):
    """RoBERTa does not count them as positions; several windows in a row do not change that."""
    nlp = make_nlp(find_source(kind))
    train(nlp, NAME, steps=3)
    texts = ["one <pad> two <pad> three", "<pad>", "<s> a </s> b", *TEXTS[:8]]
    assert_alike(nlp, quantize_pipeline(nlp, texts, precision="fp32"), NAME, texts)


@pytest.mark.slow
def test_a_real_pipeline(tmp_path):
    """SPACY_PRETRAINED_TRF names the folder of a real one, such as en_core_web_trf."""
    folder = os.environ.get("SPACY_PRETRAINED_TRF")
    if not folder:
        pytest.skip("SPACY_PRETRAINED_TRF is not set")
    nlp = spacy.load(folder)
    name = read_stock(nlp).pipe.name
    assert_alike(nlp, quantize_pipeline(nlp, TEXTS, precision="fp32"), name)
