"""Encoders side by side: vectors, gradients and saved form are those of the parts."""

from pathlib import Path

import numpy as np
import pytest
import spacy
from hard_texts import HARD_TEXTS, random_texts
from numpy.testing import assert_allclose
from spacy.language import Language
from thinc.api import Config
from tiny_pipelines import (
    CNN,
    ENCODER,
    annotations,
    as_blank,
    fast_optimizer,
    make_cnn,
    make_examples,
    train,
)

from spacy_pretrained.backends.backbone import get_shim
from spacy_pretrained.encoder.concat_encoder import build_concat_encoder, find_named
from spacy_pretrained.encoder.token_encoder import EncoderModel, build_torch_encoder
from spacy_pretrained.quantization.quantize import quantize_pipeline

WIDTH = 32
TORCH = {"@architectures": "spacy-pretrained.TorchEncoder.v1", "learn_rate_factor": 0.3}
SCRATCH = {
    "@architectures": "spacy-pretrained.TransformerFromScratch.v1",
    "layers": 1,
    "width": 16,
    "heads": 2,
    "window": 16,
    "orth_width": 0,
    "learn_rate_factor": 0.3,
}
TAGGER, TEXTCAT = "pretrained_tagger", "pretrained_textcat"
TEXTS = ["Ada sees the old river. Yes! 😀", "", " \n", "Robots never sleep in Zürich. " * 8]
NLP = spacy.blank("xx")


@pytest.fixture
def sources(tiny_source) -> dict[str, str]:
    return {"first": tiny_source("bert"), "second": tiny_source("roberta")}


def make_parts(sources: dict[str, str], **settings) -> dict[str, EncoderModel]:
    """Encoders with weights, each with a window of its own; the second has no orth embedding."""
    parts = {}
    for (name, source), window, orth_width in zip(sources.items(), (20, 40), (8, 0)):
        own = {"window": window, "orth_width": orth_width, "dropout": 0.0}
        parts[name] = build_torch_encoder(**own | settings)
        get_shim(parts[name]).load_source(Path(source))
    return parts


def make_nlp(encoders: dict, origins: dict, *pipes: str) -> Language:
    nlp = spacy.blank("xx")
    architecture = "spacy-pretrained.ConcatEncoder.v1"
    nlp.add_pipe(ENCODER, config={"model": {"@architectures": architecture, "encoders": encoders}})
    nlp.config["initialize"]["components"][ENCODER] = {"encoders": origins}
    for pipe in pipes:
        nlp.add_pipe(pipe, config={"multi_label": True} if pipe == TEXTCAT else {})
    return nlp


def make_mixed(source: str, *pipes: str) -> Language:
    """A frozen pretrained encoder beside one from scratch; by their names, the other way round."""
    encoders = {"own": SCRATCH, "base": TORCH | {"frozen": True, "orth_width": 4}}
    return make_nlp(encoders, {"base": {"source": source}, "own": {"vocabulary_size": 150}}, *pipes)


@pytest.fixture(scope="module")
def trained(tiny_bert) -> Language:
    nlp = make_mixed(tiny_bert, TAGGER, TEXTCAT)
    train(nlp, make_examples(nlp), 60)
    return nlp


@pytest.fixture
def saved(trained, tmp_path) -> Path:
    trained.to_disk(tmp_path)
    return tmp_path


# Vectors and gradients are those of the parts


def test_vectors_are_those_of_the_parts_side_by_side(sources):
    parts = make_parts(sources)
    model = build_concat_encoder(parts)
    model.initialize()
    docs = list(NLP.pipe([*TEXTS, *HARD_TEXTS, *random_texts(5)]))
    apart = [part.predict(docs) for part in parts.values()]
    assert model.get_dim("nO") == 2 * WIDTH + 8
    for doc, vectors, first, second in zip(docs, model.predict(docs), *apart):
        assert vectors.shape == (len(doc), 2 * WIDTH + 8)
        assert np.array_equal(vectors, np.concatenate([first, second], axis=1))
        assert_allclose(model.predict([doc])[0], vectors, atol=1e-5)


def gradients(model: EncoderModel) -> dict[str, np.ndarray]:
    module = get_shim(model).module
    found = {n: p.grad for n, p in module.named_parameters() if p.grad is not None}
    layers = [layer for layer in model.walk() if layer is not model]
    orth = {f"{i}.{n}": x.get_grad(n) for i, x in enumerate(layers) for n in x.grad_names}
    return {name: grad.to_dense().numpy() for name, grad in found.items()} | orth


