"""Pipelines with a stock transformer become ones of ours where neither stock package is installed,
with stand-ins for what these have; or it is said why not. `make test-trf` and `make test-curated`
try the real ones."""

import json
import logging
import sys
from functools import partial
from importlib.util import find_spec
from types import SimpleNamespace

import numpy as np
import pytest
import spacy
from numpy_backend import TABLE
from spacy.language import Language
from stock_heads import MEAN
from stock_pipelines import TEXTS, add_heads, assert_alike
from tensor_files import find_tensor
from thinc.api import Model, chain
from tiny_pipelines import CNN, annotations, make_examples
from typer.testing import CliRunner

if find_spec("spacy_transformers") or find_spec("spacy_curated_transformers"):
    pytest.skip("a stock package is there: its own tests try it", allow_module_level=True)

from stand_in_stock import CURATED, SPANS, TRF, is_of, predict_nothing, save_encoder
from stand_in_torch import SAVED

from spacy_pretrained.cli import pretrained_cli
from spacy_pretrained.encoder.token_encoder import get_shim
from spacy_pretrained.quantization.quantize import quantize_pipeline
from spacy_pretrained.saving.pipeline_folder import save
from spacy_pretrained.stock import proof
from spacy_pretrained.stock.adopt import adopt
from spacy_pretrained.stock.find import MODULES
from spacy_pretrained.stock.reader import read_stock
from spacy_pretrained.windows.stock_windows import StockWindows, WordPiece

NAME = "transformer"
ARCHITECTURES = {
    TRF: "spacy-transformers.TransformerListener.v1",
    CURATED: "spacy-curated-transformers.LastTransformerLayerListener.v1",
}
FACTORIES = {TRF: "transformer_for_tests", CURATED: "curated_for_tests"}
SUM = {"@layers": "reduce_sum.v1"}
ONE_SPAN = [text for text in TEXTS if len(text) < 60]  # of no more wordpieces than it takes


def make_nlp(package: str, *, heads=("tagger", "ner"), listener=None, **config) -> Language:
    nlp = spacy.blank("xx")
    if config.get("spans") == "sentences":
        nlp.add_pipe("sentencizer")
    nlp.add_pipe(FACTORIES[package], name=NAME, config=config)
    block = {"@architectures": ARCHITECTURES[package], "pooling": MEAN, "grad_factor": 1.0}
    add_heads(nlp, block | (listener or {}), heads)
    nlp.initialize(lambda: make_examples(nlp))
    for name in heads:
        scatter_weights(nlp.get_pipe(name).model)
    nlp.meta["requirements"] = [f"{MODULES[package.partition('.')[0]]}>=0.2", "other>=1"]
    return nlp


def scatter_weights(model: Model) -> None:
    """None stays 0: annotation depends on the vectors, though nothing is learnt."""
    random = np.random.default_rng(0)
    for node in model.walk():
        for name in node.param_names:
            values = node.get_param(name)
            node.set_param(name, random.normal(size=values.shape).astype(values.dtype))


@pytest.fixture(params=[TRF, CURATED])
def package(request) -> str:
    return request.param


@pytest.fixture
def converts(monkeypatch):
    """For tests of whole pipelines, whose weights mean something to the stand-in alone."""
    if find_spec("torch"):
        pytest.skip("there is PyTorch: these are the weights of what stands in for it")
    module = SimpleNamespace(save_encoder=save_encoder)
    monkeypatch.setitem(sys.modules, "spacy_pretrained.stock.torch_curated", module)


# What is read


@pytest.mark.parametrize(
    "spans, expected",
    [
        ("strided", StockWindows("tokens", window=16, stride=12)),
        ("apart", StockWindows("tokens", window=16, stride=16)),
        ("sentences", StockWindows("sentences")),
        ("docs", StockWindows("docs")),
    ],
)
def test_spans_of_spacy_transformers(spans, expected):
    stock = read_stock(make_nlp(TRF, spans=spans))
    assert stock.windows == expected and stock.width == 32
    assert [listener.component for listener in stock.listeners] == ["tagger", "ner"]
    own = stock.own_windows
    assert own == StockWindows("seeming_sentences")


@pytest.mark.parametrize("lowercase", [True, False])
def test_windows_of_spacy_curated_transformers(lowercase):
    nlp = make_nlp(CURATED, window=20, stride=14, listener={"pooling": SUM})
    encoder = nlp.get_pipe(NAME).model.get_ref("piece_encoder")
    encoder.attrs["lowercase"] = encoder.attrs["strip_accents"] = lowercase
    if not lowercase:
        encoder.attrs["preprocess"] = lambda text: [text]
    words = WordPiece(lowercase=lowercase, strip_accents=lowercase, split_punctuation=lowercase)
    expected = StockWindows("pieces", window=20, stride=14, pooling="sum", words=words)
    assert read_stock(nlp).windows == expected


