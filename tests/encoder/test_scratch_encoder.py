"""An encoder from scratch works wherever a pretrained one does: it trains, is saved and quantized,
and seeds make it repeatable."""

from pathlib import Path

import numpy as np
import pytest
import spacy
from hard_texts import HARD_TEXTS, random_texts
from numpy.testing import assert_allclose
from spacy.language import Language
from spacy.util import fix_random_seed
from tiny_pipelines import (
    ENCODER,
    annotations,
    are_equal,
    as_blank,
    backbone_weights,
    make_examples,
    train,
)

from spacy_pretrained.backends.backbone import get_shim
from spacy_pretrained.encoder.scratch_encoder import build_transformer_from_scratch
from spacy_pretrained.encoder.token_encoder import plan_batches
from spacy_pretrained.quantization.quantize import quantize_pipeline

SCRATCH = {
    "@architectures": "spacy-pretrained.TransformerFromScratch.v1",
    "layers": 2,
    "width": 32,
    "heads": 4,
    "window": 24,
    "orth_width": 8,
    "learn_rate_factor": 0.3,
}
ORIGIN = {"vocabulary_size": 200}
TAGGER, TEXTCAT = "pretrained_tagger", "pretrained_textcat"
TEXTS = ["Ada sees the old river. Yes! 😀", "", " \n", "Robots never sleep in Zürich. " * 8]


def make_nlp(*pipes: str, origin: dict | None = None, **settings) -> Language:
    nlp = spacy.blank("xx")
    nlp.add_pipe(ENCODER, config={"model": SCRATCH | settings})
    nlp.config["initialize"]["components"][ENCODER] = ORIGIN if origin is None else origin
    for pipe in pipes:
        nlp.add_pipe(pipe, config={"multi_label": True} if pipe == TEXTCAT else {})
    return nlp


def initialized(**settings) -> Language:
    nlp = make_nlp(TAGGER, **settings)
    nlp.initialize(lambda: make_examples(nlp))
    return nlp


@pytest.fixture(scope="module")
def trained() -> Language:
    fix_random_seed(0)
    nlp = make_nlp(TAGGER, TEXTCAT)
    train(nlp, make_examples(nlp), 60)
    return nlp


def tensors(nlp: Language) -> list[np.ndarray]:
    return [doc.tensor for doc in nlp.pipe(TEXTS)]


# It learns, and is what it was after it was saved


@pytest.mark.slow
def test_it_learns_documents_by_heart(trained):
    for example in make_examples(trained):
        doc = trained(as_blank(example.reference))
        assert [t.tag_ for t in doc] == [t.tag_ for t in example.reference]
        assert (doc.cats["robots"] > 0.5) == (example.reference.cats["robots"] > 0.5)


def test_the_backbone_itself_learns():
    nlp = make_nlp(TAGGER)
    train(nlp, make_examples(nlp), 1)
    before = backbone_weights(nlp)
    optimizer = nlp.resume_training()
    optimizer.learn_rate = 0.01
    nlp.update(make_examples(nlp), sgd=optimizer)
    after = backbone_weights(nlp)
    matrices = [name for name in before if before[name].ndim > 1]
    assert len(matrices) > 10
    assert all(not np.array_equal(before[name], after[name]) for name in matrices)


def test_a_saved_pipeline_is_the_same(trained, tmp_path):
    trained.to_disk(tmp_path)
    for other in (
        spacy.load(tmp_path),
        spacy.util.load_model_from_config(trained.config).from_bytes(trained.to_bytes()),
    ):
        assert are_equal(backbone_weights(trained), backbone_weights(other))
        for one, two in zip(trained.pipe(TEXTS), other.pipe(TEXTS)):
            assert annotations(one) == annotations(two)
            assert_allclose(one.tensor, two.tensor, atol=1e-6)


def test_what_was_saved_is_a_source(trained, tmp_path):
    trained.to_disk(tmp_path)
    nlp = spacy.blank("xx")
    nlp.add_pipe(ENCODER, config={"model": {"window": 24, "orth_width": 0}})
    source = str(tmp_path / ENCODER / "backbone")
    nlp.config["initialize"]["components"][ENCODER] = {"source": source}
    nlp.initialize(lambda: make_examples(nlp))
    width = SCRATCH["width"]
    for one, two in zip(tensors(nlp), tensors(trained)):
        assert_allclose(one, two[:, :width], atol=1e-5)


