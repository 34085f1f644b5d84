"""What a search makes of trials that end well or badly. No process trains here: a function stands
in for a training."""

import csv
import errno
import json
import os
import shutil
import sys
import threading
import time
from pathlib import Path
from threading import Event
from types import SimpleNamespace

import pytest
from thinc.api import Config

pytest.importorskip("optuna", reason="the extra `search` is not installed")

from spacy_pretrained.searching import compare as compare_module
from spacy_pretrained.searching import owner, study, trial
from spacy_pretrained.searching import search as module
from spacy_pretrained.searching.inputs import digest_inputs
from spacy_pretrained.searching.lock import locked
from spacy_pretrained.searching.options import SearchOptions
from spacy_pretrained.searching.results import write_results
from spacy_pretrained.searching.search import Found, describe_counts, search
from spacy_pretrained.searching.space import read_space
from spacy_pretrained.searching.trial import (
    Outcome,
    TrialFailed,
    TrialPruned,
    TrialStopped,
    run_trial,
)

SECONDS = 60


@pytest.fixture
def find(files, tmp_path, monkeypatch):
    """Searches in tmp_path/out, where `train(number, on_score, stop)` is each training, and without
    a comparison if nothing else is said."""

    def find(train, *, report=lambda line: None, warn=lambda line: None, **options) -> Found:
        def run(config, folder, metric, options, stop, on_score=lambda step, score: False):
            assert metric == "tag_acc"
            return train(folder.name, on_score, stop)

        monkeypatch.setattr(module, "run_trial", run)
        monkeypatch.setattr(compare_module, "run_trial", run)
        options = SearchOptions(**{"seeds": 0} | options)
        names = (files / "config.cfg", str(files / "space.cfg"), tmp_path / "out")
        return search(*names, options, report=report, warn=warn)

    return find


def read_rows(out: Path) -> list[dict]:
    with (out / "trials.csv").open(encoding="utf8", newline="") as file:
        return list(csv.DictReader(file))


def test_how_trials_end(find, tmp_path):
    """And which is the best; the pictures are there, too."""
    pytest.importorskip("matplotlib")

    def train(number, on_score, stop):
        if number == "1":
            raise TrialPruned
        if number == "2":
            raise TrialFailed("NaN")
        return Outcome({"0": 0.5, "3": 0.75}.get(number, 0.625), 4)

    said = []
    found = find(train, n_trials=5, report=said.append)
    assert (found.number, found.score) == (3, 0.75) and found.comparison is None
    assert describe_counts(found) == "5 trials, 1 pruned, 1 failed"
    ends = ("50.00", "pruned", "failed: NaN", "75.00", "62.50")
    assert said == [f"trial {number}: {end}" for number, end in enumerate(ends)]
    rows = read_rows(tmp_path / "out")
    assert [row["state"] for row in rows] == ["complete", "pruned", "fail", "complete", "complete"]
    assert [row["reason"] for row in rows] == ["", "", "NaN", "", ""]
    best = Config().from_disk(tmp_path / "out" / "best.cfg")["training"]
    assert best["dropout"] == float(rows[3]["training.dropout"]) == found.values["training.dropout"]
    assert (tmp_path / "out" / "trials.png").is_file()


@pytest.mark.parametrize("prune, state", [(True, "pruned"), (False, "complete")])
def test_a_trial_is_pruned_that_does_worse_than_others_did(find, tmp_path, prune, state):
    def train(number, on_score, stop):
        score = 0.1 if number == "6" else 0.9
        for step in (2, 4):
            if on_score(step, score):
                raise TrialPruned
        return Outcome(score, 4)

    find(train, n_trials=7, prune=prune)
    assert [row["state"] for row in read_rows(tmp_path / "out")] == ["complete"] * 6 + [state]


