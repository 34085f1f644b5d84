"""Whether a quantized pipeline still scores as the one it was made of."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from spacy.language import Language
from spacy.training import Example
from wasabi import table

from ..errors import count_of
from ..scoring.bootstrap import estimate_drops, score
from ..scoring.score_counts import UNIT, count, find_counters, score_examples
from .errors import Errors
from .judge import Trial
from .recipes import INT8, INT8_WEIGHTS

MIN_DOCUMENTS = 5


class Answer(StrEnum):
    PASSES = "passes"
    FAILS = "fails"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True)
class Drop:
    """One score before and after, in percent, and how sure its drop is, in percent points."""

    score: str
    before: float
    after: float
    least: float  # lower end of the one-sided 95 % interval of the drop
    error: float  # standard error of the drop
    spread: float  # from the drop to the upper end of the other one-sided 95 % interval
    unseen: float  # the drop that may be there without the documents showing any of it

    @property
    def drop(self) -> float:
        return self.before - self.after

    @property
    def visible(self) -> float:
        """The smallest drop that the documents would have shown."""
        return max(self.spread, self.unseen)

    @property
    def most(self) -> float:
        return self.drop + self.visible

    def answer(self, max_drop: float) -> Answer:
        """Whether the score drops by more than max_drop. The documents can tell if it does, or if a
        drop of that size would have been visible."""
        is_sure = self.error < max_drop / 2
        if self.least > max_drop or (self.drop > max_drop and is_sure):
            return Answer.FAILS
        return Answer.PASSES if self.visible <= max_drop else Answer.CANNOT_TELL

    def is_within_error(self, max_drop: float) -> bool:
        """Whether it passes though it is above max_drop: the documents do not show that it is no
        chance, and would have shown a drop that is larger by max_drop."""
        return self.drop > max_drop and self.answer(max_drop) is Answer.PASSES

    def times_as_many(self, max_drop: float) -> float:
        """How many times as many documents it takes to tell. Intervals shrink with the square root
        of their number, what none of them shows with the number itself."""
        if max_drop == 0:
            return math.inf
        return max((self.spread / max_drop) ** 2, self.unseen / max_drop)


@dataclass(frozen=True)
class ScoreTrial:
    """A recipe, by how much scores drop with it, and whether that is too much."""

    recipe: str
    drops: list[Drop]
    documents: int
    max_drop: float
    performance: dict[str, Any] = field(repr=False)  # all of spaCy's scores, from 0 to 1

    is_judged = True  # there always are scores

    @property
    def is_unsure(self) -> bool:
        return self.answer is Answer.CANNOT_TELL

    @property
    def answer(self) -> Answer:
        """That of all scores: one that fails is enough to fail, and all have to pass."""
        answers = {drop.answer(self.max_drop) for drop in self.drops}
        order = (Answer.FAILS, Answer.CANNOT_TELL, Answer.PASSES)
        return next(answer for answer in order if answer in answers)

    def refusal(self, n_trials: int, *, precision: str, windows: str) -> str:
        advice = _advise(precision, windows)
        known = {"n": n_trials, "max_drop": self.max_drop, "advice": advice}
        return Errors.QUANTIZED_TOO_LOW.format(**known)

    def explain(self) -> str:
        """One line: the answer, and what it rests on."""
        if self.is_unsure:
            return self._explain_doubt()
        failed = [drop for drop in self.drops if drop.answer(self.max_drop) is Answer.FAILS]
        if failed:
            return f"{self.answer}: {_list_drops(failed)}"
        return f"{self.answer}: {self.remark}" if self.remark else str(self.answer)

    @property
    def remark(self) -> str:
        """What there is to say of scores that pass though they drop by more than max_drop."""
        within = [drop for drop in self.drops if drop.is_within_error(self.max_drop)]
        if not within:
            return ""
        documents = count_of(self.documents, "document")
        return (
            f"{_list_drops(within)}: above {self.max_drop:g}, but by no more than the error in "
            f"{documents} explains"
        )

    def _explain_doubt(self) -> str:
        """About the score that takes the most documents."""
        unsure = [drop for drop in self.drops if drop.answer(self.max_drop) is Answer.CANNOT_TELL]
        worst = max(unsure, key=lambda drop: drop.times_as_many(self.max_drop))
        times = worst.times_as_many(self.max_drop)
        if math.isfinite(times):
            remedy = f"about {count_of(round_up(times * self.documents), 'document')} would do"
        else:
            remedy = "no number of documents can show that a score does not drop at all"
        documents = count_of(self.documents, "document")
        return (
            f"Cannot tell whether scores drop by more than {self.max_drop:g}: in "
            f"{documents} the drop of {worst.score} is {worst.drop:.2f} points "
            f"(90 % interval from {worst.least:.2f} to {worst.most:.2f}); {remedy}."
        )

    def summary(self) -> str:
        rows = [
            (
                drop.score,
                *(f"{x:.2f}" for x in (drop.before, drop.after, drop.drop, drop.least, drop.most)),
                str(drop.answer(self.max_drop)),
            )
            for drop in self.drops
        ]
        header = ("", "before", "after", "drop", "at least", "at most", "")
        scores = table(rows, header=header, divider=True, aligns=("l", *"rrrrr", "l"))
        lines = [scores, "At least, at most: each with 95 % confidence."]
        if self.remark:
            lines.append(f"Passes: {self.remark}.")
        return "\n".join(lines)

    def figures(self) -> dict[str, Any]:
        """What is stored; scores in percent."""
        return {
            "max_drop": self.max_drop,
            "documents": self.documents,
            "answer": str(self.answer),
            "scores": {
                drop.score: {
                    "before": round(drop.before, 4),
                    "after": round(drop.after, 4),
                    "drop": round(drop.drop, 4),
                    "least_drop": round(drop.least, 4),
                    "most_drop": round(drop.most, 4),
                    "answer": str(drop.answer(self.max_drop)),
                }
                for drop in self.drops
            },
        }


def _list_drops(drops: list[Drop]) -> str:
    return ", ".join(f"{drop.score} drops by {drop.drop:.2f}" for drop in drops)


class Refused(ValueError):
    """No recipe was accepted. Has the trials of all.

    precision, windows: What was asked for. What else to try depends on it.
    """

    def __init__(self, trials: list[Trial], *, precision: str = INT8, windows: str = "kept"):
        doubts = [trial for trial in trials if trial.is_unsure]
        last, n = trials[-1], len(trials)
        if doubts:
            message = Errors.QUANTIZED_UNSURE.format(n=n, doubt=doubts[-1].explain())
        else:
            message = last.refusal(n, precision=precision, windows=windows)
        super().__init__(message)
        self.trials = trials


def _advise(precision: str, windows: str) -> str:
    if windows != "kept":
        return Errors.TRY_KEPT_WINDOWS
    advice = {INT8: Errors.TRY_TEXTS_OR_FP32, INT8_WEIGHTS: Errors.TRY_FP32}
    return advice.get(precision, Errors.TRY_MAX_DROP)


def check_max_drop(max_drop: float, *, strict: bool = False) -> None:
    if not 0 <= max_drop < 100:
        raise ValueError(Errors.MAX_DROP.format(max_drop=max_drop))
    if strict and max_drop == 0:
        raise ValueError(Errors.STRICT_ZERO)


def round_up(number: float) -> int:
    """To two digits that are not 0: 1234 to 1300."""
    unit = 10 ** max(0, math.floor(math.log10(number)) - 1)
    return math.ceil(number / unit) * unit


class Gate:
    """Scores of a pipeline on some examples, with which those of its copies are compared.

    max_drop: How many percent points a score may drop.
    strict: Accept a copy only if it passes, not if the examples are too few to tell.
    seed: Of the bootstrap.
    """

    falls_back = False

    def __init__(
        self,
        nlp: Language,
        examples: Iterable[Example],
        *,
        max_drop: float,
        strict: bool = False,
        seed: int = 0,
        report: Callable[[str], None] = lambda step: None,
    ) -> None:
        check_max_drop(max_drop, strict=strict)
        self._max_drop = max_drop
        self._strict = strict
        self._examples = list(examples)
        self._seed = seed
        self._report = report
        if len(self._examples) < MIN_DOCUMENTS:
            raise ValueError(Errors.EVAL_TOO_FEW.format(n=len(self._examples), least=MIN_DOCUMENTS))
        annotated = self._annotate(nlp, "Scoring the pipeline as it is")
        scores = score_examples(nlp, annotated)
        self._counters = find_counters(nlp, scores)
        if not self._counters:
            pipes = ", ".join(nlp.pipe_names)
            raise ValueError(Errors.EVAL_NOTHING.format(pipes=pipes))
        self._before = count(self._counters, annotated)

    def try_out(self, nlp: Language, recipe: str) -> ScoreTrial:
        annotated = self._annotate(nlp, f"Scoring {recipe}")
        after = count(self._counters, annotated)
        found = estimate_drops(self._before, after, unit=UNIT, seed=self._seed)
        scores = score(self._before.sum(axis=0)), score(after.sum(axis=0))
        columns = (*scores, found.least, found.error, found.spread, found.unseen)
        rows = zip(*(100 * column for column in columns))
        drops = [Drop(name, *map(float, row)) for name, row in zip(self._counters, rows)]
        performance = score_examples(nlp, annotated)
        return ScoreTrial(recipe, drops, len(annotated), self._max_drop, performance)

    def accepts(self, trial: ScoreTrial) -> bool:
        if self._strict:
            return trial.answer is Answer.PASSES
        return trial.answer is not Answer.FAILS

    def _annotate(self, nlp: Language, what: str) -> list[Example]:
        n_docs = len(self._examples)
        # As bytes, since Docs of one pipeline's vocab are not another's.
        docs = nlp.pipe(example.predicted.to_bytes() for example in self._examples)
        annotated = []
        self._report(f"{what}: {count_of(n_docs, 'document')}")
        for doc in docs:
            annotated.append(doc)
            if n_docs >= 100 and len(annotated) % (n_docs // 4) == 0 and len(annotated) < n_docs:
                self._report(f"{what}: {len(annotated) / n_docs:.0%}")
        if len(annotated) != n_docs:  # those behind would be scored on the wrong gold annotation
            raise ValueError(Errors.EVAL_LOST.format(n=n_docs - len(annotated), of=n_docs))
        return [Example(doc, old.reference) for doc, old in zip(annotated, self._examples)]
