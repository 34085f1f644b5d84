"""scripts/profile_parts.py: nothing is counted twice, and nothing stays patched."""

import importlib.util
import sys
import time
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parent.parent / "scripts"


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


def test_an_inner_part_is_not_the_outer_ones(script):
    timer = script.Timer()
    inner = timer.timed("inner", lambda: time.sleep(0.05))
    with timer.part("outer"):
        inner()
        inner()
        time.sleep(0.02)
    clock = {name: seconds[0] for name, seconds in timer.seconds.items()}
    assert clock["inner"] >= 0.1 > clock["outer"] >= 0.02
    assert timer.seconds["inner"][1] < 0.05  # no CPU time


def test_of_a_generator_only_its_own_steps_count(script):
    def steps():
        yield 1
        time.sleep(0.02)
        yield 2

    timer = script.Timer()
    for _ in timer.timed_steps("steps", steps)():
        time.sleep(0.2)
    assert timer.seconds["steps"][0] == pytest.approx(0.02, abs=0.15)


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