def test_weights_and_tokenizer_are_saved_as_they_are(package, converts, tmp_path):
    nlp = make_nlp(package)
    read_stock(nlp).save(tmp_path)
    seed = {TRF: 1, CURATED: 2}[package]
    table = find_tensor((tmp_path / SAVED).read_bytes(), TABLE)
    expected = np.random.default_rng(seed).normal(size=table.shape)
    np.testing.assert_allclose(table, expected, rtol=1e-6)
    assert (tmp_path / "tokenizer_config.json").read_text() == '{"model_max_length": 64}'


# What becomes of a pipeline


@pytest.mark.parametrize(
    "package, config, pooling, texts",
    [
        (TRF, {"spans": "strided"}, MEAN, TEXTS),
        (TRF, {"spans": "apart"}, SUM, TEXTS),
        (TRF, {"spans": "sentences"}, MEAN, ONE_SPAN),
        (TRF, {"spans": "docs", "kind": "roberta"}, SUM, ONE_SPAN),
        (CURATED, {"window": 20, "stride": 14}, MEAN, TEXTS),
        (CURATED, {"window": 64, "stride": 40}, SUM, TEXTS),
    ],
)
def test_vectors_and_annotation_are_the_same(converts, package, config, pooling, texts):
    nlp = make_nlp(package, listener={"pooling": pooling}, **config)
    before = [annotations(doc) for doc in nlp.pipe(texts)]
    new = adopt(nlp, read_stock(nlp))
    assert new.pipe_names == nlp.pipe_names
    assert_alike(nlp, new, NAME, texts)
    # The original is as it was.
    assert [annotations(doc) for doc in nlp.pipe(texts)] == before
    assert len(read_stock(nlp).listeners) == 2


def test_what_is_written_says_nothing_of_the_package(converts, package, tmp_path):
    nlp = make_nlp(package)
    quantize_pipeline(nlp, ONE_SPAN, precision="fp32").to_disk(tmp_path)
    config = (tmp_path / "config.cfg").read_text("utf8")
    assert "spacy-pretrained.OpenVinoEncoder.v1" in config
    assert not any(name in config for name in MODULES.values()) and "for_tests" not in config
    new = spacy.load(tmp_path)
    assert new.meta["requirements"] == ["other>=1"]
    assert_alike(nlp, new, NAME, ONE_SPAN)


def test_windows_of_sentences(converts, tmp_path):
    """Vectors are compared before windows become those of our own encoders, annotation after."""
    make_nlp(TRF).to_disk(tmp_path / "model")
    (tmp_path / "lines.txt").write_text("\n".join(f"Ada sees {i} foxes." for i in range(30)))
    lenient = [f"--min-{name}=0" for name in ("tags", "entities")]
    texts = ["--texts", str(tmp_path / "lines.txt")]
    args = ["--precision", "fp32", "--windows", "sentences", *texts, *lenient]
    result = run_quantize(tmp_path, *args)
    assert result.exit_code == 0, result.output
    assert "Comparing vectors with the original's on 30 texts" in " ".join(result.output.split())
    new = spacy.load(tmp_path / "new")
    assert new.get_pipe(NAME).model.attrs["windows"].stock_windows["spans"] == "seeming_sentences"
    assert new.meta["quantization"]["compared_texts"] == 30


def run_quantize(folder, *args: str):
    command = ["quantize", str(folder / "model"), str(folder / "new"), *args]
    return CliRunner().invoke(pretrained_cli, command)


def test_only_made_one_of_ours(converts, package, tmp_path):
    nlp = make_nlp(package)
    nlp.to_disk(tmp_path / "model")
    result = run_quantize(tmp_path, "--precision", "torch")
    assert result.exit_code == 0, result.output
    new = spacy.load(tmp_path / "new")
    assert new.config["components"][NAME]["model"]["@architectures"].endswith("TorchEncoder.v1")
    assert_alike(nlp, new, NAME, ONE_SPAN)


def test_windows_of_sentences_have_to_be_judged(converts, tmp_path):
    make_nlp(TRF).to_disk(tmp_path / "model")
    result = run_quantize(tmp_path, "--precision", "fp32", "--windows", "sentences")
    assert result.exit_code == 1 and "Give --texts or --eval" in " ".join(result.output.split())
    assert not (tmp_path / "new").exists()


