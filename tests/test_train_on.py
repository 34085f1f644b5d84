"""A trained pipeline trains on in Python: all else stays exactly as it was, or is rehearsed."""

import random
import re
from pathlib import Path

import pytest
import spacy
from new_label import HELD_OUT, LABEL, TRAIN, read_examples
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from thinc.api import fix_random_seed
from tiny_pipelines import (
    ENCODER,
    annotations,
    are_equal,
    as_blank,
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


def read_rehearsal() -> str:
    """The block of docs/configs.md that trains on with rehearsal."""
    text = (ROOT / "docs" / "configs.md").read_text("utf8")
    (code,) = (c for c in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "rehearse" in c)
    return code


def read_corpus(nlp, name: str) -> list[Doc]:
    path = ROOT / "corpus" / "sample" / f"{name}.spacy"
    return list(DocBin().from_disk(path).get_docs(nlp.vocab))


def old_scores(nlp) -> dict[str, float]:
    """UPOS, LAS and F of the entities of the old labels, in percent."""
    references = read_corpus(nlp, "test")
    examples = [Example(as_blank(doc), doc) for doc in references]
    for example in examples:
        example.predicted = nlp(example.predicted)
        example.predicted.ents = [e for e in example.predicted.ents if e.label_ != LABEL]
    scores = {}
    for name in (TAGGER, PARSER, NER):
        scores |= nlp.get_pipe(name).score(examples)
    return {name: 100 * scores[name] for name in ("pos_acc", "dep_las", "ents_f")}


@pytest.mark.slow
@pytest.mark.measured
def test_a_new_label_and_what_was_there():
    """20 sentences, 100 updates of 4."""
    if not SAMPLE.is_dir():
        pytest.skip(f"no {SAMPLE.relative_to(ROOT)}: `make demo` makes it")
    fix_random_seed(0)
    nlp = spacy.load(SAMPLE)
    before = old_scores(nlp)
    examples = read_examples(nlp, TRAIN)
    texts = [sent.text for doc in read_corpus(nlp, "train") for sent in doc.sents]
    held_out = read_examples(nlp, HELD_OUT)
    assert len(examples) == 20 and len(held_out) == 10
    assert not {e.reference.text for e in examples} & {e.reference.text for e in held_out}
    random.seed(0)
    namespace = {"nlp": nlp, "examples": examples, "texts": texts}
    exec(compile(read_rehearsal(), "configs.md", "exec"), namespace)

    after = old_scores(nlp)
    new = nlp.evaluate(held_out)["ents_per_type"][LABEL]["f"]
    print(f"before {before}, after {after}, new label {new}")
    for name, score in before.items():
        assert after[name] >= score - 1.0, name
    assert new >= 0.8
