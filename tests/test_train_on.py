"""A trained pipeline trains on in Python: all else stays exactly as it was, or is rehearsed as
docs/configs.md has it."""

import importlib
import json
from pathlib import Path

import pytest
import spacy
from tiny_pipelines import (
    ENCODER,
    annotations,
    are_equal,
    backbone_weights,
    fast_optimizer,
    make_examples,
    make_nlp,
    train,
)

ROOT = Path(__file__).parent.parent
SAMPLE = ROOT / "training" / "sample" / "model-best"
TAGGER, PARSER, NER = "pretrained_tagger", "biaffine_parser", "pretrained_ner"


def orth_weights(nlp):
    nodes = nlp.get_pipe(ENCODER).model.get_ref("orth").walk()
    return [n.get_param(p).copy() for n in nodes for p in n.param_names]


def annotate(nlp):
    return [annotations(nlp(example.predicted)) for example in make_examples(nlp)]


def read_entities(nlp):
    docs = (nlp(example.predicted) for example in make_examples(nlp))
    return [[(e.start, e.end, e.label_) for e in doc.ents] for doc in docs]


@pytest.mark.parametrize("same_optimizer", [True, False])
def test_a_component_more_leaves_all_else_exactly_as_it_was(tiny_bert, same_optimizer):
    """In the session that trained the others, with the same optimizer even: no listener waits for
    an old batch, no moments of earlier gradients move anything."""
    nlp = make_nlp(tiny_bert, TAGGER, PARSER)
    nlp.initialize(lambda: make_examples(nlp))
    optimizer = fast_optimizer()
    for _ in range(5):
        nlp.update(make_examples(nlp), sgd=optimizer)
    before, backbone, orth = annotate(nlp), backbone_weights(nlp), orth_weights(nlp)

    nlp.add_pipe(NER)
    with nlp.select_pipes(enable=[NER]):
        nlp.initialize(lambda: make_examples(nlp))
    optimizer = optimizer if same_optimizer else fast_optimizer()
    others = [name for name in nlp.pipe_names if name != NER]
    for _ in range(60):
        nlp.update(make_examples(nlp), sgd=optimizer, exclude=others, annotates=[ENCODER])

    gold = [example.reference.ents for example in make_examples(nlp)]
    assert read_entities(nlp) == [[(e.start, e.end, e.label_) for e in ents] for ents in gold]
    assert are_equal(backbone, backbone_weights(nlp))
    assert all((one == other).all() for one, other in zip(orth, orth_weights(nlp)))
    nlp.remove_pipe(NER)
    assert annotate(nlp) == before


def test_an_encoder_that_trains_may_stop_and_go_on(tiny_bert):
    nlp = make_nlp(tiny_bert, TAGGER, NER)
    train(nlp, make_examples(nlp), 6)  # zeros at first, which pass no gradient on
    optimizer, weights = fast_optimizer(), backbone_weights(nlp)
    only = {"exclude": [ENCODER, TAGGER], "annotates": [ENCODER]}
    nlp.update(make_examples(nlp), sgd=optimizer, **only)
    assert are_equal(weights, backbone_weights(nlp))
    nlp.update(make_examples(nlp), sgd=optimizer, annotates=[ENCODER])
    assert not are_equal(weights, backbone_weights(nlp))
    weights = backbone_weights(nlp)
    nlp.update(make_examples(nlp), sgd=optimizer, **only)
    assert are_equal(weights, backbone_weights(nlp))


# The documented rehearsal, on the sample pipeline


@pytest.mark.slow
@pytest.mark.measured
def test_a_new_label_and_what_was_there(monkeypatch):
    """20 sentences, 100 updates of 4; nothing of what was there loses more than a point."""
    if not SAMPLE.is_dir():
        pytest.skip(f"no {SAMPLE.relative_to(ROOT)}: `make demo` makes it")
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    script = importlib.import_module("compare_rehearsal")
    found = script.run(SAMPLE, ROOT / "corpus" / "sample", script.read_code(), "test", seed=0)
    print(found)
    assert all(found[name] >= -1.0 for name in script.SCORES)
    assert found["new label"] >= 80


def test_the_rehearsal_is_the_one_that_was_chosen(monkeypatch):
    """On the development set; the page has a setting that can be changed."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    script = importlib.import_module("compare_rehearsal")
    code = script.read_code()
    changed = script.change(code, 0.25, 7)
    assert script.read_setting(changed) == ("0.25", "7") != script.read_setting(code)
    report = json.loads((ROOT / "metrics" / "rehearsal.json").read_text("utf8"))
    assert report["best_on_dev"] == report["of_the_page"] == ",".join(script.read_setting(code))


def test_the_sentences_with_a_new_label(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    module, nlp = importlib.import_module("new_label"), spacy.blank("xx")
    known, held_out = (module.read_examples(nlp, text) for text in (module.TRAIN, module.HELD_OUT))
    assert len(known) == 20 and len(held_out) == 10
    assert not {e.reference.text for e in known} & {e.reference.text for e in held_out}
