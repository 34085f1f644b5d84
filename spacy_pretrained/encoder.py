"""The encoder's model: Docs in, one vector a token out; the same over every backend."""

import itertools
from collections.abc import Callable, Generator

import numpy as np
from spacy.tokens import Doc
from thinc.api import Model, Ops, Shim
from thinc.types import Floats2d

from .alignment import Alignment, Pooling, align
from .doc_arrays import DocArrays, read_arrays
from .errors import Errors
from .openvino_backend import OpenVinoShim
from .orth import OrthEmbed, orth_features
from .windows import WindowBatch, batch, concatenate, slots, split
from .wordpieces import Pieces, PieceTokenizer, join

EncoderModel = Model[list[Doc], list[Floats2d]]

# The tokenizer works on one thread a text; long ones are handed over in parts of this size.
TEXT_PART_CHARACTERS = 20_000


def build_torch_encoder(
    window: int = 128,
    stride: int | None = None,
    max_pieces: int = 2048,
    orth_width: int = 32,
    frozen: bool = False,
    freeze_layers: int = 0,
    dropout: float | None = None,
    mixed_precision: bool = False,
    gradient_checkpointing: bool = False,
    learn_rate_factor: float | Generator = 0.3,
    device: str = "auto",
) -> EncoderModel:
    """Build a pretrained encoder that runs, and trains, on torch. It has no weights before
    `nlp.initialize()` or `from_disk`.

    window: Wordpieces that the encoder sees at once, special ones included. A window is what
        seems to be a sentence; a longer one is cut. At most what the model takes; 0 means just
        that.
    stride: Wordpieces that a window answers for at most; the others are context on both sides.
        None means all of them, so that windows do not overlap.
    max_pieces: Wordpieces in a batch of windows, padding included. Bounds the memory.
    orth_width: Width of an embedding of shape, case and spacing beside the backbone's vectors;
        0 for none.
    frozen: Take the backbone's weights as they are; it goes on to annotate, and the orth
        embedding and all that listens still train.
    freeze_layers: Freeze the embeddings and this many layers, from the bottom.
    dropout: Replaces the dropout rates in the model's own config.
    mixed_precision: Compute in bfloat16 where torch holds that safe.
    gradient_checkpointing: Compute layers again in the backward pass: less memory, more time.
    learn_rate_factor: Multiplies the optimizer's learning rate for the backbone; may be a
        schedule.
    device: "auto" follows spaCy; "cuda", "cuda:1" or "mps" puts the backbone there, and only it.
    """
    try:
        from .torch_backend import TorchSettings, TorchShim
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(Errors.NEEDS_TORCH.format(name=error.name)) from error

    settings = TorchSettings(
        frozen, freeze_layers, dropout, mixed_precision, gradient_checkpointing, device
    )
    shim = TorchShim(settings, learn_rate_factor)
    return _build(shim, window, stride, max_pieces, orth_width)


def build_openvino_encoder(
    window: int = 128,
    stride: int | None = None,
    max_pieces: int = 2048,
    orth_width: int = 32,
    threads: int = 0,
) -> EncoderModel:
    """Build an encoder that runs on OpenVINO, without torch. Its weights are made from those of a
    trained one, by `spacy_pretrained.quantize`.

    window, stride, max_pieces, orth_width: As in `build_torch_encoder`, and as in training.
    threads: Cores to use; 0 means those that this process may run on.
    """
    return _build(OpenVinoShim(threads), window, stride, max_pieces, orth_width)


def _build(
    shim: Shim, window: int, stride: int | None, max_pieces: int, orth_width: int
) -> EncoderModel:
    _check_settings(window, stride, max_pieces, orth_width)
    backbone = Model("backbone", _not_alone, shims=[shim])
    orth = OrthEmbed(orth_width) if orth_width else None
    return Model(
        "pretrained_encoder",
        forward,
        init=init,
        dims={"nO": None},
        layers=[backbone, orth] if orth else [backbone],
        refs={"backbone": backbone, "orth": orth},
        attrs={
            "window": window,
            "stride": stride,
            "max_pieces": max_pieces,
            "orth_width": orth_width,
        },
    )


def get_shim(model: EncoderModel) -> Shim:
    """The backend: `predict`, `begin_update`, `to_files`, `from_files`, `checkpoint`."""
    return model.get_ref("backbone").shims[0]


