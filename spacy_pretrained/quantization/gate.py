"""Whether a quantized pipeline still scores as the one it was made of."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from spacy.language import Language
from spacy.training import Example

from ..scoring.bootstrap import least_losses, score
from ..scoring.score_counts import count, find_counters, score_examples
from .errors import Errors

MIN_DOCUMENTS = 5


@dataclass(frozen=True)
class Loss:
    """One score, in percent, and what it lost."""

    score: str
    before: float
    after: float
    least: float  # lower end of the one-sided 95 % interval of the loss

    @property
    def loss(self) -> float:
        return self.before - self.after


@dataclass(frozen=True)
class Trial:
    """A recipe and what it cost."""

    recipe: str
    losses: list[Loss]
    performance: dict[str, Any] = field(repr=False)  # all of spaCy's scores, from 0 to 1

    def too_high(self, max_drop: float) -> list[Loss]:
        return [loss for loss in self.losses if loss.least > max_drop]


class Refused(ValueError):
    """Every recipe lost more than it may."""

    def __init__(self, trials: list[Trial], max_drop: float):
        super().__init__(Errors.QUANTIZED_TOO_LOW.format(n=len(trials), max_drop=max_drop))
        self.trials = trials


def check_max_drop(max_drop: float) -> None:
    if not 0 <= max_drop < 100:
        raise ValueError(Errors.MAX_DROP.format(max_drop=max_drop))


class Gate:
    """Scores of a pipeline on some examples, with which those of its copies are compared."""

    def __init__(
        self,
        nlp: Language,
        examples: Iterable[Example],
        *,
        max_drop: float,
        seed: int = 0,
        report: Callable[[str], None] = lambda step: None,
    ) -> None:
        check_max_drop(max_drop)
        self.max_drop = max_drop
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

    def try_out(self, nlp: Language, recipe: str) -> Trial:
        annotated = self._annotate(nlp, f"Scoring {recipe}")
        after = count(self._counters, annotated)
        columns = (
            100 * score(self._before.sum(axis=0)),
            100 * score(after.sum(axis=0)),
            100 * least_losses(self._before, after, seed=self._seed),
        )
        losses = [Loss(name, *map(float, row)) for name, *row in zip(self._counters, *columns)]
        return Trial(recipe, losses, score_examples(nlp, annotated))

    def accepts(self, trial: Trial) -> bool:
        return not trial.too_high(self.max_drop)

    def explain(self, trial: Trial) -> str:
        """Why a trial is not accepted."""
        names = (f"{loss.score} -{loss.loss:.2f}" for loss in trial.too_high(self.max_drop))
        return f"loses too much ({', '.join(names)})"

    def describe(self, trial: Trial) -> dict[str, Any]:
        """What is stored of an accepted trial; scores in percent."""
        return {
            "max_drop": self.max_drop,
            "scores": {
                loss.score: {
                    "before": round(loss.before, 4),
                    "after": round(loss.after, 4),
                    "loss": round(loss.loss, 4),
                    "least_loss": round(loss.least, 4),
                }
                for loss in trial.losses
            },
        }

    def _annotate(self, nlp: Language, what: str) -> list[Example]:
        n_docs = len(self._examples)
        # As bytes, since Docs of one pipeline's vocab are not another's.
        docs = nlp.pipe(example.predicted.to_bytes() for example in self._examples)
        annotated = []
        self._report(f"{what}: {n_docs:,} documents")
        for doc, old in zip(docs, self._examples):
            annotated.append(Example(doc, old.reference))
            if n_docs >= 100 and len(annotated) % (n_docs // 4) == 0 and len(annotated) < n_docs:
                self._report(f"{what}: {len(annotated) / n_docs:.0%}")
        return annotated