def test_gradients_are_those_of_the_parts(sources):
    docs = list(NLP.pipe(TEXTS))
    model = build_concat_encoder(make_parts(sources))
    model.initialize()
    together = find_named(model)
    vectors, backprop = model.begin_update(docs)
    rng = np.random.default_rng(0)
    d_vectors = [rng.normal(size=v.shape).astype("float32") for v in vectors]
    assert backprop(d_vectors) == []
    low = 0
    for name, apart in make_parts(sources).items():
        apart.initialize()
        high = low + apart.get_dim("nO")
        apart.from_bytes(together[name].to_bytes())
        _, backprop_apart = apart.begin_update(docs)
        backprop_apart([np.ascontiguousarray(d[:, low:high]) for d in d_vectors])
        expected, found = gradients(apart), gradients(together[name])
        assert expected and expected.keys() == found.keys()
        for key, gradient in expected.items():
            assert np.abs(gradient).max() > 0
            assert_allclose(found[key], gradient, rtol=1e-4, atol=1e-5, err_msg=key)
        low = high


@pytest.mark.parametrize("texts", [[], [""], ["", " \n"]])
def test_nothing_to_encode(sources, texts):
    model = build_concat_encoder(make_parts(sources))
    model.initialize()
    docs = [NLP.make_doc(text) for text in texts]
    vectors, backprop = model.begin_update(docs)
    assert [v.shape for v in vectors] == [(len(doc), 2 * WIDTH + 8) for doc in docs]
    assert backprop(vectors) == []
    model.finish_update(fast_optimizer())


# In a pipeline


def test_it_learns_documents_by_heart(trained):
    for example in make_examples(trained):
        doc = trained(as_blank(example.reference))
        assert [t.tag_ for t in doc] == [t.tag_ for t in example.reference]
        assert (doc.cats["robots"] > 0.5) == (example.reference.cats["robots"] > 0.5)


def copies_of(nlp: Language, folder: Path) -> list[Language]:
    blank = spacy.util.load_model_from_config(nlp.config)
    return [spacy.load(folder), blank.from_bytes(nlp.to_bytes())]


def test_a_saved_pipeline_is_the_same(trained, saved):
    for other in copies_of(trained, saved):
        for one, two in zip(trained.pipe(TEXTS), other.pipe(TEXTS)):
            assert annotations(one) == annotations(two)
            assert_allclose(one.tensor, two.tensor, atol=1e-6)
        other.update(make_examples(other), sgd=fast_optimizer())


def test_each_encoder_has_a_folder_that_is_a_source(trained, saved):
    folder = saved / ENCODER / "encoders"
    assert sorted(path.name for path in folder.iterdir()) == ["base", "own"]
    assert sorted(path.name for path in (folder / "base").iterdir()) == ["backbone", "orth"]
    nlp = spacy.blank("xx")
    nlp.add_pipe(ENCODER, config={"model": {"window": 16, "orth_width": 0}})
    origin = {"source": str(folder / "own" / "backbone")}
    nlp.config["initialize"]["components"][ENCODER] = origin
    nlp.initialize(lambda: make_examples(nlp))
    for text in TEXTS:
        assert_allclose(nlp(text).tensor, trained(text).tensor[:, -16:], atol=1e-5)


def test_the_order_is_that_of_the_names_whatever_a_config_says(trained, saved):
    """confection writes sections in alphabetical order: vectors would change places."""
    config = Config().from_disk(saved / "config.cfg")
    encoders = config["components"][ENCODER]["model"]["encoders"]
    turned = dict(reversed(encoders.items()))
    assert list(turned) != list(encoders)
    config["components"][ENCODER]["model"]["encoders"] = turned
    other = spacy.util.load_model_from_config(config).from_disk(saved)
    assert_allclose(other(TEXTS[0]).tensor, trained(TEXTS[0]).tensor, atol=1e-6)
    assert list(find_named(other.get_pipe(ENCODER).model)) == ["base", "own"]


def test_listeners_can_be_replaced(trained):
    copy = spacy.util.load_model_from_config(trained.config).from_bytes(trained.to_bytes())
    copy.replace_listeners(ENCODER, TAGGER, ["model.tok2vec"])
    for text in TEXTS:
        assert [t.tag_ for t in copy(text)] == [t.tag_ for t in trained(text)]
    copy.update(make_examples(copy), sgd=fast_optimizer())


