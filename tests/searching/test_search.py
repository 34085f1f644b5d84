"""A search from beginning to end, with real trainings: killed, failing, pruned."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Event

import pytest
import spacy
from thinc.api import Config
from typer.testing import CliRunner

pytest.importorskip("optuna", reason="the extra `search` is not installed")

from spacy_pretrained.cli import pretrained_cli
from spacy_pretrained.searching.options import SearchOptions
from spacy_pretrained.searching.search import search
from spacy_pretrained.searching.trial import TrialFailed, TrialPruned, TrialStopped, run_trial

RATE = "training.optimizer.learn_rate"


def read_rows(out):
    with (out / "trials.csv").open(encoding="utf8", newline="") as file:
        return list(csv.DictReader(file))


def count_pipelines(out):
    return len(list((out / "trials").glob("*/model-best")))


@pytest.mark.slow
def test_the_whole_of_it(files, tmp_path):
    out = tmp_path / "out"
    arguments = ["search", files / "config.cfg", files / "space.cfg", out]
    options = ["--n-trials", "4", "--seeds", "2", "--jobs", "2"]
    result = CliRunner().invoke(pretrained_cli, [*map(str, arguments), *options])
    assert result.exit_code == 0, result.output
    rows = read_rows(out)
    assert [row["number"] for row in rows] == list("0123")
    assert {row["state"] for row in rows} <= {"complete", "pruned"}
    default = Config().from_disk(files / "config.cfg")["training"]
    assert float(rows[0]["training.dropout"]) == default["dropout"]
    best = max((r for r in rows if r["state"] == "complete"), key=lambda row: float(row["score"]))
    found = Config().from_disk(out / "best.cfg")["training"]
    assert found["dropout"] == float(best["training.dropout"])
    assert found["optimizer"]["learn_rate"] == float(best[RATE])
    assert found["logger"] == default["logger"]
    assert count_pipelines(out) == 1 and (out / "trials.png").is_file()
    seeds = json.loads((out / "seeds.json").read_text("utf8"))
    assert all(set(seeds[which]["seeds"]) == {"1", "2"} for which in ("default", "best"))
    assert "seed noise" in " ".join(result.output.split())


@pytest.mark.slow
def test_a_trial_that_fails_is_recorded(files, tmp_path):
    """The search goes on, and says why."""
    space = tmp_path / "space.cfg"
    space.write_text('[search.space]\ntraining.dropout = {"choices": [0.1, "much"]}\n', "utf8")
    options = SearchOptions(n_trials=2, seeds=0)
    found = search(files / "config.cfg", str(space), tmp_path / "out", options)
    rows = read_rows(tmp_path / "out")
    failed = [row for row in rows if row["state"] == "fail"]
    assert found.n_failed == len(failed) and found.n_trials == 2
    assert all(row["reason"] and not row["score"] for row in failed)
    assert all((row["training.dropout"] == "much") == (row in failed) for row in rows)


def find_children(process):
    """Processes that another one has begun."""
    children = Path(f"/proc/{process}/task").glob("*/children")
    return [int(number) for path in children for number in path.read_text().split()]


def is_there(process):
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc")
def test_killed_and_gone_on_with(files, tmp_path):
    """No trial is lost, none counts twice, and no training goes on without its search."""
    out = tmp_path / "out"
    command = [sys.executable, "-m", "spacy", "pretrained", "search"]
    command += map(str, [files / "config.cfg", files / "space.cfg", out])
    command += ["--n-trials", "3", "--seeds", "0", "--no-prune"]
    killed = []
    for _ in range(2):
        search_process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        wait_for(lambda p=search_process: find_children(p.pid) and list(out.glob("trials/*/*.cfg")))
        children = find_children(search_process.pid)
        time.sleep(0.5)
        search_process.kill()
        search_process.communicate()
        killed += children
    wait_for(lambda: not any(is_there(child) for child in killed))
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = read_rows(out)
    assert len(rows) == 3 and {row["state"] for row in rows} == {"complete"}
    values = [(row["training.dropout"], row[RATE]) for row in rows]
    assert len(set(values)) == 3
    default = Config().from_disk(files / "config.cfg")["training"]
    # The first that was killed was that of the config.
    assert str(default["dropout"]) in {dropout for dropout, _ in values}


def wait_for(happens, seconds=120):
    end = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.slow
def test_interrupted(files, tmp_path):
    out = tmp_path / "out"
    command = [sys.executable, "-m", "spacy", "pretrained", "search"]
    command += map(str, [files / "config.cfg", files / "space.cfg", out])
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    wait_for(lambda: list(out.glob("trials/*/*.cfg")))
    os.kill(process.pid, signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130 and "Give the same command again" in " ".join(said.split())


@pytest.fixture
def one_config(files):
    return Config().from_disk(files / "config.cfg", interpolate=False)


@pytest.mark.slow
def test_one_training(one_config, tmp_path):
    """Its scores come as it goes; it is ended where somebody says so."""
    steps = []
    outcome = run_trial(
        one_config,
        tmp_path / "a",
        "score",
        SearchOptions(),
        Event(),
        lambda step, score: bool(steps.append(step)),
    )
    assert steps == [0, 2, 4, 6] and outcome.step in steps
    assert spacy.load(tmp_path / "a" / "model-best")
    with pytest.raises(TrialPruned):
        run_trial(one_config, tmp_path / "b", "score", SearchOptions(), Event(), lambda *_: True)
    stop = Event()
    stop.set()
    with pytest.raises(TrialStopped):
        run_trial(one_config, tmp_path / "c", "score", SearchOptions(), stop)
    with pytest.raises(TrialFailed, match=r"no score 'ents_f', but .*tag_acc"):
        run_trial(one_config, tmp_path / "d", "ents_f", SearchOptions(), Event())


def test_what_is_not_from_a_search_is_left_alone(files, tmp_path):
    (tmp_path / "mine.txt").write_text("x", "utf8")
    with pytest.raises(ValueError, match="not from `search`"):
        search(files / "config.cfg", str(files / "space.cfg"), tmp_path)
