"""From Python: a pipeline of any components becomes one without torch, or it is said why not."""

import re
import shutil

import numpy as np
import pytest
import spacy
from hard_texts import HARD_TEXTS
from thinc.api import fix_random_seed
from tiny_pipelines import ENCODER, LISTENER, annotations, make_examples, make_nlp, train

from spacy_pretrained.backends.openvino_backend import OpenVinoShim
from spacy_pretrained.encoder.token_encoder import get_shim
from spacy_pretrained.quantization.gate import Refused
from spacy_pretrained.quantization.quantize import (
    quantize_agreeing,
    quantize_pipeline,
    quantize_within,
)
from spacy_pretrained.quantization.quantizer import Quantizer
from spacy_pretrained.quantization.rounding import round_mantissa
from spacy_pretrained.runtime.no_telemetry import import_openvino

LISTENING = {"model": {"tok2vec": LISTENER}}
STOCK = [(name, LISTENING) for name in ("ner", "spancat")]
OURS = ["pretrained_tagger", "biaffine_parser", ("pretrained_textcat", {"multi_label": True})]
TEXTS = [doc.text for doc in spacy.blank("xx").pipe(["Ada sees the old river.", "Yes!"] * 12)]


@pytest.fixture(scope="module")
def trained(tiny_bert):
    """A pipeline that has learnt four documents by heart, with stock components and ours."""
    fix_random_seed(0)  # whichever test asks first
    nlp = make_nlp(tiny_bert, *OURS, *STOCK)
    train(nlp, make_examples(nlp) * 2, 25)
    nlp.meta["requirements"] = ["torch>=2.6", "transformers", "spacy-pretrained[train]>=0.1", "x"]
    nlp.meta["performance"] = {"tag_acc": 0.1}
    return nlp


@pytest.fixture(scope="module")
def exact(trained):
    return quantize_pipeline(trained, precision="fp32")


def test_fp32_annotates_alike(trained, exact):
    for one, two in zip(trained.pipe(TEXTS), exact.pipe(TEXTS)):
        assert_alike(annotations(one), annotations(two))
    assert isinstance(get_shim(exact.get_pipe(ENCODER).model), OpenVinoShim)
    assert not isinstance(get_shim(trained.get_pipe(ENCODER).model), OpenVinoShim)


def assert_alike(one: list[tuple], two: list[tuple]) -> None:
    assert len(one) == len(two)
    for a, b in zip(one, two):
        for x, y in zip(a, b):
            assert x == y if isinstance(x, str) else x == pytest.approx(y, abs=1e-2)


@pytest.mark.slow
def test_components_of_spacy_listen_as_before(tiny_bert):
    nlp = make_nlp(tiny_bert, *STOCK, ("trainable_lemmatizer", LISTENING))
    train(nlp, make_examples(nlp) * 2, 15)
    quantized = quantize_pipeline(nlp, precision="fp32")
    assert quantized.pipe_names == nlp.pipe_names
    for one, two in zip(nlp.pipe(TEXTS), quantized.pipe(TEXTS)):
        assert_alike(annotations(one), annotations(two))


def test_only_the_encoder_differs(trained, exact):
    ours, theirs = exact.config["components"], trained.config["components"]
    assert [name for name in theirs if ours[name] != theirs[name]] == [ENCODER]
    assert ours[ENCODER]["model"]["orth_width"] == 8
    for name in ("biaffine_parser", "ner", "pretrained_textcat"):
        assert exact.get_pipe(name).to_bytes() == trained.get_pipe(name).to_bytes()


def test_in_int8_the_weights_of_other_components_are_rounded(trained, recipes):
    recipes(("quick", False))
    quantized = quantize_pipeline(trained, precision="int8-weights")
    for name in ("ner", "pretrained_textcat"):
        models = [nlp.get_pipe(name).model for nlp in (trained, quantized)]
        for one, two in zip(*(model.walk() for model in models), strict=True):
            for param in one.param_names:
                if one.has_param(param):
                    expected = round_mantissa(one.get_param(param))
                    np.testing.assert_array_equal(two.get_param(param), expected)


