"""Search the settings of a config: the loop over trials, and what comes of it."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

from thinc.api import Config

from ..errors import count_of
from ..runtime.whole_files import write_json
from ..sources.installed import is_installed
from .compare import BEST, DEFAULT, Comparison, RunFailed, compare
from .configs import check_settings, find_warmup, read_config, read_values, with_values
from .errors import Errors
from .inputs import digest_inputs
from .lock import locked
from .options import SearchOptions
from .results import (
    FOLDERS,
    IMPORTANCE,
    TRIALS,
    find_importance,
    remove_folders,
    write_results,
)
from .space import Space, Values, read_space
from .study import LOCK, REASON, Trials, as_rows
from .trial import TrialFailed, TrialPruned, TrialStopped, run_trial

Report = Callable[[str], None]
COMPARING = "comparing"  # held by who runs the comparison


@dataclass(frozen=True)
class Found:
    """What a search has found."""

    number: int  # of the best trial
    score: float
    values: Values
    n_trials: int
    n_pruned: int
    n_failed: int
    importance: dict[str, float]
    comparison: Comparison | None


def search(
    config: str | Path,
    space: str,
    out: str | Path,
    options: SearchOptions | None = None,
    *,
    report: Report = print,
    warn: Report = print,
) -> Found:
    """Try settings of a config, each in a training of its own, and compare the best with the
    config as it is.

    config: A complete config that `spacy train` takes, with the paths of its corpora.
    space: A .cfg file with a block [search.space], or the name of one that comes with the package.
    out: A new folder, or one of a search that was stopped, which then goes on. Several processes
        may work in one.
    options: See `SearchOptions`.
    RAISES: ValueError or OSError, saying what does not fit; ImportError without the extra.
    """
    options, out = options or SearchOptions(), Path(out)
    if not is_installed("optuna"):
        raise ImportError(Errors.EXTRA_MISSING)
    default, found_space = read_config(Path(config)), read_space(space)
    check_settings(default, found_space)
    if out.is_dir() and any(out.iterdir()) and not (out / LOCK).is_file():
        raise ValueError(Errors.OUT_TAKEN.format(out=out))
    (out / FOLDERS).mkdir(parents=True, exist_ok=True)
    settings = {"prune": options.prune, "seed": options.seed}
    trials = Trials(out, options.storage, found_space, **settings)
    trials.check("config", _digest(default.to_str()))
    trials.check("space", _digest(repr(found_space)))
    _check_inputs(trials, default, options)
    trials.try_first(read_values(default, found_space))
    stop = Event()
    runner = Runner(default, found_space, out, options, trials, stop, report)
    try:
        runner.run()
        return _finish(runner, warn)
    finally:
        stop.set()


class Runner:
    """Runs trials, several at once if that is wanted."""

    def __init__(
        self,
        config: Config,
        space: Space,
        out: Path,
        options: SearchOptions,
        trials: Trials,
        stop: Event,
        report: Report,
    ):
        self.config, self.space, self.out, self.options = config, space, out, options
        self.trials, self.stop, self.report = trials, stop, report
        self._end = time.monotonic() + 60 * (options.timeout or float("inf"))
        self._errors: list[BaseException] = []

    def run(self) -> None:
        """Until there are enough trials, or the time is over. What a thread raises, this does."""
        threads = [Thread(target=self._work) for _ in range(self.options.jobs)]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                while thread.is_alive():
                    thread.join(1)  # on Windows nobody can interrupt one without an end
        except KeyboardInterrupt:
            self.stop.set()
            for thread in threads:
                thread.join()
            raise
        if self._errors:
            raise self._errors[0]

    def _work(self) -> None:
        try:
            while not self.stop.is_set() and time.monotonic() < self._end:
                _check_inputs(self.trials, self.config, self.options)
                begun = self.trials.begin(self.options.n_trials)
                if begun is None:
                    return
                self._try(*begun)
                self.write()
        except BaseException as error:
            self._errors.append(error)
            self.stop.set()

    def write(self) -> None:
        """What is known by now, and no pipelines but the best."""
        write_results(self.out, self.config, self.space, self.trials)
        remove_folders(self.out, self.trials)

    def _try(self, trial, values: Values) -> None:
        config = with_values(self.config, self.space.spread(values))
        warmup = find_warmup(config)

        def on_score(step: int, score: float) -> bool:
            trial.report(score, step)
            # spaCy evaluates at step 0, too, when nothing is learnt, and while rates rise, little.
            return self.options.prune and step > warmup and trial.should_prune()

        folder = self.out / FOLDERS / str(trial.number)
        settings = (self.space.metric, self.options, self.stop)
        try:
            outcome = run_trial(config, folder, *settings, on_score)
            _check_inputs(self.trials, self.config, self.options)  # what it read may have changed
        except TrialPruned:
            self.trials.prune(trial)
            self.report(f"trial {trial.number}: pruned")
        except TrialFailed as failed:
            self.trials.fail(trial, str(failed))
            self.report(f"trial {trial.number}: failed: {failed}")
        except TrialStopped:
            self.trials.give_up(trial)
        except BaseException:  # it ends this search; a later one of this process begins it again
            self.trials.give_up(trial)
            raise
        else:
            self.trials.end(trial, outcome.score, outcome.step)
            self.report(f"trial {trial.number}: {100 * outcome.score:.2f}")


def _finish(runner: Runner, warn: Report) -> Found:
    trials, out, options = runner.trials, runner.out, runner.options
    runner.write()  # an earlier process may have been killed after the last trial
    others_run = trials.others_run()  # before asking for the best, which they may find
    counted = trials.counted()
    best = trials.best()
    if best is None and others_run:
        raise ValueError(Errors.NONE_YET)
    if best is None:
        reasons = [one.user_attrs[REASON] for one in counted if REASON in one.user_attrs]
        known = {"n": len(counted), "reason": reasons[-1] if reasons else ""}
        raise ValueError(Errors.ALL_FAILED.format(path=out / TRIALS, **known))
    importance = find_importance(trials)
    with locked(out / LOCK):  # another process may come to its end, too
        write_json(out / IMPORTANCE, importance)
        _draw(out, list(as_rows(counted, runner.space)), importance, runner.report)
    comparison = None
    if others_run:
        warn(Errors.OTHERS_RUN)
    elif options.seeds:
        values = runner.space.spread(best.params)
        configs = {DEFAULT: runner.config, BEST: with_values(runner.config, values)}
        runner.report(f"The best config and the default, {options.seeds} seeds each")
        metric = runner.space.metric
        with locked(out / COMPARING):  # who waits finds all scores in seeds.json
            try:
                comparison = compare(configs, out, metric, options, runner.stop, runner.report)
            except RunFailed as failed:
                warn(Errors.NOT_COMPARED.format(error=failed))
    states = [trial.state.name for trial in counted]
    return Found(
        best.number,
        best.value,
        dict(best.params),
        len(counted),
        states.count("PRUNED"),
        states.count("FAIL"),
        importance,
        comparison,
    )


def _draw(out: Path, rows: list[dict], importance: dict[str, float], report: Report) -> None:
    if not is_installed("matplotlib"):
        report("No pictures: they need matplotlib (pip install 'spacy-pretrained[plot]').")
        return
    from . import plot

    plot.plot_trials(rows, out / plot.HISTORY)
    if importance:
        plot.plot_importance(importance, out / plot.IMPORTANCE)


def _check_inputs(trials: Trials, config: Config, options: SearchOptions) -> None:
    """RAISES: ValueError if trainings would read other code or corpora than earlier ones did."""
    for what, value in digest_inputs(config, options.code).items():
        trials.check(what, value)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf8")).hexdigest()


def describe_counts(found: Found) -> str:
    """How many trials there were, and what became of them."""
    parts = [count_of(found.n_trials, "trial")]
    parts += [f"{n} {what}" for n, what in ((found.n_pruned, "pruned"), (found.n_failed, "failed"))]
    return ", ".join(parts)
