"""The learning rate's schedule, and what says that nobody steps it."""

import logging
from itertools import islice
from pathlib import Path

import pytest
import spacy
from spacy.util import registry
from thinc.api import Adam, Config, constant, slanted_triangular
from thinc.api import warmup_linear as thinc_warmup_linear
from tiny_pipelines import are_equal, backbone_weights, make_examples, make_nlp

from spacy_pretrained.training.rate_watch import UPDATES, watch_rate
from spacy_pretrained.training.schedules import warmup_linear

ROOT = Path(__file__).parents[2]
TAGGER, NER, TEXTCAT = "pretrained_tagger", "pretrained_ner", "pretrained_textcat"


# The schedule


@pytest.mark.parametrize("warmup, total", [(0, 1), (0, 5), (1, 5), (3, 10), (10, 10), (1, 1)])
def test_rates_are_those_of_the_formula(warmup, total):
    rates = list(islice(warmup_linear(0.01, warmup, total), total + 5))
    for step, rate in enumerate(rates):
        if step < warmup:
            expected = (step + 1) / warmup
        else:
            expected = max(0, total - step) / max(1, total - warmup)
        assert rate == pytest.approx(0.01 * expected, abs=1e-12)
    assert rates[0] > 0 and max(rates) == 0.01
    assert rates[total:] == [0.0] * 5


def test_after_the_warm_up_it_is_thincs():
    ours, thincs = (f(0.01, 4, 20) for f in (warmup_linear, thinc_warmup_linear))
    ours, thincs = (list(islice(rates, 25)) for rates in (ours, thincs))
    assert ours[4:] == pytest.approx(thincs[4:])
    assert ours[:4] == pytest.approx(thincs[1:5])  # a step earlier
    assert thincs[0] == 0


@pytest.mark.parametrize("warmup, total", [(-1, 10), (11, 10), (0, 0)])
def test_steps_that_make_no_sense(warmup, total):
    with pytest.raises(ValueError, match=f"are {warmup} and {total}.*together"):
        warmup_linear(0.01, warmup, total)


def test_it_is_registered_and_an_optimizer_takes_it():
    schedule = {"@schedules": "spacy-pretrained.warmup_linear.v1"}
    schedule |= {"initial_rate": 0.01, "warmup_steps": 2, "total_steps": 4}
    config = {"optimizer": {"@optimizers": "Adam.v1", "learn_rate": schedule}}
    optimizer = registry.resolve(config)["optimizer"]
    rates = []
    for _ in range(5):
        rates.append(optimizer.learn_rate)
        optimizer.step_schedules()
    assert rates == [0.005, 0.01, 0.01, 0.005, 0.0]


def test_no_config_begins_at_zero():
    paths = sorted((ROOT / "configs").glob("*.cfg"))
    assert len(paths) > 10
    for path in paths:
        training = Config().from_disk(path, interpolate=False)["training"]
        optimizer = registry.resolve({"optimizer": training["optimizer"]})["optimizer"]
        assert optimizer.learn_rate > 0, path.name


@pytest.mark.parametrize("name", ["warmup_linear.v1", "spacy-pretrained.warmup_linear.v1"])
def test_pipelines_with_either_schedule_load(name, tiny_bert, tmp_path):
    nlp = make_nlp(tiny_bert, TAGGER)
    schedule = {"@schedules": name, "initial_rate": 0.01, "warmup_steps": 5, "total_steps": 50}
    nlp.config["training"]["optimizer"] = {"@optimizers": "Adam.v1", "learn_rate": schedule}
    nlp.initialize(lambda: make_examples(nlp))
    nlp.to_disk(tmp_path)
    optimizer = spacy.load(tmp_path).resume_training()
    assert optimizer.learn_rate == (0.0 if name == "warmup_linear.v1" else 0.002)


# The warning


@pytest.fixture
def nlp(tiny_bert):
    nlp = make_nlp(tiny_bert, TAGGER, NER)
    nlp.initialize(lambda: make_examples(nlp))
    return nlp


@pytest.fixture
def warnings(caplog):
    """The warnings of this test, those of the rate alone."""
    caplog.set_level(logging.WARNING, "spacy")
    return lambda: [r.getMessage() for r in caplog.records if "learning rate" in r.getMessage()]