@pytest.mark.parametrize("warmup, ends", [(None, "pruned at 2"), (4, "pruned at 6"), (9, "")])
def test_none_is_pruned_before_it_has_learnt(find, files, tmp_path, monkeypatch, warmup, ends):
    """Neither at step 0, nor while the learning rate rises."""
    if warmup is not None:
        read = module.read_config

        def read_with_schedule(path):
            config = read(path)
            config["training"]["optimizer"]["learn_rate"] = {"warmup_steps": warmup}
            return config

        monkeypatch.setattr(module, "read_config", read_with_schedule)
        space = '[search.space]\ntraining.dropout = {"low": 0.0, "high": 0.5}\n'
        (tmp_path / "space.cfg").write_text('[search]\nmetric = "tag_acc"\n' + space)
        monkeypatch.setattr(module, "read_space", lambda _: read_space(str(tmp_path / "space.cfg")))
    pruned = []

    def train(number, on_score, stop):
        score = 0.1 if number == "6" else 0.9
        for step in (0, 2, 4, 6, 8):
            if on_score(step, score):
                pruned.append(f"pruned at {step}")
                raise TrialPruned
        return Outcome(score, 8)

    find(train, n_trials=7)
    assert "".join(pruned) == ends


def test_the_best_is_compared_with_the_default(find, tmp_path):
    def train(folder, on_score, stop):
        return Outcome({"0": 0.5, "1": 0.75}.get(folder, 0.625), 4)

    said = []
    found = find(train, n_trials=2, seeds=2, report=said.append)
    assert found.comparison.best == found.comparison.default == [0.625, 0.625]
    assert not found.comparison.is_better
    assert "The best config and the default, 2 seeds each" in said
    assert "best config, seed 2: 62.50" in said
    seeds = json.loads((tmp_path / "out" / "seeds.json").read_text("utf8"))
    assert seeds["best"]["seeds"] == {"1": 0.625, "2": 0.625}


def test_a_default_that_fails_does_not_hide_the_best(find, tmp_path):
    def train(folder, on_score, stop):
        if folder == "seeds":
            raise TrialFailed("NaN")
        return Outcome(0.75, 4)

    warned = []
    found = find(train, n_trials=2, seeds=2, warn=warned.append)
    assert (found.number, found.score, found.comparison) == (0, 0.75, None)
    (warning,) = warned
    assert "not compared" in warning and "default config with seed 1 failed: NaN" in warning
    assert (tmp_path / "out" / "best.cfg").is_file()


def test_without_matplotlib_there_are_no_pictures_and_it_says_so(find, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "is_installed", lambda package: package != "matplotlib")
    said = []
    find(lambda *_: Outcome(0.5, 4), n_trials=1, report=said.append)
    assert "spacy-pretrained[plot]" in said[-1] and not list((tmp_path / "out").glob("*.png"))
    assert (tmp_path / "out" / "best.cfg").is_file()


def test_a_kill_after_the_last_trial(find, tmp_path, monkeypatch):
    """There is no trial left to begin, but files are still to be written."""

    def kill(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "write_results", kill)
    with pytest.raises(KeyboardInterrupt):
        find(lambda *_: Outcome(0.5, 4), n_trials=1)
    monkeypatch.setattr(module, "write_results", write_results)
    assert find(lambda *_: Outcome(0.5, 4), n_trials=1).n_trials == 1
    assert (tmp_path / "out" / "best.cfg").is_file()
    assert len(read_rows(tmp_path / "out")) == 1


@pytest.mark.parametrize("name", ["write_json", "_draw"])
def test_processes_that_end_at_once_write_one_after_the_other(find, tmp_path, monkeypatch, name):
    """The one that writes last has seen all trials."""
    fcntl = pytest.importorskip("fcntl", reason="one process searches on Windows")
    is_free = []

    def try_lock(*_):
        with (tmp_path / "out" / study.LOCK).open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                is_free.append(False)
            else:
                is_free.append(True)

    monkeypatch.setattr(module, name, try_lock)
    find(lambda *_: Outcome(0.5, 4), n_trials=1)
    assert is_free == [False]


