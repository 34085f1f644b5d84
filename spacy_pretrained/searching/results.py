"""What a search leaves: the best config, a table of trials, what each setting matters."""

import csv
import shutil
from pathlib import Path

from thinc.api import Config

from ..runtime.whole_files import remove_unfinished, whole_file
from .configs import with_values
from .lock import locked
from .space import Space
from .study import LOCK, Trials, as_rows

BEST, TRIALS, IMPORTANCE, COMPARISON = "best.cfg", "trials.csv", "importance.json", "seeds.json"
FOLDERS = "trials"
LEAST_TRIALS = 4  # with fewer scores nothing can be said about settings


def write_results(out: Path, config: Config, space: Space, trials: Trials) -> None:
    """Write what is known by now: after each trial. One writes at a time."""
    with locked(out / LOCK):
        _write(out, config, space, trials)


def _write(out: Path, config: Config, space: Space, trials: Trials) -> None:
    rows = list(as_rows(trials.counted(), space))
    if not rows:
        return
    remove_unfinished(out, TRIALS, BEST)
    with (
        whole_file(out / TRIALS) as unfinished,
        unfinished.open("w", encoding="utf8", newline="") as file,
    ):
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    best = trials.best()
    if best is not None:
        with whole_file(out / BEST) as unfinished:
            with_values(config, space.spread(best.params)).to_disk(unfinished)


def remove_folders(out: Path, trials: Trials) -> None:
    """Remove the pipelines of all trials but the best and those that run."""
    folders = list((out / FOLDERS).glob("*"))  # before asking: later ones are of trials that begin
    kept = trials.numbers_in_use()
    for folder in folders:
        if folder.name.isdecimal() and int(folder.name) not in kept:
            shutil.rmtree(folder, ignore_errors=True)


def find_importance(trials: Trials) -> dict[str, float]:
    """How much of what sets good trials apart each setting explains; together 1. Nothing if there
    are few scores, or they are all the same. (S. Watanabe et al., PED-ANOVA, 2023.)"""
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
    from optuna.trial import TrialState

    done = [trial for trial in trials.counted() if trial.state == TrialState.COMPLETE]
    if len(done) < LEAST_TRIALS or len({trial.value for trial in done}) < 2:
        return {}
    try:
        found = get_param_importances(trials.study, evaluator=PedAnovaImportanceEvaluator())
    except (ValueError, RuntimeError):  # no setting has two values
        return {}
    return {name: round(float(value), 4) for name, value in found.items()}
