"""The encoder's model: Docs in, one vector a token out; the same over every backend."""

import itertools
from collections.abc import Callable, Generator
from dataclasses import dataclass, fields
from functools import partial
from hashlib import blake2b
from pathlib import Path

from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d

from ..backends.backbone import Backbone, check_settings, get_shim, is_frozen, make_torch_shim
from ..backends.backend import Backend
from ..backends.openvino_backend import OpenVinoShim
from ..backends.torch_settings import TorchSettings
from ..windows.batches import WindowBatch
from ..windows.doc_arrays import DocArrays, read_arrays
from ..windows.stock_plan import StockPlan
from ..windows.stock_windows import StockWindows
from ..windows.token_plan import WindowPlan
from .errors import Errors
from .feature_cache import FeatureCache
from .orth import OrthEmbed, orth_features

EncoderModel = Model[list[Doc], list[Floats2d]]

# To be raised when what is cached of the same encoder changes, such as how pieces are pooled.
CACHED_VERSION = 2


@dataclass(frozen=True)
class WindowSettings:
    """How Docs are cut: see `build_torch_encoder`. A model keeps it as one attr, of a type that
    Thinc does not save: attrs of other types are saved with the weights, and would outdo the config
    where a component has an encoder of its own."""

    window: int
    stride: int | None
    max_pieces: int
    stock_windows: dict | None


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
    learn_rate_factor: float | Generator | None = None,
    device: str = "auto",
    stock_windows: dict | None = None,
) -> EncoderModel:
    """Build a pretrained encoder that runs, and trains, on torch. It has no weights before
    `nlp.initialize()` or `from_disk`.

    window: Wordpieces that the encoder sees at once, special ones included. A window is what
        seems to be a sentence; a longer one is cut. At most what the model takes; 0 means just
        that.
    stride: Wordpieces that a window answers for at most. The windows of a longer sentence show its
        others as context on both sides. None means all of them, so that windows do not overlap.
    max_pieces: Wordpieces in a batch of windows, padding included. Bounds the memory of
        predictions; in training it is `accumulate_gradient` that does.
    orth_width: Width of an embedding of shape, case and spacing beside the backbone's vectors;
        0 for none.
    frozen: Take the backbone's weights as they are; it goes on to annotate, and the orth
        embedding and all that listens still train.
    freeze_layers: Freeze the embeddings and this many layers, from the bottom.
    dropout: Replaces the dropout rates in the model's own config.
    mixed_precision: Compute in bfloat16 where torch holds that safe, in training and afterwards,
        which is slow on CPUs that have no such numbers.
    gradient_checkpointing: Compute layers again in the backward pass: less memory, more time.
    learn_rate_factor: Multiplies the optimizer's learning rate for the backbone; may be a
        schedule. None stands for a factor by which the backbone's rate peaks where its size asks
        for (see `backends/learn_rate.py`): the first update after `initialize` fixes it, and it is
        saved with the weights.
    device: "auto" follows spaCy; "cuda", "cuda:1" or "mps" puts the backbone there, and only it.
    stock_windows: How a stock transformer cut, tokenized and pooled, in a pipeline that was made of
        one: see `windows.stock_windows.StockWindows`. `quantize` writes it. Windows are then those,
        and `window` is the most wordpieces that one may have.
    """
    settings = TorchSettings(
        frozen=frozen,
        freeze_layers=freeze_layers,
        dropout=dropout,
        mixed_precision=mixed_precision,
        gradient_checkpointing=gradient_checkpointing,
        learn_rate_factor=learn_rate_factor,
        device=device,
    )
    shim = make_torch_shim(settings)
    return build_encoder(
        shim, window, stride, max_pieces, orth_width, frozen, stock_windows=stock_windows
    )


