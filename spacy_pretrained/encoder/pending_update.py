"""A forward pass of the encoder whose listeners have yet to answer with their gradients."""

import math
from collections.abc import Callable

from spacy.tokens import Doc
from thinc.api import Model, Optimizer
from thinc.types import Floats2d

from .errors import Errors


class PendingUpdate:
    """Sums up the gradients of the vectors (N, D) of Docs, and runs the backward pass once."""

    def __init__(
        self,
        model: Model,
        docs: list[Doc],
        vectors: list[Floats2d],
        backprop: Callable,
        n_listeners: int,
    ):
        self.vectors = vectors
        self.old_vectors: list[Floats2d] = []  # of a rehearsal: those of the model as it was
        self.answered: set[int] = set()
        self.sgd: Optimizer | None = None  # to step with once the gradients are here
        self.is_held = False  # whether gradients wait for `release`, and are dropped without it
        self._model = model
        self._docs = docs
        self._backprop: Callable | None = backprop
        self._n_listeners = n_listeners
        self._shapes = [v.shape for v in vectors]
        self._has_gradient = False
        self._gradient = [model.ops.alloc2f(*shape) for shape in self._shapes]

    def is_of(self, docs: list[Doc]) -> bool:
        """Whether these very Docs were encoded."""
        return len(docs) == len(self._docs) and all(a is b for a, b in zip(docs, self._docs))

    def has_any(self, docs: list[Doc]) -> bool:
        return not {id(doc) for doc in docs}.isdisjoint(id(doc) for doc in self._docs)

    def callback(self, number: int, weight: float, losses: dict[str, float], name: str) -> Callable:
        """What listener `number` calls with its gradient, of which so much counts.

        It raises a ValueError at one that is not finite, which is not added to the others: a retry
        would have it in its sum.
        """

        def answer(d_vectors: list[Floats2d]) -> list[Floats2d]:
            if weight:
                weighted = [weight * one for one in d_vectors]
                squared_norm = sum(float((one**2).sum()) for one in weighted)
                if not math.isfinite(squared_norm):
                    raise ValueError(Errors.ANSWER_NOT_FINITE.format(name=name))
                losses[name] += squared_norm
                self._has_gradient = True
                for total, one in zip(self._gradient, weighted):
                    total += one
            self.answered.add(number)
            if len(self.answered) == self._n_listeners and not self.is_held:
                self.finish()
            # Nothing is before the encoder; layers beside the listener want the shape.
            return [self._model.ops.alloc2f(*shape) for shape in self._shapes]

        return answer

    def release(self) -> None:
        """Let the gradients go into the encoder."""
        self.is_held = False
        if len(self.answered) == self._n_listeners:
            self.finish()

    def finish(self) -> None:
        """Run the backward pass with what was answered, once, and step if that was asked for."""
        if self._backprop is None:
            return
        backprop, self._backprop = self._backprop, None
        if self._has_gradient and not self.is_held:
            backprop(self._gradient)
        self._gradient = []  # not to be kept until the next update
        if self.sgd is not None:
            step(self._model, self.sgd)


def step(model: Model, sgd: Optimizer) -> None:
    """Step all layers. Where the backbone refuses its gradients, the other layers drop theirs."""
    try:
        model.finish_update(sgd)
    except ValueError:
        for layer in model.walk():
            for name in layer.grad_names:
                layer.get_grad(name).fill(0)
        raise
