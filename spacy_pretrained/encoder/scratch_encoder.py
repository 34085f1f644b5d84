"""An encoder that is not pretrained: a small transformer with random weights, which learns from the
training corpus alone."""

from collections.abc import Generator

from ..backends.backbone import make_scratch_shim
from ..backends.torch_settings import ScratchSettings
from .token_encoder import EncoderModel, build_encoder


def build_transformer_from_scratch(
    layers: int = 4,
    width: int = 256,
    heads: int = 4,
    window: int = 128,
    stride: int | None = None,
    max_pieces: int = 2048,
    orth_width: int = 32,
    dropout: float | None = None,
    mixed_precision: bool = False,
    gradient_checkpointing: bool = False,
    learn_rate_factor: float | Generator | None = None,
    device: str = "auto",
) -> EncoderModel:
    """Build an encoder of BERT's architecture that runs, and trains, on torch. `nlp.initialize()`
    draws its weights, and learns its vocabulary from the training texts or takes a tokenizer.json.

    layers, width, heads: Of the transformer; width is a multiple of heads. Its feed-forward layers
        are four times as wide.
    window: Wordpieces that the encoder sees at once, special ones included: attention is local to
        a window. It has so many position embeddings, hence no larger window once it is trained.
    dropout: None stands for BERT's, 0.1.

    The other settings are those of `build_torch_encoder`.
    """
    settings = ScratchSettings(
        layers=layers,
        width=width,
        heads=heads,
        window=window,
        dropout=dropout,
        mixed_precision=mixed_precision,
        gradient_checkpointing=gradient_checkpointing,
        learn_rate_factor=learn_rate_factor,
        device=device,
    )
    shim = make_scratch_shim(settings)
    return build_encoder(shim, window, stride, max_pieces, orth_width, is_pretrained=False)
