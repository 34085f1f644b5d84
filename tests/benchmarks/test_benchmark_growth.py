"""benchmark_growth.py and growth_worker.py: what they measure, not how quick it is."""

import argparse
import importlib
import json
import sys
from pathlib import Path

import pytest
from saved_pipelines import SAVED

ROOT = Path(__file__).parents[2]
PIPELINE = SAVED / "v0.2.0" / "shipped_int8" / "pipeline"
TEXTS = ROOT / "assets" / "sample" / "train.conllu"
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")


@pytest.fixture
def worker(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return importlib.import_module("growth_worker")


@pytest.fixture
def growth(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return importlib.import_module("benchmark_growth")


def arguments(**given) -> argparse.Namespace:
    default = {"processes": 1, "words": 100, "characters": 500, "megabytes": "1", "seconds": 60}
    return argparse.Namespace(pipeline=str(PIPELINE), texts=str(TEXTS), **default | given)


def test_words_a_second_of_the_middle_of_a_stream(worker):
    found = worker.measure_speed(arguments(words=400))
    assert 100 < found["words"] < 400  # both ends are left out, and at most half of all
    assert found["words_per_second"] > 0 < found["cpu_microseconds_a_word"]
    assert found["first_seconds"] > 0 < found["mebibytes"]


def test_a_document_has_the_characters_that_were_asked_for(worker):
    assert worker.make_text(["Ada sees.", "Yes"], 12) == "Ada sees. Ye"
    assert all(len(worker.make_text(["Ada.", "Yes"], n)) == n for n in range(1, 20))
    found = worker.measure_document(arguments(characters=500))
    assert found["words"] > 50
    assert found["peak_mebibytes"] >= found["mebibytes_before"] > 0


def test_what_spacy_refuses_is_said_and_not_tried(worker):
    found = worker.measure_document(arguments(characters=1_000_001))
    assert found == {"refused": "nlp.max_length is 1,000,000"}


def test_a_stream_is_measured_at_each_size(worker):
    found = worker.measure_stream(arguments(megabytes="0.001,0.002"))
    first, second = found["points"]
    assert second["words"] >= 1.9 * first["words"] and second["seconds"] > first["seconds"]
    assert found["cut_at_megabytes"] is None


def test_a_stream_is_cut_when_its_time_is_over(worker):
    found = worker.measure_stream(arguments(megabytes="0.00001,100", seconds=0.2))
    assert len(found["points"]) == 1 and found["seconds"] >= 0.2
    assert 0 < found["cut_at_megabytes"] < 100


def test_settings_keep_to_the_cores_that_are_there(growth):
    assert growth.list_settings(1) == [(1, 1), (1, 2), (1, 4)]
    assert growth.list_settings(64) == growth.list_settings(2)


def test_a_document_whose_process_dies_does_not_end_the_measurement(growth, monkeypatch):
    def ask(*args, characters, **options):
        if characters > 10:
            raise growth.WorkerError("killed")
        return {"seconds": 1.0}

    monkeypatch.setattr(growth, "ask", ask)
    subject = growth.Subject("ours", "x", Path(sys.executable))
    size = growth.Size(1, 1, (10, 20), ())
    rows = growth.measure_documents(subject, TEXTS, size)
    assert [row.get("refused") for row in rows] == [None, "its process failed"]


@pytest.mark.slow
def test_the_whole_measurement(growth, tmp_path):
    output = tmp_path / "growth.json"
    growth.main(str(PIPELINE), TEXTS, cnn="", minutes=1, smoke=True, output=output)
    found = json.loads(output.read_text())
    assert found["smoke"]
    ours = found["pipelines"]["ours"]
    assert all(row["words_per_second"] > 0 for row in ours["speed"])
    by_processes = {row["processes"]: row["mebibytes"] for row in ours["speed"]}
    assert by_processes[4] > by_processes[2] > by_processes[1]
    assert [row["characters"] for row in ours["documents"]] == [1000, 2000]
    assert len(ours["stream"]["points"]) == 2
