"""Components that can teach others, and learn from a teacher."""

import logging
from collections.abc import Callable, Iterable

from spacy.tokens import Doc
from spacy.training import Example

from .errors import Errors
from .rehearsing_pipe import RehearsingPipe
from .soft_targets import Said, find_said

logger = logging.getLogger("spacy")


class DistillingPipe(RehearsingPipe):
    """A component whose probabilities a smaller one can learn from, by the corpus reader
    `spacy-pretrained.Taught.v1`; and which learns from such a corpus if `distill_weight` is above
    0: its `get_loss` reads what the teacher said (see soft_targets.py)."""

    distill_weight = 0.0
    _hears_teacher = False  # whether any Example had what a teacher says to this component
    _warned_of_silence = False

    def _set_distill_weight(self, weight: float) -> None:
        """ValueError if it is no share."""
        if not 0 <= weight <= 1:
            raise ValueError(Errors.DISTILL_WEIGHT.format(name=self.name, weight=weight))
        self.distill_weight = weight

    @property
    def _kinds(self) -> Iterable[str]:
        """What the component learns of a teacher: kinds of soft_targets.py."""
        raise NotImplementedError

    def _initialize_model(self, get_examples: Callable[[], Iterable[Example]]) -> None:
        if self.distill_weight:
            self._listen(get_examples())
        super()._initialize_model(get_examples)

    def _learn(self, examples: list[Example]) -> float:
        if self.distill_weight and not self._hears_teacher:
            self._listen(examples)
            if not (self._hears_teacher or self._warned_of_silence):
                self._warned_of_silence = True
                logger.warning(Errors.NO_TEACHER.format(name=self.name, weight=self.distill_weight))
        return super()._learn(examples)

    def _listen(self, examples: Iterable[Example]) -> None:
        """Look for what a teacher says, in the first Example that has it."""
        self._hears_teacher = any(
            find_said(example, kind) is not None for example in examples for kind in self._kinds
        )

    def teach(self, docs: list[Doc], temperature: float, top_k: int) -> list[Said]:
        """What the component says of the tokens of each Doc, which have the encoder's vectors; they
        are not annotated.

        temperature: What scores are divided by before they become probabilities.
        top_k: The number of labels kept a token, 0 for all.
        """
        raise NotImplementedError
