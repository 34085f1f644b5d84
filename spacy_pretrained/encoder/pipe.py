"""The `pretrained_encoder` component: one pretrained transformer for all components behind it."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from spacy.language import Language
from spacy.pipeline.tok2vec import Tok2Vec, Tok2VecListener
from spacy.tokens import Doc
from spacy.training import Example, validate_examples, validate_get_examples
from spacy.util import SimpleFrozenList
from spacy.vocab import Vocab
from thinc.api import Model, Optimizer, set_dropout_rate
from thinc.types import Floats2d

from ..backends.backbone import get_shim, is_frozen, trains
from ..checkpoints.tokenizer_checks import SAMPLE
from ..saving.save_mark import find_owner, own, renew_after_bytes
from ..stock import trf_data
from ..training.rate_watch import watch_rate
from ..windows.batches import WindowBatch
from .backbone_pipe import DEFAULT_SOURCE, BackbonePipe, Part, make_backbone_part
from .concat_encoder import find_encoders, find_named, name_layers, set_widths
from .errors import Errors
from .feature_cache import CACHE_BYTES
from .listener import EncoderLink
from .origin import Origin, is_from_scratch, make_tokenizer, pair_origins
from .pending_update import PendingUpdate, step
from .token_encoder import plan_batches, set_cache, window_settings

logger = logging.getLogger("spacy")

DEFAULT_MODEL = {"@architectures": "spacy-pretrained.TorchEncoder.v1"}


@Language.factory(
    "pretrained_encoder",
    assigns=["doc.tensor"],
    default_config={"model": DEFAULT_MODEL},
)
def make_pretrained_encoder(nlp: Language, name: str, model: Model) -> "PretrainedEncoder":
    """Make the encoder component. There is one in a pipeline: `doc.tensor` holds one array."""
    for other, pipe in nlp.components:
        if isinstance(pipe, PretrainedEncoder) and other != name:
            raise ValueError(Errors.TWO_ENCODERS.format(old=other, new=name))
    pipe = PretrainedEncoder(nlp.vocab, model, name)
    return own(nlp, pipe)


class PretrainedEncoder(BackbonePipe, Tok2Vec):
    """A `Tok2Vec` whose model is a pretrained transformer; stock listeners listen to it.

    Where the stock class runs its backward pass only when its last listener answers, this one
    applies the gradients of whichever answer: at once when all have, and at the latest with the
    next update when a component had nothing to learn from in a batch.
    """

    def __init__(self, vocab: Vocab, model: Model, name: str = "pretrained_encoder"):
        if not all(encoder.has_ref("backbone") for encoder in find_encoders(model)):
            raise ValueError(Errors.ENCODER_MODEL.format(name=name, model=model.name))
        super().__init__(vocab, model, name)
        # For spaCy's `replace_listeners`, which gives a component a copy of this model.
        model.attrs["replace_listener"] = name_layers
        self._warned: set[str] = set()  # messages that need not be repeated
        self._pending: PendingUpdate | None = None
        # The model as it was: `nlp.resume_training` sets it, for `rehearse`.
        self._rehearsal_model: Model | None = None
        # Docs whose rehearsal this component takes part in, if it is asked before the others.
        self._to_rehearse: list[Doc] = []
        # The components that stand behind this one, as far as spaCy has linked them, and its map
        # of listeners, which is another one when it links all anew.
        self._behind: set[str] = set()
        self._linked: dict | None = None

    # Listeners

    def find_listeners(self, component: object) -> None:
        """Take on the listeners of a component, or let it share the weights; spaCy asks for each
        that stands behind this one."""
        if isinstance(component, PretrainedEncoder):
            raise ValueError(Errors.TWO_ENCODERS.format(old=self.name, new=component.name))
        self._check_upstream(component)
        super().find_listeners(component)
        if isinstance(component, BackbonePipe):
            component.reads_ahead = False
            if component.upstream == self.name:
                self._lend_backbone(component)

    def _check_upstream(self, component: object) -> None:
        """Refuse a component that listens to a tok2vec which stands before this one: between them
        its vectors would be overwritten. (A listener of ours that finds no encoder says so itself,
        when it is initialized.)"""
        self._notice_new_links()
        self._behind.add(getattr(component, "name", None))  # a plain function has none
        model = getattr(component, "model", None)
        for node in model.walk() if isinstance(model, Model) else ():
            is_stock = isinstance(node, Tok2VecListener) and not hasattr(node, "loss_weight")
            upstream = node.upstream_name if is_stock else "*"
            if upstream not in {"*", self.name, *self._behind}:
                raise ValueError(
                    Errors.VECTORS_OVERWRITTEN.format(
                        name=self.name, component=component.name, upstream=upstream
                    )
                )

    def _notice_new_links(self) -> None:
        """Forget which components spaCy had linked, if it has linked all anew since."""
        if self._linked is not self.listener_map:
            self._linked, self._behind = self.listener_map, set()

    def _lend_backbone(self, component: BackbonePipe) -> None:
        """Lend a component, which reads texts by itself, the backbone with its weights."""
        if find_named(self.model):
            raise ValueError(
                Errors.UPSTREAM_SEVERAL.format(name=component.name, upstream=self.name)
            )
        if not self.model.attrs["is_pretrained"]:
            raise ValueError(
                Errors.UPSTREAM_NOT_FROZEN.format(name=component.name, upstream=self.name)
            )
        component.share_backbone(self.model)

    def add_listener(self, listener: Tok2VecListener, component_name: str) -> None:
        super().add_listener(listener, component_name)
        listener.encoder = EncoderLink(self)
        self._set_width(listener, component_name)

    def _link_enabled(self, docs: list[Doc]) -> None:
        """Take on components behind this one that were disabled when spaCy linked the pipeline, as
        `spacy.load(disable=...)` has it, and enabled since: `enable_pipe` does not link.

        docs: Of the batch. If they are of another vocab, so is the pipeline that runs: one that
            was given this component as a source, whose components spaCy has linked instead.
        """
        nlp = find_owner(self)
        pipes = [] if nlp is None else [pipe for _, pipe in nlp.pipeline]
        if self not in pipes or any(doc.vocab is not nlp.vocab for doc in docs):
            return
        self._notice_new_links()
        behind = pipes[pipes.index(self) + 1 :]
        late = [pipe for pipe in behind if getattr(pipe, "name", None) not in self._behind]
        for pipe in late:
            self.find_listeners(pipe)
        if late:  # what is pending was not for them
            self._finish_pending()

    def _set_width(self, listener: Tok2VecListener, component_name: str) -> None:
        """Tell a listener how wide its vectors are; the configs leave that open."""
        if not self.model.has_dim("nO"):
            return
        width = self.model.get_dim("nO")
        if listener.has_dim("nO") and listener.get_dim("nO") != width:
            raise ValueError(
                Errors.LISTENER_WIDTH.format(
                    component=component_name, old=listener.get_dim("nO"), name=self.name, new=width
                )
            )
        listener.set_dim("nO", width)

    # Prediction

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 128) -> Iterator[Doc]:
        """Encode a stream of Docs: see `BackbonePipe._annotate_ahead`."""
        yield from self._annotate_ahead(stream, batch_size, self.predict, self.set_annotations)

    def predict(self, docs: Sequence[Doc]) -> list[Floats2d]:
        """The vectors (N, D) of Docs."""
        self._look_at_vocabs(docs)
        return super().predict(docs)

    def set_annotations(self, docs: Sequence[Doc], tokvecses: list[Floats2d]) -> None:
        """Set the vectors (N, D) of Docs."""
        super().set_annotations(docs, tokvecses)
        self._offer_trf_data()  # in a child process, which loads nothing
        if self._pending is None or not self._pending.has_any(docs):
            # Listeners would still wait for the batch of an earlier update, where this component
            # does not train any more but annotates.
            for listener in self.listeners:
                listener.receive(None, None, None)

    def plan_batches(self, docs: list[Doc]) -> list[WindowBatch]:
        """The batches of windows that the backbone gets to see for these Docs."""
        return plan_batches(self.model, docs)

    def _look_at_vocabs(self, docs: Iterable[Doc]) -> None:
        """Warn of Docs of a bare `Vocab()`, whose words have neither shape nor case."""
        if not all(doc.vocab.lex_attr_getters for doc in docs):
            self._warn_once(Errors.BARE_VOCAB)

    def _warn_once(self, message: str) -> None:
        if message not in self._warned:
            self._warned.add(message)
            logger.warning(message.format(name=self.name))

    def _offer_trf_data(self) -> None:
        """Let Docs have what a stock transformer's have, if this was one."""
        is_of_stock = window_settings(self.model).stock_windows is not None
        if is_of_stock and self.model.has_dim("nO"):
            trf_data.install(self.model.get_dim("nO"))

    # Training

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Language | None = None,
        source: str | None = None,
        cache_bytes: int = CACHE_BYTES,
        cache_folder: str | Path | None = None,
        tokenizer: str | Path | None = None,
        vocabulary_size: int | None = None,
        encoders: dict[str, dict[str, str | int]] | None = None,
    ) -> None:
        """Load pretrained weights, or make new ones for an encoder from scratch. Set in
        [initialize.components.pretrained_encoder]:

        source: A name in the catalogue, a folder in Hugging Face layout, "package:NAME", or
            "owner/name" on the model hub. None stands for "minilm-l6".
        cache_bytes, cache_folder: Of a frozen encoder: see `cache_vectors`.
        tokenizer: Of an encoder from scratch: a tokenizer.json, or a folder with one. None learns
            a WordPiece vocabulary from all training texts.
        vocabulary_size: Of that vocabulary, at most. None stands for 8000.
        encoders: Of a `ConcatEncoder`: source, tokenizer and vocabulary_size of each, by their
            names.
        """
        validate_get_examples(get_examples, "PretrainedEncoder.initialize")
        origin = Origin(source, tokenizer, vocabulary_size)
        docs = [example.x for example in islice(get_examples(), SAMPLE)]
        # As a list: all settings are checked before the first encoder takes its time.
        for encoder, its in list(pair_origins(self.model, self.name, origin, encoders)):
            if is_from_scratch(encoder):
                texts = (example.x.text for example in get_examples())
                get_shim(encoder).make_weights(make_tokenizer(its, texts))
            else:
                sample = [doc.text for doc in docs]
                self._load_weights(its.source or DEFAULT_SOURCE, sample, encoder)
        self._pending = self._rehearsal_model = None
        self._link_enabled(docs)
        self.model.initialize(X=docs[:10])
        for listener in self.listeners:
            listener.set_dim("nO", self.model.get_dim("nO"), force=True)
        if cache_folder or any(map(is_frozen, find_encoders(self.model))):
            self.cache_vectors(cache_bytes, cache_folder)

    def cache_vectors(
        self, cache_bytes: int = CACHE_BYTES, cache_folder: str | Path | None = None
    ) -> None:
        """Compute the backbone's vectors of a Doc only once, if `frozen = true` in the model.

        `initialize` begins with this; after `nlp.resume_training()` call it yourself. A cache is
        never saved: copies of a pipeline and loaded ones have none.

        cache_bytes: What vectors may take up, 4 bytes times the backbone's width a token; Docs
            beyond that are computed every time. 0 for no cache, which also ends one. Each frozen
            encoder of several has so many.
        cache_folder: Keep vectors here, between runs too, and not in memory. Each encoder, with
            its settings of windows, has a folder of its own in it, of cache_bytes at most; those
            that are no longer wanted may be removed.
        """
        if cache_bytes < 0:
            raise ValueError(Errors.CACHE_BYTES.format(cache_bytes=cache_bytes))
        frozen = [encoder for encoder in find_encoders(self.model) if is_frozen(encoder)]
        if cache_bytes and not frozen:
            raise ValueError(Errors.CACHE_NOT_FROZEN.format(name=self.name))
        folder = Path(cache_folder) if cache_folder else None
        for encoder in frozen:
            set_cache(encoder, cache_bytes, folder, self.name)

    def update(
        self,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optimizer | None = None,
        losses: dict[str, float] | None = None,
    ) -> dict[str, float]:
        """Encode a batch for the listeners, which answer with gradients in their own updates.

        The loss is the squared norm of these gradients, as in spaCy's Tok2Vec.
        """
        losses = {} if losses is None else losses
        losses.setdefault(self.name, 0.0)
        examples = list(examples)
        validate_examples(examples, "PretrainedEncoder.update")
        if not any(map(trains, find_encoders(self.model))):
            self._warn_once(Errors.ENCODER_STAYS)
        self._finish_pending()
        watch_rate(sgd, self.name)
        docs = [example.predicted for example in examples]
        self._link_enabled(docs)
        set_dropout_rate(self.model, drop)
        self._begin(docs, losses).sgd = sgd
        return losses

    def _begin(self, docs: list[Doc], losses: dict[str, float]) -> PendingUpdate:
        """Encode Docs, and give the vectors to all listeners."""
        self._look_at_vocabs(docs)
        vectors, backprop = self.model.begin_update(docs)
        pending = PendingUpdate(self.model, docs, vectors, backprop, len(self.listeners))
        batch_id = Tok2VecListener.get_batch_id(docs)
        for number, listener in enumerate(self.listeners):
            # A stock listener has no weight.
            weight = getattr(listener, "loss_weight", 1.0)
            answer = pending.callback(number, weight, losses, self.name)
            listener.receive(batch_id, vectors, answer)
        self._pending = pending
        return pending

    def rehearse(
        self,
        examples: Iterable[Example],
        *,
        sgd: Optimizer | Callable | None = None,
        losses: dict[str, float] | None = None,
    ) -> dict[str, float]:
        """Learn from what the components rehearse on the same Docs. `nlp.rehearse` calls this in
        any order with theirs, and not at all if this component is excluded: then it stays as it is.
        """
        docs = [example.predicted for example in examples]
        if self._pending is not None and self._pending.is_held and self._pending.is_of(docs):
            self._pending.release()
        else:
            self._to_rehearse = docs
        return {} if losses is None else losses

    def begin_rehearsal(
        self, docs: list[Doc], listener: Tok2VecListener, losses: dict[str, float]
    ) -> list[Floats2d]:
        """Encode Docs for the `rehearse` of a component, which spaCy calls in any order; once for
        all components that rehearse these Docs. Their gradients are applied with the next update.

        RETURNS: Vectors (N, D) of each Doc as they were at `nlp.resume_training()`.
        """
        if self._rehearsal_model is None:
            raise ValueError(Errors.REHEARSAL_NOT_BEGUN.format(name=self.name))
        losses.setdefault(self.name, 0.0)
        self._link_enabled(docs)
        pending, number = self._pending, self.listeners.index(listener)
        begun = pending is not None and pending.old_vectors and pending.is_of(docs)
        if not begun or number in pending.answered:
            self._finish_pending()
            set_dropout_rate(self.model, 0.0)
            pending = self._begin(docs, losses)
            pending.old_vectors = self._rehearsal_model.predict(docs)
            pending.is_held = not pending.is_of(self._to_rehearse)
            self._to_rehearse = []
        return pending.old_vectors

    def finish_update(self, sgd: Optimizer) -> None:
        """Step the optimizer with the gradients of the listeners that have answered.

        `nlp.update(sgd=...)` calls this before any could; then the step waits for them.
        """
        watch_rate(sgd, self.name)
        if self._pending is not None and not self._pending.answered:
            self._pending.sgd = sgd
            return
        self._finish_pending()
        step(self.model, sgd)

    def _finish_pending(self) -> None:
        """Apply what listeners answered, though not all did."""
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.finish()

    # Weights in and out

    def _saved_parts(self, exclude: Iterable[str]) -> dict[str, Part]:
        """Of several encoders, each has a folder of its name in `encoders/`."""
        parts = super()._saved_parts(exclude)
        del parts["backbone"]
        named = {f"encoders/{name}/": encoder for name, encoder in find_named(self.model).items()}
        for folder, encoder in (named or {"": self.model}).items():
            parts[f"{folder}backbone"] = make_backbone_part(encoder)
            if orth := encoder.maybe_get_ref("orth"):
                part = Part(orth.to_disk, orth.from_disk, orth.to_bytes, orth.from_bytes)
                parts[f"{folder}orth"] = part
        return parts

    def from_disk(
        self, path: str | Path, *, exclude: Iterable[str] = SimpleFrozenList()
    ) -> "PretrainedEncoder":
        super().from_disk(path, exclude=exclude)
        set_widths(self.model)
        self._offer_trf_data()
        return self

    # The whole model at once, which knows its width.
    to_bytes = Tok2Vec.to_bytes

    def from_bytes(
        self, data: bytes, *, exclude: Iterable[str] = SimpleFrozenList()
    ) -> "PretrainedEncoder":
        Tok2Vec.from_bytes(self, data, exclude=exclude)
        renew_after_bytes(self)
        self._offer_trf_data()
        return self