def test_a_folder_on_a_file_system_without_locks(find, tmp_path, monkeypatch):
    fcntl = pytest.importorskip("fcntl", reason="nothing is locked on Windows")

    def flock(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    assert find(lambda *_: Outcome(0.5, 4), n_trials=1).n_trials == 1
    assert len(read_rows(tmp_path / "out")) == 1


def test_all_fail(find, tmp_path):
    def fail(number, on_score, stop):
        raise TrialFailed(f"no such label {number}")

    with pytest.raises(ValueError, match=r"All of the 2 trials failed. The last one: .* label 1\."):
        find(fail, n_trials=2)
    assert not (tmp_path / "out" / "best.cfg").exists()
    with pytest.raises(ValueError, match="All of the 2 trials failed"):
        find(lambda *_: Outcome(0.5, 4), n_trials=2)  # there are enough


def test_a_time_that_is_over(find, tmp_path, monkeypatch):
    """A trial that runs comes to its end, and no other one begins."""
    now = [0.0]
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now[0]))

    def train(number, on_score, stop):
        now[0] += 25  # seconds
        return Outcome(0.5, 4)

    assert find(train, n_trials=9, timeout=1).n_trials == 3
    assert [row["number"] for row in read_rows(tmp_path / "out")] == ["0", "1", "2"]


def test_an_error_ends_all_jobs_and_the_next_search_begins_their_trials_again(find, tmp_path):
    both = threading.Barrier(2)
    ended = []

    def train(number, on_score, stop):
        both.wait(SECONDS)
        if number == "0":
            raise OSError(28, "No space left on device")
        ended.append(stop.wait(SECONDS))
        raise TrialStopped

    with pytest.raises(OSError, match="No space left"):
        find(train, n_trials=2, jobs=2)
    assert ended == [True]
    found = find(lambda *_: Outcome(0.5, 4), n_trials=2)
    assert (found.n_trials, found.n_failed) == (2, 0)