@pytest.mark.parametrize("setting, value", [("layers", 1), ("width", 64), ("heads", 2)])
def test_a_config_of_another_size_is_refused(trained, tmp_path, setting, value):
    trained.to_disk(tmp_path)
    overrides = {f"components.{ENCODER}.model.{setting}": value}
    message = f"saved encoder has {setting} = {SCRATCH[setting]}, but the config says {value}"
    with pytest.raises(ValueError, match=message):
        spacy.load(tmp_path, config=overrides)


def test_listeners_can_be_replaced(trained):
    copy = spacy.util.load_model_from_config(trained.config).from_bytes(trained.to_bytes())
    copy.replace_listeners(ENCODER, TAGGER, ["model.tok2vec"])
    other = spacy.util.load_model_from_config(copy.config).from_bytes(copy.to_bytes())
    for text in TEXTS:
        tags = [token.tag_ for token in trained(text)]
        assert [token.tag_ for token in copy(text)] == tags
        assert [token.tag_ for token in other(text)] == tags


# Vectors


def test_a_doc_alone_and_in_a_batch_has_the_same_vectors(trained):
    texts = [*TEXTS, *HARD_TEXTS, *random_texts(5)]
    for text, doc in zip(texts, trained.pipe(texts)):
        assert doc.tensor.shape == (len(doc), SCRATCH["width"] + 8)
        assert_allclose(trained(text).tensor, doc.tensor, atol=1e-5)


@pytest.mark.parametrize("window", [8, 16])
def test_attention_is_local_to_a_window(window):
    """A word changes no vectors but those of its window, and those it does change."""
    nlp = initialized(window=window, orth_width=0)
    words = ["the", "old", "river", "sees"] * 8
    one, two = (spacy.tokens.Doc(nlp.vocab, words=w) for w in (words, ["issue", *words[1:]]))
    model = nlp.get_pipe(ENCODER).model
    batches = plan_batches(model, [one])
    assert max(batch.ids.shape[1] for batch in batches) <= window
    changed = np.abs(model.predict([one])[0] - model.predict([two])[0]).max(axis=1) > 1e-6
    n = int(changed.sum())
    assert 1 < n <= window - 2 and changed[:n].all()


# What it begins with


def test_seeds_make_it_repeatable():
    found = []
    for seed in (1, 1, 2):
        fix_random_seed(seed)
        nlp = make_nlp(TAGGER)
        train(nlp, make_examples(nlp), 5)
        found.append((backbone_weights(nlp), nlp.get_pipe(ENCODER).model))
    (one, model), (same, same_model), (other, _) = found
    assert are_equal(one, same) and not are_equal(one, other)
    tokenizers = [get_shim(m).checkpoint.tokenizer.definition for m in (model, same_model)]
    assert tokenizers[0] == tokenizers[1]


def test_another_initialize_draws_other_weights():
    nlp = initialized()
    before = backbone_weights(nlp)
    nlp.initialize(lambda: make_examples(nlp))
    assert not are_equal(before, backbone_weights(nlp))


def test_all_training_texts_are_learnt():
    nlp = make_nlp(TAGGER)
    examples = make_examples(nlp, [[1]] * 300 + [[3]] * 2)
    nlp.initialize(lambda: examples)
    assert "zürich" in get_shim(nlp.get_pipe(ENCODER).model).checkpoint.tokenizer.vocabulary()


@pytest.mark.parametrize("kind", ["bert", "roberta", "xlm-r"])
@pytest.mark.parametrize("as_folder", [False, True])
def test_a_given_tokenizer_is_taken(tiny_source, kind, as_folder):
    folder = Path(tiny_source(kind))
    path = folder if as_folder else folder / "tokenizer.json"
    nlp = initialized(origin={"tokenizer": str(path)})
    checkpoint = get_shim(nlp.get_pipe(ENCODER).model).checkpoint
    assert checkpoint.tokenizer.definition == (folder / "tokenizer.json").read_text("utf8")
    vocabulary = checkpoint.tokenizer.vocabulary()
    assert checkpoint.config["vocab_size"] == len(vocabulary)
    assert checkpoint.layout.pad == vocabulary["[PAD]" if kind == "bert" else "<pad>"]
    for text, doc in zip(TEXTS, nlp.pipe(TEXTS)):
        assert_allclose(nlp(text).tensor, doc.tensor, atol=1e-5)


