"""benchmarks/profile_stream.py: threads' time and idle time are all of the cores' time."""

import importlib
import json
import os
import sys
from collections import Counter
from pathlib import Path

import pytest
from saved_pipelines import SAVED

ROOT = Path(__file__).parents[2]
PIPELINE = SAVED / "v0.2.0" / "shipped_int8" / "pipeline"
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return importlib.import_module("profile_stream")


def test_parts_add_up(script, monkeypatch):
    """Made up: two cores, 100 words. Main ran 2 and 3 s, the encoder 1 s, an engine 4 s."""
    monkeypatch.setattr(script.os, "sched_getaffinity", lambda _: {0, 1})
    main = script.threading.main_thread().native_id
    moments = [
        script.Moment(0.0, {main: (0.0, 0.0), 1: (5.0, 0.0)}),
        script.Moment(3.0, {main: (2.0, 0.5), 1: (5.0, 0.0), 8: (1.0, 0.0), 9: (2.0, 0.0)}),
        script.Moment(6.0, {main: (4.0, 0.5), 1: (5.0, 0.0), 8: (1.0, 0.0), 9: (4.0, 0.0)}),
        script.Moment(7.0, {main: (5.0, 0.5), 1: (5.0, 0.0), 8: (1.0, 0.0), 9: (4.0, 0.0)}),
    ]
    waited = Counter({"for the encoder": 1.0, "for the engine": 0.5})
    found = script.summarize(script.Trace(moments, {8}, waited, 2.0, 100), before={1, main})
    whole, unit = found["phases"]["all"], 1e6 / 100
    assert whole["ran"] == pytest.approx(
        {"main": 5 * unit, "encoder": unit, "engine": 4 * unit, "others": 0}
    )
    assert whole["idle"] == pytest.approx((14 - 10) * unit)
    assert found["phases"]["end"]["idle"] == pytest.approx(unit)
    # Of 7 s, main ran 5, waited 1 for the encoder and 0.5 for a core; of 2 s, the encoder ran 1.
    assert found["waits"]["main"]["for the GIL, or asleep"] == pytest.approx(0.5 * unit)
    assert found["waits"]["encoder"]["for the GIL, or asleep"] == pytest.approx(0.5 * unit)


def test_a_stream_is_measured_and_all_is_as_before(script, tmp_path):
    texts, output = ROOT / "assets" / "sample" / "train.conllu", tmp_path / "stream.json"
    before = [script.Future.result, script.Session._finished, script.Session._own_turn]
    script.main(str(PIPELINE), texts, smoke=True, output=output)
    assert before == [script.Future.result, script.Session._finished, script.Session._own_turn]
    found = json.loads(output.read_text())
    whole, n_cores = found["phases"]["all"], len(os.sched_getaffinity(0))
    assert whole["cores"] == pytest.approx(n_cores * whole["wall"], rel=0.01)
    assert sum(whole["ran"].values()) + whole["idle"] == pytest.approx(whole["cores"], abs=0.1)
    assert whole["ran"]["main"] > 0 < whole["ran"]["encoder"]
    assert whole["ran"]["engine"] > 0
    assert all(phase["wall"] >= 0 for phase in found["phases"].values())