def forward(
    model: EncoderModel, docs: list[Doc], is_train: bool
) -> tuple[list[Floats2d], Callable[[list[Floats2d]], list]]:
    """One array (tokens, nO) a Doc: the backbone's vectors, then the orth embedding's.

    The backward pass takes their gradients and returns nothing: text has none.
    """
    shim, orth = get_shim(model), model.maybe_get_ref("orth")
    if shim.checkpoint is None:
        raise ValueError(Errors.NOT_INITIALIZED)
    arrays = [read_arrays(doc) for doc in docs]
    plan = _Plan(model, docs, arrays)
    width = shim.checkpoint.layout.width
    out = model.ops.alloc2f(plan.n_tokens, model.get_dim("nO"))
    backprops = []
    if is_train:
        for block, window_batch in enumerate(plan.batches):
            vectors, backprop_block = shim.begin_update(window_batch)
            plan.pool(model.ops, block, vectors, out[:, :width])
            backprops.append((vectors.shape, backprop_block))
    else:
        for block, vectors in enumerate(shim.predict(plan.batches)):
            plan.pool(model.ops, block, vectors, out[:, :width])
    backprop_orth = None
    if orth is not None and plan.n_tokens:  # Thinc's layers fail on nothing
        features = [model.ops.asarray(orth_features(a)) for a in arrays]
        embedded, backprop_orth = orth(features, is_train)
        for vectors, (low, high) in zip(embedded, plan.token_bounds):
            out[low:high, width:] = vectors

    def backprop(d_outs: list[Floats2d]) -> list:
        d_out = model.ops.xp.concatenate(d_outs) if d_outs else out
        for block, (shape, backprop_block) in enumerate(backprops):
            d_vectors = model.ops.alloc3f(*shape)
            plan.unpool(model.ops, block, d_out[:, :width], d_vectors)
            backprop_block(d_vectors)
        if backprop_orth is not None:
            backprop_orth([model.ops.as_contig(d_doc[:, width:]) for d_doc in d_outs])
        return []

    return _by_doc(out, plan.token_bounds), backprop


def init(model: EncoderModel, X: list[Doc] | None = None, Y=None) -> None:
    """Allocate the orth embedding, once the backend has its weights and with them its width."""
    checkpoint = get_shim(model).checkpoint
    if checkpoint is None:
        raise ValueError(Errors.NOT_INITIALIZED)
    orth = model.maybe_get_ref("orth")
    if orth is not None:
        orth.initialize()
    set_width(model)


def set_width(model: EncoderModel) -> None:
    """Derive nO from the backbone's width."""
    checkpoint = get_shim(model).checkpoint
    if checkpoint is not None:
        model.set_dim("nO", checkpoint.layout.width + model.attrs["orth_width"], force=True)


def plan_batches(model: EncoderModel, docs: list[Doc]) -> list[WindowBatch]:
    """The batches of windows that the backend gets to see for these Docs."""
    return _Plan(model, docs, [read_arrays(doc) for doc in docs]).batches


class _Plan:
    """How the tokens of a batch of Docs become batches of windows, and vectors tokens again."""

    def __init__(self, model: EncoderModel, docs: list[Doc], arrays: list[DocArrays]):
        checkpoint = get_shim(model).checkpoint
        tokenizer, layout = checkpoint.tokenizer, checkpoint.layout
        special = len(tokenizer.prefix) + len(tokenizer.suffix)
        window = min(model.attrs["window"] or layout.max_window, layout.max_window) - special
        if window < 1:
            raise ValueError(
                Errors.WINDOW_TOO_SMALL.format(window=window + special, special=special)
            )
        stride = min(model.attrs["stride"] or window, window)

        pieces = _tokenize(tokenizer, docs, arrays)
        alignments = [align(a.starts, a.ends, p) for a, p in zip(arrays, pieces)]
        shifts = np.cumsum([0] + [len(p.ids) for p in pieces])
        windows = [
            split(len(p.ids), _cuts(a, alignment), window, stride)
            for p, a, alignment in zip(pieces, arrays, alignments)
        ]
        self.batches: list[WindowBatch] = []
        if shifts[-1]:
            self.batches = batch(
                concatenate(windows, shifts),
                np.concatenate([p.ids for p in pieces]),
                prefix=tokenizer.prefix,
                suffix=tokenizer.suffix,
                pad=layout.pad,
                max_pieces=model.attrs["max_pieces"],
            )
        bounds = np.cumsum([0] + [len(doc) for doc in docs])
        self.n_tokens = int(bounds[-1])
        self.token_bounds = list(itertools.pairwise(bounds))
        places, starts = slots(self.batches, int(shifts[-1]))
        self._pooling = Pooling(_join_alignments(alignments, shifts), places, starts)

    def pool(self, ops: Ops, block: int, vectors, out: Floats2d) -> None:
        self._pooling.pool(ops, block, vectors.reshape(-1, vectors.shape[-1]), out)

    def unpool(self, ops: Ops, block: int, d_out: Floats2d, d_vectors) -> None:
        flat = d_vectors.reshape(-1, d_vectors.shape[-1])
        self._pooling.unpool(ops, block, d_out, flat)


