"""The bar below the table of a training: steps to its end, or to the next evaluation."""

from typing import IO, Any

from spacy.errors import Errors as SpacyErrors
from tqdm import tqdm

KINDS = ("train", "eval")


class TrainingProgress:
    """A bar where stderr is a terminal, nothing elsewhere."""

    def __init__(self, kind: str | None, training: dict[str, Any], stderr: IO) -> None:
        """kind: "train", "eval", or None for no bar. training: the block `[training]`.

        RAISES: ValueError if there is no such kind.
        """
        if kind not in (*KINDS, None):
            raise ValueError(SpacyErrors.E1048.format(unexpected=kind, expected=KINDS))
        self._kind = kind
        self._max_steps = training["max_steps"] or None  # 0: until patience ends
        self._eval_frequency = training["eval_frequency"]
        self._stderr = stderr
        self._bar: tqdm | None = None

    def step(self) -> None:
        if self._bar is not None:
            self._bar.update(1)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def restart(self, epoch: int, step: int) -> None:
        """After an evaluation."""
        whole = self._kind == "train"
        self._bar = tqdm(
            total=self._max_steps if whole else self._eval_frequency,
            initial=step if whole else 0,
            desc=f"Last Eval Epoch: {epoch}" if whole else f"Epoch {epoch + 1}",
            disable=None if self._kind else True,  # None: but in a terminal
            leave=False,
            file=self._stderr,
        )