def build_openvino_encoder(
    window: int = 128,
    stride: int | None = None,
    max_pieces: int = 512,
    orth_width: int = 32,
    frozen: bool = False,
    threads: int = 0,
    stock_windows: dict | None = None,
) -> EncoderModel:
    """Build an encoder that runs on OpenVINO, without torch. Its weights are made from those of a
    trained one, by `python -m spacy pretrained quantize`.

    window, stride, orth_width, stock_windows: As in `build_torch_encoder`, and as in training.
    max_pieces: Wordpieces in a batch of windows, padding included. Batches run side by side, one on
        each core: large ones leave cores without work at the end.
    frozen: As in training. The weights do not change here, but only those that never did may serve
        components that read texts by themselves.
    threads: Cores to use; 0 means those that this process should (see `runtime/cores.py`).
    """
    check_settings(threads=(threads, 0))
    return build_encoder(
        OpenVinoShim(threads),
        window,
        stride,
        max_pieces,
        orth_width,
        frozen,
        stock_windows=stock_windows,
    )


def build_encoder(
    backend: Backend,
    window: int,
    stride: int | None,
    max_pieces: int,
    orth_width: int,
    is_pretrained: bool,
    *,
    stock_windows: dict | None = None,
) -> EncoderModel:
    """Build an encoder on a backend, as every registered architecture of one does.

    is_pretrained: Whether the weights are as they were pretrained, and stay so: only then may
        components that read texts by themselves run on them.

    The other settings are those of `build_torch_encoder`.
    """
    check_settings(
        window=(window, 0),
        stride=(1 if stride is None else stride, 1),
        max_pieces=(max_pieces, 1),
        orth_width=(orth_width, 0),
    )
    if stock_windows is not None:
        stock_windows = StockWindows.from_config(stock_windows).to_config()
    backbone = Backbone(backend)
    backbone.attrs["cache"] = None
    orth = OrthEmbed(orth_width) if orth_width else None
    return Model(
        "pretrained_encoder",
        forward,
        init=init,
        dims={"nO": None},
        layers=[backbone, orth] if orth else [backbone],
        refs={"backbone": backbone, "orth": orth},
        attrs={
            "windows": WindowSettings(window, stride, max_pieces, stock_windows),
            "orth_width": orth_width,
            "is_pretrained": is_pretrained,
        },
    )


def forward(
    model: EncoderModel, docs: list[Doc], is_train: bool
) -> tuple[list[Floats2d], Callable[[list[Floats2d]], list]]:
    """One array (tokens, nO) a Doc: the backbone's vectors, then the orth embedding's.

    The backward pass takes their gradients and returns nothing: text has none.
    """
    shim, orth = get_shim(model), model.maybe_get_ref("orth")
    if shim.checkpoint is None:
        raise ValueError(Errors.NOT_INITIALIZED)
    arrays = read_arrays(docs)
    token_bounds = list(itertools.pairwise(arrays.bounds.tolist()))
    width = shim.checkpoint.layout.width
    out = model.ops.alloc2f(len(arrays.starts), model.get_dim("nO"))
    backprop_backbone = _run_backbone(model, docs, arrays, out[:, :width], is_train)
    backprop_orth = None
    if orth is not None and len(out):  # Thinc's layers fail on nothing
        features = model.ops.asarray(orth_features(arrays))
        embedded, backprop_orth = orth([features[low:high] for low, high in token_bounds], is_train)
        out[:, width:] = model.ops.xp.concatenate(embedded)

    def backprop(d_outs: list[Floats2d]) -> list:
        d_out = model.ops.xp.concatenate(d_outs) if d_outs else out
        backprop_backbone(d_out[:, :width])
        if backprop_orth is not None:
            backprop_orth([model.ops.as_contig(d_doc[:, width:]) for d_doc in d_outs])
        return []

    return _by_doc(out, token_bounds), backprop


