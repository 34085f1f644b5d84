"""One training as the search sees it: begun, watched, ended."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

from thinc.api import Config

from ..runtime.cores import count_threads
from .configs import with_log
from .errors import Errors
from .options import SearchOptions
from .space import SCORE

CONFIG, LOG, ERRORS = "config.cfg", "log.jsonl", "errors.txt"
POLL = 0.1  # seconds
PATIENCE = 10  # seconds from a request to end to a signal that nobody can refuse
THREADS = "OMP_NUM_THREADS"

# Is told a step and its score; True ends the training.
OnScore = Callable[[int, float], bool]


class TrialFailed(Exception):
    """Says why a training has no score."""


class TrialPruned(Exception):
    """A training was ended because it does worse than others did at that step."""


class TrialStopped(Exception):
    """A training was ended because the search is to end."""


@dataclass(frozen=True)
class Outcome:
    score: float  # the best of all evaluations
    step: int


def run_trial(
    config: Config,
    folder: Path,
    metric: str,
    options: SearchOptions,
    stop: Event,
    on_score: OnScore = lambda step, score: False,
) -> Outcome:
    """Train in a process of its own, which leaves `model-best` in the folder.

    metric: "score", or the name of one of spaCy's scores.
    RAISES: TrialFailed, TrialPruned, TrialStopped.
    """
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / LOG
    log.unlink(missing_ok=True)
    with_log(config, log).to_disk(folder / CONFIG)
    settings = {"config": str(folder / CONFIG), "output": str(folder), "gpu_id": options.gpu_id}
    settings["code"] = options.code and str(options.code)
    scores: list[tuple[float, int]] = []
    with (folder / ERRORS).open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.trial_process", json.dumps(settings)],
            stdin=subprocess.PIPE,
            stdout=errors,
            stderr=errors,
            env=_environment(options.jobs),
            start_new_session=True,  # Ctrl-C is for the search
        )
        try:
            is_over = False
            while not is_over:
                is_over = process.poll() is not None
                for line in _new_lines(log, len(scores)):
                    step, score = line["step"], _read_score(line, metric)
                    scores.append((score, step))
                    if not is_over and on_score(step, score):
                        raise TrialPruned
                if stop.is_set():
                    raise TrialStopped
                if not is_over:
                    time.sleep(POLL)
        finally:
            _end(process)
    if process.returncode:
        raise TrialFailed(_find_reason(process.returncode, folder / ERRORS))
    if not scores:
        raise TrialFailed(Errors.NO_SCORES)
    best, step = max(scores, key=lambda one: (one[0], -one[1]))
    return Outcome(best, step)


def _environment(jobs: int) -> dict[str, str]:
    """Several trainings at once share the cores."""
    if jobs == 1 or THREADS in os.environ:
        return dict(os.environ)
    return os.environ | {THREADS: str(max(1, count_threads() // jobs))}


def _new_lines(log: Path, n_read: int) -> list[dict[str, Any]]:
    """The whole lines of a log behind those that were read."""
    if not log.is_file():
        return []
    *lines, _ = log.read_text("utf8").split("\n")  # the last one is being written
    return [json.loads(line) for line in lines[n_read:]]


def _read_score(line: dict[str, Any], metric: str) -> float:
    found = line["score"] if metric == SCORE else line["scores"].get(metric)
    if found is None and metric != SCORE and metric not in line["scores"]:
        known = ", ".join(line["scores"])
        raise TrialFailed(Errors.NO_METRIC.format(metric=metric, known=known))
    return float(found or 0.0)


def _end(process: subprocess.Popen) -> None:
    process.stdin.close()  # it ends by that, too
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _find_reason(returncode: int, errors: Path) -> str:
    if returncode == -9:  # SIGKILL, which Windows has no name for
        return Errors.OUT_OF_MEMORY
    lines = [line.strip() for line in errors.read_text("utf8", "replace").splitlines()]
    return next((line for line in reversed(lines) if line), f"exit code {returncode}")
