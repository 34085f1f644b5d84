"""Rehearsal: a component keeps its predictions for some texts while it trains on others."""

from collections.abc import Callable, Iterable

from spacy.tokens import Doc
from spacy.training import Example, validate_examples
from thinc.api import Model, Optimizer, set_dropout_rate
from thinc.types import Floats2d

from .errors import Errors
from .head_pipe import HeadPipe


class RehearsingPipe(HeadPipe):
    """A component with a `rehearse` as `nlp.rehearse` calls it: its probabilities are drawn to
    those of the model that it was at `nlp.resume_training()`, on that encoder's vectors (Z. Li and
    D. Hoiem, Learning without Forgetting, 2016). The encoder learns from it as from an update.
    """

    # What the model was: `nlp.resume_training` sets it, where there is such an attribute.
    _rehearsal_model: Model | None = None

    def rehearse(
        self,
        examples: Iterable[Example],
        *,
        sgd: Optimizer | Callable | None = None,
        losses: dict[str, float] | None = None,
    ) -> dict[str, float]:
        """Rehearse a batch. Only the predicted Docs matter, which need no annotation.

        Gradients, of the encoder too, are added to those of the next update, and applied with them.

        sgd: An optimizer to step this component with at once. What `nlp.rehearse` passes is none,
            but a function that collects gradients, and would have those of one component only.
        losses: Gets the Kullback-Leibler divergence, summed over tokens (or Docs).
        RAISES: ValueError if the vectors come from another component than a `pretrained_encoder`.
        """
        losses = {} if losses is None else losses
        losses.setdefault(self.name, 0.0)
        examples = list(examples)
        validate_examples(examples, f"{type(self).__name__}.rehearse")
        docs = [example.predicted for example in examples]
        if self._rehearsal_model is None or not any(len(doc) for doc in docs):
            return losses
        old_docs = self._encode_as_before(docs, losses)
        set_dropout_rate(self.model, 0.0)
        with self._leaving_no_bad_gradients():
            rows, backprop = self.model.begin_update(docs)
            loss, gradient = self.compare(docs, rows, self._rehearsal_model, old_docs)
            self._check_loss(loss)
            backprop(gradient)
        losses[self.name] += loss
        if isinstance(sgd, Optimizer):
            self.finish_update(sgd)
        return losses

    def compare(
        self, docs: list[Doc], rows: Floats2d, old_model: Model, old_docs: list[Doc]
    ) -> tuple[float, Floats2d]:
        """How far what the model gives for Docs is from what the old one predicts for the same
        Docs with the old vectors. RETURNS: Loss and gradient (N, D) of the rows (N, D)."""
        raise NotImplementedError

    def _encode_as_before(self, docs: list[Doc], losses: dict[str, float]) -> list[Doc]:
        """Copies of Docs with the encoder's old vectors. A model without an encoder outside needs
        none."""
        listener = self.model.get_ref("tok2vec")
        if not hasattr(listener, "upstream_name"):
            return docs
        encoder = listener.encoder() if hasattr(listener, "encoder") else None
        if encoder is None:
            message = Errors.REHEARSAL_UPSTREAM
            raise ValueError(message.format(name=self.name, upstream=listener.upstream_name))
        old_docs = [doc.copy() for doc in docs]
        for doc, vectors in zip(old_docs, encoder.begin_rehearsal(docs, listener, losses)):
            doc.tensor = vectors
        return old_docs

    def _initialize_model(self, get_examples: Callable[[], Iterable[Example]]) -> None:
        self._rehearsal_model = None
        super()._initialize_model(get_examples)
