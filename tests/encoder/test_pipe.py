"""pipes/encoder.py: no gradient is lost, whichever component listens; and the component behaves in
a pipeline as spaCy's own do, before and after it was saved."""

import logging
import pickle
import shutil
import socket

import numpy as np
import pytest
import spacy
from families import FAMILIES
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.training.loop import train_while_improving
from spacy.util import fix_random_seed
from spacy.vocab import Vocab
from thinc.api import Config
from tiny_pipelines import (
    CNN,
    CNN_WIDTH,
    ENCODER,
    LISTENER,
    annotations,
    are_equal,
    as_blank,
    as_example,
    backbone_weights,
    fast_optimizer,
    make_examples,
    make_nlp,
    make_reference,
    train,
)

from spacy_pretrained.encoder.token_encoder import get_shim, plan_batches

TAGGER, PARSER = "pretrained_tagger", "biaffine_parser"
ON_LISTENER = {"@architectures": "spacy.Tagger.v2", "tok2vec": LISTENER}
TRANSITIONS = {
    "@architectures": "spacy.TransitionBasedParser.v2",
    "extra_state_tokens": False,
    "hidden_width": 16,
    "maxout_pieces": 2,
    "use_upper": True,
    "tok2vec": LISTENER,
}
STOCK = {
    "tagger": {"model": ON_LISTENER},
    "morphologizer": {"model": ON_LISTENER},
    "ner": {"model": TRANSITIONS | {"state_type": "ner"}},
    "parser": {"model": TRANSITIONS | {"state_type": "parser"}, "min_action_freq": 1},
    "textcat": {
        "model": {
            "@architectures": "spacy.TextCatEnsemble.v2",
            "tok2vec": LISTENER,
            "linear_model": {
                "@architectures": "spacy.TextCatBOW.v3",
                "exclusive_classes": True,
                "length": 1024,
                "ngram_size": 1,
                "no_output_layer": False,
            },
        }
    },
    "spancat": {
        "model": {
            "@architectures": "spacy.SpanCategorizer.v1",
            "reducer": {"@layers": "spacy.mean_max_reducer.v1", "hidden_size": 16},
            "scorer": {"@layers": "spacy.LinearLogistic.v1", "nO": None, "nI": None},
            "tok2vec": LISTENER,
        },
        "suggester": {"@misc": "spacy.ngram_suggester.v1", "sizes": [1, 2]},
        "threshold": 0.0,
    },
    "trainable_lemmatizer": {"model": ON_LISTENER, "min_tree_freq": 1},
}
stock = pytest.mark.parametrize("factory", STOCK)
silent = pytest.mark.parametrize("factory", ["ner", "parser"])


@pytest.fixture(autouse=True)
def seed():
    fix_random_seed(0)


def warmed_up(nlp):
    """Two steps: output layers are zero at first, and pass no gradient on."""
    train(nlp, make_examples(nlp), 2)
    return nlp


def without_gold(nlp) -> list:
    """Examples from which stock ner and parser have nothing to learn."""
    references = [make_reference(nlp.vocab, numbers, parsed=False) for numbers in ([0, 1], [3])]
    for reference in references:
        reference.set_ents([], default="missing")
    return [as_example(reference) for reference in references]


def copy_of(nlp, without: str | None = None):
    """A copy of a pipeline with all its weights, perhaps without one component."""
    copy = spacy.util.load_model_from_config(nlp.config, auto_fill=True)
    copy.from_bytes(nlp.to_bytes())
    if without:
        copy.remove_pipe(without)
    return copy


@pytest.fixture
def gradients(monkeypatch):
    """Gradients of the backbone, at each step of its optimizer; the steps are not taken."""
    from spacy_pretrained.backends.torch_backend import TorchShim

    steps = []

    def record(shim, optimizer):
        grads = {n: p.grad for n, p in shim.module.named_parameters() if p.grad is not None}
        if grads:
            steps.append({name: grad.to_dense().numpy().copy() for name, grad in grads.items()})
        shim.module.zero_grad(set_to_none=True)

    monkeypatch.setattr(TorchShim, "finish_update", record)
    return steps


def assert_same_gradient(one: dict, other: dict):
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_allclose(one[name], other[name], rtol=1e-3, atol=1e-4, err_msg=name)


# Gradients of whichever listeners answer


@stock
def test_all_that_answer_train_the_encoder_in_the_same_update(tiny_bert, factory):
    nlp = warmed_up(make_nlp(tiny_bert, TAGGER, (factory, STOCK[factory])))
    before = backbone_weights(nlp)
    losses = nlp.update(make_examples(nlp), sgd=fast_optimizer())
    assert not are_equal(before, backbone_weights(nlp))
    assert losses[ENCODER] > 0


@silent
def test_what_the_others_answer_is_applied_with_the_next_update(tiny_bert, factory):
    nlp = warmed_up(make_nlp(tiny_bert, TAGGER, (factory, STOCK[factory])))
    before = backbone_weights(nlp)
    nlp.update(without_gold(nlp), sgd=fast_optimizer())
    assert are_equal(before, backbone_weights(nlp))  # who knows who is still to answer?
    encoder = nlp.get_pipe(ENCODER)
    encoder.update(without_gold(nlp))
    assert not are_equal(before, backbone_weights(nlp))


