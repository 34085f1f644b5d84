"""The space of a search: which settings of a config are tried, and with which values.

[search]
metric = "score"

[search.space]
training.dropout = {"low": 0.0, "high": 0.4}
training.optimizer.learn_rate.initial_rate = {"low": 3e-4, "high": 3e-3, "log": true}
training.batcher.size = {"choices": [500, 1000, 1500]}
"""

from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thinc.api import Config

from .errors import Errors

if TYPE_CHECKING:
    from optuna.trial import Trial

Value = None | bool | int | float | str
Values = dict[str, Value]
HEAD = "[search]"
OPTIONS = ("metric", "space")
RANGE, CHOICES = {"low", "high", "step", "log", "also"}, {"choices", "also"}
SCORE = "score"  # of the training log: what the scores weigh in [training.score_weights]


@dataclass(frozen=True)
class Setting:
    """A setting, by its dotted path, with a range of values or some choices."""

    path: str
    low: float | None = None
    high: float | None = None
    step: float | None = None
    log: bool = False
    choices: tuple[Value, ...] = ()
    also: tuple[str, ...] = ()  # paths of settings that get the same value

    @property
    def is_whole(self) -> bool:
        """Whether its values are whole numbers."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def draw(self, trial: "Trial") -> Value:
        """The value that optuna suggests."""
        if self.choices:
            return trial.suggest_categorical(self.path, self.choices)
        suggest = trial.suggest_int if self.is_whole else trial.suggest_float
        step = {} if self.step is None else {"step": self.step}
        return suggest(self.path, self.low, self.high, log=self.log, **step)

    def has(self, value: Any) -> bool:
        """Whether a value is one of those that may be drawn."""
        if self.choices:
            return any(value == one and type(value) is type(one) for one in self.choices)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not self.low <= value <= self.high:
            return False
        steps = (value - self.low) / (self.step or 1)
        return (not self.is_whole and self.step is None) or abs(steps - round(steps)) < 1e-9


@dataclass(frozen=True)
class Space:
    settings: tuple[Setting, ...]
    metric: str = SCORE

    def draw(self, trial: "Trial") -> Values:
        """A value for each path."""
        return {setting.path: setting.draw(trial) for setting in self.settings}

    def spread(self, values: Values) -> Values:
        """The same, with those settings that get a value of another one."""
        also = {path: values[s.path] for s in self.settings for path in s.also}
        return values | also


def known_spaces() -> list[str]:
    """The names of those that come with the package."""
    folder = files("spacy_pretrained.configs") / "spaces"
    return sorted(one.name.removesuffix(".cfg") for one in folder.iterdir())


def read_space(source: str) -> Space:
    """Read a space: a .cfg file, or the name of one that comes with the package.

    RAISES: ValueError, naming the setting that is wrong.
    """
    if source in known_spaces():
        with as_file(files("spacy_pretrained.configs") / "spaces" / f"{source}.cfg") as path:
            return _read(path)
    if not Path(source).is_file():
        known = ", ".join(known_spaces())
        raise ValueError(Errors.SPACE_MISSING.format(path=source, known=known))
    return _read(Path(source))


def _read(path: Path) -> Space:
    try:
        text = path.read_text("utf8")
        if HEAD not in text.splitlines():  # which spaCy's configs need above [search.space]
            text = f"{HEAD}\n\n{text}"
        block = Config().from_str(text)["search"]
    except ValueError as error:  # of confection's own, or not in UTF-8
        raise ValueError(Errors.SPACE_BROKEN.format(path=path, error=error)) from error
    for name in block:
        if name not in OPTIONS:
            known = ", ".join(OPTIONS)
            raise ValueError(Errors.SPACE_OPTION.format(path=path, name=name, known=known))
    space = block.get("space") or {}
    if not space:
        raise ValueError(Errors.SPACE_NONE.format(path=path))
    settings = tuple(_check(name, value, path) for name, value in space.items())
    return Space(settings, block.get("metric", SCORE))


def _check(setting: str, value: Any, path: Path) -> Setting:
    known = {"path": path, "setting": setting}
    is_choice = isinstance(value, dict) and "choices" in value
    if not isinstance(value, dict) or not value.keys() <= (CHOICES if is_choice else RANGE):
        raise ValueError(Errors.SPACE_KEYS.format(**known, value=value))
    also = value.get("also", [])
    if not isinstance(also, list) or not all(isinstance(one, str) for one in also):
        raise ValueError(Errors.SPACE_KEYS.format(**known, value=value))
    if is_choice:
        choices = value["choices"]
        fit = isinstance(choices, list) and all(isinstance(one, Value) for one in choices)
        if not fit or len(choices) < 2 or len({repr(one) for one in choices}) < len(choices):
            raise ValueError(Errors.SPACE_CHOICES.format(**known, choices=choices))
        return Setting(setting, choices=tuple(choices), also=tuple(also))
    if not {"low", "high"} <= value.keys():
        raise ValueError(Errors.SPACE_KEYS.format(**known, value=value))
    low, high, log = value["low"], value["high"], value.get("log", False)
    if not _is_number(low) or not _is_number(high) or low >= high or (log and low <= 0):
        raise ValueError(Errors.SPACE_RANGE.format(**known, low=low, high=high))
    step = value.get("step")
    if step is not None and (
        log or not _is_number(step) or step <= 0 or not _fits(step, low, high)
    ):
        raise ValueError(Errors.SPACE_STEP.format(**known, step=step))
    return Setting(setting, low, high, step, bool(log), also=tuple(also))


def _fits(step: float, low: float, high: float) -> bool:
    """A range of whole numbers has a whole step."""
    return isinstance(step, int) or not (isinstance(low, int) and isinstance(high, int))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