def test_the_package_asks_for_no_torch_and_tells_no_old_scores(trained, exact):
    assert exact.meta["requirements"] == ["spacy-pretrained>=0.1", "x"]
    assert exact.meta["performance"] == {}
    assert exact.meta["quantization"] == {"precision": "fp32", "recipe": "fp32"}
    assert len(trained.meta["requirements"]) == 4 and trained.meta["performance"]


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["int8", "int8-weights"])
def test_int8_is_smaller_and_saved_with_checksums(trained, exact, precision, tmp_path):
    quantized = quantize_pipeline(trained, TEXTS, precision=precision)
    shims = [get_shim(nlp.get_pipe(ENCODER).model) for nlp in (exact, quantized)]
    big, small = (len(shim.to_files()["model.bin"]) for shim in shims)
    assert small < 0.4 * big  # of a tiny one; norms and biases stay in fp32
    quantized.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    assert annotations(loaded(TEXTS[0])) == annotations(quantized(TEXTS[0]))
    path = tmp_path / ENCODER / "backbone" / "model.bin"
    path.write_bytes(bytes(100) + path.read_bytes()[100:])
    with pytest.raises(ValueError, match=r"model\.bin' is not the file"):
        spacy.load(tmp_path)


DAMAGES = {
    "changed": lambda content: content[:-9] + bytes([content[-9] ^ 1]) + content[-8:],
    "cut short": lambda content: content[: len(content) // 2],
    "empty": lambda content: b"",
    "missing": None,
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", ["model.bin", "model.xml", "tokenizer.json", "layout.json"])
def test_a_damaged_pipeline_is_not_loaded(int8_pipeline, tmp_path, name, damage):
    shutil.copytree(int8_pipeline, tmp_path / "pipeline")
    path = tmp_path / "pipeline" / ENCODER / "backbone" / name
    if DAMAGES[damage]:
        path.write_bytes(DAMAGES[damage](path.read_bytes()))
    else:
        path.unlink()
    with pytest.raises(ValueError, match=re.escape(name)):
        spacy.load(tmp_path / "pipeline")


@pytest.mark.slow
def test_what_scores_alike_passes_and_keeps_its_scores(trained):
    examples = make_examples(trained) * 3
    quantized, trials = quantize_within(trained, [], examples, max_drop=0.0, precision="fp32")
    assert [trial.recipe for trial in trials] == ["fp32"]
    kept = quantized.meta["quantization"]
    assert kept["max_drop"] == 0.0 and kept["refused"] == []
    assert set(kept["scores"]) == {
        *("tag_acc", "pos_acc", "morph_acc", "dep_uas", "dep_las", "sents_f"),
        *("ents_f", "spans_sc_f", "cats_micro_f"),
    }
    assert kept["documents"] == 12 and kept["answer"] == "cannot tell"  # of so few
    for name, row in kept["scores"].items():
        assert row["before"] == row["after"] and row["drop"] == row["least_drop"] == 0
        assert quantized.meta["performance"][name] == pytest.approx(row["after"] / 100)


def spoil(model):
    """A backbone whose vectors say nothing any more."""
    model = model.clone()
    for node in model.get_ops():
        if node.get_type_name() == "Constant" and list(node.get_output_shape(0)) == [32, 32]:
            zeros = import_openvino().opset8.constant(np.zeros((32, 32), dtype=node.data.dtype))
            node.output(0).replace(zeros.output(0))
    return model


@pytest.fixture
def recipes(monkeypatch):
    """Let a test say which recipes there are: their names, and whether they spoil the model."""

    def use(*named: tuple[str, bool]) -> None:
        def candidates(model, batches, precision, report):
            for name, is_spoilt in named:
                yield name, spoil(model) if is_spoilt else model

        monkeypatch.setattr("spacy_pretrained.quantization.quantizer.candidates", candidates)

    return use


@pytest.mark.slow
def test_the_next_recipe_is_tried_until_one_holds(trained, recipes):
    recipes(("quick", True), ("careful", False), ("slow", False))
    steps = []
    examples = make_examples(trained) * 3
    quantized, trials = quantize_within(trained, TEXTS, examples, max_drop=0.3, report=steps.append)
    assert [trial.recipe for trial in trials] == ["quick", "careful"]
    assert [trial.answer for trial in trials] == ["fails", "cannot tell"]
    assert quantized.meta["quantization"]["recipe"] == "careful"
    assert quantized.meta["quantization"]["refused"] == ["quick"]
    assert any(re.search(r"quick: fails: .*\w+ drops by \d", step) for step in steps)


@pytest.mark.slow
def test_where_no_recipe_holds_it_is_refused_with_what_was_tried(trained, recipes):
    recipes(("one", True), ("two", True))
    with pytest.raises(Refused, match=r"each of 2, some score drops by more than 0\.5") as caught:
        quantize_within(trained, TEXTS, make_examples(trained) * 3, max_drop=0.5)
    assert [trial.recipe for trial in caught.value.trials] == ["one", "two"]


UNSEEN = ["Ada never sleeps in the river.", "Robots sees the old hearing today.", "Yes, a robot!"]


@pytest.mark.slow
def test_without_gold_annotation_a_copy_has_to_annotate_alike(trained, recipes):
    recipes(("quick", True), ("careful", False), ("slow", False))
    quantized, trials = quantize_agreeing(trained, TEXTS, UNSEEN)
    assert [trial.recipe for trial in trials] == ["quick", "careful"]
    assert trials[0].too_low and not trials[1].too_low
    kept = quantized.meta["quantization"]
    assert kept["recipe"] == "careful" and kept["refused"] == ["quick"]
    assert kept["compared_texts"] == len(UNSEEN)
    assert kept["agreement"].keys() >= {"tag", "heads", "categories"}
    assert all(row["percent"] == 100 for row in kept["agreement"].values())
    assert quantized.meta["performance"] == {}


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["int8", "int8-weights"])
def test_if_none_annotates_alike_the_copy_is_in_fp32(trained, recipes, precision):
    recipes(("one", True), ("two", True))
    steps = []
    quantized, trials = quantize_agreeing(
        trained, TEXTS, UNSEEN, precision=precision, report=steps.append
    )
    assert [trial.recipe for trial in trials] == ["one", "two", "fp32"]
    assert quantized.meta["quantization"]["recipe"] == "fp32"
    assert any("two: agrees too little with the original (" in step for step in steps)
    for one, two in zip(trained.pipe(UNSEEN), quantized.pipe(UNSEEN)):
        assert_alike(annotations(one), annotations(two))


def make_textcat(source: str, *names: str, upstream: str | None = None):
    """A pipeline of text classifiers, after an encoder and a tagger if they run on one."""
    nlp = make_nlp(source, "pretrained_tagger", frozen=True) if upstream else spacy.blank("xx")
    config = {"labels": ["the sea", "dogs"], "descriptions": {"dogs": "lazy animals"}}
    for name in names:
        shared = {"upstream": upstream} if name == "zero_shot_textcat" else {}
        nlp.add_pipe(name, config=config | shared)
        nlp.config["initialize"]["components"][name] = {"source": source}
    nlp.initialize(lambda: make_examples(nlp))
    return nlp


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["fp32", "int8"])
@pytest.mark.parametrize(
    "names, upstream",
    [
        (["zero_shot_textcat"], None),
        (["few_shot_textcat"], None),
        (["zero_shot_textcat"], ENCODER),
        (["zero_shot_textcat", "few_shot_textcat"], ENCODER),
    ],
)
def test_text_classifiers_with_weights_of_their_own_or_shared(
    tiny_bert, tmp_path, names, upstream, precision
):
    nlp = make_textcat(tiny_bert, *names, upstream=upstream)
    quantized = quantize_pipeline(nlp, TEXTS, precision=precision)
    for name in names:
        shim = get_shim(quantized.get_pipe(name).model)
        assert isinstance(shim, OpenVinoShim)
        if upstream is not None:
            shares = shim is get_shim(quantized.get_pipe(upstream).model)
            assert shares == (name == "zero_shot_textcat")
    quantized.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    for one, two, three in zip(
        *(pipeline.pipe(TEXTS[:4]) for pipeline in (nlp, quantized, loaded))
    ):
        assert two.cats == three.cats
        assert one.cats == pytest.approx(two.cats, abs=1e-2 if precision == "fp32" else 0.3)