def weights_of(nlp: Language) -> dict[str, dict[str, np.ndarray]]:
    named = find_named(nlp.get_pipe(ENCODER).model)
    return {
        name: {key: x.numpy().copy() for key, x in get_shim(m).module.state_dict().items()}
        for name, m in named.items()
    }


def moved(before: dict[str, np.ndarray], after: dict[str, np.ndarray]) -> float:
    return max(float(np.abs(before[name] - after[name]).max()) for name in before)


def test_each_encoder_has_its_own_freezing_and_rate(tiny_source):
    bert = tiny_source("bert")
    encoders = {
        "frozen": TORCH | {"frozen": True},
        "slow": TORCH | {"learn_rate_factor": 0.001},
        "fast": TORCH | {"learn_rate_factor": 0.1},
    }
    nlp = make_nlp(encoders, {name: {"source": bert} for name in encoders}, TAGGER)
    nlp.initialize(lambda: make_examples(nlp))
    before = weights_of(nlp)
    optimizer = fast_optimizer()
    for _ in range(4):
        nlp.update(make_examples(nlp), sgd=optimizer)
    found = {name: moved(before[name], after) for name, after in weights_of(nlp).items()}
    assert found["frozen"] == 0 < found["slow"] < found["fast"] / 10


def test_only_frozen_encoders_are_cached(tiny_bert):
    nlp = make_mixed(tiny_bert, TAGGER)
    nlp.initialize(lambda: make_examples(nlp))
    caches = {
        name: encoder.get_ref("backbone").attrs["cache"]
        for name, encoder in find_named(nlp.get_pipe(ENCODER).model).items()
    }
    assert caches["base"] is not None and caches["own"] is None


# What is refused


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_it_is_not_quantized(trained, precision):
    message = "'pretrained_encoder' is several side by side .base, own.,.*not run on OpenVINO"
    with pytest.raises(ValueError, match=message):
        quantize_pipeline(trained, TEXTS * 10, precision=precision)


@pytest.mark.parametrize(
    "origin, message",
    [
        ({"source": "minilm-l6"}, r"several encoders \(base, own\), so that source in"),
        ({"encoders": {"other": {}}}, "has 'other', but the encoders of .* are base, own"),
        ({"encoders": {"own": {"sources": "x"}}}, "no setting 'sources', but source, tokenizer"),
        ({"encoders": {"own": {"source": "x"}}}, r"encoder.encoders.own\] has source = 'x'"),
        ({"encoders": {"base": {"vocabulary_size": 200}}}, "has vocabulary_size, but its encoder"),
    ],
)
def test_an_origin_that_it_cannot_have_is_refused(tiny_bert, origin, message):
    nlp = make_mixed(tiny_bert)
    nlp.config["initialize"]["components"][ENCODER] = origin
    with pytest.raises(ValueError, match=message):
        nlp.initialize(lambda: make_examples(nlp))


@pytest.mark.parametrize(
    "encoders, message",
    [
        ({}, "two or more encoders .* has 0"),
        ({"one": TORCH}, "two or more encoders .* has 1"),
        ({"one": TORCH, "a/b": TORCH}, "'a/b' cannot be the name"),
        ({"one": TORCH, "two": CNN}, "'two' of spacy-pretrained.ConcatEncoder.v1 has to be from"),
        ({"one": TORCH, "two": {"window": 3}}, "'two' of .* not '{'window': 3}'"),
    ],
)
def test_parts_that_it_cannot_have_are_refused(encoders, message):
    with pytest.raises(ValueError, match=message):
        make_nlp(encoders, {})


def test_a_part_is_one_encoder_of_docs(sources):
    parts = make_parts(sources)
    for other in (make_cnn(), build_concat_encoder(dict(parts))):
        with pytest.raises(ValueError, match=r"'third' of .*, not '"):
            build_concat_encoder(parts | {"third": other})


def test_no_component_runs_on_its_weights(tiny_bert):
    nlp = make_mixed(tiny_bert)
    nlp.initialize(lambda: make_examples(nlp))
    config = {"upstream": ENCODER, "labels": ["a", "b"]}
    with pytest.raises(ValueError, match=r"cannot run on the weights of .* several encoders"):
        nlp.add_pipe("zero_shot_textcat", config=config)
        nlp("Yes!")
