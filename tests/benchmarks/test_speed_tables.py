"""benchmarks/speed_tables.py: docs/speed.md says what was measured, and what was not."""

import importlib
import json
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = Path("docs/speed.md")
MARKS = ["cores", "documents", "corpus", "on paper", "short", "stream"]
MACHINE = {"cores": 2, "cpu": "Made up", "cpu_flags": ["avx512_vnni"]}


@pytest.fixture
def tables(monkeypatch, tmp_path):
    """The script, in a folder with copies of the document and of metrics/."""
    pytest.importorskip("matplotlib")
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    monkeypatch.chdir(tmp_path)
    PAGE.parent.mkdir()
    shutil.copy(ROOT / PAGE, PAGE)
    shutil.copytree(ROOT / "metrics", "metrics")
    return importlib.import_module("speed_tables")


def speed(cores: int, processes: int, words_per_second: float, mebibytes: float) -> dict:
    return {
        "cores": cores,
        "processes": processes,
        "rounds": [words_per_second],
        "words_per_second": words_per_second,
        "load_seconds": 1.0,
        "first_seconds": 0.5,
        "cpu_microseconds_a_word": 10.0,
        "mebibytes": mebibytes,
    }


@pytest.fixture
def growth() -> dict:
    """One core in four works alone: 1000 words/s by one, 1600 by two. Two processes have 1800."""
    point = {"megabytes": 1.0, "words": 200, "seconds": 2.0, "mebibytes": 400.0, "strings": 7}
    done = {
        "words": 200,
        "seconds": 0.5,
        "first_seconds": 0.6,
        "mebibytes_before": 300.0,
        "peak_mebibytes": 350.0,
    }
    ours = {
        "pipeline": "made_up",
        "speed": [
            speed(1, 1, 1000, 400),
            speed(2, 1, 1600, 400),
            speed(2, 2, 1800, 700),
            speed(2, 4, 1700, 1300),
        ],
        "documents": [
            {"characters": 1000, **done},
            {"characters": 2000, "refused": "nlp.max_length is 1,500"},
        ],
        "stream": {
            "points": [point, {**point, "megabytes": 2.0, "words": 500, "seconds": 3.0}],
            "seconds": 90.0,
            "megabytes": [1, 2, 100],
            "cut_at_megabytes": 31.5,
            "limit_seconds": 90,
        },
    }
    return {"machine": MACHINE, "smoke": False, "rounds": 3, "pipelines": {"ours": ours}}


def write(name: str, report: dict) -> None:
    Path("metrics", f"{name}.json").write_text(json.dumps(report))


def section(mark: str) -> str:
    _, _, rest = PAGE.read_text("utf8").partition(f"<!-- {mark} -->")
    return rest.partition(f"<!-- end {mark} -->")[0]


def test_the_document_is_up_to_date(tables):
    """If not: python benchmarks/speed_tables.py"""
    before = PAGE.read_text("utf8")
    tables.main()
    assert PAGE.read_text("utf8") == before


def test_the_marks_are_there(tables):
    """Without them, the script would write to the end of the page."""
    text = PAGE.read_text("utf8")
    assert all(text.count(f"<!-- {m} -->") == text.count(f"<!-- end {m} -->") == 1 for m in MARKS)
    for mark, name in zip(MARKS, [*["growth"] * 4, "short", "stream"]):
        if not Path("metrics", f"{name}.json").exists():
            assert "Not measured yet" in section(mark)


def test_the_page_says_what_was_measured(tables, growth):
    write("growth", growth)
    tables.main()
    assert "| 2 cores, 1 process | 1,600 | 400 |" in section("cores")
    assert "| 1,000 | 0.50 s | 2,500 µs | 350 MiB | 256.0 KiB |" in section("documents")
    assert "refused: nlp.max_length is 1,500" in section("documents")
    assert "| 2 MB | 500 | 300 | 400 MiB |" in section("corpus")
    assert "at 31.5 MB, after 1.5 minutes: 100 MB were not reached" in section("corpus")
    assert "Not measured" not in "".join(map(section, MARKS[:4]))
    for mark in MARKS[:3]:
        name = section(mark).partition("](")[2].partition(")")[0]
        assert (PAGE.parent / name).read_bytes().startswith(b"\x89PNG")


