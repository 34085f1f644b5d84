"""What the kinds of transformers need to be encoders, which give one vector for each wordpiece."""

import inspect
from functools import partial
from itertools import chain

import torch
from torch.utils.checkpoint import checkpoint
from transformers import PretrainedConfig, PreTrainedModel

from .errors import Errors


def adapt_config(config: PretrainedConfig, dropout: float | None) -> PretrainedConfig:
    """Set what an encoder needs, whatever the model's own config.json says.

    dropout: Replaces all dropout rates; None keeps them.
    """
    # A name such as "owner/name" would have transformers fetch program code from the model hub.
    config._attn_implementation = None
    if hasattr(config, "_experts_implementation"):
        config._experts_implementation = None
    config.return_dict = True
    config.use_cache = False  # a decoder would return what the next piece needs, and none comes
    if getattr(config, "attention_type", None) == "block_sparse":
        # BigBird's attention to random blocks: others after each load. A window that is shorter
        # than some 700 pieces has full attention anyway.
        config.attention_type = "original_full"
    if dropout is not None:
        for name, value in config.to_dict().items():
            if "drop" in name and isinstance(value, int | float) and not isinstance(value, bool):
                setattr(config, name, dropout)
    return config


def take_encoder(module: PreTrainedModel) -> PreTrainedModel:
    """The encoder of a model that has a decoder, too, such as T5; without a pooler, which reads the
    first piece for sentence classification. RAISES: ValueError if this is no encoder of text."""
    name = module.config.model_type
    # Not by config.is_encoder_decoder: where only T5's encoder was saved, that is false.
    if "decoder_input_ids" in inspect.signature(module.forward).parameters:
        try:
            module = module.get_encoder()
        except Exception as error:
            raise ValueError(Errors.MODEL_NO_ENCODER.format(name=name)) from error
    arguments = inspect.signature(module.forward).parameters
    if "input_ids" not in arguments or not hasattr(module.config, "hidden_size"):
        raise ValueError(Errors.MODEL_NO_ENCODER.format(name=name))
    find_embeddings(module)
    if "attention_mask" not in arguments:
        raise ValueError(Errors.MODEL_NO_MASK.format(name=name))
    if getattr(module, "pooler", None) is not None:
        module.pooler = torch.nn.Identity()  # some models, such as LayoutLM, call it without asking
    return module


def find_embeddings(module: PreTrainedModel) -> torch.nn.Module:
    """The table of the wordpieces' vectors. RAISES: ValueError if the model has none."""
    try:
        return module.get_input_embeddings()
    except Exception as error:  # CANINE reads characters, and transformers does not foresee it
        # Nor does transformers 4 for the encoders of BART's relatives.
        if isinstance(table := getattr(module, "embed_tokens", None), torch.nn.Embedding):
            return table
        name = module.config.model_type
        raise ValueError(Errors.MODEL_NO_PIECES.format(name=name)) from error


def find_layers(module: PreTrainedModel) -> list[torch.nn.ModuleList]:
    """The parts of each of the encoder's layers, bottom first. Most models have one part a layer,
    XLM has a list of attentions and others beside it; and there are no layers where all are one
    (ALBERT shares its weights)."""
    n_layers = module.config.num_hidden_layers
    lists = [
        (name, child)
        for name, child in module.named_modules()
        if isinstance(child, torch.nn.ModuleList) and len(child) == n_layers
    ]
    outer = [
        child
        for name, child in lists
        if not any(name.startswith(f"{other}.") for other, _ in lists)
    ]
    return [torch.nn.ModuleList(parts) for parts in zip(*outer)]


def freeze_bottom(module: PreTrainedModel, freeze_layers: int) -> None:
    """Take the embeddings and the first layers out of training."""
    layers = find_layers(module)
    if freeze_layers > len(layers):
        raise ValueError(
            Errors.FREEZE_LAYERS.format(
                freeze_layers=freeze_layers, name=module.config.model_type, n_layers=len(layers)
            )
        )
    trained = {id(p) for layer in layers[freeze_layers:] for p in layer.parameters()}
    in_layers = {id(p) for layer in layers for p in layer.parameters()}
    embeddings = {id(p) for p in find_embeddings(module).parameters()} | {
        id(p) for name, p in module.named_parameters() if "embed" in name and id(p) not in in_layers
    }
    for parameter in module.parameters():
        frozen = id(parameter) in embeddings or id(parameter) in in_layers - trained
        parameter.requires_grad_(not frozen)


def compute_layers_again(module: PreTrainedModel) -> None:
    """Turn gradient checkpointing on. Where transformers has none for a model (MPNet, XLNet), each
    of its layers is run by torch's own. RAISES: ValueError if layers cannot be told apart."""
    if module.supports_gradient_checkpointing:
        # transformers 6 has the first name, 4 the second.
        name = "activation_checkpointing_enable"
        enable = getattr(module, name, None) or module.gradient_checkpointing_enable
        enable({"use_reentrant": False})
        return
    layers = find_layers(module)
    if not layers:
        name = module.config.model_type
        raise ValueError(Errors.NO_CHECKPOINTING.format(name=name))
    for part in chain.from_iterable(layers):
        part.forward = partial(_run_again, part, part.forward)


def _run_again(layer: torch.nn.Module, forward, *args, **kwargs):
    if not (layer.training and torch.is_grad_enabled()):
        return forward(*args, **kwargs)
    return checkpoint(forward, *args, use_reentrant=False, **kwargs)
