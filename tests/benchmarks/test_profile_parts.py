"""benchmarks/profile_parts.py: nothing is counted twice, and nothing stays patched."""

import importlib.util
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def script():
    sys.path.insert(0, str(SCRIPTS))
    try:
        spec = importlib.util.spec_from_file_location("profile_parts", SCRIPTS / "profile_parts.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(SCRIPTS))
    return module


@pytest.fixture
def sleep(script, monkeypatch):
    """A function that lets the script's clocks go on, that of CPU time at half the speed."""
    now = [0.0]
    monkeypatch.setattr(script, "perf_counter", lambda: now[0])
    monkeypatch.setattr(script, "process_time", lambda: now[0] / 2)
    return lambda seconds: now.__setitem__(0, now[0] + seconds)


def test_an_inner_part_is_not_the_outer_ones(script, sleep):
    timer = script.Timer()
    inner = timer.timed("inner", lambda: sleep(4))
    with timer.part("outer"):
        inner()
        sleep(1)
        inner()
    assert timer.seconds == {"inner": (8, 4), "outer": (1, 0.5)}


def test_of_a_generator_only_its_own_steps_count(script, sleep):
    def steps():
        yield 1
        sleep(1)
        yield 2
        sleep(2)

    timer = script.Timer()
    for _ in timer.timed_steps("steps", steps)():
        sleep(100)
    assert timer.seconds == {"steps": (3, 1.5)}


def test_each_part_has_a_time_and_all_is_as_before(script, tiny_source):
    from tiny_pipelines import make_examples, make_nlp, train

    heads = ["pretrained_tagger", "biaffine_parser", "pretrained_ner"]
    nlp = make_nlp(tiny_source("bert"), *heads)
    train(nlp, make_examples(nlp), 1)
    before = [nlp.get_pipe("biaffine_parser").model.get_ref("arcs")._func, script.parser.decode]
    spent = script.profile(nlp, ["Ada sees the old river.", "Yes!"])
    after = [nlp.get_pipe("biaffine_parser").model.get_ref("arcs")._func, script.parser.decode]
    assert before == after
    for part in ("engine", "pooling", "wordpieces, windows"):
        assert spent[f"pretrained_encoder: {part}"][0] > 0
    for part in ("sentences", "arcs", "trees", "labels", "annotation"):
        assert spent[f"biaffine_parser: {part}"][0] > 0
    assert all(clock >= 0 and cpu >= -1e-3 for clock, cpu in spent.values())
