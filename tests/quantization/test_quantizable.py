"""Which backbones a pipeline has, shared ones once, and what becomes of its config."""

import pytest
import spacy
from numpy_backend import build_numpy_encoder  # noqa: F401 - registers it
from random_windows import window_lengths
from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import registry
from tiny_pipelines import ENCODER, LISTENER, make_examples, make_nlp, train

from spacy_pretrained.quantization.quantizable import OPENVINO, find_backbones, to_openvino_block

NUMPY = "tests.NumpyEncoder.v1"
ZERO_SHOT = ("zero_shot_textcat", {"labels": ["the sea", "dogs"]})
SHARED = ("zero_shot_textcat", {"labels": ["the sea", "dogs"], "upstream": ENCODER})


def make(source: str, *pipes, **encoder):
    nlp = make_nlp(source, *pipes, **encoder)
    if "zero_shot_textcat" in nlp.pipe_names:
        nlp.config["initialize"]["components"]["zero_shot_textcat"] = {"source": source}
    nlp.initialize(lambda: make_examples(nlp))
    return nlp


def test_each_backbone_is_found_with_those_that_run_on_it(tiny_bert):
    own = find_backbones(make(tiny_bert, "pretrained_tagger", ZERO_SHOT))
    assert [backbone.names for backbone in own] == [[ENCODER], ["zero_shot_textcat"]]
    shared = find_backbones(make(tiny_bert, SHARED, frozen=True))
    assert [backbone.names for backbone in shared] == [[ENCODER, "zero_shot_textcat"]]


def test_a_shared_backbone_sees_the_batches_of_all(tiny_bert):
    nlp = make(tiny_bert, SHARED, frozen=True)
    (backbone,) = find_backbones(nlp)
    docs = [nlp.make_doc("She sold sea shells."), nlp.make_doc(" ")]
    n_windows = [len(window_lengths(nlp.get_pipe(n).plan_batches(docs))) for n in backbone.names]
    assert n_windows == [1, 1 + 2]  # and the two labels
    assert len(window_lengths(backbone.plan_batches(nlp, docs))) == sum(n_windows)


@Language.component("fails_for_tests")
def fail(doc: Doc) -> Doc:
    raise AssertionError("it runs")


def test_nothing_is_run_for_what_reads_whole_texts(tiny_bert):
    nlp = make(tiny_bert, ZERO_SHOT)
    nlp.add_pipe("fails_for_tests", first=True)
    encoder, zero_shot = find_backbones(nlp)
    texts = ["She sold sea shells.", nlp.make_doc("The sea.")]
    assert len(window_lengths(zero_shot.plan_as_it_runs(nlp, texts))) == 2 + 2
    with pytest.raises(AssertionError, match="it runs"):
        encoder.plan_as_it_runs(nlp, texts)


def test_what_has_none_or_one_in_a_stock_component_is_refused(tiny_bert):
    with pytest.raises(ValueError, match="nothing to quantize"):
        find_backbones(spacy.blank("xx"))
    nlp = make_nlp(tiny_bert, "pretrained_tagger", ("ner", {"model": {"tok2vec": LISTENER}}))
    train(nlp, make_examples(nlp), 1)
    nlp.replace_listeners(ENCODER, "ner", ["model.tok2vec"])
    with pytest.raises(ValueError, match="'ner' has an encoder of its own"):
        find_backbones(nlp)


def test_encoders_side_by_side_are_refused():
    nlp = spacy.blank("xx")
    encoders = {name: {"@architectures": NUMPY} for name in ("one", "two")}
    model = {"@architectures": "spacy-pretrained.ConcatEncoder.v1", "encoders": encoders}
    nlp.add_pipe(ENCODER, config={"model": model})
    with pytest.raises(ValueError, match=f"'{ENCODER}'.*one, two"):
        find_backbones(nlp)


def test_without_weights_there_is_nothing_to_quantize(tiny_bert):
    with pytest.raises(ValueError, match="no weights yet"):
        find_backbones(make_nlp(tiny_bert))


@pytest.mark.parametrize("name", OPENVINO)
def test_the_counterpart_takes_the_settings_it_has(name):
    """Whatever a block says beside, both resolve to models of the same name. How much runs at once
    is for each to say."""
    block = {"@architectures": name, "window": 77, "max_pieces": 77, "device": "cpu"}
    outer = {"model": {"encoder": block, "scale": 3.0}, "labels": ["a"]}
    found = to_openvino_block(outer)
    assert found == {
        "model": {
            "encoder": {"@architectures": OPENVINO[name], "window": 77},
            "scale": 3.0,
        },
        "labels": ["a"],
    }
    models = [registry.resolve({"model": b})["model"] for b in (block, found["model"]["encoder"])]
    assert models[0].name == models[1].name
    assert [setting_of(model, "window") for model in models] == [77, 77]
    assert [setting_of(model, "max_pieces") for model in models] == [77, 512]


def setting_of(model, name: str) -> int:
    windows = model.attrs.get("windows")
    return model.attrs[name] if windows is None else getattr(windows, name)
