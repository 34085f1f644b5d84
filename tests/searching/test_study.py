"""Trials on disk: none is lost, none counts twice."""

import subprocess
import sys

import pytest

pytest.importorskip("optuna", reason="the extra `search` is not installed")

from spacy_pretrained.searching import study
from spacy_pretrained.searching.owner import is_alive, this_process
from spacy_pretrained.searching.results import find_importance, remove_folders, write_results
from spacy_pretrained.searching.space import Setting, Space

SPACE = Space((Setting("a.x", 0.0, 1.0), Setting("a.n", choices=(1, 2))))
DEFAULT = {"a.x": 0.5, "a.n": 2}


@pytest.fixture
def open_trials(tmp_path):
    return lambda: study.Trials(tmp_path, None, SPACE, prune=True, seed=0)


@pytest.fixture
def dead_owner():
    """That of a process that has ended."""
    program = "from spacy_pretrained.searching.owner import this_process; print(this_process())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    return done.stdout.strip()


def test_owners(dead_owner):
    assert is_alive(this_process())
    assert not is_alive(dead_owner)
    host, number, _ = this_process().rsplit(" ", 2)
    assert not is_alive(f"{host} {number} 1")  # another process had the number before
    assert is_alive("elsewhere 1 1")


def test_the_default_comes_first_if_the_space_has_it(open_trials):
    trials = open_trials()
    trials.try_first(DEFAULT)
    assert trials.begin(9)[1] == DEFAULT
    open_trials().try_first(DEFAULT)  # it is there
    assert trials.begin(9)[1] != DEFAULT


def test_a_default_outside_is_not_tried(open_trials):
    trials = open_trials()
    trials.try_first({"a.x": None, "a.n": 2})
    assert not trials.study.trials


def test_there_are_just_as_many_as_were_asked_for(open_trials):
    first, second = open_trials(), open_trials()
    begun = [first.begin(3), second.begin(3), first.begin(3)]
    assert all(begun) and first.begin(3) is None and second.begin(3) is None
    trials = [trial for trial, _ in begun]
    assert sorted(trial.number for trial in trials) == [0, 1, 2]
    first.end(trials[0], 0.5, 10)
    second.prune(trials[1])
    first.fail(trials[2], "NaN")
    assert second.begin(3) is None and len(second.counted()) == 3
    assert second.begin(4) is not None


def test_a_killed_trial_is_put_in_again_once(open_trials, monkeypatch, dead_owner):
    first = open_trials()
    monkeypatch.setattr(study, "this_process", lambda: dead_owner)
    _, values = first.begin(2)
    monkeypatch.undo()
    for trials in (open_trials(), open_trials()):
        trials.others_run()  # looks for what was killed
    trial, again = trials.begin(2)
    assert again == values and trial.user_attrs["again"] == 0
    other, different = trials.begin(2)
    assert different != values and trials.begin(2) is None
    for number, one in enumerate((trial, other)):
        trials.end(one, number / 10, 1)
    assert [one.number for one in trials.counted()] == [1, 2]


def interrupt(*_, **__):
    raise KeyboardInterrupt


def test_a_kill_while_it_is_put_in_again(open_trials, monkeypatch, dead_owner):
    trials = open_trials()
    monkeypatch.setattr(study, "this_process", lambda: dead_owner)
    trials.begin(2)
    with monkeypatch.context() as context, pytest.raises(KeyboardInterrupt):
        context.setattr(trials.study, "tell", interrupt)
        trials.begin(2)
    monkeypatch.undo()
    open_trials().begin(2)
    waiting = [t for t in trials.study.trials if t.user_attrs.get("again") == 0]
    assert len(waiting) == 1


@pytest.mark.parametrize("n_drawn", [0, 1])
def test_a_kill_before_all_values_are_drawn(open_trials, monkeypatch, dead_owner, n_drawn):
    """Those that were to be tried are tried."""
    trials = open_trials()
    trials.try_first(DEFAULT)
    monkeypatch.setattr(study, "this_process", lambda: dead_owner)

    def draw_some(space, trial):
        for setting in space.settings[:n_drawn]:
            setting.draw(trial)
        raise KeyboardInterrupt

    monkeypatch.setattr(Space, "draw", draw_some)
    with pytest.raises(KeyboardInterrupt):
        trials.begin(2)
    monkeypatch.undo()
    assert open_trials().begin(2)[1] == DEFAULT


def test_trials_of_a_living_process_stay(open_trials):
    trials = open_trials()
    trials.begin(2)
    assert not trials.others_run() and len(trials.study.trials) == 1


def test_what_is_given_up_is_tried_again(open_trials):
    trials = open_trials()
    trial, values = trials.begin(1)
    trials.give_up(trial)
    assert trials.begin(1)[1] == values


def test_another_config_is_refused(open_trials, tmp_path):
    open_trials().check("config", "a")
    open_trials().check("config", "a")
    with pytest.raises(ValueError, match="another config"):
        open_trials().check("config", "b")


def test_a_storage_that_is_none(tmp_path):
    with pytest.raises(ValueError, match="cannot be opened"):
        study.Trials(tmp_path, "nothing://x", SPACE, prune=True, seed=0)


def test_results_and_folders(open_trials, tmp_path):
    trials = open_trials()
    config = {"a": {"x": 0.0, "n": 0}}
    from thinc.api import Config

    for score in (0.1, 0.7, 0.3, 0.2, 0.5):
        trial, _ = trials.begin(9)
        (tmp_path / "trials" / str(trial.number)).mkdir(parents=True)
        trials.end(trial, score, 5)
    failing, _ = trials.begin(9)
    trials.fail(failing, "NaN, at once")
    running, _ = trials.begin(9)
    (tmp_path / "trials" / str(running.number)).mkdir()
    write_results(tmp_path, Config(config), SPACE, trials)
    remove_folders(tmp_path, trials)
    assert {path.name for path in (tmp_path / "trials").iterdir()} == {"1", str(running.number)}
    best = Config().from_disk(tmp_path / "best.cfg")["a"]
    assert {f"a.{name}": value for name, value in best.items()} == trials.study.trials[1].params
    rows = (tmp_path / "trials.csv").read_text().splitlines()
    assert rows[0] == "number,state,score,step,seconds,reason,a.x,a.n"
    assert len(rows) == 7 and '"NaN, at once"' in rows[6]
    importance = find_importance(trials)
    assert set(importance) <= {"a.x", "a.n"}
    assert sum(importance.values()) == pytest.approx(1, abs=0.01)


def test_a_kill_while_the_best_config_is_written(open_trials, tmp_path, monkeypatch):
    """The file is that of before, and not a part of the new one."""
    from thinc.api import Config

    trials, config = open_trials(), Config({"a": {"x": 0.0, "n": 0}})
    trials.end(trials.begin(2)[0], 0.5, 1)
    write_results(tmp_path, config, SPACE, trials)
    before = (tmp_path / "best.cfg").read_text("utf8")
    trials.end(trials.begin(2)[0], 0.75, 1)

    def write_some(config, path):
        path.write_text("[a", "utf8")
        raise KeyboardInterrupt

    with monkeypatch.context() as context, pytest.raises(KeyboardInterrupt):
        context.setattr(Config, "to_disk", write_some)
        write_results(tmp_path, config, SPACE, trials)
    assert (tmp_path / "best.cfg").read_text("utf8") == before
    write_results(tmp_path, config, SPACE, trials)
    assert (tmp_path / "best.cfg").read_text("utf8") != before
