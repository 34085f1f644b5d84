"""Components that can teach others, and learn from a teacher."""

from collections.abc import Callable

from spacy.tokens import Doc
from spacy.vocab import Vocab
from thinc.api import Model

from .errors import Errors
from .rehearsing_pipe import RehearsingPipe
from .soft_targets import Said


class DistillingPipe(RehearsingPipe):
    """A component whose probabilities a smaller one can learn from, by the corpus reader
    `spacy-pretrained.Taught.v1`; and which learns from such a corpus if `distill_weight` is above
    0: its `get_loss` reads what the teacher said (see soft_targets.py)."""

    def __init__(
        self,
        vocab: Vocab,
        model: Model,
        name: str,
        *,
        distill_weight: float = 0.0,
        confidence: bool = False,
        scorer: Callable | None,
        **cfg: object,
    ):
        if not 0 <= distill_weight <= 1:
            raise ValueError(Errors.DISTILL_WEIGHT.format(name=name, weight=distill_weight))
        super().__init__(vocab, model, name, confidence=confidence, scorer=scorer, **cfg)
        self.distill_weight = distill_weight

    def teach(self, docs: list[Doc], temperature: float, top_k: int) -> list[Said]:
        """What the component says of the tokens of each Doc, which have the encoder's vectors; they
        are not annotated.

        temperature: What scores are divided by before they become probabilities.
        top_k: The number of labels kept a token, 0 for all.
        """
        raise NotImplementedError
