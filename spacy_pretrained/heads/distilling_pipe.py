"""Components that can teach others, and learn from a teacher."""

from spacy.tokens import Doc

from .errors import Errors
from .rehearsing_pipe import RehearsingPipe
from .soft_targets import Said


class DistillingPipe(RehearsingPipe):
    """A component whose probabilities a smaller one can learn from, by the corpus reader
    `spacy-pretrained.Taught.v1`; and which learns from such a corpus if `distill_weight` is above
    0: its `get_loss` reads what the teacher said (see soft_targets.py)."""

    distill_weight = 0.0

    def _set_distill_weight(self, weight: float) -> None:
        """ValueError if it is no share."""
        if not 0 <= weight <= 1:
            raise ValueError(Errors.DISTILL_WEIGHT.format(name=self.name, weight=weight))
        self.distill_weight = weight

    def teach(self, docs: list[Doc], temperature: float, top_k: int) -> list[Said]:
        """What the component says of the tokens of each Doc, which have the encoder's vectors; they
        are not annotated.

        temperature: What scores are divided by before they become probabilities.
        top_k: The number of labels kept a token, 0 for all.
        """
        raise NotImplementedError
