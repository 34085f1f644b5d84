"""What quantizing asks of whoever compares copies of a pipeline with the original."""

from typing import Any, Protocol

from spacy.language import Language


class Trial(Protocol):
    """What a judge found out about a copy: a `ScoreTrial` or an `AgreementTrial`."""

    recipe: str
    performance: dict[str, Any]  # spaCy's scores, from 0 to 1; empty without gold annotation

    @property
    def is_judged(self) -> bool:
        """Whether anything was compared that has a limit."""

    @property
    def is_unsure(self) -> bool:
        """Whether there is too little to compare on to tell whether the copy is good enough."""

    def refusal(self, n_trials: int, *, precision: str, windows: str) -> str:
        """What to say where this is the last of so many trials, and no copy was accepted; precision
        and windows are those that were asked for."""

    def explain(self) -> str:
        """Why the copy is not accepted, or what is unsure, in a line."""

    def summary(self) -> str:
        """What was compared, as a table; empty if nothing was."""

    def figures(self) -> dict[str, Any]:
        """What is stored with the copy."""


class Judge(Protocol):
    """What compares copies with the original: a `Gate` or an `AgreementGate`."""

    falls_back: bool  # whether the last recipe is fp32, or no copy is better than a poor one

    def try_out(self, nlp: Language, recipe: str) -> Trial: ...

    def accepts(self, trial: Trial) -> bool: ...