def test_a_tokenizer_without_padding_gets_a_piece_for_it(tmp_path):
    from tiny_models import make_gpt2

    make_gpt2().save(str(tmp_path / "tokenizer.json"))
    nlp = initialized(origin={"tokenizer": str(tmp_path)})
    checkpoint = get_shim(nlp.get_pipe(ENCODER).model).checkpoint
    assert checkpoint.layout.pad == len(checkpoint.tokenizer.vocabulary())
    for text, doc in zip(TEXTS, nlp.pipe(TEXTS)):
        assert_allclose(nlp(text).tensor, doc.tensor, atol=1e-5)


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"source": "minilm-l6"}, "source = 'minilm-l6', but its encoder, .* random weights"),
        ({"tokenizer": "no/such/file"}, "'no/such/file' is no tokenizer.json"),
        ({"tokenizer": "x", "vocabulary_size": 300}, "both tokenizer and vocabulary_size"),
        ({"vocabulary_size": 10}, "vocabulary_size = 10 is too small"),
        ({"encoders": {"a": {"source": "x"}}}, "encoders of spacy-pretrained.ConcatEncoder.v1"),
    ],
)
def test_an_origin_that_it_cannot_have_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        initialized(origin=settings)


@pytest.mark.parametrize("setting", [{"tokenizer": "x"}, {"vocabulary_size": 300}])
def test_a_pretrained_encoder_takes_no_vocabulary(tiny_bert, setting):
    nlp = spacy.blank("xx")
    nlp.add_pipe(ENCODER)
    nlp.config["initialize"]["components"][ENCODER] = {"source": tiny_bert} | setting
    with pytest.raises(ValueError, match=f"has {next(iter(setting))}, but its encoder takes"):
        nlp.initialize(lambda: make_examples(nlp))


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"layers": 0}, "layers = 0 has to be at least 1"),
        ({"window": 0}, "window = 0 has to be at least 1"),
        ({"width": 30}, "width = 30 cannot be split among heads = 4"),
        ({"dropout": 1.0}, "dropout has to be"),
    ],
)
def test_sizes_that_it_cannot_have_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        build_transformer_from_scratch(**settings)


# The settings of a training


def test_learn_rate_factor_multiplies_its_rate():
    moved = []
    for factor in (0.0, 0.001, 0.1):
        fix_random_seed(0)
        nlp = make_nlp(TAGGER, learn_rate_factor=factor)
        train(nlp, make_examples(nlp), 1)
        before = backbone_weights(nlp)
        optimizer = nlp.resume_training()
        optimizer.learn_rate = 0.01
        for _ in range(3):
            nlp.update(make_examples(nlp), sgd=optimizer)
        after = backbone_weights(nlp)
        moved.append(max(np.abs(before[name] - after[name]).max() for name in before))
    assert moved[0] == 0 < moved[1] < moved[2] / 10


@pytest.mark.slow
@pytest.mark.parametrize("setting", ["mixed_precision", "gradient_checkpointing"])
def test_it_trains_with_what_others_train_with(setting):
    nlp = make_nlp(TAGGER, **{setting: True})
    losses = train(nlp, make_examples(nlp), 30)
    assert losses[-1][TAGGER] < losses[0][TAGGER] / 4


# Quantized


@pytest.mark.slow
@pytest.mark.parametrize("precision, tolerance", [("fp32", 1e-4), ("int8", 0.2)])
def test_it_runs_on_openvino(trained, tmp_path, precision, tolerance):
    if precision == "int8":
        pytest.importorskip("nncf", reason="the environment of spacy-transformers has none")
    texts = [example.reference.text for example in make_examples(trained)] * 6
    quantize_pipeline(trained, texts, precision=precision).to_disk(tmp_path)
    copy = spacy.load(tmp_path)
    block = copy.config["components"][ENCODER]["model"]
    assert block["@architectures"] == "spacy-pretrained.OpenVinoEncoder.v1"
    assert (block["window"], block["orth_width"]) == (24, 8)
    for one, two in zip(tensors(trained), tensors(copy)):
        assert_allclose(one, two, atol=tolerance * float(np.abs(one).max(initial=1)))
    for text in texts:
        assert [t.tag_ for t in copy(text)] == [t.tag_ for t in trained(text)]