@silent
@pytest.mark.parametrize("order", ["last", "first"])
def test_the_gradient_is_that_of_the_components_that_answer(tiny_bert, gradients, factory, order):
    pipes = [TAGGER, (factory, STOCK[factory])]
    nlp = make_nlp(tiny_bert, *(pipes if order == "last" else pipes[::-1]), dropout=0.0)
    warmed_up(nlp)
    alone = copy_of(nlp, without=factory)
    gradients.clear()
    nlp.update(without_gold(nlp), sgd=fast_optimizer())
    nlp.get_pipe(ENCODER).update(without_gold(nlp))
    alone.update(without_gold(alone), sgd=fast_optimizer())
    silent_one, alone_one = gradients
    assert_same_gradient(silent_one, alone_one)
    assert max(np.abs(grad).max() for grad in alone_one.values()) > 1e-3


def test_the_gradients_of_several_components_add_up(tiny_bert, gradients):
    parser = (PARSER, {"model": {"dropout": 0.0}})
    nlp = warmed_up(make_nlp(tiny_bert, TAGGER, parser, dropout=0.0))
    only_tagger, only_parser = copy_of(nlp, without=PARSER), copy_of(nlp, without=TAGGER)
    gradients.clear()
    for pipeline in (nlp, only_tagger, only_parser):
        pipeline.update(make_examples(pipeline), sgd=fast_optimizer())
    both, one, other = gradients
    assert_same_gradient(both, {name: one[name] + other[name] for name in one})


@silent
@pytest.mark.parametrize("accumulate", [1, 2])
def test_spacy_train_steps_with_all_gradients(tiny_bert, gradients, factory, accumulate):
    """Its loop updates without an optimizer and then steps all pipes; the batch may come in parts,
    of which some have gold for a component and others not."""
    nlp = make_nlp(tiny_bert, TAGGER, (factory, STOCK[factory]), dropout=0.0)
    warmed_up(nlp)
    alone = copy_of(nlp, without=factory)
    gradients.clear()
    for pipeline in (nlp, alone):
        loop = train_while_improving(
            pipeline,
            fast_optimizer(),
            [(0, without_gold(pipeline))],
            lambda: (1.0, {}),
            dropout=0.0,
            eval_frequency=1,
            accumulate_gradient=accumulate,
            patience=0,
            max_steps=1,
            exclude=[],
            annotating_components=[],
            before_update=None,
        )
        assert len(list(loop)) == 1
    assert len(gradients) == 2  # one step each, though the silent component never answered
    assert_same_gradient(*gradients)


def test_accumulated_gradients_are_those_of_the_whole_batch(tiny_bert, gradients):
    nlp = warmed_up(make_nlp(tiny_bert, TAGGER, dropout=0.0))
    copy = copy_of(nlp)
    gradients.clear()
    nlp.update(make_examples(nlp), sgd=fast_optimizer())
    for example in make_examples(copy):
        copy.update([example], sgd=False)
    copy.get_pipe(ENCODER).finish_update(fast_optimizer())
    assert_same_gradient(*gradients)


# Loss weights


def weighted(loss_weight: float) -> dict:
    return {"model": {"tok2vec": LISTENER | {"loss_weight": loss_weight}}}


def learner(factory: str, loss_weight: float) -> tuple[str, dict]:
    """One of our components, or a stock one, with a weight and without dropout."""
    if factory not in STOCK:
        config = weighted(loss_weight)
        if factory == PARSER:
            config["model"]["dropout"] = 0.0
        return factory, config
    model = STOCK[factory]["model"]
    listener = model["tok2vec"] | {"loss_weight": loss_weight}
    return factory, STOCK[factory] | {"model": model | {"tok2vec": listener}}


@pytest.mark.slow
@pytest.mark.parametrize("factory", [PARSER, "ner"])
@pytest.mark.parametrize("weights", [(0.25, 2.0), (0.0, 1.5)])
def test_the_encoders_gradient_is_the_weighted_sum(tiny_bert, gradients, factory, weights):
    def gradient_with(*pair: float) -> tuple[dict, dict]:
        pipes = [learner(TAGGER, pair[0]), learner(factory, pair[1])]
        nlp = make_nlp(tiny_bert, *pipes, dropout=0.0)
        nlp.initialize(lambda: make_examples(nlp))
        nlp.from_bytes(start)
        gradients.clear()
        fix_random_seed(0)  # ner cuts long sequences anywhere
        return nlp.update(make_examples(nlp), sgd=fast_optimizer()), (gradients or [{}])[0]

    pipes = [learner(TAGGER, 1.0), learner(factory, 1.0)]
    start = warmed_up(make_nlp(tiny_bert, *pipes, dropout=0.0)).to_bytes()
    _, tagger = gradient_with(1.0, 0.0)
    _, other = gradient_with(0.0, 1.0)
    losses, both = gradient_with(*weights)
    expected = {name: weights[0] * tagger[name] + weights[1] * other[name] for name in both}
    assert_same_gradient(both, expected)
    assert tagger.keys() == other.keys() == both.keys()
    assert max(np.abs(grad).max() for grad in other.values()) > 1e-4
    assert losses[TAGGER] > 0 and losses[factory] > 0


@pytest.mark.parametrize("factory", [TAGGER, "morphologizer"])
def test_with_weight_0_a_component_learns_and_the_encoder_does_not(tiny_bert, factory):
    nlp = make_nlp(tiny_bert, learner(factory, 0.0))
    nlp.initialize(lambda: make_examples(nlp))
    before = backbone_weights(nlp)
    orth = nlp.get_pipe(ENCODER).model.get_ref("orth").to_bytes()
    optimizer = fast_optimizer()
    optimizer.L2 = 1e-3  # weights that had a gradient of zero would decay
    losses = [nlp.update(make_examples(nlp), sgd=optimizer) for _ in range(20)]
    assert losses[-1][factory] < 0.8 * losses[0][factory]
    assert losses[-1][ENCODER] == 0
    assert are_equal(before, backbone_weights(nlp))
    assert nlp.get_pipe(ENCODER).model.get_ref("orth").to_bytes() == orth