def test_with_too_few_texts_to_judge_windows_it_asks_for_more(converts, monkeypatch, tmp_path):
    monkeypatch.setattr("spacy_pretrained.quantization.recipes.find_spec", lambda name: name)
    make_nlp(TRF).to_disk(tmp_path / "model")
    (tmp_path / "lines.txt").write_text("\n".join(f"Ada sees {i} foxes." for i in range(20)))
    texts = ["--texts", str(tmp_path / "lines.txt")]
    result = run_quantize(tmp_path, "--windows", "sentences", *texts)
    assert result.exit_code == 1 and "--texts with more texts" in " ".join(result.output.split())


def test_what_was_saved_whole_is_made_one_of_ours(converts, package, tmp_path):
    nlp = make_nlp(package)
    save(nlp, tmp_path)
    nlp.meta.update(json.loads((tmp_path / "meta.json").read_text("utf8")))  # as if it was loaded
    assert_alike(nlp, adopt(nlp, read_stock(nlp)), NAME, ONE_SPAN)
    assert (tmp_path / "files.json").is_file()


def test_wordpieces_of_a_stock_transformer_are_kept(package, monkeypatch, tmp_path):
    nlp = make_nlp(package)
    nlp.to_disk(tmp_path / "model")
    monkeypatch.setattr(spacy, "load", lambda path: nlp)
    (tmp_path / "kept.txt").write_text("Ada\n")
    args = ["--precision", "fp32", "--keep-pieces", str(tmp_path / "kept.txt")]
    result = run_quantize(tmp_path, *args)
    assert result.exit_code == 1 and not (tmp_path / "new").exists()
    assert "--precision torch first" in " ".join(result.output.split())


def test_other_vectors_end_it(converts, package, monkeypatch):
    nlp, text = make_nlp(package), "The lazy dog sleeps."
    stock = read_stock(nlp)
    new = adopt(nlp, stock)
    proof.prove(nlp, new, stock)  # on texts of its own
    shim = get_shim(new.get_pipe(NAME).model)
    shim.table[shim.checkpoint.tokenizer.pieces["lazy"]] += 0.5
    with pytest.raises(ValueError, match="does not give the vectors") as caught:
        proof.prove(nlp, new, stock, ["", "She", nlp.make_doc(text)])
    assert "at token 0 ('The')" in str(caught.value) and text in str(caught.value)
    shim.table[:] = np.nan
    with pytest.raises(ValueError, match="does not give the vectors"):
        proof.prove(nlp, new, stock, [text * 9])
    with pytest.raises(ValueError, match="does not give the vectors"):
        proof.prove(nlp, new, stock, ["", nlp.make_doc("")])  # which show nothing


# What is not supported


def assert_refused(nlp: Language, *parts: str) -> None:
    with pytest.raises(ValueError) as caught:
        read_stock(nlp)
    for part in parts:
        assert part in str(caught.value)


def test_poolings(package):
    nlp = make_nlp(package, listener={"pooling": {"@layers": "reduce_max.v1"}})
    assert_refused(nlp, "'ner'", "'reduce_max'", "reduce_mean and reduce_sum")
    nlp = make_nlp(package, heads=["tagger"])
    listener = {"@architectures": ARCHITECTURES[package], "pooling": SUM, "grad_factor": 1.0}
    add_heads(nlp, listener, ("ner",))
    assert_refused(nlp, "'tagger' by reduce_mean", "'ner' by reduce_sum")


def test_a_grad_factor_is_named(package, caplog):
    nlp = make_nlp(package, listener={"grad_factor": 0.5})
    with caplog.at_level(logging.WARNING, "spacy"):
        read_stock(nlp)
    messages = [record.getMessage() for record in caplog.records]
    assert any("'ner'" in m and "grad_factor = 0.5" in m for m in messages)


def test_pipelines_of_another_shape(package):
    assert_refused(make_nlp(package, heads=()), "No component listens", f"'{NAME}'")
    nlp = make_nlp(package)
    nlp.add_pipe(FACTORIES[package], name="second")
    assert_refused(nlp, f"'{NAME}', 'second'")
    nlp = make_nlp(package)
    nlp.add_pipe("tok2vec", first=True)
    assert_refused(nlp, "'tok2vec'", "doc.tensor")
    nlp = make_nlp(package, listener={"upstream": "other"})
    assert_refused(nlp, "'tagger'", f"listening to '{NAME}'", ARCHITECTURES[package])
    assert read_stock(spacy.blank("xx")) is None


def test_components_with_a_transformer_of_their_own(package):
    nlp = make_nlp(package)
    tagger = nlp.get_pipe("tagger")
    own = {
        TRF: Model("copy", predict_nothing, shims=[SimpleNamespace(_hfmodel=None)]),
        CURATED: Model("transformer_model", predict_nothing),
    }
    tagger.model = chain(own[package], tagger.model)
    assert_refused(nlp, "'tagger'", "replace_listeners")