def test_more_cores_are_calculated_by_what_is_said(tables, growth):
    write("growth", growth)
    tables.main()
    said = section("on paper")
    assert "one core at a time works on 25%" in said
    # 1000 / (0.25 + 0.75 / 16), and 1000 / 0.25 with as many cores as you like.
    assert "3,368    0.4 GiB" in said and "more than 4,000 words/s" in said
    assert "64 of 1 core each           64,000   25.0 GiB" in said
    assert "32 of 2 cores each          51,200   12.5 GiB" in said
    # 16 × 1800 / 2; the process that collects takes 10 µs a word, and is not the limit yet.
    assert "n_process=16                14,400" in said


def test_the_process_that_collects_is_a_limit(tables, growth):
    growth["pipelines"]["ours"]["speed"][2]["cpu_microseconds_a_word"] = 100.0
    write("growth", growth)
    tables.main()
    said = section("on paper")
    assert (
        "n_process=16                10,000" in said
        and "n_process=64                10,000" in said
    )


@pytest.mark.parametrize("two", [900, 1000, 2000, 2100])
def test_measurements_that_amdahl_would_not_expect(tables, growth, two):
    """No faster with two cores, or more than twice as fast."""
    growth["pipelines"]["ours"]["speed"][1]["words_per_second"] = two
    write("growth", growth)
    tables.main()
    share = 100 if two <= 1000 else 0
    assert f"one core at a time works on {share}%" in section("on paper")


def test_one_core_is_no_ground_for_a_calculation(tables, growth):
    ours = growth["pipelines"]["ours"]
    ours["speed"] = [row | {"cores": 1} for row in ours["speed"] if row["cores"] == 2]
    write("growth", growth)
    tables.main()
    assert "Not measured" in section("on paper") and "1,600" in section("cores")


def test_smoke_never_gets_into_the_page(tables, growth):
    before = PAGE.read_text("utf8")
    for name in ("growth", "short", "stream"):
        write(name, growth | {"smoke": True})
    tables.main()
    assert PAGE.read_text("utf8") == before


def test_a_second_pipeline_stands_beside_ours(tables, growth):
    growth["pipelines"]["cnn"] = growth["pipelines"]["ours"]
    write("growth", growth)
    tables.main()
    assert "| 2 cores, 1 process | 1,600 | 400 | 1,600 | 400 |" in section("cores")
    assert section("corpus").count("31.5 MB") == 2


def test_where_the_time_of_a_short_text_goes(tables):
    short = {
        "machine": MACHINE,
        "smoke": False,
        "words": 15,
        "sentences": 36,
        "rounds": 40,
        "milliseconds": 3.9,
        "milliseconds_with_timers": 4.0,
        "explained": 0.95,
        "parts": {"tokenizer": 1.0, "unexplained": 3.0},
    }
    write("short", short)
    tables.main()
    assert "| tokenizer | 1.000 | 25.0% |" in section("short")
    assert "95.0% of the time is explained" in section("short")


def test_who_has_the_cores_in_a_stream(tables):
    ran = {"main": 20.0, "encoder": 5.0, "engine": 45.0, "others": 0.0}
    phase = {"wall": 40.0, "cores": 80.0, "ran": ran, "idle": 10.0, "ready": ran}
    stream = {
        "machine": MACHINE,
        "smoke": False,
        "words": 1000,
        "rounds": 5,
        "phases": dict.fromkeys(("beginning", "middle", "end", "all"), phase),
        "times": {"main": 40.0, "encoder": 30.0},
        "waits": {"main": {"for the encoder": 12.5}, "encoder": {"for the engine": 21.5}},
    }
    write("stream", stream)
    tables.main()
    assert "| – threads of the engine | 45.0 | 45.0 | 45.0 | 45.0 |" in section("stream")
    assert "| – no thread ran | 10.0 | 10.0 | 10.0 | 10.0 |" in section("stream")
    assert "| for the encoder | 12.5 |" in section("stream")