def _tokenize(tokenizer: PieceTokenizer, docs: list[Doc], arrays: list[DocArrays]) -> list[Pieces]:
    """The pieces of each Doc; long texts go through the tokenizer in parts."""
    texts, bounds = [], []
    for doc, a in zip(docs, arrays):
        cuts = _text_cuts(a)
        text = doc.text
        texts.extend(text[low:high] for low, high in itertools.pairwise(cuts))
        bounds.append(cuts)
    parts = iter(tokenizer.encode(texts))
    return [join([next(parts) for _ in cuts[1:]], cuts[:-1]) for cuts in bounds]


def _text_cuts(arrays: DocArrays) -> list[int]:
    """Characters to cut a text at: before a space that follows a word, since byte-level and Unigram
    tokenizers read it as the beginning of the next word. A text without spaces stays whole."""
    length = int(arrays.ends[-1]) if len(arrays.ends) else 0
    places = arrays.ends[arrays.spaced & ~arrays.whitespace]
    wanted = np.arange(TEXT_PART_CHARACTERS, length, TEXT_PART_CHARACTERS)
    found = np.searchsorted(places, wanted)
    cuts = np.unique(places[found[found < len(places)]])
    # Behind the last token may be a space.
    return [0, *(int(c) for c in cuts if c < length), length + 1]


def _cuts(arrays: DocArrays, alignment: Alignment) -> list[np.ndarray]:
    """Pieces at which a window may begin: where sentences seem to start, then any token."""
    has_pieces = alignment.first >= 0
    tokens = np.unique(alignment.first[has_pieces])
    # A sentence may seem to start at a token without pieces: it does with the next that has some.
    following = np.minimum.accumulate(
        np.where(has_pieces, np.arange(len(has_pieces)), len(has_pieces))[::-1]
    )[::-1]
    starts = following[arrays.sentence_like]
    starts = np.unique(alignment.first[starts[starts < len(has_pieces)]])
    return [starts, tokens]


def _join_alignments(alignments: list[Alignment], shifts: np.ndarray) -> Alignment:
    def shifted(name: str) -> np.ndarray:
        columns = [getattr(a, name) for a in alignments]
        parts = [np.where(c < 0, -1, c + shift) for c, shift in zip(columns, shifts)]
        return np.concatenate(parts) if parts else np.zeros(0, dtype="int64")

    return Alignment(shifted("first"), shifted("last"))


def _by_doc(out: Floats2d, bounds: list[tuple[int, int]]) -> list[Floats2d]:
    """The rows of each Doc. They are copied, so that one Doc that is kept does not keep the
    vectors of all that were in its batch; a Doc that fills most of it is not copied."""
    return [
        out[low:high] if 2 * (high - low) > len(out) else out[low:high].copy()
        for low, high in bounds
    ]


def _check_settings(window: int, stride: int | None, max_pieces: int, orth_width: int) -> None:
    for name, value, least in (
        ("window", window, 0),
        ("stride", 1 if stride is None else stride, 1),
        ("max_pieces", max_pieces, 1),
        ("orth_width", orth_width, 0),
    ):
        if value < least:
            raise ValueError(Errors.SETTING_TOO_SMALL.format(name=name, value=value, least=least))


def _not_alone(model: Model, X, is_train: bool):
    raise NotImplementedError(Errors.BACKBONE_ALONE)
