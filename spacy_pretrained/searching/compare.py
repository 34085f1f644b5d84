"""The best config beside the default, each with several seeds: is it better, or was it luck?"""

import json
import math
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean, variance
from threading import Event
from typing import Any

from thinc.api import Config

from ..runtime.whole_files import write_json
from .configs import read_seed, with_seed
from .errors import Errors
from .inputs import digest_inputs
from .options import T_QUANTILES, SearchOptions
from .results import COMPARISON
from .trial import TrialFailed, run_trial

DEFAULT, BEST = "default", "best"
FOLDER = "seeds"


class RunFailed(ValueError):
    """One of the trainings has no score: nothing can be compared."""


@dataclass(frozen=True)
class Comparison:
    """Scores of both configs, a seed each, and how sure the difference is."""

    default: list[float]
    best: list[float]

    @property
    def difference(self) -> float:
        return mean(self.best) - mean(self.default)

    @property
    def noise(self) -> float:
        """Half of the 95 % interval of the difference, as seeds alone make it (Student's t, with
        the variance of both)."""
        n = len(self.best)
        error = math.sqrt((variance(self.best) + variance(self.default)) / n)
        return T_QUANTILES[n] * error

    @property
    def is_better(self) -> bool:
        return self.difference > self.noise

    def explain(self) -> str:
        """One sentence."""
        seeds = f"{len(self.best)} seeds each"
        found = f"{100 * self.difference:+.2f} points with {seeds}, ± {100 * self.noise:.2f}"
        if self.is_better:
            return f"The best config is better than the default by more than seed noise: {found}."
        return (
            f"The best config is not better than the default by more than seed noise: {found}. Its "
            "lead among the trials may be luck."
        )


def compare(
    configs: dict[str, Config],
    out: Path,
    metric: str,
    options: SearchOptions,
    stop: Event,
    report: Callable[[str], None],
) -> Comparison:
    """Train both configs with each seed, one training at a time. What is there from an earlier run
    is not run again.

    The seeds are others than that of the trials: with that one, the best config was lucky enough to
    be chosen.

    configs: By DEFAULT and BEST.
    RAISES: RunFailed if a training fails.
    """
    first = 1 + max(map(read_seed, configs.values()))
    seeds = range(first, first + options.seeds)
    options = replace(options, jobs=1)  # it has all cores
    path = out / COMPARISON
    found = json.loads(path.read_text("utf8")) if path.is_file() else {}
    runs = {
        which: _begin(config, found.get(which, {}), options.code)
        for which, config in configs.items()
    }
    for seed in seeds:
        for which, config in configs.items():
            if str(seed) not in runs[which]["seeds"]:
                score = _train(which, with_seed(config, seed), seed, out, metric, options, stop)
                runs[which]["seeds"][str(seed)] = score
                write_json(path, runs)
                report(f"{which} config, seed {seed}: {100 * score:.2f}")
    return Comparison(*([runs[w]["seeds"][str(s)] for s in seeds] for w in (DEFAULT, BEST)))


def _begin(config: Config, known: dict[str, Any], code: Path | None) -> dict[str, Any]:
    """The entry of a config, with the seeds' scores that are known. Those of another config do not
    count, as later trials may have found another best, nor those of other code or corpora."""
    wanted = {"config": config.to_str()} | digest_inputs(config, code)
    # Earlier versions noted the config alone.
    is_same = all(known.get(name, value) == value for name, value in wanted.items())
    return wanted | {"seeds": known.get("seeds", {}) if is_same else {}}


def _train(
    which: str,
    config: Config,
    seed: int,
    out: Path,
    metric: str,
    options: SearchOptions,
    stop: Event,
) -> float:
    folder = out / FOLDER
    try:
        return run_trial(config, folder, metric, options, stop).score
    except TrialFailed as failed:
        known = {"which": which, "seed": seed, "reason": failed}
        raise RunFailed(Errors.RUN_FAILED.format(**known)) from failed
    finally:
        shutil.rmtree(folder, ignore_errors=True)
