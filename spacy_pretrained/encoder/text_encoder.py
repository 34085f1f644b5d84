"""Texts in, one vector each out: the mean over all wordpieces, the special ones among them.

That is how the models of Sentence-Transformers named "mean pooling", such as all-MiniLM, were
trained (Reimers and Gurevych, Sentence-BERT, 2019). The mean of a Doc's token vectors is another
thing: it leaves out special pieces, and most of those of long words.
"""

from collections.abc import Callable, Generator

from thinc.api import Model
from thinc.types import Floats2d

from ..backends.backbone import Backbone, check_settings, get_shim, is_frozen, make_torch_shim
from ..backends.backend import Backend
from ..backends.openvino_backend import OpenVinoShim
from ..backends.torch_settings import TorchSettings
from ..checkpoints.checkpoint import Checkpoint
from ..windows.batches import WindowBatch
from ..windows.text_plan import TextPlan
from .errors import Errors

SentenceEncoder = Model[list[str], Floats2d]


def build_torch_sentence_encoder(
    window: int = 256,
    max_pieces: int = 2048,
    frozen: bool = False,
    freeze_layers: int = 0,
    dropout: float | None = None,
    mixed_precision: bool = False,
    gradient_checkpointing: bool = False,
    learn_rate_factor: float | Generator | None = 0.3,
    device: str = "auto",
    prefix: str = "",
) -> SentenceEncoder:
    """Build an encoder of whole texts that runs, and trains, on torch. It has no weights before
    `nlp.initialize()` or `from_disk`.

    window: Wordpieces that the encoder sees at once, special ones included; a longer text is cut
        between words into windows of like length, and its vector is the mean over all of them. At
        most what the model takes; 0 means just that.
    prefix: What is read before each text, if the encoder was trained with such: "query: " for the
        E5 models (Wang et al., 2022). Empty texts and white space stay as they are.

    The other settings are those of `build_torch_encoder`.
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
    return build_sentence_encoder(make_torch_shim(settings), window, max_pieces, prefix)


def build_openvino_sentence_encoder(
    window: int = 256, max_pieces: int = 512, threads: int = 0, prefix: str = ""
) -> SentenceEncoder:
    """Build an encoder of whole texts that runs on OpenVINO, without torch. Its weights are made
    from those of another, by `python -m spacy pretrained quantize`.

    window, prefix: As in `build_torch_sentence_encoder`.
    max_pieces: As in `build_openvino_encoder`.
    threads: Cores to use; 0 means those that this process may run on.
    """
    check_settings(threads=(threads, 0))
    return build_sentence_encoder(OpenVinoShim(threads), window, max_pieces, prefix)


def build_sentence_encoder(
    backend: Backend, window: int, max_pieces: int, prefix: str = ""
) -> SentenceEncoder:
    """Build an encoder of whole texts on a backend, as every registered architecture of one does.
    The settings are those of `build_torch_sentence_encoder`."""
    check_settings(window=(window, 0), max_pieces=(max_pieces, 1))
    backbone = Backbone(backend)
    return Model(
        "sentence_encoder",
        forward,
        layers=[backbone],
        refs={"backbone": backbone},
        attrs={"window": window, "max_pieces": max_pieces, "prefix": prefix},
    )


def forward(
    model: SentenceEncoder, texts: list[str], is_train: bool
) -> tuple[Floats2d, Callable[[Floats2d], list]]:
    """One vector a text (T, D); zeros for a text without pieces: empty, or all white space.

    White space around a text does not count. The backward pass takes the gradient (T, D) and
    returns nothing: text has none.
    """
    shim = get_shim(model)
    out = model.ops.alloc2f(len(texts), get_width(model))
    plan = _make_plan(model, texts)
    if not is_train or is_frozen(model):
        for block, vectors in enumerate(shim.predict(plan.batches)):
            plan.pool(model.ops, block, vectors, out)
        return out, _drop_gradient
    backprops = []
    for block, window_batch in enumerate(plan.batches):
        vectors, backprop_block = shim.begin_update(window_batch)
        plan.pool(model.ops, block, vectors, out)
        backprops.append(backprop_block)

    def backprop(d_out: Floats2d) -> list:
        for block, backprop_block in enumerate(backprops):
            backprop_block(plan.unpool(model.ops, block, d_out))
        return []

    return out, backprop


def get_width(model: SentenceEncoder) -> int:
    """D, of the vectors."""
    return _find_checkpoint(model).layout.width


def plan_texts(model: SentenceEncoder, texts: list[str]) -> list[WindowBatch]:
    """The batches of windows that the backend gets to see for these texts."""
    return _make_plan(model, texts).batches


def _make_plan(model: SentenceEncoder, texts: list[str]) -> TextPlan:
    settings = {name: model.attrs[name] for name in ("window", "max_pieces")}
    prefix = model.attrs["prefix"]
    texts = [prefix + text if text.strip() else "" for text in texts]
    checkpoint = _find_checkpoint(model)
    return TextPlan(checkpoint, texts, shape=get_shim(model).row_shape, **settings)


def _find_checkpoint(model: SentenceEncoder) -> Checkpoint:
    checkpoint = get_shim(model).checkpoint
    if checkpoint is None:
        raise ValueError(Errors.NOT_INITIALIZED)
    return checkpoint


def _drop_gradient(d_out: Floats2d) -> list:
    """What does not train takes no gradient."""
    return []