@pytest.mark.slow
def test_a_loss_weight_is_one_of_the_config(tiny_bert, tmp_path):
    """And of nothing else: in a config that was edited, it is what it says there."""
    nlp = warmed_up(make_nlp(tiny_bert, learner(TAGGER, 0.5), learner("ner", 2.0)))
    nlp.to_disk(tmp_path)
    for loaded in (spacy.load(tmp_path), copy_of(nlp), pickle.loads(pickle.dumps(copy_of(nlp)))):
        weights = [listener.loss_weight for listener in loaded.get_pipe(ENCODER).listeners]
        assert weights == [0.5, 2.0]
    edited = spacy.load(tmp_path, config={f"components.{TAGGER}.model.tok2vec.loss_weight": 0.125})
    assert [one.loss_weight for one in edited.get_pipe(ENCODER).listeners] == [0.125, 2.0]


# A frozen encoder's cache


def frozen_nlp(source: str, **initialize) -> spacy.Language:
    nlp = make_nlp(source, TAGGER, frozen=True)
    nlp.config["initialize"]["components"][ENCODER] |= initialize
    return nlp


@pytest.fixture
def encoded(monkeypatch) -> list:
    """The batches of windows that a backbone has seen."""
    from spacy_pretrained.backends.torch_backend import TorchShim

    seen, predict = [], TorchShim.predict

    def record(shim, batches):
        batches = list(batches)
        seen.extend(batches)
        return predict(shim, batches)

    monkeypatch.setattr(TorchShim, "predict", record)
    return seen


@pytest.mark.parametrize("in_folder", [False, True])
def test_training_with_a_cache_is_training_without(tiny_bert, encoded, tmp_path, in_folder):
    losses, scores, counts = [], [], []
    for settings in ({"cache_bytes": 0}, {"cache_folder": str(tmp_path)} if in_folder else {}):
        fix_random_seed(0)
        nlp = frozen_nlp(tiny_bert, **settings)
        encoded.clear()
        losses.append(train(nlp, make_examples(nlp), 10, drop=0.2))
        scores.append([nlp.evaluate(make_examples(nlp)) for _ in range(3)][-1])
        counts.append(len(encoded))
    for one, two in zip(*losses):
        assert one == pytest.approx(two, rel=1e-4)
    assert scores[0]["tag_acc"] == scores[1]["tag_acc"]
    assert counts[0] == 13 * counts[1] > 0  # the evaluations asked for the same Docs


def test_a_cache_is_not_saved(tiny_bert, encoded, tmp_path):
    nlp = frozen_nlp(tiny_bert)
    nlp.initialize(lambda: make_examples(nlp))
    expected = nlp("Ada sees the river.").tensor
    nlp.to_disk(tmp_path / "one")
    encoder = nlp.get_pipe(ENCODER)
    content = encoder.to_bytes()
    encoder.cache_vectors(0)
    assert encoder.to_bytes() == content
    nlp.to_disk(tmp_path / "two")
    for loaded in (spacy.load(tmp_path / "one"), spacy.load(tmp_path / "two"), copy_of(nlp)):
        encoded.clear()
        for _ in range(2):
            np.testing.assert_allclose(loaded("Ada sees the river.").tensor, expected, atol=1e-5)
        assert len(encoded) == 2


def test_a_pipeline_that_goes_on_training_may_have_a_cache(tiny_bert, encoded, tmp_path):
    nlp = frozen_nlp(tiny_bert)
    train(nlp, make_examples(nlp), 1)
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    optimizer = loaded.resume_training()
    loaded.get_pipe(ENCODER).cache_vectors()
    encoded.clear()
    counts = []
    for _ in range(3):
        loaded.update(make_examples(loaded), sgd=optimizer)
        counts.append(len(encoded))
    assert counts[0] == counts[2] > 0


def test_a_full_cache_says_whose_it_is(tiny_bert, caplog):
    nlp = spacy.blank("xx")
    nlp.add_pipe(ENCODER, name="bert", config={"model": {"frozen": True}})
    nlp.config["initialize"]["components"]["bert"] = {"source": tiny_bert, "cache_bytes": 1}
    nlp.initialize(lambda: make_examples(nlp))
    caplog.clear()
    nlp("Ada sees")
    assert "of 'bert' is full" in caplog.text
    assert "cache_bytes in [initialize.components.bert]" in caplog.text


def test_vectors_of_an_encoder_that_trains_are_not_kept(tiny_bert, tmp_path):
    nlp = make_nlp(tiny_bert, TAGGER)
    nlp.config["initialize"]["components"][ENCODER]["cache_folder"] = str(tmp_path)
    with pytest.raises(ValueError, match=r"it trains.*frozen = true"):
        nlp.initialize(lambda: make_examples(nlp))
    with pytest.raises(ValueError, match=r"cache_bytes .* is -1"):
        frozen_nlp(tiny_bert, cache_bytes=-1).initialize(lambda: make_examples(nlp))


def test_processes_share_what_was_cached_before(tiny_bert):
    nlp = frozen_nlp(tiny_bert)
    train(nlp, make_examples(nlp), 2)
    texts = ["Ada sees the old river.", "Robots never sleep!"] * 4
    expected = [annotations(doc) for doc in nlp.pipe(texts)]
    found = nlp.pipe([*texts, "Something new."], n_process=2, batch_size=2)
    assert [annotations(doc) for doc in found][:-1] == expected