@pytest.mark.slow
def test_a_prefix_stays(tiny_bert):
    nlp = spacy.blank("xx")
    encoder = {"@architectures": "spacy-pretrained.TorchSentenceEncoder.v1", "prefix": "query: "}
    config = {"labels": ["the sea", "dogs"], "model": {"encoder": encoder}}
    nlp.add_pipe("zero_shot_textcat", config=config)
    nlp.config["initialize"]["components"]["zero_shot_textcat"] = {"source": tiny_bert}
    nlp.initialize()
    quantized = quantize_pipeline(nlp, precision="fp32")
    assert (
        quantized.config["components"]["zero_shot_textcat"]["model"]["encoder"]["prefix"]
        == "query: "
    )
    text = "She sees the sea"
    assert quantized(text).cats == pytest.approx(nlp(text).cats, abs=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("frozen", [True, False])
def test_once_trained_an_encoder_serves_no_reader_of_texts(tiny_bert, frozen):
    nlp = make_nlp(tiny_bert, "pretrained_tagger", frozen=frozen)
    train(nlp, make_examples(nlp), 1)
    quantized = quantize_pipeline(nlp, precision="fp32")
    config = {"labels": ["the sea", "dogs"], "upstream": ENCODER}
    if frozen:
        quantized.add_pipe("zero_shot_textcat", config=config)
        assert quantized(TEXTS[0]).cats
    else:
        with pytest.raises(ValueError, match="or did before it was quantized"):
            quantized.add_pipe("zero_shot_textcat", config=config)


@pytest.mark.slow
def test_the_gate_scores_categories(tiny_bert):
    nlp = make_textcat(tiny_bert, "zero_shot_textcat")
    examples = make_examples(nlp) * 3
    for example in examples:
        cats = nlp(example.reference.text).cats
        example.reference.cats = {k: float(v == max(cats.values())) for k, v in cats.items()}
    quantized, _ = quantize_within(nlp, [], examples, max_drop=0.0, precision="fp32")
    assert quantized.meta["quantization"]["scores"].keys() == {"cats_micro_f"}
    assert quantized.meta["quantization"]["scores"]["cats_micro_f"]["before"] == 100


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["int8", "int8-weights"])
def test_a_real_model_is_a_quarter_as_large_and_says_the_same(needs_torch, precision):
    nlp = make_nlp("minilm-l6", "pretrained_tagger")
    train(nlp, make_examples(nlp), 0)
    quantized = quantize_pipeline(nlp, [*HARD_TEXTS, *TEXTS], precision=precision)
    before, after = (get_shim(pipeline.get_pipe(ENCODER).model) for pipeline in (nlp, quantized))
    weights = sum(parameter.numel() for parameter in before.module.parameters())
    assert len(after.to_files()["model.bin"]) < 0.26 * 4 * weights
    text = "The hearing on the issue is scheduled for today, says the judge in Zürich."
    one, two = (pipeline(text).tensor[:, :384] for pipeline in (nlp, quantized))
    assert np.linalg.norm(two - one) < 0.1 * np.linalg.norm(one)