def test_other_parts_of_a_package(package):
    nlp = make_nlp(package)
    part = Model("mixing", is_of(package)(partial(predict_nothing).func))
    model = nlp.get_pipe("ner").model
    model.layers.append(part)
    assert_refused(nlp, "'ner'", "'mixing'", ARCHITECTURES[package])
    model.layers.pop()
    # Nothing but a listener could not be replaced within a model.
    listener = read_stock(nlp).listeners[0].node
    nlp.get_pipe("tagger").model = listener
    assert_refused(nlp, "'tagger'", f"'{listener.name}'", ARCHITECTURES[package])


def test_other_layers_behind_a_listener():
    nlp = make_nlp(TRF)
    read_stock(nlp).listeners[0].node.layers[1].name = "tensors"
    assert_refused(nlp, "'tagger'", "'listener", ARCHITECTURES[TRF])


def test_listeners_that_the_config_does_not_have(converts, package):
    nlp = make_nlp(package)
    nlp.config["components"]["ner"]["model"]["tok2vec"] = CNN
    with pytest.raises(ValueError, match=r"'ner' has 0 listeners .* model has 1"):
        adopt(nlp, read_stock(nlp))


def test_versions(package, monkeypatch):
    name = MODULES[package.partition(".")[0]]
    monkeypatch.setattr("spacy_pretrained.stock.find.version", lambda name: "2.0.0")
    assert_refused(make_nlp(package), f"{name} 2.0.0", "Supported is version")
    known = {TRF: "1.4.0", CURATED: "0.3.1"}[package]
    monkeypatch.setattr("spacy_pretrained.stock.find.version", lambda name: known)
    assert read_stock(make_nlp(package)).pipe.package == name


def test_span_getters_and_annotation_setters():
    nlp = make_nlp(TRF)
    model = nlp.get_pipe(NAME).model
    model.attrs["get_spans"] = lambda docs: [[doc[:]] for doc in docs]
    assert_refused(nlp, f"'{NAME}'", "model.get_spans", "lambda")
    model.attrs["get_spans"] = partial(SPANS["strided"].func, window=16, stride=20)
    assert_refused(nlp, "model.get_spans.stride is 20", "from 1 to window")
    nlp = make_nlp(TRF)
    nlp.get_pipe(NAME).set_extra_annotations = print
    assert_refused(nlp, "set_extra_annotations", "'print'", "null_annotation_setter")


def test_slow_tokenizers_and_no_weights():
    nlp = make_nlp(TRF)
    loaded = nlp.get_pipe(NAME).model.layers[0].shims[0]._hfmodel
    loaded.tokenizer = SimpleNamespace(is_fast=False)
    assert_refused(nlp, f"'{NAME}'", "slow tokenizer", "SimpleNamespace")
    loaded.transformer = None
    assert_refused(nlp, "no weights yet")


def test_piece_encoders_and_strides():
    assert_refused(make_nlp(CURATED, window=21, stride=10), "with_spans.stride is 10", "half of")
    nlp = make_nlp(CURATED)
    encoder = nlp.get_pipe(NAME).model.get_ref("piece_encoder")
    encoder.attrs["preprocess"] = print
    assert_refused(nlp, f"'{NAME}'", "model.piece_encoder.preprocess is 'print'")
    encoder.name = "char_encoder"
    assert_refused(nlp, "model.piece_encoder is 'char_encoder' (characters)", "ByteBpeEncoder")
    nlp = make_nlp(CURATED)
    model = nlp.get_pipe(NAME).model
    adapted = chain(model.layers[0], Model("other_adapter", predict_nothing))
    model.layers.append(adapted)
    model.set_ref("piece_encoder", adapted)
    assert_refused(nlp, "'wordpiece_encoder and other_adapter'")
    nlp = make_nlp(CURATED)
    nlp.get_pipe(NAME).model.layers[1].name = "other_spans"
    assert_refused(nlp, "model.with_spans is unknown", "WithStridedSpans.v1")


def test_torchscript_and_other_encoders():
    class TorchScriptShim:
        pass

    nlp = make_nlp(CURATED)
    transformer = nlp.get_pipe(NAME).model.get_ref("transformer")
    transformer.shims[0]._model.curated_encoder = object()
    assert_refused(nlp, f"'{NAME}'", "encoder is 'object'", "BertEncoder")
    transformer.shims[0] = TorchScriptShim()
    assert_refused(nlp, "model.torchscript is true")


def test_other_listeners():
    nlp = make_nlp(CURATED)
    layer = {"@architectures": "spacy-curated-transformers.ScalarWeightingListener.v1"}
    add_heads(nlp, layer | {"pooling": MEAN}, ("parser",))
    assert_refused(nlp, "'parser'", "scalar_weighting_listener", ARCHITECTURES[CURATED])