@pytest.mark.parametrize("trains", [False, True])
def test_docs_of_a_bare_vocab_are_said_once(tiny_bert, caplog, trains):
    """Such a Vocab has no shapes, which the encoder reads. That of another pipeline has."""
    nlp = make_nlp(tiny_bert, TAGGER)
    examples = make_examples(nlp)
    sgd = nlp.initialize(lambda: examples)
    sgd.learn_rate = 0.001

    def use(vocab):
        references = [example.reference for example in examples]
        docs = [Doc(vocab, words=[token.text for token in doc]) for doc in references]
        if trains:
            nlp.update([Example(*pair) for pair in zip(docs, references)], sgd=sgd)
        else:
            list(nlp.get_pipe(ENCODER).pipe(docs))

    with caplog.at_level(logging.WARNING, logger="spacy"):
        for vocab in (nlp.vocab, spacy.blank("de").vocab, pickle.loads(pickle.dumps(nlp.vocab))):
            use(vocab)
        assert not caplog.messages
        use(Vocab())
        use(Vocab())
    (message,) = caplog.messages
    assert f"'{ENCODER}'" in message and "nlp.vocab" in message


def test_a_batch_without_tokens_is_harmless(tiny_bert):
    nlp = warmed_up(make_nlp(tiny_bert, TAGGER, PARSER))
    before = backbone_weights(nlp)
    empty = [as_example(Doc(nlp.vocab)), as_example(Doc(nlp.vocab))]
    losses = nlp.update(empty, sgd=fast_optimizer())
    assert losses[TAGGER] == losses[PARSER] == 0
    nlp.update(empty[:1] + make_examples(nlp), sgd=fast_optimizer())
    assert not are_equal(before, backbone_weights(nlp))


# Stock components on our encoder, ours on a stock one


@pytest.mark.slow
@stock
def test_stock_components_overfit_and_are_saved(tiny_bert, tmp_path, factory):
    nlp = make_nlp(tiny_bert, (factory, STOCK[factory]))
    losses = train(nlp, make_examples(nlp), 80)
    assert losses[-1][factory] < 0.6 * losses[0][factory]
    docs = [make_reference(nlp.vocab, [0, 3]), make_reference(nlp.vocab, [2])]
    expected = [annotations(nlp(as_blank(doc))) for doc in docs]
    assert expected[0] != annotations(as_blank(docs[0]))
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    again = [annotations(doc) for doc in loaded.pipe(as_blank(doc) for doc in docs)]
    assert again == expected


@pytest.mark.parametrize("upstream", ["*", "tok2vec"])
def test_our_heads_train_on_a_stock_encoder(tmp_path, upstream):
    nlp = spacy.blank("xx")
    nlp.add_pipe("tok2vec", config={"model": CNN})
    listener = {
        "@architectures": "spacy.Tok2VecListener.v1",
        "width": CNN_WIDTH,
        "upstream": upstream,
    }
    for factory in (TAGGER, PARSER):
        nlp.add_pipe(factory, config={"model": {"tok2vec": listener}})
    examples = make_examples(nlp)
    losses = train(nlp, examples, 40)
    assert losses[-1][TAGGER] < 0.1 * losses[0][TAGGER]
    assert losses[-1][PARSER] < 0.3 * losses[0][PARSER]
    nlp.to_disk(tmp_path)
    doc = make_reference(nlp.vocab, [0, 1])
    expected = annotations(nlp(as_blank(doc)))
    assert annotations(spacy.load(tmp_path)(as_blank(doc))) == expected


def test_a_component_may_own_its_encoder():
    """A tok2vec in place of the listener: no encoder in the pipeline at all."""
    nlp = spacy.blank("xx")
    nlp.add_pipe(PARSER, config={"model": {"tok2vec": CNN}})
    losses = train(nlp, make_examples(nlp), 10)
    assert losses[-1][PARSER] < losses[0][PARSER]


# Putting a pipeline together


def test_a_second_encoder_is_refused(tiny_bert):
    nlp = make_nlp(tiny_bert, TAGGER)
    with pytest.raises(ValueError, match=r"already, 'pretrained_encoder'.*'other'"):
        nlp.add_pipe(ENCODER, name="other")
    other = make_nlp(tiny_bert)
    with pytest.raises(ValueError, match=r"already, 'pretrained_encoder'.*'sourced'"):
        nlp.add_pipe(ENCODER, name="sourced", source=other)
    config = Config().from_str(nlp.config.to_str())
    config["components"]["other"] = dict(config["components"][ENCODER])
    config["nlp"]["pipeline"] = [ENCODER, "other", TAGGER]
    with pytest.raises(ValueError, match=r"already, 'pretrained_encoder'.*'other'"):
        spacy.util.load_model_from_config(config)


@pytest.mark.parametrize("factory", [TAGGER, PARSER, "tagger", "ner"])
def test_a_listener_needs_an_encoder_before_it(tiny_bert, factory):
    nlp = spacy.blank("xx")
    nlp.add_pipe(factory, config=STOCK.get(factory, {}))
    with pytest.raises(ValueError, match="no component of that name stands before it"):
        nlp.initialize(lambda: make_examples(nlp))
    nlp.add_pipe(ENCODER)  # behind it
    nlp.config["initialize"]["components"][ENCODER] = {"source": tiny_bert}
    with pytest.raises(ValueError, match="no component of that name stands before it"):
        nlp.initialize(lambda: make_examples(nlp))