def test_replaced_listeners_are_refused(tiny_bert):
    nlp = make_nlp(tiny_bert, "pretrained_tagger", ("ner", LISTENING))
    train(nlp, make_examples(nlp), 1)
    nlp.replace_listeners(ENCODER, "ner", ["model.tok2vec"])
    with pytest.raises(ValueError, match="'ner' has an encoder of its own"):
        quantize_pipeline(nlp, TEXTS)


def test_bad_input_says_so(trained, exact):
    with pytest.raises(ValueError, match=r"'int4'.*int8, int8-weights, fp32"):
        quantize_pipeline(trained, TEXTS, precision="int4")
    with pytest.raises(ValueError, match=r"windows.*'mine'.*kept, sentences"):
        Quantizer(trained, windows="mine")
    for settings in ({"precision": "torch"}, {"windows": "sentences"}):  # of stock pipelines
        with pytest.raises(ValueError, match="stock"):
            Quantizer(trained, **settings)
    with pytest.raises(ValueError, match="at least 20"):
        quantize_pipeline(trained, ["x"] * 3 + ["", " \n", "\u00a0"] * 30)
    with pytest.raises(ValueError, match="nothing to quantize"):
        quantize_pipeline(spacy.blank("xx"), TEXTS)
    with pytest.raises(ValueError, match="already"):
        quantize_pipeline(exact, TEXTS)
    with pytest.raises(ValueError, match="max_drop"):
        quantize_within(trained, TEXTS, make_examples(trained) * 3, max_drop=-1)
    with pytest.raises(ValueError, match="takes at least 5 documents"):
        quantize_within(trained, TEXTS, make_examples(trained), max_drop=1)