def update(nlp, optimizer, times, step=False):
    for _ in range(times):
        nlp.update(make_examples(nlp), sgd=optimizer)
        if step:
            optimizer.step_schedules()


def check_advice(warnings):
    (message,) = set(warnings())
    assert "`optimizer.step_schedules()`" in message and "`optimizer.learn_rate" in message
    return message


def test_a_rate_of_zero_is_warned_of_once(nlp, warnings):
    before = backbone_weights(nlp)
    update(nlp, Adam(0.0), 3)
    assert are_equal(before, backbone_weights(nlp))
    assert "rate of 0" in check_advice(warnings)
    assert len(warnings()) == 1
    update(nlp, Adam(0.0), 1)  # another optimizer: another warning
    assert len(warnings()) == 2


def test_a_warm_up_that_begins_at_zero_may_go_on(nlp, warnings):
    """As in `spacy train`, whose first update is at 0."""
    optimizer = Adam(thinc_warmup_linear(0.01, 4, 40))
    assert optimizer.learn_rate == 0
    update(nlp, optimizer, 6, step=True)
    assert not warnings()
    assert optimizer.learn_rate == pytest.approx(0.01 * 34 / 36)  # looking ahead took no value


def test_a_warm_up_that_stays_at_zero(nlp, warnings):
    update(nlp, Adam(thinc_warmup_linear(0.01, 4, 40)), 2)
    assert "rate of 0" in check_advice(warnings)


def test_the_end_of_a_schedule(nlp, warnings):
    optimizer = Adam(warmup_linear(0.01, 1, 2))
    update(nlp, optimizer, 2, step=True)
    update(nlp, optimizer, UPDATES - 1)  # a schedule may end at 0
    assert not warnings()
    update(nlp, optimizer, 5)  # but nobody should go on there
    (message,) = warnings()
    assert "at the end of its schedule" in message and "total_steps" in message


@pytest.mark.parametrize("schedule", [warmup_linear, thinc_warmup_linear])
def test_a_warm_up_that_nobody_steps(nlp, warnings, schedule):
    optimizer = Adam(schedule(0.01, 20, 40))
    optimizer.step_schedules()
    rate = optimizer.learn_rate
    update(nlp, optimizer, UPDATES - 1)
    assert not warnings()
    update(nlp, optimizer, 5)
    assert f"{UPDATES} times in a row at a learning rate of {rate:.3g}" in check_advice(warnings)
    assert len(warnings()) == 1
    optimizer.step_schedules()
    assert rate < optimizer.learn_rate < 2.1 * rate


@pytest.mark.parametrize(
    "rate",
    [0.01, lambda: constant(0.01), lambda: slanted_triangular(0.01, 10, cut_frac=0.1)],
    ids=["number", "constant", "falling"],
)
def test_a_rate_that_does_not_rise_is_fine(nlp, warnings, rate):
    update(nlp, Adam(rate() if callable(rate) else rate), UPDATES + 2)
    assert not warnings()


def test_a_rate_set_by_hand_is_fine(nlp, warnings):
    """Also a low one, beside a schedule that would rise above it."""
    optimizer = Adam(warmup_linear(0.01, 20, 40))
    optimizer.learn_rate = 1e-5
    update(nlp, optimizer, UPDATES + 2)
    assert not warnings()


def test_the_encoder_alone_says_it(nlp, warnings):
    """It steps where the others are excluded; what steps without a pipeline is heard, too."""
    nlp.update(make_examples(nlp), sgd=Adam(0.0), exclude=[TAGGER, NER])
    assert "'pretrained_encoder'" in check_advice(warnings)


def test_a_component_that_is_updated_by_itself_says_it(tiny_bert, warnings):
    nlp = make_nlp(tiny_bert, TEXTCAT)
    nlp.initialize(lambda: make_examples(nlp))
    examples = make_examples(nlp)
    for example in examples:
        nlp.get_pipe("pretrained_encoder")(example.predicted)
    nlp.get_pipe(TEXTCAT).update(examples, sgd=Adam(0.0))
    assert f"'{TEXTCAT}'" in check_advice(warnings)


def test_what_is_no_optimizer_is_let_be():
    """`nlp.rehearse` passes a function."""
    watch_rate(lambda key, weights, gradient: (weights, gradient), "x")
    watch_rate(None, "x")