def test_a_listener_to_everything_is_refused():
    with pytest.raises(ValueError, match='upstream = "\\*"'):
        spacy.blank("xx").add_pipe(
            TAGGER, config={"model": {"tok2vec": LISTENER | {"upstream": "*"}}}
        )


def test_a_renamed_encoder(tiny_bert):
    nlp = spacy.blank("xx")
    nlp.add_pipe(ENCODER, name="bert")
    nlp.add_pipe(TAGGER, config={"model": {"tok2vec": LISTENER | {"upstream": "bert"}}})
    nlp.config["initialize"]["components"]["bert"] = {"source": tiny_bert}
    losses = train(nlp, make_examples(nlp), 2)
    assert losses[-1]["bert"] > 0
    assert nlp("Ada sees")[0].tag_
    nlp = spacy.blank("xx")
    nlp.add_pipe(ENCODER, name="bert")
    nlp.add_pipe(TAGGER)
    nlp.config["initialize"]["components"]["bert"] = {"source": tiny_bert}
    with pytest.raises(ValueError, match="listens to the encoder 'pretrained_encoder'"):
        nlp.initialize(lambda: make_examples(nlp))


def test_the_encoder_tells_its_width(tiny_bert):
    nlp = make_nlp(tiny_bert, TAGGER, ("ner", STOCK["ner"]), orth_width=6)
    listeners = [nlp.get_pipe(name).model.get_ref("tok2vec") for name in (TAGGER, "ner")]
    nlp.initialize(lambda: make_examples(nlp))
    assert nlp("Ada sees").tensor.shape == (2, 32 + 6)
    assert nlp.get_pipe(TAGGER).model.get_ref("tok2vec").get_dim("nO") == 38
    assert all(listener.get_dim("nO") == 38 for listener in nlp.get_pipe(ENCODER).listeners)
    assert len(listeners) == 2
    # The same pipes anew, on another width.
    nlp = make_nlp(tiny_bert, TAGGER, orth_width=0)
    nlp.initialize(lambda: make_examples(nlp))
    assert nlp("Ada").tensor.shape == (1, 32)


def test_a_component_of_another_width_is_refused(tiny_bert):
    narrow, wide = make_nlp(tiny_bert, TAGGER, orth_width=4), make_nlp(tiny_bert, orth_width=6)
    for nlp in (narrow, wide):
        nlp.initialize(lambda nlp=nlp: make_examples(nlp))
    with pytest.raises(ValueError, match=r"vectors of width 36.*gives 38"):
        wide.add_pipe(TAGGER, source=narrow)


def test_the_encoder_has_a_model_of_ours():
    with pytest.raises(ValueError, match=r"needs a model from spacy-pretrained.TorchEncoder.v1"):
        spacy.blank("xx").add_pipe(ENCODER, config={"model": CNN})


def test_unknown_source(tiny_bert):
    nlp = make_nlp("minilm-l7", TAGGER)
    with pytest.raises(ValueError, match=r"Unknown source.*minilm-l6"):
        nlp.initialize(lambda: make_examples(nlp))


# Working with a trained pipeline


def test_a_pipe_is_added_without_a_reset(tiny_bert):
    nlp = warmed_up(make_nlp(tiny_bert, TAGGER))
    weights, tagger = backbone_weights(nlp), nlp.get_pipe(TAGGER).to_bytes(exclude=["vocab"])
    nlp.add_pipe(PARSER)
    with nlp.select_pipes(enable=[PARSER]):
        nlp.initialize(lambda: make_examples(nlp))
    assert are_equal(weights, backbone_weights(nlp))
    assert nlp.get_pipe(TAGGER).to_bytes(exclude=["vocab"]) == tagger
    frozen = {"exclude": [ENCODER, TAGGER], "annotates": [ENCODER]}
    optimizer = fast_optimizer()
    losses = [nlp.update(make_examples(nlp), sgd=optimizer, **frozen) for _ in range(20)]
    assert losses[-1][PARSER] < 0.5 * losses[0][PARSER]
    assert are_equal(weights, backbone_weights(nlp))
    doc = nlp("Ada sees the river.")
    assert doc[0].tag_ and doc[0].dep_


def test_a_pipe_is_sourced_from_another_pipeline(tiny_bert):
    """With the encoder that it listens to, and then anew beside another component."""
    nlp = warmed_up(make_nlp(tiny_bert, TAGGER))
    expected = annotations(nlp("Ada sees the river."))
    copy = spacy.blank("xx")
    copy.add_pipe(ENCODER, source=nlp)
    copy.add_pipe(TAGGER, source=nlp)
    assert annotations(copy("Ada sees the river.")) == expected
    copy.add_pipe(PARSER)
    with copy.select_pipes(enable=[PARSER]):
        copy.initialize(lambda: make_examples(copy))
    losses = copy.update(make_examples(copy), sgd=fast_optimizer())
    assert losses[ENCODER] > 0
    assert copy("Ada sees")[0].dep_


def test_a_config_may_source_both(tiny_bert, tmp_path):
    nlp = warmed_up(make_nlp(tiny_bert, TAGGER))
    nlp.to_disk(tmp_path)
    expected = annotations(nlp("Ada sees the river."))
    pipes = [ENCODER, TAGGER]
    config = {
        "nlp": {"lang": "xx", "pipeline": pipes},
        "components": {name: {"source": str(tmp_path)} for name in pipes},
    }
    sourced = spacy.util.load_model_from_config(Config(config), auto_fill=True)
    assert annotations(sourced("Ada sees the river.")) == expected


