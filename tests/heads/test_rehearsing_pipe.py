"""Rehearsal: what is compared, where gradients go, and that it keeps what was there."""

import copy
from itertools import permutations

import numpy as np
import pytest
from spacy.training import Example
from thinc.api import Adam, fix_random_seed
from tiny_pipelines import (
    ENCODER,
    as_blank,
    fast_optimizer,
    make_examples,
    make_nlp,
    train,
)

from spacy_pretrained.heads.resizing import FAR_BELOW

TAGGER, PARSER, NER, TEXTCAT = (
    "pretrained_tagger",
    "biaffine_parser",
    "pretrained_ner",
    "pretrained_textcat",
)
HEADS = (TAGGER, PARSER, NER, TEXTCAT)


@pytest.fixture(scope="module")
def trained(tiny_bert) -> bytes:
    fix_random_seed(0)
    textcat = (TEXTCAT, {"multi_label": True})
    nlp = make_nlp(tiny_bert, TAGGER, (PARSER, {"model": {"dropout": 0.0}}), NER, textcat)
    train(nlp, make_examples(nlp), 30)
    return nlp.config, nlp.to_bytes()


@pytest.fixture
def nlp(trained):
    import spacy

    config, data = copy.deepcopy(trained)
    config["components"][ENCODER]["model"] |= {"dropout": 0.0, "learn_rate_factor": 1.0}
    nlp = spacy.util.load_model_from_config(config, auto_fill=True).from_bytes(data)
    nlp.resume_training(sgd=fast_optimizer())
    return nlp


def texts_of(nlp) -> list[Example]:
    """Examples without any annotation."""
    return [Example(d, as_blank(d)) for d in (e.predicted for e in make_examples(nlp))]


def gradients(nlp, name) -> list[np.ndarray]:
    nodes = nlp.get_pipe(name).model.walk()
    return [n.get_grad(p) for n in nodes for p in n.param_names if n.has_grad(p)]


def backbone_gradient(nlp) -> float:
    nlp.get_pipe(ENCODER)._finish_pending()
    shim = nlp.get_pipe(ENCODER).model.get_ref("backbone").shims[0]
    grads = [p.grad.to_dense() for p in shim.module.parameters() if p.grad is not None]
    return sum(float((g**2).sum()) for g in grads)


def forget(nlp) -> None:
    """Disturb the weights of all heads."""
    for name in HEADS:
        rng = np.random.default_rng(0)
        for node in nlp.get_pipe(name).model.walk():
            for param in node.param_names:
                weights = node.get_param(param)
                noise = rng.normal(scale=0.5 * weights.std() + 0.1, size=weights.shape)
                weights += noise.astype(weights.dtype)


def distances(nlp) -> dict[str, float]:
    """How far each component is from what it was; nothing is learnt of it."""
    losses = nlp.rehearse(texts_of(nlp), losses={})
    nlp.get_pipe(ENCODER)._pending = None
    for name in HEADS:
        for gradient in gradients(nlp, name):
            gradient[:] = 0
    return {name: losses[name] for name in HEADS}


@pytest.mark.slow
def test_nothing_is_far_from_itself(nlp):
    losses = nlp.rehearse(texts_of(nlp), losses={})
    for name in HEADS:
        assert losses[name] == pytest.approx(0, abs=1e-4)
        found = gradients(nlp, name)
        assert found and all(np.abs(g).max() < 1e-4 for g in found)
    assert backbone_gradient(nlp) < 1e-8


def test_gradients_reach_every_component_and_the_encoder(nlp):
    forget(nlp)
    losses = nlp.rehearse(texts_of(nlp), losses={})
    for name in HEADS:
        assert losses[name] > 1e-3
        assert max(np.abs(g).max() for g in gradients(nlp, name)) > 1e-4
    assert backbone_gradient(nlp) > 1e-8


def test_it_draws_predictions_back(nlp):
    forget(nlp)
    before = distances(nlp)
    optimizer = Adam(0.003, L2=0.0, use_averages=False)
    nothing = texts_of(nlp)
    for _ in range(10):
        nlp.rehearse(texts_of(nlp), sgd=optimizer)
        nlp.update(nothing, sgd=optimizer)  # the step; nothing is annotated
    after = distances(nlp)
    for name in HEADS:
        assert after[name] < 0.5 * before[name], name


def test_the_order_of_components_does_not_matter(nlp):
    """spaCy calls them in a random one."""
    forget(nlp)
    expected = None
    for order in list(permutations([ENCODER, *HEADS]))[::11]:
        losses: dict = {}
        examples = texts_of(nlp)
        for name in order:
            nlp.get_pipe(name).rehearse(examples, losses=losses)
        found = backbone_gradient(nlp)
        shim = nlp.get_pipe(ENCODER).model.get_ref("backbone").shims[0]
        shim.module.zero_grad()
        expected = expected or found
        assert found == pytest.approx(expected, rel=1e-3)