def test_ctrl_c(find, monkeypatch):
    """Trainings are ended before the search is, and begun again by the next one."""
    begun, ended = Event(), []

    class Interrupted(threading.Thread):
        def join(self, timeout=None):
            if timeout is not None and not ended and begun.wait(SECONDS):
                raise KeyboardInterrupt
            super().join(timeout)

    def train(number, on_score, stop):
        begun.set()
        ended.append(stop.wait(SECONDS))
        raise TrialStopped

    monkeypatch.setattr(module, "Thread", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        find(train, n_trials=1)
    assert ended == [True]
    found = find(lambda *_: Outcome(0.5, 4), n_trials=1)
    assert (found.n_trials, found.n_failed) == (1, 0)


@pytest.fixture
def elsewhere(files, tmp_path, monkeypatch):
    """A trial that another machine runs in tmp_path/out."""

    def begin():
        space = read_space(str(files / "space.cfg"))
        trials = study.Trials(tmp_path / "out", None, space, prune=True, seed=0)
        with monkeypatch.context() as patch:
            patch.setattr(study, "this_process", lambda: "elsewhere 1 1")
            trial, _ = trials.begin(9)
        return trials, trial

    return begin


def test_while_others_run_nothing_is_compared(find, elsewhere):
    find(lambda *_: Outcome(0.5, 4), n_trials=1)
    elsewhere()
    warned = []
    found = find(lambda *_: Outcome(0.75, 4), n_trials=3, seeds=2, warn=warned.append)
    assert found.n_trials == 2 and found.comparison is None  # the third is the other's
    assert len(warned) == 1 and "Other processes still run trials" in warned[0]


def test_who_ends_last_compares(find, elsewhere, monkeypatch):
    """Not who looked for the best before the other one had found a better."""
    find(lambda *_: Outcome(0.5, 4), n_trials=1)
    trials, trial = elsewhere()
    monkeypatch.setattr(module, "find_importance", lambda _: trials.end(trial, 0.9, 4) or {})
    found = find(lambda *_: Outcome(0.75, 4), n_trials=3, seeds=2)
    assert found.score == 0.75 and found.comparison is None


def test_others_run_all_that_are_left(find, elsewhere):
    def fail(*_):
        raise TrialFailed("NaN")

    with pytest.raises(ValueError, match="All of the 1 trials failed"):
        find(fail, n_trials=1)
    elsewhere()
    with pytest.raises(ValueError, match=r"No trial has a score yet\. Other processes run"):
        find(fail, n_trials=2)


# What trainings read


@pytest.fixture
def own_files(files, tmp_path) -> SimpleNamespace:
    """A config, corpora and a code file that may be changed."""
    config = Config().from_disk(files / "config.cfg", interpolate=False)
    found = SimpleNamespace(config=tmp_path / "own.cfg", code=tmp_path / "code.py")
    for name in ("train", "dev"):
        setattr(found, name, tmp_path / f"{name}.spacy")
        shutil.copyfile(files / "corpus.spacy", tmp_path / f"{name}.spacy")
        config["corpora"][name]["path"] = str(tmp_path / f"{name}.spacy")
    config.to_disk(found.config)
    found.code.write_text("# one\n")
    return found


@pytest.fixture
def find_own(files, own_files, tmp_path, monkeypatch):
    """As `find`, with files that may be changed."""

    def find(n_trials, train=lambda: None) -> Found:
        def run(*_):
            train()
            return Outcome(0.5, 4)

        monkeypatch.setattr(module, "run_trial", run)
        options = SearchOptions(n_trials=n_trials, seeds=0, code=own_files.code)
        names = (own_files.config, str(files / "space.cfg"), tmp_path / "out")
        return search(*names, options, report=lambda line: None)

    return find


CHANGES = pytest.mark.parametrize(
    "name, what", [("code", "code file"), ("train", "corpus"), ("dev", "corpus")]
)


@CHANGES
def test_trials_of_other_code_or_corpora_are_of_another_search(find_own, own_files, name, what):
    find_own(1)
    path = getattr(own_files, name)
    before = path.read_bytes()
    path.write_bytes(before + b"\n")
    with pytest.raises(ValueError, match=f"has a search with another {what}"):
        find_own(2)
    path.write_bytes(before)  # a file that is made again has another time
    assert find_own(2).n_trials == 2


def test_a_trial_that_read_a_changed_corpus_is_tried_again(find_own, own_files, tmp_path):
    """spaCy reads that of development anew for each evaluation."""
    before = own_files.dev.read_bytes()
    with pytest.raises(ValueError, match="has a search with another corpus"):
        find_own(2, lambda: own_files.dev.write_bytes(b"changed"))
    own_files.dev.write_bytes(before)
    assert find_own(2).n_trials == 2
    assert [row["number"] for row in read_rows(tmp_path / "out")] == ["1", "2"]


def test_after_a_trial_that_failed_a_changed_corpus_is_seen(find_own, own_files):
    def fail():
        own_files.train.write_bytes(b"changed")
        raise TrialFailed("it is no DocBin")

    with pytest.raises(ValueError, match="has a search with another corpus"):
        find_own(2, fail)


@CHANGES
def test_a_search_of_an_earlier_version_goes_on(find_own, own_files, name, what, monkeypatch):
    """It did not note what was read. From now on that counts."""
    monkeypatch.setattr(module, "digest_inputs", lambda *_: {})
    find_own(1)
    monkeypatch.setattr(module, "digest_inputs", digest_inputs)
    assert find_own(2).n_trials == 2
    getattr(own_files, name).write_bytes(b"# changed")
    with pytest.raises(ValueError, match=f"has a search with another {what}"):
        find_own(3)


def test_what_settings_of_corpora_name(tmp_path):
    """Files and folders that are there, by all kinds of readers."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("one")
    (tmp_path / "folder" / "part").write_text("two")
    settings = {"paths": [str(tmp_path / "file")], "folder": {"path": "${paths.train}"}}
    settings["others"] = {"a": "", "b": None, "c": "x" * 5000, "d": 3, "e": "none"}
    config = Config({"paths": {"train": str(tmp_path / "folder")}, "corpora": settings})
    found = digest_inputs(config, None)
    assert found["code file"] == "" and len(found["corpus"].split()) == 2
    (tmp_path / "folder" / "part").write_text("three")
    assert digest_inputs(config, None) != found


# Before anything is tried


def test_without_the_extra(files, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "is_installed", lambda package: package != "optuna")
    with pytest.raises(ImportError, match=r"spacy-pretrained\[search\]"):
        search(files / "config.cfg", str(files / "space.cfg"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_configs_that_are_none(files, tmp_path):
    (tmp_path / "broken.cfg").write_text("[training\n")
    for name, message in (("none.cfg", "There is no config"), ("broken.cfg", "not a config that")):
        with pytest.raises(ValueError, match=message) as error:
            search(tmp_path / name, str(files / "space.cfg"), tmp_path / "out")
        assert name in str(error.value)
    assert not (tmp_path / "out").exists()


# Processes


@pytest.fixture
def train_as(monkeypatch, tmp_path):
    """A training that is a shell's script."""
    if os.name == "nt":
        pytest.skip("a shell's script")

    def train(script: str, stop: Event | None = None, **options) -> Outcome:
        interpreter = tmp_path / "python"
        interpreter.write_text(f"#!/bin/sh\n{script}\n")
        interpreter.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(interpreter))
        settings = (SearchOptions(**options), stop or Event())
        return run_trial(Config(), tmp_path / "trial", "score", *settings)

    monkeypatch.setattr(trial, "with_log", lambda config, log: config)
    return train