def _run_backbone(
    model: EncoderModel, docs: list[Doc], arrays: DocArrays, out: Floats2d, is_train: bool
) -> Callable[[Floats2d], None]:
    """Add the vectors of the N tokens to out (N, D). The callback takes their gradient."""
    cache = _find_cache(model)
    if cache is not None:
        cache.fill(model.ops, docs, arrays, out, partial(_predict, model))
        return _drop_gradient
    if not is_train or is_frozen(model):
        _predict(model, docs, out, arrays)
        return _drop_gradient
    plan, backprops = _make_plan(model, docs, arrays), []
    for block, window_batch in enumerate(plan.batches):
        vectors, backprop_block = get_shim(model).begin_update(window_batch)
        plan.pool(model.ops, block, vectors, out)
        backprops.append((vectors.shape, backprop_block))

    def backprop(d_out: Floats2d) -> None:
        for block, (shape, backprop_block) in enumerate(backprops):
            d_vectors = model.ops.alloc3f(*shape)
            plan.unpool(model.ops, block, d_out, d_vectors)
            backprop_block(d_vectors)

    return backprop


def _predict(
    model: EncoderModel, docs: list[Doc], out: Floats2d, arrays: DocArrays | None = None
) -> None:
    plan = _make_plan(model, docs, read_arrays(docs) if arrays is None else arrays)
    for block, vectors in enumerate(get_shim(model).predict(plan.batches)):
        plan.pool(model.ops, block, vectors, out)


def _make_plan(model: EncoderModel, docs: list[Doc], arrays: DocArrays) -> WindowPlan | StockPlan:
    shim, windows = get_shim(model), window_settings(model)
    settings = {
        "window": windows.window,
        "stride": windows.stride,
        "max_pieces": windows.max_pieces,
        "shape": shim.row_shape,
    }
    if windows.stock_windows is None:
        return WindowPlan(shim.checkpoint, docs, arrays, **settings)
    stock = StockWindows.from_config(windows.stock_windows)
    return StockPlan(shim.checkpoint, docs, arrays, stock=stock, **settings)


def window_settings(model: EncoderModel) -> WindowSettings:
    """Those of the config. Pickles of earlier versions have an attr for each."""
    if (windows := model.attrs.get("windows")) is not None:
        return windows
    names = [field.name for field in fields(WindowSettings)]
    return WindowSettings(**{name: model.attrs.get(name) for name in names})


def plan_batches(model: EncoderModel, docs: list[Doc]) -> list[WindowBatch]:
    """The batches of windows that the backend gets to see for these Docs."""
    return _make_plan(model, docs, read_arrays(docs)).batches


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


def set_cache(model: EncoderModel, cache_bytes: int, cache_folder: Path | None, name: str) -> None:
    """Keep the backbone's vectors from now on: see `PretrainedEncoder.cache_vectors`.

    name: Of the component, for messages.
    """
    cache = model.get_ref("backbone").attrs["cache"] = None  # an old one writes what it has
    if cache_bytes:
        folder = cache_folder and cache_folder / _fingerprint(model)
        cache = FeatureCache(get_shim(model).checkpoint, cache_bytes, folder, name)
    model.get_ref("backbone").attrs["cache"] = cache


def _find_cache(model: EncoderModel) -> FeatureCache | None:
    attrs = model.get_ref("backbone").attrs
    cache = attrs["cache"]
    if cache is not None and cache.checkpoint is not get_shim(model).checkpoint:
        cache = attrs["cache"] = None  # other weights were loaded since
    return cache


def _fingerprint(model: EncoderModel) -> str:
    """A name for all that the backbone's vectors depend on, but for the Doc."""
    shim, windows = get_shim(model), window_settings(model)
    precise = not shim.reduced_precision
    settings = (CACHED_VERSION, windows.window, windows.stride, precise)
    if windows.stock_windows is not None:
        settings += (windows.stock_windows,)
    digest = blake2b(repr(settings).encode(), digest_size=16)
    for name, content in sorted(shim.to_files().items()):
        digest.update(name.encode())
        digest.update(content)
    return digest.hexdigest()


def _drop_gradient(d_out: Floats2d) -> None:
    """What does not train takes no gradient."""


def _by_doc(out: Floats2d, bounds: list[tuple[int, int]]) -> list[Floats2d]:
    """The rows of each Doc. They are copied, so that one Doc that is kept does not keep the
    vectors of all that were in its batch; a Doc that fills most of it is not copied."""
    return [
        out[low:high] if 2 * (high - low) > len(out) else out[low:high].copy()
        for low, high in bounds
    ]