def test_a_second_rehearsal_adds_to_the_first(nlp):
    forget(nlp)
    examples = texts_of(nlp)
    nlp.rehearse(examples)
    once = [g.copy() for g in gradients(nlp, TAGGER)]
    nlp.rehearse(examples)
    for one, both in zip(once, gradients(nlp, TAGGER)):
        np.testing.assert_allclose(both, 2 * one, atol=1e-4)


def test_an_excluded_component_does_not_rehearse(nlp):
    forget(nlp)
    losses = nlp.rehearse(texts_of(nlp), losses={}, exclude=[PARSER, NER])
    assert losses[TAGGER] > 0 and not losses.keys() & {PARSER, NER}


def test_an_excluded_encoder_stays_as_it_is(nlp):
    forget(nlp)
    examples = texts_of(nlp)
    losses = nlp.rehearse(examples, losses={}, exclude=[ENCODER])
    assert all(losses[name] > 0 for name in HEADS)
    assert max(np.abs(g).max() for g in gradients(nlp, TAGGER)) > 1e-4
    assert backbone_gradient(nlp) == 0
    nlp.rehearse(examples)  # and takes part again
    assert backbone_gradient(nlp) > 1e-8


def test_docs_are_as_they_were(nlp):
    examples = texts_of(nlp)
    nlp.rehearse(examples)
    for example in examples:
        assert not example.predicted.tensor.size
        assert not any(token.tag or token.dep for token in example.predicted)


def test_rehearsal_before_resume_training_is_nothing(nlp):
    for _, pipe in nlp.components:
        pipe._rehearsal_model = None
    losses = nlp.rehearse(texts_of(nlp), losses={})
    assert all(losses[name] == 0 for name in HEADS)


def test_a_component_with_an_encoder_that_was_left_out(nlp):
    nlp.get_pipe(ENCODER)._rehearsal_model = None
    with pytest.raises(ValueError, match=r"resume_training.*while it is enabled"):
        nlp.rehearse(texts_of(nlp))


def test_empty_docs(nlp):
    examples = [Example(nlp.make_doc(text), nlp.make_doc(text)) for text in ("", " ", "\n\n")]
    nlp.rehearse(examples)
    nlp.rehearse(examples[:1])


def test_a_model_without_a_listener_rehearses(trained, nlp):
    nlp.replace_listeners(ENCODER, TAGGER, ["model.tok2vec"])
    nlp.resume_training(sgd=fast_optimizer())
    forget(nlp)
    losses = nlp.rehearse(texts_of(nlp), losses={})
    assert losses[TAGGER] > 1e-3
    assert max(np.abs(g).max() for g in gradients(nlp, TAGGER)) > 1e-4


def test_an_encoder_of_spacys_is_refused(tiny_bert):
    import spacy

    nlp = spacy.blank("xx")
    nlp.add_pipe("tok2vec")
    listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": 96, "upstream": "tok2vec"}
    nlp.add_pipe(TAGGER, config={"model": {"tok2vec": listener}})
    nlp.initialize(lambda: make_examples(nlp))
    nlp.resume_training()
    with pytest.raises(ValueError, match=r"'tok2vec', which is no.*exclude="):
        nlp.rehearse(texts_of(nlp))


def test_what_was_a_new_label_stays_free(nlp):
    """The old model calls products outside; of the new label, which it did not know, that says
    nothing."""
    ner = nlp.get_pipe(NER)
    ner.add_label("PRODUCT")
    assert distances(nlp)[NER] == pytest.approx(0, abs=1e-3)
    bias = ner.model.get_ref("output").get_param("b")
    bias[-4:] += FAR_BELOW  # each state of a product as probable as O
    outside = sum(len(example.predicted) for example in make_examples(nlp)) / 2
    assert distances(nlp)[NER] < 0.05 * outside * np.log(5)


@pytest.mark.parametrize(
    "name, labels", [(TAGGER, ["tag=NEW", "pos=X", "tag=NEWER"]), (PARSER, ["new", "newer"])]
)
def test_labels_that_are_added_leave_the_old_ones_as_they_were(nlp, name, labels):
    """Whatever a word was that the new label is for: nothing is said of that label."""
    for label in labels:
        nlp.get_pipe(name).add_label(label)
    assert distances(nlp)[name] == pytest.approx(0, abs=1e-3)
    nlp.update(make_examples(nlp), sgd=nlp.create_optimizer())
    assert distances(nlp)[name] > 1e-3


def test_a_pipeline_is_saved_and_copied_without_its_past(nlp, tmp_path):
    import pickle

    import spacy

    nlp.to_disk(tmp_path)
    assert spacy.load(tmp_path).get_pipe(TAGGER)._rehearsal_model is None
    listener = nlp.get_pipe(TAGGER).model.get_ref("tok2vec")
    assert listener.encoder() is nlp.get_pipe(ENCODER)
    for copied in (copy.deepcopy(listener.encoder), pickle.loads(pickle.dumps(listener.encoder))):
        assert copied() is None
