"""What the components behind the encoder share: how they learn from a batch."""

import math
from collections.abc import Iterable

from spacy.pipeline import TrainablePipe
from spacy.training import Example, validate_examples
from thinc.api import Optimizer, set_dropout_rate
from thinc.types import Floats2d

from .errors import Errors


class HeadPipe(TrainablePipe):
    """A component whose model turns Docs into one array of rows, one for each of N tokens, and
    whose `get_loss` says how these should have been: a loss and a gradient (N, D)."""

    def update(
        self,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optimizer | None = None,
        losses: dict[str, float] | None = None,
    ) -> dict[str, float]:
        """Learn from a batch.

        drop: Dropout rate of the token vectors.
        RAISES: ValueError if the loss is no finite number.
        """
        losses = {} if losses is None else losses
        losses.setdefault(self.name, 0.0)
        examples = list(examples)
        validate_examples(examples, f"{type(self).__name__}.update")
        if not any(len(example.predicted) for example in examples):
            return losses
        set_dropout_rate(self.model, drop)
        rows, backprop = self.model.begin_update([example.predicted for example in examples])
        loss, gradient = self.get_loss(examples, rows)
        if not math.isfinite(loss):
            raise ValueError(Errors.LOSS_NOT_FINITE.format(name=self.name, loss=loss))
        backprop(gradient)
        if sgd is not None:
            self.finish_update(sgd)
        losses[self.name] += loss
        return losses

    def get_loss(self, examples: list[Example], rows: Floats2d) -> tuple[float, Floats2d]:
        raise NotImplementedError
