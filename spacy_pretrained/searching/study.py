"""The trials on disk, in optuna's storage: which there are, which count, which are tried again.

A trial counts if it came to an end: with a score, pruned, or failed of itself, for a reason. One
whose process was killed does not: it is failed without a reason, and its values are put in again.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import Errors
from .lock import locked
from .owner import is_alive, this_process
from .space import Space, Values

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler
    from optuna.study import Study
    from optuna.trial import FrozenTrial, Trial

DATABASE, LOCK = "study.db", "lock"
NAME = "spacy-pretrained"
SEED_STEP = 100_000  # between the seeds of two searches
# What is noted of a trial.
OWNER, AGAIN, REASON, STEP = "owner", "again", "reason", "step"


class Trials:
    """The study of a search, as this process sees it; methods may be called by several threads."""

    def __init__(self, out: Path, storage: str | None, space: Space, *, prune: bool, seed: int):
        self._out, self._space, self._seed = out, space, seed
        with self._locked():
            self.study = _open(storage or f"sqlite:///{out / DATABASE}", prune)

    def _locked(self):
        return locked(self._out / LOCK)

    def check(self, what: str, value: str) -> None:
        """RAISES: ValueError if the study was begun with another value."""
        with self._locked():
            found = self.study.user_attrs.get(what)
            if found is None:
                self.study.set_user_attr(what, value)
            elif found != value:
                raise ValueError(Errors.OTHER_SEARCH.format(out=self._out, what=what))

    def try_first(self, values: Values) -> None:
        """Let these be the first, if there are no trials yet and the space has them."""
        with self._locked():
            fit = all(setting.has(values[setting.path]) for setting in self._space.settings)
            if fit and not self.study.get_trials(deepcopy=False):
                self.study.enqueue_trial(values)

    def begin(self, n_trials: int) -> "tuple[Trial, Values] | None":
        """The next trial, and its values; None if there are enough, those that run included."""
        with self._locked():
            self._put_lost_in_again()
            if len(self.counted()) + len(self._running()) >= n_trials:
                return None
            self.study.sampler = self._make_sampler()
            trial = self.study.ask()
            trial.set_user_attr(OWNER, this_process())
            return trial, self._space.draw(trial)

    def _make_sampler(self) -> "BaseSampler":
        """One for a single trial: with one for all, a search that goes on, and another process,
        would draw the same values again."""
        from optuna.samplers import TPESampler

        number = len(self.study.get_trials(deepcopy=False))
        seed = (SEED_STEP * self._seed + number) % 2**32  # numpy takes no others
        return TPESampler(seed=seed, constant_liar=True)

    def end(self, trial: "Trial", score: float, step: int) -> None:
        with self._locked():
            trial.set_user_attr(STEP, step)
            self.study.tell(trial, score)

    def prune(self, trial: "Trial") -> None:
        from optuna.trial import TrialState

        with self._locked():
            self.study.tell(trial, state=TrialState.PRUNED)

    def fail(self, trial: "Trial", reason: str) -> None:
        from optuna.trial import TrialState

        with self._locked():
            trial.set_user_attr(REASON, reason)
            self.study.tell(trial, state=TrialState.FAIL)

    def give_up(self, trial: "Trial") -> None:
        """Of a trial that is stopped with the search."""
        with self._locked():
            self._put_in_again(self.study.trials[trial.number])

    def counted(self) -> "list[FrozenTrial]":
        """Those that came to an end."""
        from optuna.trial import TrialState

        ended = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)
        trials = self.study.get_trials(deepcopy=False, states=ended)
        return [t for t in trials if t.state != TrialState.FAIL or REASON in t.user_attrs]

    def best(self) -> "FrozenTrial | None":
        """The one with the best score; of several the first."""
        from optuna.trial import TrialState

        done = [trial for trial in self.counted() if trial.state == TrialState.COMPLETE]
        return max(done, key=lambda trial: (trial.value, -trial.number), default=None)

    def numbers_in_use(self) -> set[int]:
        """Those that run, and the best: their folders are needed."""
        with self._locked():
            best = self.best()
            running = {trial.number for trial in self._running()}
            return running | ({best.number} if best else set())

    def others_run(self) -> bool:
        """Whether another process runs trials."""
        with self._locked():
            self._put_lost_in_again()
            return any(t.user_attrs.get(OWNER) != this_process() for t in self._running())

    def _running(self) -> "list[FrozenTrial]":
        from optuna.trial import TrialState

        return self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))

    def _put_lost_in_again(self) -> None:
        for trial in self._running():
            owner = trial.user_attrs.get(OWNER)
            if owner is None or not is_alive(owner):
                self._put_in_again(trial)

    def _put_in_again(self, trial: "FrozenTrial") -> None:
        """Its copy comes first: if this process is killed in between, the next one finds it."""
        from optuna.trial import TrialState

        trials = self.study.get_trials(deepcopy=False)
        if not any(one.user_attrs.get(AGAIN) == trial.number for one in trials):
            # Queued values become the trial's own one by one, as they are drawn.
            values = trial.system_attrs.get("fixed_params", {}) | trial.params
            self.study.enqueue_trial(values, user_attrs={AGAIN: trial.number})
        self.study.tell(trial.number, state=TrialState.FAIL)


def _open(storage: str, prune: bool) -> "Study":
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    pruner = optuna.pruners.MedianPruner() if prune else optuna.pruners.NopPruner()
    try:
        return optuna.create_study(
            study_name=NAME,
            storage=storage,
            direction="maximize",
            pruner=pruner,
            load_if_exists=True,
        )
    except Exception as error:  # of sqlalchemy and of drivers
        reason = str(error).splitlines()[0]
        raise ValueError(Errors.STORAGE.format(storage=storage, error=reason)) from error


def as_rows(trials: "list[FrozenTrial]", space: Space) -> Iterator[dict[str, Any]]:
    """Rows of a table, a trial each."""
    for trial in trials:
        seconds = trial.duration.total_seconds() if trial.duration else None
        yield {
            "number": trial.number,
            "state": trial.state.name.lower(),
            "score": trial.value,
            "step": trial.user_attrs.get(STEP),
            "seconds": None if seconds is None else round(seconds, 1),
            "reason": trial.user_attrs.get(REASON, ""),
            **{setting.path: trial.params.get(setting.path) for setting in space.settings},
        }
