"""The logger of our training configs: a table on the screen, one JSON line an evaluation.

[training.logger]
@loggers = "spacy-pretrained.TrainingLogger.v1"
path = "metrics/ewt/training.jsonl"
"""

import json
import math
import sys
from collections.abc import Callable, Iterable, Iterator
from numbers import Real
from pathlib import Path
from time import perf_counter
from typing import IO, Any

from spacy.language import Language
from spacy.util import registry

from .errors import Errors
from .training_progress import TrainingProgress
from .training_table import training_table

LogStep = Callable[[dict[str, Any] | None], None]
Logger = Callable[[Language, IO, IO], tuple[LogStep, Callable[[], None]]]


def build_training_logger(
    path: str | None = None, progress_bar: str | None = "train", console_output: bool = True
) -> Logger:
    """Log to the screen and to a file, and stop where a loss is not finite (ValueError).

    path: written anew, one line an evaluation, at once; folders are made. For example:
        {"step": 200, "epoch": 1, "seconds": 61.2, "words": 80123, "words_per_second": 1502.3,
         "learn_rate": 0.0003, "losses": {"tagger": 2.1}, "scores": {"tag_acc": 0.96},
         "score": 0.96}
        - seconds: since the start, evaluations included.
        - words_per_second: since the last evaluation, evaluations left out; null where there was
          one step only.
        - losses: sums over the steps since the last evaluation. scores: as spaCy has them, most
          from 0 to 1.
    progress_bar: "train" (to the end of training), "eval" (to the next evaluation) or None; only
        where the screen is a terminal.
    console_output: the table, and the bar. A terminal too narrow for all columns has one for the
        sum of the losses, then only scores with a weight; the file has everything.
    """

    def setup(
        nlp: Language, stdout: IO = sys.stdout, stderr: IO = sys.stderr
    ) -> tuple[LogStep, Callable[[], None]]:
        show, finish = _console(nlp, progress_bar, stdout, stderr) if console_output else _SILENCE
        learn_rates = _learn_rates(nlp)
        speed = _Speedometer()
        file = _open(path)

        def log_step(info: dict[str, Any] | None) -> None:
            speed.count_step()
            learn_rate = next(learn_rates)
            show(info)
            if info is None:
                return
            losses = {component: float(loss) for component, loss in info["losses"].items()}
            for component, loss in losses.items():
                if not math.isfinite(loss):
                    raise ValueError(
                        Errors.LOGGED_LOSS_NOT_FINITE.format(
                            component=component, loss=loss, step=info["step"]
                        )
                    )
            if file is not None:
                line = {
                    "step": info["step"],
                    "epoch": info["epoch"],
                    "seconds": round(speed.seconds(), 1),
                    "words": info["words"],
                    "words_per_second": speed.words_per_second(info["words"]),
                    "learn_rate": learn_rate,
                    "losses": losses,
                    "scores": {
                        name: _number(value)
                        for name, value in info["other_scores"].items()
                        if isinstance(value, Real)
                    },
                    "score": _number(info["score"]),
                }
                file.write(json.dumps(line) + "\n")
            speed.restart(info["words"])

        def finalize() -> None:
            finish()
            if file is not None:
                file.close()

        return log_step, finalize

    return setup


def _silent(info: dict[str, Any] | None = None) -> None:
    """Show nothing."""


_SILENCE = (_silent, _silent)


def _console(
    nlp: Language, progress_bar: str | None, stdout: IO, stderr: IO
) -> tuple[LogStep, Callable[[], None]]:
    """The table, its header at once, and the bar below."""
    table = training_table(nlp, stdout)
    progress = TrainingProgress(progress_bar, nlp.config["training"], stderr)
    print(table.header(), file=stdout, flush=True)

    def show(info: dict[str, Any] | None) -> None:
        if info is None:
            progress.step()
            return
        progress.close()
        print(table.row(info), file=stdout, flush=True)
        progress.restart(info["epoch"], info["step"])

    return show, progress.close


class _Speedometer:
    """Seconds of training steps, apart from evaluations.

    spaCy calls the logger after every step. The step that evaluates cannot be told from its
    evaluation, and is taken to last as long as the others did.
    """

    def __init__(self) -> None:
        self._start = self._restart = perf_counter()
        self._words = 0
        self._before = self._last = self._restart  # the ends of the last step but one, and the last
        self._steps = 0

    def count_step(self) -> None:
        self._before, self._last = self._last, perf_counter()
        self._steps += 1

    def seconds(self) -> float:
        return self._last - self._start

    def words_per_second(self, words: int) -> float | None:
        """words: seen since the start of training."""
        if self._steps < 2:
            return None
        seconds = (self._before - self._restart) * self._steps / (self._steps - 1)
        return round((words - self._words) / max(seconds, 1e-9), 1)

    def restart(self, words: int) -> None:
        self._words, self._steps = words, 0
        self._restart = self._last = perf_counter()


def _open(path: str | None) -> IO | None:
    if path is None:
        return None
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    return Path(path).open("w", encoding="utf8", buffering=1)  # so that it can be read meanwhile


def _learn_rates(nlp: Language) -> Iterator[float | None]:
    """The optimizer's learning rate of step after step. Loggers do not get to see the optimizer,
    so that this one reads its schedule from the config, in step with it."""
    rate = nlp.config.interpolate()["training"]["optimizer"].get("learn_rate")
    rate = registry.resolve({"rate": rate})["rate"]
    rates = rate if isinstance(rate, Iterable) else [rate]
    for rate in rates:
        yield _number(rate)
    while True:  # optimizers keep the last value of a schedule that ends
        yield _number(rate)


def _number(value: Any) -> float | None:
    """JSON has no word for NaN and infinity."""
    return float(value) if isinstance(value, Real) and math.isfinite(value) else None