def test_listeners_are_replaced(tiny_bert, tmp_path):
    nlp = warmed_up(make_nlp(tiny_bert, TAGGER, PARSER))
    expected = annotations(nlp("Ada sees the old river."))
    nlp.replace_listeners(ENCODER, TAGGER, ["model.tok2vec"])
    assert nlp.get_pipe(ENCODER).listening_components == [PARSER]
    assert annotations(nlp("Ada sees the old river.")) == expected
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    assert annotations(loaded("Ada sees the old river.")) == expected
    own = {ENCODER: backbone_weights(nlp), TAGGER: tagger_weights(nlp)}
    nlp.update(make_examples(nlp), sgd=fast_optimizer())
    assert not are_equal(own[ENCODER], backbone_weights(nlp))
    assert not are_equal(own[TAGGER], tagger_weights(nlp))


@pytest.mark.parametrize("setting, value", [("window", 8), ("stride", 5), ("max_pieces", 30)])
def test_windows_are_those_of_the_config_where_a_component_has_its_own_encoder(
    tiny_bert, tmp_path, setting, value
):
    """As where it listens to one, of which nothing is saved but weights."""
    nlp = warmed_up(make_nlp(tiny_bert, TAGGER, window=10))
    nlp.replace_listeners(ENCODER, TAGGER, ["model.tok2vec"])
    nlp.to_disk(tmp_path)
    config = Config().from_disk(tmp_path / "config.cfg")
    for block in (config["components"][ENCODER]["model"], own_block(config)):
        block[setting] = value
    config.to_disk(tmp_path / "config.cfg")
    loaded = spacy.load(tmp_path)
    shared, own = loaded.get_pipe(ENCODER), loaded.get_pipe(TAGGER).model.get_ref("tok2vec")
    docs = [loaded.make_doc("A hearing is scheduled on the issue today. Ada sees the river.")] * 3
    changed, before = plan_batches(own, docs), nlp.get_pipe(ENCODER).plan_batches(docs)
    assert shapes(changed) == shapes(shared.plan_batches(docs)) != shapes(before)
    assert own_block(loaded.config)[setting] == value


def own_block(config: Config) -> dict:
    return config["components"][TAGGER]["model"]["tok2vec"]


def shapes(batches) -> list[tuple]:
    return [batch.ids.shape for batch in batches]


def tagger_weights(nlp) -> dict:
    module = get_shim(nlp.get_pipe(TAGGER).model.get_ref("tok2vec")).module
    return {name: tensor.numpy(force=True).copy() for name, tensor in module.state_dict().items()}


def test_frozen_components_that_annotate(tiny_bert, tmp_path):
    """As `spacy train` does it, in a fresh process: a loaded encoder is excluded and annotates."""
    warmed_up(make_nlp(tiny_bert, TAGGER)).to_disk(tmp_path)
    nlp = spacy.load(tmp_path)
    before = backbone_weights(nlp)
    optimizer, examples = fast_optimizer(), make_examples(nlp)
    losses = [
        nlp.update(examples, sgd=optimizer, exclude=[ENCODER], annotates=[ENCODER])
        for _ in range(20)
    ]
    assert losses[-1][TAGGER] < 0.8 * losses[0][TAGGER]
    assert are_equal(before, backbone_weights(nlp))


def test_a_frozen_backbone_goes_on_annotating(tiny_bert):
    nlp = make_nlp(tiny_bert, TAGGER, frozen=True)
    nlp.initialize(lambda: make_examples(nlp))
    before = backbone_weights(nlp)
    orth = nlp.get_pipe(ENCODER).model.get_ref("orth").to_bytes()
    optimizer = fast_optimizer()
    losses = [nlp.update(make_examples(nlp), sgd=optimizer) for _ in range(20)]
    assert losses[-1][TAGGER] < 0.5 * losses[0][TAGGER]
    assert are_equal(before, backbone_weights(nlp))
    assert nlp.get_pipe(ENCODER).model.get_ref("orth").to_bytes() != orth
    assert nlp("Ada sees").tensor.shape == (2, 40)


def test_averages_are_used(tiny_bert):
    nlp = warmed_up(make_nlp(tiny_bert, TAGGER))
    from thinc.api import Adam

    optimizer = Adam(0.01, use_averages=True)
    for _ in range(3):
        nlp.update(make_examples(nlp), sgd=optimizer)
    before, doc = backbone_weights(nlp), nlp("Ada sees the river.")
    with nlp.use_params(optimizer.averages):
        assert not are_equal(before, backbone_weights(nlp))
        assert not np.allclose(nlp("Ada sees the river.").tensor, doc.tensor)
        inside = nlp.to_bytes()
    assert are_equal(before, backbone_weights(nlp))
    assert np.array_equal(nlp("Ada sees the river.").tensor, doc.tensor)
    assert inside != nlp.to_bytes()


def test_evaluate(tiny_bert):
    nlp = warmed_up(make_nlp(tiny_bert, TAGGER, PARSER))
    scores = nlp.evaluate(make_examples(nlp))
    for name in ("tag_acc", "pos_acc", "morph_acc", "dep_uas", "dep_las", "sents_f"):
        assert 0 <= scores[name] <= 1
    assert nlp.evaluate(make_examples(nlp), batch_size=1)["dep_uas"] == scores["dep_uas"]


# Saving


@pytest.fixture(scope="module")
def trained(tiny_bert):
    fix_random_seed(0)
    return warmed_up(make_nlp(tiny_bert, TAGGER, PARSER, ("ner", STOCK["ner"])))


TEXTS = ["Ada sees the old river.", "", "Robots never sleep! Zürich…", " \n "]


