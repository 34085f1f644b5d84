"""What the components behind the encoder share: labels, how they begin, and how they learn from a
batch."""

import json
import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path
from typing import Self

import numpy as np
from spacy.pipeline import TrainablePipe
from spacy.pipeline.tok2vec import Tok2VecListener
from spacy.strings import get_string_id
from spacy.tokens import Doc
from spacy.training import Example, validate_examples
from spacy.vocab import Vocab
from thinc.api import Model, Optimizer, get_array_module, set_dropout_rate
from thinc.types import Floats2d, FloatsXd, Ints1d

from ..runtime.blas_threads import few_blas_threads
from ..runtime.doc_stream import annotate_each, batch_docs
from ..saving.checked_pipe import CheckedPipe, check_labels, describe_part_error
from ..saving.save_mark import renew_after_bytes
from ..training.rate_watch import watch_rate
from .errors import Errors

SAMPLE = 10  # examples that a model finds its sizes with
# Tokens of a Doc that is not worth many threads of BLAS: these go on waiting for more work when
# there is none, on the cores that the encoder wants for the next text.
SHORT = 256


class HeadPipe(CheckedPipe, TrainablePipe):
    """A component whose model turns Docs into one array of rows, one for each of N tokens (or of N
    Docs), and whose `get_loss` says how these should have been: a loss and a gradient (N, D).

    What is saved beside the model is in `cfg`, the labels among it.
    """

    def __init__(
        self,
        vocab: Vocab,
        model: Model,
        name: str,
        *,
        confidence: bool = False,
        scorer: Callable | None,
        **cfg: object,
    ):
        super().__init__(vocab, model, name, **cfg)
        self.confidence = confidence
        self.scorer = scorer

    # Labels

    @property
    def label_data(self) -> list[str] | dict[str, list[str]]:
        """The labels, as `initialize` takes them."""
        return self.cfg["labels"]

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(self.label_data)

    def _set_labels(self, labels: list[str] | dict[str, list[str]], what: str) -> None:
        """what: The annotation that examples have none of if there are no labels."""
        if not labels:
            raise ValueError(Errors.NO_LABELS.format(name=self.name, what=what))
        self.cfg["labels"] = labels

    def _check_labels(self) -> None:
        """ValueError if the labels do not fit the weights, where there are some."""
        layer = self.model.maybe_get_ref(self._label_layer)
        is_trained = layer is not None and layer.has_param("W")
        found = layer.get_dim("nO") if is_trained else None
        check_labels(self.name, len(self.labels), self._count_scores(), found)

    _label_layer = "output"  # the model's ref that gives a score for each label

    def _count_scores(self) -> int:
        """How many scores that layer has to give."""
        return len(self.labels)

    # Saving

    def _write_folder(self, folder: Path, exclude: list[str]) -> None:
        TrainablePipe.to_disk(self, folder, exclude=exclude)

    def _read_folder(self, folder: Path, exclude: list[str]) -> None:
        part = "cfg"
        try:
            if (folder / part).is_file() and part not in exclude:
                json.loads((folder / part).read_bytes())
            part = "model"
            TrainablePipe.from_disk(self, folder, exclude=exclude)
        except FileNotFoundError:
            raise  # it names the file
        except Exception as error:  # of msgpack, of Thinc and of spaCy
            raise ValueError(describe_part_error(folder, part, self.name, error)) from error
        if not {"cfg", "model"} & set(exclude):
            self._check_labels()

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> Self:
        super().from_bytes(bytes_data, exclude=exclude)
        renew_after_bytes(self)
        if not {"cfg", "model"} & set(exclude):
            self._check_labels()
        return self

    # Prediction

    def __call__(self, doc: Doc) -> Doc:
        """Annotate a Doc."""
        try:
            with few_blas_threads() if len(doc) <= SHORT else nullcontext():
                self.set_annotations([doc], self.predict([doc]))
        except Exception as error:
            self.get_error_handler()(self.name, self, [doc], error)
        return doc

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 128) -> Iterator[Doc]:
        """Annotate a stream of Docs; in order.

        batch_size: Docs in a batch; fewer where they are long.
        """
        handle_error = partial(self.get_error_handler(), self.name, self)
        for docs in batch_docs(stream, batch_size):
            try:
                self._annotate_batch(docs)
            except Exception as error:
                yield from annotate_each(docs, error, self._annotate_batch, handle_error)
            else:
                yield from docs

    def _annotate_batch(self, docs: list[Doc]) -> None:
        with few_blas_threads():  # the encoder is at work on what comes next
            self.set_annotations(docs, self.predict(docs))

    def _check_ready(self, docs: list[Doc]) -> None:
        """ValueError without labels, or without the encoder's vectors: for Docs that have none a
        listener gives zeros, and of these anything could be said."""
        if not self.cfg["labels"]:
            raise ValueError(Errors.NOT_TRAINED.format(name=self.name))
        self._check_initialized()
        self._check_vectors(docs)

    def _check_initialized(self) -> None:
        """ValueError without weights. Thinc would say which layer lacks which of them."""
        layer = self.model.maybe_get_ref(self._label_layer)
        if layer is not None and layer.has_param("W") is None:  # declared, and not there
            raise ValueError(Errors.NOT_INITIALIZED.format(name=self.name))

    def _check_vectors(self, docs: list[Doc]) -> None:
        """ValueError if Docs lack the vectors of the encoder that this component listens to."""
        listener = self._listener
        if listener is None:
            return
        known = {"name": self.name, "upstream": listener.upstream_name}
        width = listener.get_dim("nO")
        for doc in docs:
            if doc.tensor is None:
                raise ValueError(Errors.VECTORS_REMOVED.format(**known))
            if not doc.tensor.size and len(doc):
                raise ValueError(Errors.VECTORS_MISSING.format(**known))
            found = doc.tensor.shape[-1]
            if doc.tensor.size and (doc.tensor.ndim != 2 or found != width):
                raise ValueError(Errors.VECTORS_OF_OTHERS.format(**known, width=width, found=found))

    def _check_finite(self, scores: FloatsXd) -> FloatsXd:
        return check_finite(scores, self.name)

    def _hash_labels(self, docs: list[Doc], numbers: Ints1d, labels: list[str]) -> np.ndarray:
        """Hashes uint64 (N,) of labels by their numbers (N,). The vocab of the Docs learns them."""
        add_strings(docs, (labels[number] for number in set(numbers.tolist())))
        return _hashes(tuple(labels))[numbers]

    # Training

    def _initialize_model(self, get_examples: Callable[[], Iterable[Example]]) -> None:
        self.model.initialize(X=[example.x for example in islice(get_examples(), SAMPLE)])

    def update(
        self,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optimizer | None = None,
        losses: dict[str, float] | None = None,
    ) -> dict[str, float]:
        """Learn from a batch.

        drop: Dropout rate of the vectors.
        RAISES: ValueError if the loss or a gradient is not finite. All gradients of this component
            are dropped then: the next step would have them in its sum.
        """
        losses = {} if losses is None else losses
        losses.setdefault(self.name, 0.0)
        examples = list(examples)
        validate_examples(examples, f"{type(self).__name__}.update")
        if not any(len(example.predicted) for example in examples):
            return losses
        self._check_initialized()
        if self._takes_annotation:
            examples = [example for example in examples if len(example.predicted)]
        self._check_upstream([example.predicted for example in examples])
        set_dropout_rate(self.model, drop)
        with self._leaving_no_bad_gradients():
            losses[self.name] += self._learn(examples)
        if sgd is not None:
            self.finish_update(sgd)
        return losses

    def finish_update(self, sgd: Optimizer) -> None:
        """Step the optimizer with the gradients that were accumulated."""
        watch_rate(sgd, self.name)
        super().finish_update(sgd)

    def _learn(self, examples: list[Example]) -> float:
        """Accumulate the gradients of a batch. RETURNS: Its loss."""
        rows, backprop = self.model.begin_update([example.predicted for example in examples])
        loss, gradient = self.get_loss(examples, rows)
        self._check_loss(loss)
        backprop(gradient)
        return loss

    def _check_loss(self, loss: float) -> None:
        if not math.isfinite(loss):
            raise ValueError(Errors.LOSS_NOT_FINITE.format(name=self.name, loss=loss))

    def _check_upstream(self, docs: list[Doc]) -> None:
        """ValueError if a listener would refuse these Docs, or take vectors that are not there:
        spaCy's own messages do not say what to do."""
        listener = self._listener
        if listener is None:
            return
        known = {"name": self.name, "upstream": listener.upstream_name}
        if self._takes_annotation:
            self._check_vectors(docs)
        elif listener._batch_id != listener.get_batch_id(docs):
            raise ValueError(Errors.VECTORS_OF_OTHER_DOCS.format(**known))

    @property
    def _takes_annotation(self) -> bool:
        """Whether an update takes the vectors that the encoder annotated: it does not train, or is
        not there. spaCy's listener refuses Docs without tokens then, which have none."""
        return self._listener is not None and self._listener._batch_id is None

    @property
    def _listener(self) -> Tok2VecListener | None:
        """What leads to an encoder outside of the model."""
        listener = self.model.maybe_get_ref("tok2vec")
        return listener if isinstance(listener, Tok2VecListener) else None

    @contextmanager
    def _leaving_no_bad_gradients(self) -> Iterator[None]:
        """Around what accumulates gradients: drop those of this component if it fails, and fail if
        they are not finite. That is found out before the encoder gets its share: where this is the
        last component to answer, the encoder steps at once."""
        listener = self._listener
        answer = listener._backprop if listener is not None else None

        def check_and_answer(d_vectors: list[Floats2d]) -> list[Floats2d]:
            self._check_gradients()
            return answer(d_vectors)

        try:
            if answer is not None:
                listener._backprop = check_and_answer
            yield
            self._check_gradients()
        except Exception:
            for layer, name in self._gradients():
                layer.get_grad(name).fill(0)
            raise
        finally:
            if answer is not None and listener._backprop is check_and_answer:
                listener._backprop = answer

    def _check_gradients(self) -> None:
        if not all(_is_finite(*place) for place in self._gradients()):
            raise ValueError(Errors.GRADIENT_NOT_FINITE.format(name=self.name))

    def _gradients(self) -> Iterator[tuple[Model, str]]:
        """Layers, and the names of their parameters that have gradients."""
        for layer in self.model.walk():
            for name in layer.grad_names:
                yield layer, name

    def get_loss(self, examples: list[Example], rows: Floats2d) -> tuple[float, Floats2d]:
        raise NotImplementedError


def check_finite(scores: FloatsXd, name: str) -> FloatsXd:
    """The same scores. ValueError if there is one that is no finite number.

    name: The component's.
    """
    if not get_array_module(scores).isfinite(scores).all():
        raise ValueError(Errors.PREDICTION_NOT_FINITE.format(name=name))
    return scores


def add_strings(docs: Iterable[Doc], strings: Iterable[str]) -> None:
    """Let the vocab of Docs know strings that their annotation is about to have.

    It is not that of the component if spaCy took this from another pipeline. Call it each time:
    what was added in a memory zone is forgotten with it.
    """
    strings = list(strings)
    for vocab in {id(doc.vocab): doc.vocab for doc in docs}.values():
        for string in strings:
            vocab.strings.add(string)


def _is_finite(layer: Model, name: str) -> bool:
    # Without an array of booleans, which takes as long again. A sum that overflows is refused, too.
    return math.isfinite(layer.get_grad(name).sum())


@lru_cache(maxsize=64)
def _hashes(labels: tuple[str, ...]) -> np.ndarray:
    return np.asarray([get_string_id(label) for label in labels], dtype="uint64")