@pytest.mark.parametrize(
    "script, reason",
    [
        ("exit 0", "ended without an evaluation"),
        ("kill -9 $$", "memory was not enough"),
        ("exit 3", "exit code 3"),
        ("echo first; echo last >&2; exit 1", "^last$"),
    ],
    ids=["no scores", "killed", "silent", "said"],
)
def test_why_a_training_has_no_score(train_as, script, reason):
    with pytest.raises(TrialFailed, match=reason):
        train_as(script)


def test_trainings_at_once_share_the_cores(train_as, monkeypatch):
    """Unless somebody else has said how many threads there are to be."""
    script = "echo threads: $OMP_NUM_THREADS; exit 1"
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    with pytest.raises(TrialFailed, match=r"^threads: 7$"):
        train_as(script, jobs=2)
    monkeypatch.delenv("OMP_NUM_THREADS")
    monkeypatch.setattr(trial, "count_threads", lambda: 6)
    for jobs, threads in ((1, ""), (2, " 3"), (9, " 1")):
        with pytest.raises(TrialFailed, match=f"^threads:{threads}$"):
            train_as(script, jobs=jobs)


def test_a_training_that_does_not_end_is_killed(train_as, tmp_path, monkeypatch):
    monkeypatch.setattr(trial, "PATIENCE", 0.1)
    stop, started = Event(), tmp_path / "started"

    def stop_it():
        while not started.exists():
            time.sleep(0.01)
        stop.set()

    threading.Thread(target=stop_it, daemon=True).start()
    script = f"trap '' TERM\necho $$ > {started}\nwhile true; do sleep 0.05; done"
    with pytest.raises(TrialStopped):
        train_as(script, stop)
    with pytest.raises(ProcessLookupError):
        os.kill(int(started.read_text()), 0)


def test_somebody_elses_process_is_alive(monkeypatch):
    me = owner.this_process()

    def refuse(number, signal):
        raise PermissionError

    monkeypatch.setattr(os, "kill", refuse)
    assert owner.is_alive(me)


def test_where_there_is_no_proc_a_process_is_known_by_its_number(monkeypatch, tmp_path):
    monkeypatch.setattr(owner, "Path", lambda path: tmp_path / "nothing")
    me = owner.this_process()
    assert me.endswith(f" {os.getpid()} 0") and owner.is_alive(me)


def test_a_lock_is_for_one_thread_at_a_time(tmp_path):
    n_inside, most = 0, 0

    def enter():
        nonlocal n_inside, most
        for _ in range(20):
            with locked(tmp_path / "lock"):
                n_inside += 1
                most = max(most, n_inside)
                time.sleep(0.0005)
                n_inside -= 1

    threads = [threading.Thread(target=enter) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