@pytest.fixture(scope="module")
def expected(trained):
    return [annotations(doc) for doc in trained.pipe(TEXTS)]


def test_saved_and_loaded(trained, expected, tmp_path):
    trained.to_disk(tmp_path / "one")
    loaded = spacy.load(tmp_path / "one")
    assert [annotations(doc) for doc in loaded.pipe(TEXTS)] == expected
    for text, doc in zip(TEXTS, trained.pipe(TEXTS)):
        assert np.array_equal(loaded(text).tensor, trained(text).tensor)
        np.testing.assert_allclose(loaded(text).tensor, doc.tensor, atol=1e-5)
    loaded.to_disk(tmp_path / "two")
    one, two = (
        {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}
        for root in (tmp_path / "one", tmp_path / "two")
    )
    files = {name for name in one.keys() | two.keys() if one.get(name) != two.get(name)}
    # But for the mark of each save.
    assert {str(file) for file in files if file.parts[0] == ENCODER} == {
        f"{ENCODER}/checksums.json"
    }
    copy = copy_of(trained)
    assert [annotations(doc) for doc in copy.pipe(TEXTS)] == expected


def test_the_saved_backbone_is_a_hugging_face_folder(trained, tmp_path):
    from transformers import AutoModel

    trained.to_disk(tmp_path)
    folder = tmp_path / ENCODER / "backbone"
    assert {"config.json", "tokenizer.json", "model.safetensors"} <= {
        path.name for path in folder.iterdir()
    }
    module = AutoModel.from_pretrained(folder, local_files_only=True)
    weights = backbone_weights(trained)
    for name, tensor in module.state_dict().items():
        if not name.startswith("pooler"):
            assert np.array_equal(tensor.numpy(), weights[name]), name
    # And a source for the next pipeline.
    nlp = make_nlp(str(folder), TAGGER)
    nlp.initialize(lambda: make_examples(nlp))
    assert are_equal(weights, backbone_weights(nlp))


def test_parts_of_a_pipeline_are_loaded(trained, expected, tmp_path):
    trained.to_disk(tmp_path)
    without_parser = spacy.load(tmp_path, exclude=[PARSER])
    assert PARSER not in without_parser.component_names
    disabled = spacy.load(tmp_path, disable=[TAGGER])
    doc = disabled(TEXTS[0])
    assert not doc[0].tag_ and doc[0].dep_
    assert [t.tag_ for t in without_parser(TEXTS[0])] == [row[0] for row in expected[0]]
    disabled.enable_pipe(TAGGER)
    assert annotations(disabled(TEXTS[0])) == expected[0]
    trained.to_disk(tmp_path / "slim", exclude=[PARSER])
    assert not (tmp_path / "slim" / PARSER).exists()


def test_a_saved_pipeline_asks_nobody(trained, expected, tmp_path, monkeypatch):
    trained.to_disk(tmp_path)
    config = tmp_path / "config.cfg"  # a source that is not there any more
    config.write_text(config.read_text("utf8").replace("/bert", "/gone"), "utf8")
    assert "/gone" in config.read_text("utf8")

    def refuse(*args, **kwargs):
        raise AssertionError("a saved pipeline opened a socket")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    loaded = spacy.load(tmp_path)
    assert [annotations(doc) for doc in loaded.pipe(TEXTS)] == expected


def test_an_incomplete_folder(trained, tmp_path):
    trained.to_disk(tmp_path)
    shutil.rmtree(tmp_path / ENCODER / "backbone")
    with pytest.raises(ValueError, match="incomplete"):
        spacy.load(tmp_path)


def test_processes(trained, expected):
    docs = trained.pipe(TEXTS * 3, n_process=2, batch_size=2)
    assert [annotations(doc) for doc in docs] == expected * 3


def test_pickle(trained, expected, tmp_path):
    """As with stock pipelines: loaded ones can be pickled, not those in the midst of training."""
    trained.to_disk(tmp_path)
    copy = pickle.loads(pickle.dumps(spacy.load(tmp_path)))
    assert [annotations(doc) for doc in copy.pipe(TEXTS)] == expected


@pytest.mark.usefixtures("needs_torch")
def test_a_gradient_that_is_not_finite_leaves_nothing_behind(tiny_bert):
    nlp = make_nlp(tiny_bert, "pretrained_tagger")
    examples, optimizer = make_examples(nlp), fast_optimizer()
    nlp.initialize(lambda: examples)
    encoder = nlp.get_pipe(ENCODER)
    vectors, backprop = encoder.model.begin_update([example.predicted for example in examples])
    backprop([np.full_like(array, np.nan) for array in vectors])
    with pytest.raises(ValueError, match="not finite"):
        encoder.finish_update(optimizer)
    for _ in range(2):
        nlp.update(make_examples(nlp), sgd=optimizer)
    orth = encoder.model.get_ref("orth")
    for layer in orth.walk():
        assert all(np.isfinite(layer.get_param(name)).all() for name in layer.param_names)
    assert all(
        np.isfinite(doc.tensor).all() for doc in nlp.pipe(example.text for example in examples)
    )


def test_a_quantized_encoder_says_that_it_stays(int8_pipeline, trained, caplog):
    nlp = spacy.load(int8_pipeline)
    examples = make_examples(nlp)
    before = get_shim(nlp.get_pipe(ENCODER).model).to_files()
    for _ in range(2):
        nlp.update(examples, sgd=fast_optimizer(), exclude=["spancat", "textcat"])
    (warning,) = [r.getMessage() for r in caplog.records if "OpenVINO" in r.getMessage()]
    assert "'pretrained_encoder'" in warning and "does not train" in warning
    assert get_shim(nlp.get_pipe(ENCODER).model).to_files() == before
    caplog.clear()
    trained.update(make_examples(trained))
    assert not caplog.records


def test_an_encoder_between_a_tok2vec_and_its_listener_says_so(tiny_bert):
    """It would write over the vectors that the stock component reads."""
    nlp = spacy.blank("xx")
    nlp.add_pipe("tok2vec")
    stock = {"@architectures": "spacy.Tok2VecListener.v1", "width": 96, "upstream": "tok2vec"}
    nlp.add_pipe("tagger", config={"model": {"tok2vec": stock}})
    nlp.initialize(lambda: make_examples(nlp))
    nlp("Ada sees rivers")
    with pytest.raises(ValueError, match=r"'tagger' needs the vectors of 'tok2vec'.*before="):
        nlp.add_pipe(ENCODER, after="tok2vec")
    nlp.remove_pipe(ENCODER)
    nlp.add_pipe(ENCODER)
    nlp.add_pipe("pretrained_ner")
    nlp.config["initialize"]["components"][ENCODER] = {"source": tiny_bert}
    with nlp.select_pipes(enable=[ENCODER, "pretrained_ner"]):
        nlp.initialize(lambda: make_examples(nlp))
    assert nlp("Ada sees rivers")[0].tag_


@Language.component("test_plain_function")
def plain_function(doc):
    return doc


def test_components_without_a_name_may_stand_behind_the_encoder(tiny_bert, tmp_path):
    nlp = make_nlp(tiny_bert, "pretrained_tagger")
    nlp.initialize(lambda: make_examples(nlp))
    nlp.add_pipe("test_plain_function", after=ENCODER)
    nlp.add_pipe("merge_entities")
    nlp.add_pipe("doc_cleaner", config={"attrs": {"tensor": None}})
    nlp.to_disk(tmp_path)
    for pipeline in (nlp, spacy.load(tmp_path)):
        doc = pipeline("Ada sees rivers")
        assert doc.tensor is None and doc[0].tag_


def test_texts_that_the_tokenizer_does_not_know_are_an_error(tiny_bert):
    nlp = make_nlp(tiny_bert)
    texts = ["ℵℶℷ ☃☂☄ dog", "☃☂☄ ♔♕♖♗"]
    examples = [Example(nlp.make_doc(text), nlp.make_doc(text)) for text in texts]
    with pytest.raises(ValueError, match=r"does not know .* of the characters.*'ℵℶℷ', '☃☂☄'"):
        nlp.initialize(lambda: examples)


@pytest.mark.parametrize(
    "name, setting", [("DeBERTa", "mixed_precision"), ("ALBERT", "gradient_checkpointing")]
)
def test_a_setting_that_a_model_cannot_do_is_refused_at_initialize(name, setting, tmp_path):
    nlp = make_nlp(str(FAMILIES[name].save(tmp_path / name)), **{setting: True})
    with pytest.raises(ValueError, match=f"Set {setting} = false"):
        nlp.initialize()


def test_a_model_that_cannot_be_converted_says_so_at_initialize(tiny_source, caplog):
    nlp = make_nlp(tiny_source("longformer"))
    nlp.initialize()
    (message,) = [m for m in caplog.messages if "OpenVINO" in m]
    assert "'longformer'" in message and "`quantize` will refuse" in message


# Components that spaCy did not link, because they were disabled


@pytest.mark.parametrize("others", [[], [PARSER]], ids=["alone", "beside another"])
@pytest.mark.parametrize("factory", [TAGGER, "ner"])
def test_a_component_that_was_loaded_disabled_trains_once_it_is_enabled(
    tiny_bert, tmp_path, factory, others
):
    nlp = warmed_up(make_nlp(tiny_bert, (factory, STOCK.get(factory, {})), *others))
    nlp.to_disk(tmp_path)
    whole, loaded = spacy.load(tmp_path), spacy.load(tmp_path, disable=[factory])
    loaded.enable_pipe(factory)
    text = "Ada sees the river."
    assert annotations(loaded(text)) == annotations(whole(text))
    losses = losses_of_two_updates(loaded)
    assert losses == [pytest.approx(loss) for loss in losses_of_two_updates(whole)]
    assert annotations(loaded(text)) == annotations(whole(text))


def losses_of_two_updates(nlp) -> list[dict[str, float]]:
    fix_random_seed(0)
    optimizer = nlp.resume_training()
    return [nlp.update(make_examples(nlp), sgd=optimizer) for _ in range(2)]


def test_a_component_that_was_loaded_disabled_rehearses_once_it_is_enabled(tiny_bert, tmp_path):
    warmed_up(make_nlp(tiny_bert, TAGGER, PARSER)).to_disk(tmp_path)
    nlp = spacy.load(tmp_path, disable=[TAGGER])
    nlp.resume_training()
    nlp.enable_pipe(TAGGER)
    nlp.resume_training()
    losses = nlp.rehearse(make_examples(nlp), sgd=fast_optimizer())
    assert losses.keys() >= {TAGGER, PARSER}


def test_a_component_of_the_pipeline_that_the_encoder_is_from_stays_with_it(tiny_bert):
    nlp = warmed_up(make_nlp(tiny_bert, TAGGER, PARSER))
    copy = spacy.blank("xx")
    copy.add_pipe(ENCODER, source=nlp)
    copy.add_pipe(TAGGER, source=nlp)
    copy.update(make_examples(copy), sgd=fast_optimizer())
    assert copy.get_pipe(ENCODER).listening_components == [TAGGER]
